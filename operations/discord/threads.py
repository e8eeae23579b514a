"""Listing threads: the active ones of a guild or a channel, and the archived ones of a channel."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from typing import Literal, Self

import discord
from pydantic import Field, model_validator

from operations import cursors
from operations.base import Context, Encoded, Model, ReadOperation
from operations.discord.channel_kinds import ThreadKind
from operations.discord.names import channel_name, member_name, name
from operations.errors import Refused
from operations.guild_state import GuildView
from operations.outcomes import timestamp
from operations.refs import ChannelRef, GuildRef
from operations.thread_visibility import sees
from policy.model import Need, Refuse, Step
from policy.permissions import Bits, bits

State = Literal["active", "archived", "archived_private"]
_KINDS: dict[discord.ChannelType, ThreadKind] = {
    discord.ChannelType.private_thread: "private_thread",
    discord.ChannelType.news_thread: "announcement_thread",
}


class ThreadListInput(Model):
    channel: ChannelRef | None = None
    guild: GuildRef | None = None
    state: State = Field(default="active", description="Archived need channel.")
    limit: int = Field(default=50, ge=1, le=100)
    cursor: str | None = None

    @model_validator(mode="after")
    def _of_a_channel(self) -> Self:
        if self.state != "active" and self.channel is None:
            raise ValueError("archived threads are listed channel by channel; give channel")
        return self


class ThreadRow(Model):
    """``type`` is absent for public threads, ``locked`` where it is false."""

    id: str
    name: str
    type: ThreadKind = "public_thread"
    channel_id: str
    channel_name: str | None = None
    owner_id: str
    owner_name: str | None = None
    message_count: int
    member_count: int
    locked: bool | None = None
    archived_at: str | None = None


class ThreadListResult(Model):
    """Newest first; archived ones by when they were archived. ``cursor``: for the next page."""

    threads: list[ThreadRow]
    cursor: str | None = None


class ListThreads(ReadOperation[ThreadListInput, ThreadListResult]):
    """List the threads and forum posts that you can see: the active ones of a guild or channel, or a channel's archived
    ones.
    """

    name = "thread_list"
    toolset = "threads"
    scope = "threads:read"
    in_default_set = True
    bot_permissions = ("view_channel",)
    actor_permissions = ("view_channel",)

    def needs(self, ctx: Context, arguments: ThreadListInput) -> tuple[Need, ...]:
        channel = ctx.targets.get("channel")
        if channel is None:
            return (Need(ctx.guild_target),)
        if arguments.state == "active":
            return (self.need(channel),)
        # Who lists the private ones must be able to see every one of them.
        # https://discord.com/developers/docs/resources/channel#list-private-archived-threads
        wanted = bits("view_channel", "read_message_history")
        if arguments.state == "archived_private":
            wanted |= Bits.manage_threads
        return (Need(channel, int(wanted), int(wanted)),)

    async def read(self, ctx: Context, arguments: ThreadListInput) -> ThreadListResult | Encoded:
        channel = ctx.targets.get("channel")
        channel_id = 0 if channel is None else channel.id
        before: str | int | None = None
        if arguments.cursor is not None:
            position = cursors.open_cursor(ctx, self.name, arguments.cursor)
            if position[:2] != [channel_id, arguments.state]:
                raise Refused(cursors.UNKNOWN_CURSOR)
            before = position[2]
        if arguments.state == "active":
            found = _active(ctx, channel_id, None if before is None else int(before))
        else:
            private = arguments.state == "archived_private"
            found = _archived(ctx, channel_id, arguments.limit + 1, private=private, before=before)
        shown: list[tuple[ThreadRow, str | int]] = []
        async for each in found:
            shown.append(each)
            if len(shown) > arguments.limit:
                break
        rows = shown[: arguments.limit]
        cursor = None
        if len(shown) > len(rows):
            cursor = cursors.seal(ctx, self.name, [channel_id, arguments.state, rows[-1][1]])
        return ThreadListResult(threads=[row for row, _ in rows], cursor=cursor)


async def _active(ctx: Context, channel_id: int, before: int | None) -> AsyncIterator[tuple[ThreadRow, int]]:
    """The visible threads from the newest on, each with its place; looked at one by one, as far as they are asked for:
    who is in a private one has to be asked of Discord.
    """
    view = ctx.guild
    thread_ids = sorted(
        (
            thread.id
            for thread in view.discord.threads
            if channel_id in (0, thread.parent_id) and (before is None or thread.id < before)
        ),
        reverse=True,
    )
    for thread_id in thread_ids:
        thread = view.discord.get_thread(thread_id)
        if thread is None or thread.archived or not _bot_sees(view, thread) or not await sees(view, thread):
            continue
        yield _row(view, thread), thread_id


async def _archived(
    ctx: Context, channel_id: int, limit: int, *, private: bool, before: str | int | None
) -> AsyncIterator[tuple[ThreadRow, str]]:
    """Archived ones, the latest first, as Discord has them: they are in no cache."""
    channel = ctx.guild.channel(channel_id)
    moment = None if before is None else datetime.datetime.fromisoformat(str(before))
    if isinstance(channel, discord.ForumChannel):
        pages = channel.archived_threads(limit=limit, before=moment)
    elif isinstance(channel, discord.TextChannel):
        pages = channel.archived_threads(private=private, limit=limit, before=moment)
    else:
        raise Refused(NO_THREADS)
    if private and channel.type is not discord.ChannelType.text:
        return
    async for thread in pages:
        if ctx.guild.sees(thread):
            yield _row(ctx.guild, thread), thread.archive_timestamp.isoformat()


NO_THREADS = Refuse(
    Step.DISCORD,
    "no_threads_here",
    "That kind of channel has no archived threads.",
    "Choose a text channel, an announcement channel or a forum.",
)


def _bot_sees(view: GuildView, thread: discord.Thread) -> bool:
    if not view.bot_sees(thread):
        return False
    return not thread.is_private() or thread.me is not None or bool(view.bot_bits(thread) & Bits.manage_threads)


def _row(view: GuildView, thread: discord.Thread) -> ThreadRow:
    return ThreadRow(
        id=str(thread.id),
        name=name(thread.name),
        type=_KINDS.get(thread.type, "public_thread"),
        channel_id=str(thread.parent_id),
        channel_name=channel_name(view, thread.parent_id),
        owner_id=str(thread.owner_id),
        owner_name=member_name(view, thread.owner_id),
        message_count=thread.message_count,
        member_count=thread.member_count,
        locked=thread.locked or None,
        archived_at=timestamp(thread.archive_timestamp.timestamp()) if thread.archived else None,
    )
