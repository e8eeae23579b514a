"""What a deletion tells of messages: who wrote them, how long they are and from when, never their text."""

from __future__ import annotations

import discord

from operations.base import Change, Context
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.message_places import messageable
from operations.errors import Refused
from operations.guild_state import Channel
from operations.outcomes import timestamp
from operations.refusals import hidden
from operations.sanitise import inline
from policy.permissions import Bits

PAGE = 100
# Messages that lie close together are read by the page; what is further away is fetched one by one.
MAX_PAGES = 3


async def fetched(ctx: Context, channel_id: int, message_id: int, field: str) -> discord.Message:
    """Raises Refused as for an unknown one when the channel has no such message."""
    try:
        return await messageable(ctx.guild, channel_id).fetch_message(message_id)
    except discord.NotFound:
        raise Refused(hidden(field, "message")) from None


async def fetched_all(ctx: Context, channel_id: int, message_ids: tuple[int, ...], field: str) -> list[discord.Message]:
    """The messages, in the order of their ids. Raises Refused as for an unknown one when one of them is not there."""
    wanted = sorted(set(message_ids), reverse=True)
    found: dict[int, discord.Message] = {}
    for _ in range(MAX_PAGES):
        missing = [message_id for message_id in wanted if message_id not in found]
        if len(missing) < 2:
            break
        newest, oldest = missing[0], missing[-1]
        page = [
            message
            async for message in messageable(ctx.guild, channel_id).history(
                limit=PAGE, before=discord.Object(newest + 1), oldest_first=False
            )
        ]
        found |= {message.id: message for message in page if message.id in wanted}
        if newest not in found:
            raise Refused(hidden(field, "message"))
        await ctx.progress(len(found), len(wanted), f"{len(found)} of {len(wanted)} messages looked at")
        if len(page) < PAGE or page[-1].id <= oldest:
            break
    for message_id in wanted:
        if message_id not in found:
            found[message_id] = await fetched(ctx, channel_id, message_id, field)
            await ctx.progress(len(found), len(wanted), f"{len(found)} of {len(wanted)} messages looked at")
    return [found[message_id] for message_id in sorted(found)]


def reads_history(ctx: Context, channel: Channel) -> bool:
    """Whether the requester may be told of what stands there. To delete it by its id, he need not."""
    return bool(ctx.guild.bits(channel) & (Bits.read_message_history | Bits.administrator))


def deletion(message: discord.Message, channel_name: str, *, in_full: bool) -> Change:
    """One message's end, as a change. ``in_full``: its requester may read what stands there."""
    where = f"message {message.id} in #{inline(channel_name)}"
    if not in_full:
        return Change(target=where, field="exists", before=True, after=False)
    told: dict[str, object] = {
        "author": f"{message.author.id} {inline(message.author.name)}",
        "sent_at": timestamp(message.created_at.timestamp()),
        "characters": len(message.content),
    }
    counts = {"files": len(message.attachments), "embeds": len(message.embeds)}
    told |= {name: count for name, count in counts.items() if count}
    if message.pinned:
        told["pinned"] = True
    return Change(target=where, field="exists", before=told, after=False)


def seen(messages: list[discord.Message]) -> str:
    """The state that a deletion rests on: these messages, as they were told of. A digest, so that no text is kept."""
    return fingerprint({str(message.id): [message.author.id, message.content, message.pinned] for message in messages})


async def seen_now(ctx: Context, channel_id: int, message_ids: tuple[int, ...]) -> str:
    try:
        return seen(await fetched_all(ctx, channel_id, message_ids, "message"))
    except Refused:
        return GONE


async def are_gone(ctx: Context, channel_id: int, message_ids: tuple[int, ...]) -> bool:
    """Whether none of the messages is there any more. Raises discord.HTTPException."""
    for message_id in message_ids:
        try:
            await messageable(ctx.guild, channel_id).fetch_message(message_id)
        except discord.NotFound:
            continue
        return False
    return True
