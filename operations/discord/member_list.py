"""All members of a guild, page by page."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field

import discord
import orjson
from pydantic import Field

from operations import cursors
from operations.base import Context, Encoded, Model, Progress, ReadOperation
from operations.discord.guilds import member_count
from operations.discord.member_facts import MemberRow, member_row, role_names, running_end
from operations.guild_state import GuildView
from operations.outcomes import encode
from operations.refs import GuildRef

MAX_LISTED = 1000
MAX_MEMOISED_PAGES = 64
MAX_MEMOISED_GUILDS = 1024
PROGRESS_SECONDS = 0.5
# Where the counts of Discord and of the cache stay apart, it is not asked for everybody at every page.
COMPLETE_FOR_SECONDS = 60.0


class MemberListInput(Model):
    guild: GuildRef | None = None
    limit: int = Field(default=100, ge=1, le=MAX_LISTED)
    cursor: str | None = None


class MemberListResult(Model):
    """By age of the account, oldest first. ``roles``: names of the roles in the rows, by id. ``cursor``: for the next
    page, absent on the last one.
    """

    members: list[MemberRow]
    roles: dict[str, str]
    member_count: int | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class _Page:
    """``json``: a MemberListResult without its cursor. ``last``: where the next page begins; None on the last one.
    ``until``: when the first timeout in it ends.
    """

    json: bytes
    last: int | None
    until: float


@dataclass(slots=True)
class _Memo:
    """Pages of one guild at one version of its roles and members, by where they begin and how long they are."""

    version: tuple[int, int]
    guild: discord.Guild
    pages: dict[tuple[int, int], _Page] = field(default_factory=dict[tuple[int, int], _Page])


class ListMembers(ReadOperation[MemberListInput, MemberListResult]):
    """List all members, oldest account first, with their roles. To find somebody: member_search."""

    name = "member_list"
    toolset = "members"
    scope = "members:read"
    in_default_set = True

    def __init__(self) -> None:
        self._memos: dict[int, _Memo] = {}
        self._completed: dict[int, tuple[discord.Guild, float]] = {}

    async def read(self, ctx: Context, arguments: MemberListInput) -> MemberListResult | Encoded:
        after = 0
        if arguments.cursor is not None:
            after = int(cursors.open_cursor(ctx, self.name, arguments.cursor)[0])
        view = ctx.guild
        if not view.state.source.members_are_current(view.id):
            page = await self._fetched(ctx, after, arguments.limit)
        else:
            await self._complete(ctx)
            page = self._memoised(view, after, arguments.limit, ctx.now)
        if page.last is None:
            return Encoded(page.json)
        cursor = orjson.dumps(cursors.seal(ctx, self.name, [page.last]))
        return Encoded(page.json[:-1] + b',"cursor":' + cursor + b"}")

    async def _fetched(self, ctx: Context, after: int, limit: int) -> _Page:
        """By REST: one request, and a second one where a full page leaves open whether there is more."""
        source = ctx.guild.state.source
        found = await source.list_members(ctx.guild.discord, after, limit)
        await ctx.progress(1, message="members fetched")
        has_more = len(found) == limit and bool(await source.list_members(ctx.guild.discord, found[-1].id, 1))
        return _page(ctx.guild.discord, found, ctx.now, has_more=has_more)

    async def _complete(self, ctx: Context) -> None:
        """All members are in the cache afterwards: the gateway tells of them on first use, and keeps them current."""
        guild, now = ctx.guild.discord, ctx.now
        completed = self._completed.get(guild.id)
        if guild.chunked or (completed and completed[0] is guild and now - completed[1] < COMPLETE_FOR_SECONDS):
            return
        await _told(ctx.guild, asyncio.ensure_future(ctx.guild.state.source.complete_members(guild)), ctx.progress)
        if len(self._completed) >= MAX_MEMOISED_GUILDS:
            self._completed.clear()
        self._completed[guild.id] = (ctx.guild.discord, now)

    def _memoised(self, view: GuildView, after: int, limit: int, now: float) -> _Page:
        guild, version = view.discord, (view.version, view.state.memos.member_version(view.id))
        memo = self._memos.get(guild.id)
        if memo is None or memo.version != version or memo.guild is not guild:
            if len(self._memos) >= MAX_MEMOISED_GUILDS:
                self._memos.clear()
            memo = self._memos[guild.id] = _Memo(version, guild)
        page = memo.pages.get((after, limit))
        if page is None or page.until <= now:
            if len(memo.pages) >= MAX_MEMOISED_PAGES:
                memo.pages.clear()
            members = sorted((each for each in guild.members if each.id > after), key=lambda each: each.id)
            page = _page(guild, members[:limit], now, has_more=len(members) > limit)
            memo.pages[after, limit] = page
        return page


async def _told(view: GuildView, work: asyncio.Future[None], progress: Progress) -> None:
    """Waits for the members and says how many have come."""
    try:
        while True:
            done, _ = await asyncio.wait({work}, timeout=PROGRESS_SECONDS)
            if done:
                return work.result()
            await progress(len(view.discord.members), member_count(view.discord), "members received")
    finally:
        work.cancel()


def _page(guild: discord.Guild, members: list[discord.Member], now: float, *, has_more: bool) -> _Page:
    rows = [member_row(guild, member, now) for member in members]
    result = MemberListResult(members=rows, roles=role_names(guild, rows), member_count=member_count(guild))
    ends = [end.timestamp() for member in members if (end := running_end(member, now)) is not None]
    return _Page(encode(result), members[-1].id if has_more else None, min(ends, default=math.inf))
