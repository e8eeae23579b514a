"""Making a thread, from a message or without one."""

from __future__ import annotations

from typing import Literal, Self

import discord
from pydantic import Field, model_validator

from operations.base import Change, Context, Model, Preview, Reconcile, WriteOperation
from operations.discord.channel_kinds import ThreadKind, labelled
from operations.discord.deleted_messages import fetched
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.platform_posts import refuse_platform_posts
from operations.errors import Refused, translate
from operations.guild_state import GuildView
from operations.preflight import channels as channel_rules
from operations.preflight import threads as rules
from operations.preflight import told
from operations.preflight.guilds import audit_reason_fits, automod_may_block
from operations.refs import ChannelRef, GuildRef, MessageRef
from operations.refusals import hidden
from operations.sanitise import inline, sanitise
from policy.model import Need, Reach, Refuse, Step, Target
from policy.permissions import Bits

ArchiveMinutes = Literal[60, 1440, 4320, 10080]
_TYPES: dict[ThreadKind, discord.ChannelType] = {
    "public_thread": discord.ChannelType.public_thread,
    "private_thread": discord.ChannelType.private_thread,
    "announcement_thread": discord.ChannelType.news_thread,
}


class ThreadCreateInput(Model):
    name: str = Field(min_length=1, max_length=100)
    channel: ChannelRef | None = None
    message: MessageRef | None = None
    guild: GuildRef | None = None
    private: bool = Field(default=False, description="For those who are added; you are.")
    auto_archive_minutes: ArchiveMinutes | None = None
    slowmode_seconds: int | None = Field(default=None, ge=0, le=channel_rules.MAX_SLOWMODE_SECONDS)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.channel is None and self.message is None:
            raise ValueError("give channel, or message to begin the thread from one")
        if self.private and self.message is not None:
            raise ValueError("a thread from a message is public; leave private or message out")
        return self


class ThreadCreateEffect(Model):
    """``member_id``: who is added to a private thread, since else nobody but the bot would be in it."""

    parent: Target
    message_id: int | None
    name: str
    type: ThreadKind
    auto_archive_minutes: ArchiveMinutes
    slowmode_seconds: int | None
    member_id: int | None = None


class ThreadCreateResult(Model):
    """``not_added``: why you may not be in the private thread that was made."""

    id: str
    name: str
    type: ThreadKind
    channel_id: str
    url: str
    not_added: str | None = None


class CreateThread(WriteOperation[ThreadCreateInput, ThreadCreateEffect, ThreadCreateResult]):
    """Create a thread in a text or announcement channel, from a message or without one. Forums take posts instead."""

    name = "thread_create"
    toolset = "threads"
    scope = "threads:write"
    in_default_set = True
    bot_permissions = ("view_channel", "create_public_threads")
    actor_permissions = ("view_channel", "create_public_threads")
    reach = Reach.AUDIENCE
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.thread_create.value

    # ------------------------------------------------------------------ rights
    def needs(self, ctx: Context, arguments: ThreadCreateInput) -> tuple[Need, ...]:
        return (self._need(ctx.targets["channel"], private=arguments.private, message=arguments.message is not None),)

    def needs_of(self, ctx: Context, effect: ThreadCreateEffect) -> tuple[Need, ...]:
        private = effect.type == "private_thread"
        return (self._need(effect.parent, private=private, message=effect.message_id is not None),)

    @staticmethod
    def _need(parent: Target, *, private: bool, message: bool) -> Need:
        """https://discord.com/developers/docs/topics/threads#permissions"""
        wanted = Bits.view_channel | (Bits.create_private_threads if private else Bits.create_public_threads)
        if message:
            wanted |= Bits.read_message_history
        # Adding somebody to a thread takes being able to write there.
        # https://discord.com/developers/docs/resources/channel#add-thread-member
        adding = Bits.send_messages_in_threads if private else 0
        return Need(parent, int(wanted | adding), int(wanted))

    # ----------------------------------------------------------------- preview
    async def preview(self, ctx: Context, arguments: ThreadCreateInput) -> Preview[ThreadCreateEffect]:
        parent, message = ctx.targets["channel"], ctx.targets.get("message")
        _refuse_other_kinds(ctx.guild, parent)
        unfit: str | None = None
        has_thread = False
        if message is not None:
            found = await fetched(ctx, parent.id, message.id, "message")
            await refuse_platform_posts(ctx, [found])
            unfit, has_thread = rules.message_may_be_unfit(found.type), _has_thread(ctx.guild, found)
        channel = _parent(ctx.guild, parent.id)
        kind: ThreadKind = "private_thread" if arguments.private else "public_thread"
        if not arguments.private and channel.is_news():
            kind = "announcement_thread"
        effect = ThreadCreateEffect(
            parent=parent,
            message_id=None if message is None else message.id,
            name=arguments.name,
            type=kind,
            auto_archive_minutes=arguments.auto_archive_minutes or channel.default_auto_archive_duration,
            slowmode_seconds=arguments.slowmode_seconds,
            member_id=ctx.guild.user_id if arguments.private else None,
        )
        return Preview(
            summary=_summary(ctx.guild, effect),
            effect=effect,
            changes=_changes(effect),
            problems=told(
                rules.thread_name_fits(effect.name),
                rules.private_threads_fit(channel.type) if arguments.private else None,
                rules.message_has_no_thread(has_thread=has_thread),
                audit_reason_fits(ctx.audit_reason),
            ),
            unknowns=told(unfit, automod_may_block(list(channel.guild.features), ctx.guild.bot_bits(channel))),
            fingerprint=_seen(ctx.guild, effect, has_thread=has_thread),
        )

    async def observe(self, ctx: Context, effect: ThreadCreateEffect) -> str:
        has_thread = False
        if effect.message_id is not None:
            try:
                message = await fetched(ctx, effect.parent.id, effect.message_id, "message")
            except Refused:
                return GONE
            has_thread = _has_thread(ctx.guild, message)
        return _seen(ctx.guild, effect, has_thread=has_thread)

    # ----------------------------------------------------------------- execute
    async def execute(self, ctx: Context, effect: ThreadCreateEffect) -> ThreadCreateResult:
        thread = await _parent(ctx.guild, effect.parent.id).create_thread(
            name=effect.name,
            message=None if effect.message_id is None else discord.Object(effect.message_id),
            auto_archive_duration=effect.auto_archive_minutes,
            type=_TYPES[effect.type],
            slowmode_delay=effect.slowmode_seconds,
            reason=ctx.audit_reason,
        )
        not_added = None if effect.member_id is None else await _add(thread, effect.member_id)
        return _result(ctx.guild.id, thread.id, thread.name, effect, not_added)

    def found(self, entry: discord.AuditLogEntry, effect: ThreadCreateEffect) -> ThreadCreateResult | None:
        thread_id = getattr(entry.target, "id", None)
        if thread_id is None:
            return None
        unsure = "Whether you were added is not known, since Discord's answer was lost."
        return _result(entry.guild.id, thread_id, effect.name, effect, None if effect.member_id is None else unsure)


