"""The channels in which the agent answers. Threads follow the channel that they are in."""

from __future__ import annotations

import discord

from operations.base import Change, Context, Inverse, Model, Preview
from operations.declaring import ADMINISTRATION
from operations.discord.fingerprints import fingerprint
from operations.platform.administration import ROLES_DECIDE, installation_of
from operations.platform_writes import PlatformWrite
from operations.preflight import told
from operations.refs import ChannelRef, GuildRef
from operations.sanitise import inline
from policy.model import Need, Reach, Target
from policy.permissions import names_of
from storage import chat_channels
from storage.session import Session

ALLOW, DISALLOW = "chat_channel_allow", "chat_channel_disallow"


class ChatChannelInput(Model):
    guild: GuildRef | None = None
    channel: ChannelRef


class ChatChannelEffect(Model):
    channel: Target


class ChatChannelResult(Model):
    """``allowed``: whether the agent answers there now."""

    channel_id: str
    allowed: bool


class AllowChatChannel(PlatformWrite[ChatChannelInput, ChatChannelEffect, ChatChannelResult]):
    """Let the agent answer in a channel, and in its threads."""

    name = ALLOW
    title = "Let the agent answer in a channel"
    toolset = "administration"
    scope = "admin:chat"
    faces = ADMINISTRATION
    reach = Reach.SAME_CHANNEL
    open_to_members = ROLES_DECIDE
    idempotent = True

    def needs(self, ctx: Context, arguments: ChatChannelInput) -> tuple[Need, ...]:
        return (self.need(ctx.targets["channel"]),)

    def needs_of(self, ctx: Context, effect: ChatChannelEffect) -> tuple[Need, ...]:
        return (self.need(effect.channel),)

    async def preview(self, ctx: Context, arguments: ChatChannelInput) -> Preview[ChatChannelEffect]:
        target = ctx.targets["channel"]
        return _preview(
            ctx,
            target,
            after=True,
            problems=told(
                _cannot_answer(ctx, target),
                "The agent answers there already." if is_allowed(ctx, target.id) else None,
            ),
            unknowns=told(_closed_to_the_bot(ctx, target)),
        )

    async def observe(self, ctx: Context, effect: ChatChannelEffect) -> str:
        return _seen(ctx, effect.channel)

    async def apply(self, ctx: Context, session: Session, effect: ChatChannelEffect) -> ChatChannelResult:
        installation = installation_of(ctx)
        await chat_channels.allow(session, installation.id, effect.channel.id, by=ctx.caller.user_id, now=ctx.now)
        return ChatChannelResult(channel_id=str(effect.channel.id), allowed=True)


class DisallowChatChannel(PlatformWrite[ChatChannelInput, ChatChannelEffect, ChatChannelResult]):
    """Have the agent answer in a channel and its threads no more."""

    name = DISALLOW
    title = "Keep the agent out of a channel"
    toolset = "administration"
    scope = "admin:chat"
    faces = ADMINISTRATION
    reach = Reach.SAME_CHANNEL
    open_to_members = ROLES_DECIDE
    idempotent = True
    works_paused = True

    def needs(self, ctx: Context, arguments: ChatChannelInput) -> tuple[Need, ...]:
        return (self.need(ctx.targets["channel"]),)

    def needs_of(self, ctx: Context, effect: ChatChannelEffect) -> tuple[Need, ...]:
        return (self.need(effect.channel),)

    async def preview(self, ctx: Context, arguments: ChatChannelInput) -> Preview[ChatChannelEffect]:
        target = ctx.targets["channel"]
        problem = None if is_allowed(ctx, target.id) else "The agent does not answer there anyway."
        return _preview(ctx, target, after=False, problems=told(problem))

    async def observe(self, ctx: Context, effect: ChatChannelEffect) -> str:
        return _seen(ctx, effect.channel)

    async def apply(self, ctx: Context, session: Session, effect: ChatChannelEffect) -> ChatChannelResult:
        await chat_channels.disallow(session, installation_of(ctx).id, [effect.channel.id])
        return ChatChannelResult(channel_id=str(effect.channel.id), allowed=False)


def is_allowed(ctx: Context, channel_id: int) -> bool:
    """Whether the agent answers in this very channel."""
    allowed = ctx.services.facts.snapshot.chat_channels.get(installation_of(ctx).id, frozenset())
    return channel_id in allowed


def _preview(
    ctx: Context,
    target: Target,
    *,
    after: bool,
    problems: tuple[str, ...],
    unknowns: tuple[str, ...] = (),
) -> Preview[ChatChannelEffect]:
    name = inline(target.name)
    before = is_allowed(ctx, target.id)
    where = {"guild": str(ctx.guild.id), "channel": str(target.id)}
    return Preview(
        summary=f"Let the agent answer in #{name}" if after else f"Have the agent answer in #{name} no more",
        effect=ChatChannelEffect(channel=target),
        changes=(Change(target=f"channel {target.id} {name}", field="agent answers", before=before, after=after),),
        problems=problems,
        unknowns=unknowns,
        fingerprint=_seen(ctx, target),
        inverse=Inverse(operation=DISALLOW if after else ALLOW, arguments=where),
        reversible=True,
    )


def _seen(ctx: Context, channel: Target) -> str:
    return fingerprint({"agent answers": is_allowed(ctx, channel.id)})


def _cannot_answer(ctx: Context, target: Target) -> str | None:
    channel = ctx.guild.channel(target.id)
    if isinstance(channel, discord.Thread):
        parent = channel.parent
        there = "the channel that it is in" if parent is None else f"#{inline(parent.name)}"
        return f"A thread follows its channel; allow {there} instead."
    if isinstance(channel, discord.abc.Messageable | discord.ForumChannel):
        return None
    return "Nobody writes messages in a category; allow its channels one by one."


def _closed_to_the_bot(ctx: Context, target: Target) -> str | None:
    channel = ctx.guild.channel(target.id)
    if channel is None:
        return None
    in_threads = isinstance(channel, discord.ForumChannel)
    wanted = discord.Permissions(
        view_channel=True,
        read_message_history=True,
        send_messages=not in_threads,
        send_messages_in_threads=in_threads,
    ).value
    lacking = wanted & ~ctx.guild.bot_bits(channel)
    if not lacking:
        return None
    return f"When the agent can answer there: I lack {', '.join(names_of(lacking))}. Grant me that."
