"""Deleting many messages of one channel: those by somebody, with a text, of a time."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import discord
from pydantic import AwareDatetime, Field, model_validator

from operations import case_records
from operations.base import Context, Model, Preview, Reconcile, WriteOperation
from operations.discord import purge_search as search
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.message_places import connect_bit, messageable
from operations.discord.purge_search import Filters, PurgedMessage
from operations.durations import spoken
from operations.errors import Refused
from operations.guild_state import GuildVanished
from operations.outcomes import timestamp
from operations.partial import PartlyDone
from operations.preflight import message_deletion as rules
from operations.preflight import told
from operations.preflight.guilds import audit_reason_fits, two_factor_may_be_missing
from operations.refs import ChannelRef, GuildRef, PersonRef
from operations.sanitise import inline
from policy.model import Need, Reach, Target, Tier
from policy.permissions import Bits
from storage.call_record import CallRecord
from storage.cases import CaseKind
from storage.session import Session

MAX_PURGED = 500
# Whatever comes of age while it is on its way is deleted by itself, too.
MARGIN = datetime.timedelta(minutes=5)
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json: Unknown Message
UNKNOWN_MESSAGE = 10008
RIGHTS = ("view_channel", "read_message_history", "manage_messages")


class MessagePurgeInput(Model):
    channel: ChannelRef
    guild: GuildRef | None = None
    author: PersonRef | None = Field(default=None, description="Only theirs; also of somebody who has left, by id.")
    contains: str | None = Field(default=None, min_length=1, max_length=200, description="Only with this text.")
    within_seconds: int | None = Field(default=None, ge=1, description="Only messages of the last so many seconds.")
    since: AwareDatetime | None = Field(default=None, description="Only messages from then on.")
    until: AwareDatetime | None = Field(default=None, description="Only messages before then.")
    limit: int = Field(default=100, ge=1, le=MAX_PURGED, description="At most so many, the newest first.")
    include_pinned: bool = False
    include_old: bool = Field(
        default=False, description=f"Also what is older than 14 days, one by one: at most {search.MAX_OLD}."
    )

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError("since must be earlier than until")
        if self.since is not None and self.within_seconds is not None:
            raise ValueError("give since or within_seconds, not both")
        return self


class MessagePurgeEffect(Model):
    """Exactly these messages; whatever is posted later stays. ``author``: where they are all by one."""

    channel: Target
    author: Target | None = None
    messages: tuple[PurgedMessage, ...]
    include_old: bool = False

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(message.id for message in self.messages)


class MessagePurgeResult(Model):
    """``left_ids``: of those that were to go, which are still there, where it broke off. ``case``: its number."""

    channel_id: str
    deleted: int
    left_ids: list[str] = []
    case: int | None = None


class PurgeMessages(WriteOperation[MessagePurgeInput, MessagePurgeEffect, MessagePurgeResult]):
    """Delete many messages of one channel: by author, text or time. The preview counts them, and exactly those go;
    pinned ones and ones older than 14 days stay unless asked for. It cannot be undone.
    """

    name = "message_purge"
    title = "Purge messages"
    toolset = "moderation"
    scope = "moderation:write"
    tier = Tier.CRITICAL
    reach = Reach.SAME_CHANNEL
    # To be gone is the whole effect; it is found by looking which of them are still there.
    reconcile = Reconcile.READ_BACK
    # What it counts it has read: the requester must be able to do that himself.
    bot_permissions = RIGHTS
    actor_permissions = RIGHTS
    one_click_by_hand = True
    idempotent = True

    # ------------------------------------------------------------------ rights
    def needs(self, ctx: Context, arguments: MessagePurgeInput) -> tuple[Need, ...]:
        return (self._need(ctx, ctx.targets["channel"]),)

    def needs_of(self, ctx: Context, effect: MessagePurgeEffect) -> tuple[Need, ...]:
        return (self._need(ctx, effect.channel),)

    def _need(self, ctx: Context, channel: Target) -> Need:
        reached = connect_bit(ctx.guild, channel.id)
        need = self.need(channel)
        return replace(need, bot_bits=need.bot_bits | reached, actor_bits=need.actor_bits | reached)

    # ----------------------------------------------------------------- preview
    async def preview(self, ctx: Context, arguments: MessagePurgeInput) -> Preview[MessagePurgeEffect]:
        target, author = ctx.targets["channel"], ctx.targets.get("author")
        filters = _filters(arguments, author, ctx.now)
        found = await search.found(ctx, target.id, filters)
        channel, guild = messageable(ctx.guild, target.id), ctx.guild.discord
        where = f"channel {target.id} #{inline(channel.name)}"
        count = _counted(len(found.messages))
        return Preview(
            summary=f"Delete {count}{_said(arguments, author)} from #{inline(channel.name)} in "
            f"{inline(guild.name)}; it cannot be undone",
            effect=MessagePurgeEffect(
                channel=target,
                author=author,
                messages=tuple(PurgedMessage(id=each.id, seen=search.digest(each)) for each in found.messages),
                include_old=arguments.include_old,
            ),
            changes=search.told_of(where, found.messages, found.kept),
            problems=told(
                None if found.messages else _nothing(found),
                audit_reason_fits(ctx.audit_reason),
            ),
            unknowns=told(
                _beyond(found) if found.messages else None,
                two_factor_may_be_missing(guild.mfa_level, Bits.manage_messages),
            ),
            fingerprint=_AS_COUNTED,
        )

    async def observe(self, ctx: Context, effect: MessagePurgeEffect) -> str:
        """Messages that are gone meanwhile are no difference: that is what they were to be."""
        there = await search.present(ctx, effect.channel.id, effect.ids)
        if not there:
            return GONE
        seen = {message.id: message.seen for message in effect.messages}
        changed = sorted(each.id for each in there.values() if search.digest(each) != seen[each.id])
        old = [message_id for message_id in there if rules.is_too_old(message_id, _moment(ctx))]
        too_old = sorted(old) if old and (not effect.include_old or len(old) > search.MAX_OLD) else []
        return fingerprint({"messages": changed, "age of messages": too_old})

    # ----------------------------------------------------------------- execute
    async def execute(self, ctx: Context, effect: MessagePurgeEffect) -> MessagePurgeResult:
        margin = _moment(ctx) + MARGIN
        chunks = _chunks(sorted(effect.ids, reverse=True), margin)
        gone = 0
        for chunk in chunks:
            try:
                await self._delete(ctx, effect.channel.id, chunk)
            except discord.DiscordServerError:
                raise
            except (discord.HTTPException, discord.RateLimited, Refused, GuildVanished) as error:
                if not gone:
                    raise
                left = [message_id for each in chunks for message_id in each][gone:]
                raise PartlyDone(_result(effect, left), _partly(effect, left)) from error
            gone += len(chunk)
            await ctx.progress(gone, len(effect.messages), f"{gone} of {len(effect.messages)} messages deleted")
        return _result(effect, [])

    @staticmethod
    async def _delete(ctx: Context, channel_id: int, chunk: Sequence[int]) -> None:
        """One request. A message that is gone already is as it shall be."""
        channel = messageable(ctx.guild, channel_id)
        try:
            await channel.delete_messages([discord.Object(each) for each in chunk], reason=ctx.audit_reason)
        except discord.NotFound as error:
            if len(chunk) > 1 or error.code != UNKNOWN_MESSAGE:
                raise

    async def read_back(self, ctx: Context, effect: MessagePurgeEffect) -> MessagePurgeResult | None:
        there = await search.present(ctx, effect.channel.id, effect.ids)
        left = sorted(there, reverse=True)
        if left and len(left) < len(effect.messages):
            raise PartlyDone(_result(effect, left), _partly(effect, left))
        return None if left else _result(effect, [])

    async def keep(
        self, session: Session, call: CallRecord, effect: MessagePurgeEffect, result: MessagePurgeResult
    ) -> MessagePurgeResult:
        """One case for all of them; also where it broke off."""
        about = None if effect.author is None else effect.author.id
        case = await case_records.keep(session, call, CaseKind.PURGE, about, channel_id=effect.channel.id)
        return result.model_copy(update={"case": case})


_AS_COUNTED = fingerprint({"messages": [], "age of messages": []})


def _moment(ctx: Context) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(ctx.now, datetime.UTC)


def _filters(arguments: MessagePurgeInput, author: Target | None, now: float) -> Filters:
    since = None if arguments.since is None else arguments.since.timestamp()
    return Filters(
        author_id=None if author is None else author.id,
        contains=arguments.contains,
        since=since if arguments.within_seconds is None else now - arguments.within_seconds,
        until=None if arguments.until is None else arguments.until.timestamp(),
        limit=arguments.limit,
        include_pinned=arguments.include_pinned,
        include_old=arguments.include_old,
    )


def _chunks(newest_first: Sequence[int], now: datetime.datetime) -> list[Sequence[int]]:
    """Requests of 2 to 100 messages that are young enough, then the others one by one."""
    young = [each for each in newest_first if not rules.is_too_old(each, now)]
    bulks = [young[start : start + rules.MAX_BULK] for start in range(0, len(young), rules.MAX_BULK)]
    return [*bulks, *([each] for each in newest_first[len(young) :])]


def _counted(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def _said(arguments: MessagePurgeInput, author: Target | None) -> str:
    """What was asked for, save the text: it may be somebody else's."""
    # Whoever has left is an id without a name: nobody is looked up for it.
    who = "" if author is None or not author.name else f"@{inline(author.name)} "
    parts = [] if author is None else [f"by {who}({author.id})"]
    parts += [] if arguments.contains is None else [f"with a text of {len(arguments.contains)} characters"]
    parts += [] if arguments.within_seconds is None else [f"of the last {spoken(arguments.within_seconds)}"]
    parts += [] if arguments.since is None else [f"from {timestamp(arguments.since.timestamp())} on"]
    parts += [] if arguments.until is None else [f"before {timestamp(arguments.until.timestamp())}"]
    return "".join(f" {part}" for part in parts)


def _nothing(found: search.Found) -> str:
    looked = f"I looked at the newest {found.scanned:,}" if found.reached else f"I looked at {found.scanned:,}"
    kept = f"; {sum(found.kept.values())} that match are kept" if found.kept else ""
    beyond = f" Give until={timestamp(found.reached.timestamp())} to look further back." if found.reached else ""
    return f"No message would be deleted: {looked}{kept}.{beyond or ' Check author, contains, since and until.'}"


def _beyond(found: search.Found) -> str | None:
    if found.reached is None:
        return None
    moment = timestamp(found.reached.timestamp())
    return f"Only the newest {found.scanned:,} messages were looked at, back to {moment}; older ones are not counted."


def _partly(effect: MessagePurgeEffect, left: Sequence[int]) -> str:
    return f"{len(effect.messages) - len(left)} of {_counted(len(effect.messages))} are deleted, {len(left)} are not."


def _result(effect: MessagePurgeEffect, left: Sequence[int]) -> MessagePurgeResult:
    return MessagePurgeResult(
        channel_id=str(effect.channel.id),
        deleted=len(effect.messages) - len(left),
        left_ids=[str(message_id) for message_id in left],
    )