async def _add(thread: discord.Thread, member_id: int) -> str | None:
    """Why he could not be added: the thread stands, so this must not read as a failure of making it."""
    try:
        await thread.add_user(discord.Object(member_id))
    except (discord.DiscordServerError, discord.NotFound):
        raise
    except (discord.HTTPException, discord.RateLimited) as error:
        return translate(error).reason
    return None


def _refuse_other_kinds(view: GuildView, parent: Target) -> None:
    channel = view.channel(parent.id)
    if channel is None:
        raise Refused(hidden("channel", "channel"))
    problem = rules.channel_takes_threads(channel.type)
    if problem is not None:
        reason, _, remedy = problem.partition("; ")
        raise Refused(Refuse(Step.DISCORD, "no_threads_here", f"{reason}.", f"{remedy[:1].upper()}{remedy[1:]}"))


def _parent(view: GuildView, channel_id: int) -> discord.TextChannel:
    """The channel object of now. Raises Refused when it is gone or takes no threads."""
    channel = view.channel(channel_id)
    if not isinstance(channel, discord.TextChannel):
        raise Refused(hidden("channel", "channel"))
    return channel


def _has_thread(view: GuildView, message: discord.Message) -> bool:
    """A thread from a message bears its id; one that is archived is not in the cache, but the message has the flag."""
    return message.flags.has_thread or view.discord.get_thread(message.id) is not None


def _seen(view: GuildView, effect: ThreadCreateEffect, *, has_thread: bool) -> str:
    channel = view.channel(effect.parent.id)
    if channel is None:
        return GONE
    return fingerprint({"parent": channel.id, "type": channel.type.value, "has_thread": has_thread})


def _summary(view: GuildView, effect: ThreadCreateEffect) -> str:
    kind = effect.type.replace("_", " ")
    start = "" if effect.message_id is None else f" from message {effect.message_id}"
    place = f"#{inline(effect.parent.name)} in {inline(view.discord.name)}"
    return f"Create the {kind} {inline(effect.name)}{start} in {place}"


def _changes(effect: ThreadCreateEffect) -> tuple[Change, ...]:
    target = f"new thread {inline(effect.name)} in {labelled(effect.parent)}"
    changes = [
        Change(target=target, field="exists", before=False, after=True),
        Change(target=target, field="type", after=effect.type),
        Change(target=target, field="auto_archive_minutes", after=effect.auto_archive_minutes),
    ]
    if effect.slowmode_seconds is not None:
        changes.append(Change(target=target, field="slowmode_seconds", after=effect.slowmode_seconds))
    if effect.type == "private_thread":
        added = [] if effect.member_id is None else [f"member {effect.member_id} (you)"]
        changes.append(Change(target=target, field="members", after=["me", *added]))
    return tuple(changes)


def _result(
    guild_id: int, thread_id: int, name: str, effect: ThreadCreateEffect, not_added: str | None
) -> ThreadCreateResult:
    return ThreadCreateResult(
        id=str(thread_id),
        name=sanitise(name, limit=100),
        type=effect.type,
        channel_id=str(effect.parent.id),
        url=f"https://discord.com/channels/{guild_id}/{thread_id}",
        not_added=not_added,
    )
