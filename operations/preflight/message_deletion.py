"""Deleting messages: which ones, and how many at once."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

import discord

from policy.permissions import Bits

MIN_BULK, MAX_BULK = 2, 100
MAX_BULK_AGE = datetime.timedelta(days=14)

_Kind = discord.MessageType
# The column "Deletable" of https://discord.com/developers/docs/resources/message#message-object-message-types
_UNDELETABLE = frozenset(
    {
        _Kind.recipient_add,
        _Kind.recipient_remove,
        _Kind.call,
        _Kind.channel_name_change,
        _Kind.channel_icon_change,
        _Kind.thread_starter_message,
    }
)


def message_is_deletable(kind: discord.MessageType) -> str | None:
    """Error 50021: some system messages stay."""
    if kind not in _UNDELETABLE:
        return None
    return "That is a system message of a kind that Discord does not let anybody delete."


def others_message_needs_manage_messages(bot_bits: int, channel_name: str) -> str | None:
    """ "[...] trying to delete a message that was not sent by the current user, this endpoint requires the
    MANAGE_MESSAGES permission." ``bot_bits``: the bot's in the channel.

    https://discord.com/developers/docs/resources/message#delete-message
    """
    if bot_bits & (Bits.manage_messages | Bits.administrator):
        return None
    return f"I lack manage_messages at #{channel_name}, and others wrote that message; give it to my role there."


def bulk_fits(message_ids: Sequence[int], now: datetime.datetime) -> Iterator[str]:
    """2 to 100 ids, none twice, none of a message older than two weeks (error 50034).

    ``now``: in UTC. https://discord.com/developers/docs/resources/message#bulk-delete-messages
    """
    distinct = set(message_ids)
    if len(distinct) < len(message_ids):
        twice = sorted({message_id for message_id in message_ids if message_ids.count(message_id) > 1})
        yield f"{_listed(twice)} given twice; name each message once."
    if len(distinct) < MIN_BULK:
        yield f"At least {MIN_BULK} messages are deleted at once; use message_delete for a single one."
    if len(distinct) > MAX_BULK:
        yield f"At most {MAX_BULK} messages are deleted at once; there are {len(distinct)}. Split them."
    old = sorted(message_id for message_id in distinct if is_too_old(message_id, now))
    if old:
        yield (
            f"{_listed(old)} older than 14 days, and Discord deletes no such message in bulk; "
            "leave it out, or delete it alone with message_delete."
        )


def is_too_old(message_id: int, now: datetime.datetime) -> bool:
    """An id tells when its message was made: https://discord.com/developers/docs/reference#snowflakes"""
    return now - discord.utils.snowflake_time(message_id) > MAX_BULK_AGE


def _listed(message_ids: Sequence[int]) -> str:
    shown = ", ".join(str(message_id) for message_id in message_ids[:5])
    more = f" and {len(message_ids) - 5} more" if len(message_ids) > 5 else ""
    return f"Message {shown} is" if len(message_ids) == 1 else f"Messages {shown}{more} are"
