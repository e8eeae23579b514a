"""Reading messages: the recent ones of a channel, and one by id or jump link."""

from __future__ import annotations

import discord
import orjson
from pydantic import Field, model_validator

from operations import cursors
from operations.base import Context, Encoded, Model, ReadOperation
from operations.discord.message_places import messageable, names, reading_need, sources
from operations.errors import Refused
from operations.refs import ChannelRef, GuildRef, MemberRef, MessageRef
from operations.render import MessageRow, message_row
from policy.model import Need
from policy.taint import Source

PAGE = 100
# How far a filtered reading looks back in one call: five requests to Discord.
MAX_SCANNED = 500


class MessageListInput(Model):
    channel: ChannelRef
    guild: GuildRef | None = None
    limit: int = Field(default=25, ge=1, le=100)
    before: MessageRef | None = None
    after: MessageRef | None = None
    around: MessageRef | None = None
    author: MemberRef | None = Field(default=None, description="A member.")
    contains: str | None = Field(default=None, min_length=1, max_length=200, description="Text in the message.")
    cursor: str | None = None

    @model_validator(mode="after")
    def one_anchor(self) -> MessageListInput:
        anchors = [name for name in ("before", "after", "around", "cursor") if getattr(self, name) is not None]
        if len(anchors) > 1:
            raise ValueError(f"give only one of {', '.join(anchors)}")
        if self.around is not None and (self.author is not None or self.contains is not None):
            raise ValueError("around takes no filters")
        return self


class MessageListResult(Model):
    """Newest first. ``cursor``: for the next older page, absent when there is none. ``scanned``: how many were looked
    at, with a filter.
    """

    channel_id: str
    messages: list[MessageRow]
    cursor: str | None = None
    scanned: int | None = None


class ListRecentMessages(ReadOperation[MessageListInput, MessageListResult]):
    """Read the recent messages of a channel or thread, newest first. Embeds, attachments, polls, buttons and forwards
    are rendered as text.
    """

    name = "message_list_recent"
    title = "Read recent messages"
    toolset = "messages"
    scope = "messages:read"
    bot_permissions = ("view_channel", "read_message_history")
    actor_permissions = ("view_channel", "read_message_history")
    in_default_set = True

    def needs(self, ctx: Context, arguments: MessageListInput) -> tuple[Need, ...]:
        return (reading_need(ctx, ctx.targets["channel"]),)

    def sources(self, ctx: Context, arguments: MessageListInput) -> tuple[Source, ...]:
        return sources(ctx, ctx.targets["channel"])

    async def read(self, ctx: Context, arguments: MessageListInput) -> Encoded:
        channel_id = ctx.targets["channel"].id
        messageable(ctx.guild, channel_id)
        if arguments.around is not None:
            found = await self._page(ctx, arguments.limit, around=ctx.targets["around"].id)
            return self._result(ctx, channel_id, found, None, None)
        if arguments.after is not None:
            # Discord gives the oldest of them first; the answer is newest first like the others.
            found = await self._page(ctx, arguments.limit, after=ctx.targets["after"].id)
            return self._result(ctx, channel_id, found, None, None)
        before = ctx.targets["before"].id if "before" in ctx.targets else None
        if arguments.cursor is not None:
            position = cursors.open_cursor(ctx, self.name, arguments.cursor)
            if position[0] != channel_id:
                raise Refused(cursors.UNKNOWN_CURSOR)
            before = int(position[1])
        if arguments.author is None and arguments.contains is None:
            found = await self._page(ctx, arguments.limit, before=before)
            more = len(found) == arguments.limit
            return self._result(ctx, channel_id, found, found[-1].id if more else None, None)
        return await self._filtered(ctx, arguments, channel_id, before)

    async def _filtered(
        self, ctx: Context, arguments: MessageListInput, channel_id: int, before: int | None
    ) -> Encoded:
        author = ctx.targets.get("author")
        wanted = None if arguments.contains is None else arguments.contains.casefold()
        found: list[discord.Message] = []
        scanned, last, full = 0, before, True
        while len(found) < arguments.limit and scanned < MAX_SCANNED and full:
            page = await self._page(ctx, PAGE, before=last)
            full = len(page) == PAGE
            for message in page:
                scanned, last = scanned + 1, message.id
                if author is not None and message.author.id != author.id:
                    continue
                if wanted is not None and wanted not in self._row(ctx, message)["text"].casefold():
                    continue
                found.append(message)
                if len(found) == arguments.limit:
                    break
            await ctx.progress(scanned, MAX_SCANNED, f"{scanned} messages read, {len(found)} found")
        more = len(found) == arguments.limit or full
        return self._result(ctx, channel_id, found, last if more else None, scanned)

    async def _page(
        self,
        ctx: Context,
        limit: int,
        *,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
    ) -> list[discord.Message]:
        channel = messageable(ctx.guild, ctx.targets["channel"].id)
        found = [
            message
            async for message in channel.history(
                limit=limit,
                before=None if before is None else discord.Object(before),
                after=None if after is None else discord.Object(after),
                around=None if around is None else discord.Object(around),
                oldest_first=None if after is None else True,
            )
        ]
        return sorted(found, key=lambda message: message.id, reverse=True)

    @staticmethod
    def _row(ctx: Context, message: discord.Message) -> MessageRow:
        return message_row(message, names(ctx.guild))

    def _result(
        self, ctx: Context, channel_id: int, found: list[discord.Message], older: int | None, scanned: int | None
    ) -> Encoded:
        known = names(ctx.guild)
        result: dict[str, object] = {
            "channel_id": str(channel_id),
            "messages": [message_row(message, known) for message in found],
        }
        if older is not None:
            result["cursor"] = cursors.seal(ctx, self.name, [channel_id, older])
        if scanned is not None:
            result["scanned"] = scanned
        return Encoded(orjson.dumps(result))


class MessageGetInput(Model):
    message: MessageRef
    channel: ChannelRef | None = None
    guild: GuildRef | None = None


class MessageGetResult(Model):
    channel_id: str
    message: MessageRow


class GetMessage(ReadOperation[MessageGetInput, MessageGetResult]):
    """Read one message, by jump link, or by id with its channel."""

    name = "message_get"
    title = "Read a message"
    toolset = "messages"
    scope = "messages:read"
    bot_permissions = ("view_channel", "read_message_history")
    actor_permissions = ("view_channel", "read_message_history")
    in_default_set = True

    def needs(self, ctx: Context, arguments: MessageGetInput) -> tuple[Need, ...]:
        return (reading_need(ctx, ctx.targets["message"]),)

    def sources(self, ctx: Context, arguments: MessageGetInput) -> tuple[Source, ...]:
        return sources(ctx, ctx.targets["message"])

    async def read(self, ctx: Context, arguments: MessageGetInput) -> Encoded:
        target = ctx.targets["message"]
        channel_id = target.channel_id or 0
        message = await messageable(ctx.guild, channel_id).fetch_message(target.id)
        row = message_row(message, names(ctx.guild), jump_url=True)
        return Encoded(orjson.dumps({"channel_id": str(channel_id), "message": row}))
