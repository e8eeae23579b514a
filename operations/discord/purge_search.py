"""Which messages of a channel a purge takes: found from the newest back, within bounds that are told."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import discord

from operations.base import Change, Context, Model
from operations.discord.fingerprints import fingerprint
from operations.discord.message_places import messageable, names
from operations.discord.platform_posts import platform_posts
from operations.outcomes import timestamp
from operations.preflight import message_deletion as rules
from operations.render import message_text
from operations.sanitise import inline

PAGE = 100
# How far back one purge looks: twenty requests to Discord.
MAX_SCANNED = 2_000
# Discord takes those that are too old for a bulk deletion one by one, and slowly.
MAX_OLD = 25
MAX_AUTHORS_TOLD = 15


class PurgedMessage(Model):
    """``seen``: a digest of how it was when the preview counted it."""

    id: int
    seen: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What is to go. ``since`` and ``until``: seconds since the epoch; None for no bound."""

    author_id: int | None = None
    contains: str | None = None
    since: float | None = None
    until: float | None = None
    limit: int = PAGE
    include_pinned: bool = False
    include_old: bool = False


@dataclass(slots=True)
class Found:
    """``messages``: newest first, ``old`` of them too old for a bulk deletion. ``kept``: how many of what matched stay,
    by why. ``reached``: how far back it looked, where it stopped before its end.
    """

    messages: list[discord.Message] = field(default_factory=list[discord.Message])
    old: int = 0
    kept: Counter[str] = field(default_factory=Counter[str])
    scanned: int = 0
    reached: datetime.datetime | None = None


async def found(ctx: Context, channel_id: int, filters: Filters) -> Found:
    """Looks through the channel. Raises Refused and discord.HTTPException."""
    known = Found()
    last = None if filters.until is None else _first_id_at(filters.until)
    while len(known.messages) < filters.limit:
        page = await _page(ctx, channel_id, last)
        posts = set(await platform_posts(ctx, page))
        for message in page:
            if filters.since is not None and message.created_at.timestamp() < filters.since:
                return known
            last = message.id
            known.scanned += 1
            if _matches(ctx, message, filters):
                _take(ctx, known, message, filters, is_post=message.id in posts)
            if len(known.messages) == filters.limit:
                break
        await ctx.progress(known.scanned, MAX_SCANNED, f"{known.scanned} messages read, {len(known.messages)} found")
        if len(page) < PAGE or len(known.messages) == filters.limit:
            return known
        if known.scanned >= MAX_SCANNED:
            known.reached = page[-1].created_at
            return known
    return known


async def _page(ctx: Context, channel_id: int, before: int | None) -> list[discord.Message]:
    anchor = None if before is None else discord.Object(before)
    channel = messageable(ctx.guild, channel_id)
    return [message async for message in channel.history(limit=PAGE, before=anchor, oldest_first=False)]


def _first_id_at(moment: float) -> int:
    """https://discord.com/developers/docs/reference#snowflakes"""
    return discord.utils.time_snowflake(datetime.datetime.fromtimestamp(moment, datetime.UTC))


def _matches(ctx: Context, message: discord.Message, filters: Filters) -> bool:
    if filters.author_id is not None and message.author.id != filters.author_id:
        return False
    if filters.contains is None:
        return True
    return filters.contains.casefold() in message_text(message, names(ctx.guild)).casefold()


def _take(ctx: Context, known: Found, message: discord.Message, filters: Filters, *, is_post: bool) -> None:
    is_old = rules.is_too_old(message.id, datetime.datetime.fromtimestamp(ctx.now, datetime.UTC))
    if is_post:
        known.kept["posted by me for nobody, such as cards and log entries"] += 1
    elif rules.message_is_deletable(message.type) is not None:
        known.kept["system messages that Discord lets nobody delete"] += 1
    elif message.pinned and not filters.include_pinned:
        known.kept["pinned; include_pinned takes them too"] += 1
    elif is_old and not filters.include_old:
        known.kept["older than 14 days; include_old takes some of them too"] += 1
    elif is_old and known.old == MAX_OLD:
        known.kept[f"older than 14 days, beyond the {MAX_OLD} that go at a time"] += 1
    else:
        known.old += is_old
        known.messages.append(message)


# -------------------------------------------------------------------- preview
def digest(message: discord.Message) -> str:
    """Of what counted when the message was chosen."""
    return fingerprint({"it": [message.author.id, message.content, message.pinned]}).removeprefix("it=")


def told_of(where: str, messages: Sequence[discord.Message], kept: Mapping[str, int]) -> tuple[Change, ...]:
    """How many messages go, author by author, and what of the matching ones stays; never a text."""
    counted = Counter(message.author.id for message in messages)
    called = {message.author.id: inline(message.author.name) for message in messages}
    changes = [
        Change(target=where, field=f"messages by {user_id} {called[user_id]}", before=count, after=0)
        for user_id, count in counted.most_common(MAX_AUTHORS_TOLD)
    ]
    rest = counted.most_common()[MAX_AUTHORS_TOLD:]
    if rest:
        several = sum(count for _, count in rest)
        changes.append(Change(target=where, field=f"messages by {len(rest)} others", before=several, after=0))
    if messages:
        span = [timestamp(each.created_at.timestamp()) for each in (messages[-1], messages[0])]
        changes.append(Change(target=where, field="sent between", before=span))
    changes += [
        Change(target=where, field=f"kept: {why}", before=count, after=count) for why, count in sorted(kept.items())
    ]
    return tuple(changes)


# ---------------------------------------------------------------------- later
async def present(ctx: Context, channel_id: int, message_ids: Iterable[int]) -> dict[int, discord.Message]:
    """Those of the messages that are still there. What was posted after the newest of them is not looked at. Raises
    Refused when the channel is gone, and discord.HTTPException.
    """
    wanted = set(message_ids)
    oldest, last = min(wanted), max(wanted) + 1
    there: dict[int, discord.Message] = {}
    # Between them lie no more messages than the search itself read.
    for _ in range(MAX_SCANNED // PAGE + 1):
        page = await _page(ctx, channel_id, last)
        there |= {message.id: message for message in page if message.id in wanted}
        if len(page) < PAGE or page[-1].id <= oldest:
            break
        last = page[-1].id
    return there
