"""Sending a message."""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import io
from dataclasses import dataclass, replace
from typing import Any

import discord
from pydantic import Field

from operations import call_ids
from operations.base import Change, Context, Inverse, Model, Preview, Reconcile, SentMessage, WriteOperation
from operations.discord.message_models import (
    EMBED_TEXTS,
    ButtonInput,
    EmbedInput,
    FileEffect,
    FileInput,
    PingEffect,
    PollInput,
    draft,
    remote_media_problem,
    view_of,
)
from operations.discord.message_places import connect_bit, messageable
from operations.discord.pings import ping_of, pinged, pings_beyond_members, unmentioned
from operations.errors import Refused, translate
from operations.file_fetch import MAX_BYTES, FetchRefused
from operations.preflight import messages as rules
from operations.preflight import told
from operations.preflight.guilds import automod_may_block
from operations.refs import ChannelRef, GuildRef, MentionableRef, MessageRef
from operations.sanitise import inline
from policy.model import Need, Reach, Refuse, Requirement, Step, Target, Tier
from policy.permissions import Bits

# https://discord.com/developers/docs/resources/message#crosspost-message: 40033 is "already crossposted".
ALREADY_CROSSPOSTED = 40033


class MessageSendInput(Model):
    channel: ChannelRef
    guild: GuildRef | None = None
    content: str = ""
    embeds: list[EmbedInput] = Field(
        default_factory=list[EmbedInput], max_length=10, description=f"Texts: {EMBED_TEXTS}."
    )
    files: list[FileInput] = Field(default_factory=list[FileInput], max_length=10)
    poll: PollInput | None = None
    buttons: list[ButtonInput] = Field(default_factory=list[ButtonInput], max_length=25, description="Link buttons.")
    reply_to: MessageRef | None = None
    ping: list[MentionableRef] = Field(
        default_factory=list[str],
        max_length=50,
        description="Members, roles, everyone, here; the text must mention them.",
    )
    silent: bool = Field(default=False, description="No push notification.")
    crosspost: bool = Field(default=False, description="Publish to followers.")


class MessageSendEffect(Model):
    channel_id: int
    content: str
    embeds: list[EmbedInput]
    files: tuple[FileEffect, ...]
    poll: PollInput | None
    buttons: list[ButtonInput]
    reply_to_id: int | None
    ping: PingEffect
    silent: bool
    crosspost: bool
    suppress_embeds: bool


class MessageSendResult(Model):
    """``not_published``: why it was sent, but not published to followers."""

    message_id: str
    channel_id: str
    jump_url: str
    not_published: str | None = None


@dataclass(frozen=True, slots=True)
class _Reply:
    """What is known of the message that is answered. ``author_id``: None where there is none, or it is not known."""

    problem: str | None = None
    unknown: str | None = None
    author_id: int | None = None


class SendMessage(WriteOperation[MessageSendInput, MessageSendEffect, MessageSendResult]):
    """Send a message to a channel or thread. It pings only whom `ping` names."""

    name = "message_send"
    title = "Send a message"
    toolset = "messages"
    scope = "messages:write"
    tier = Tier.WRITE
    reach = Reach.AUDIENCE
    reconcile = Reconcile.NONCE
    bot_permissions = ("view_channel", "send_messages")
    actor_permissions = ("view_channel", "send_messages")
    in_default_set = True

    # ------------------------------------------------------------------ rights
    def needs(self, ctx: Context, arguments: MessageSendInput) -> tuple[Need, ...]:
        ping = ping_of(ctx.many.get("ping", ()))
        wanted = self._bits(
            ctx,
            ctx.targets["channel"].id,
            embeds=bool(arguments.embeds),
            files=bool(arguments.files),
            poll=arguments.poll is not None,
            reply="reply_to" in ctx.targets,
            ping=ping,
        )
        return (Need(ctx.targets["channel"], wanted, wanted),)

    def needs_of(self, ctx: Context, effect: MessageSendEffect) -> tuple[Need, ...]:
        wanted = self._bits(
            ctx,
            effect.channel_id,
            embeds=bool(effect.embeds),
            files=bool(effect.files),
            poll=effect.poll is not None,
            reply=effect.reply_to_id is not None,
            ping=effect.ping,
        )
        channel = ctx.guild.channel(effect.channel_id)
        kind = "thread" if isinstance(channel, discord.Thread) else "channel"
        return (Need(Target(kind, effect.channel_id, ctx.guild.id, channel.name if channel else ""), wanted, wanted),)

    def requirement(self, ctx: Context, arguments: MessageSendInput) -> Requirement:
        return self._tiered(self.base_requirement(self.needs(ctx, arguments)), ping_of(ctx.many.get("ping", ())))

    def requirement_of(self, ctx: Context, effect: MessageSendEffect) -> Requirement:
        return self._tiered(self.base_requirement(self.needs_of(ctx, effect)), effect.ping)

    @staticmethod
    def _tiered(requirement: Requirement, ping: PingEffect) -> Requirement:
        """Notifying everyone cannot be taken back."""
        return replace(requirement, tier=Tier.RISKY) if ping.everyone else requirement

    @staticmethod
    def _bits(
        ctx: Context, channel_id: int, *, embeds: bool, files: bool, poll: bool, reply: bool, ping: PingEffect
    ) -> int:
        view = ctx.guild
        channel = view.channel(channel_id)
        wanted = Bits.view_channel | connect_bit(view, channel_id)
        # https://discord.com/developers/docs/topics/threads#permissions
        wanted |= Bits.send_messages_in_threads if isinstance(channel, discord.Thread) else Bits.send_messages
        for asked, bit in (
            (embeds, Bits.embed_links),
            (files, Bits.attach_files),
            (poll, Bits.send_polls),
            (reply, Bits.read_message_history),
            (pings_beyond_members(ctx, ping), Bits.mention_everyone),
        ):
            if asked:
                wanted |= bit
        return int(wanted)

    # ----------------------------------------------------------------- preview
    async def preview(self, ctx: Context, arguments: MessageSendInput) -> Preview[MessageSendEffect]:
        channel_id = ctx.targets["channel"].id
        channel = ctx.guild.channel(channel_id)
        if channel is None:
            raise Refused(Refuse(Step.RESOLVE, "vanished", "The channel is gone.", hidden=True))
        takes = rules.destination_takes_messages(channel.type)
        files, file_problems = await self._files(ctx, arguments.files)
        whom = ctx.many.get("ping", ())
        tainted = ctx.caller.always_tainted or bool(ctx.services.decisions.taint_sources(ctx.caller))
        reply_to = ctx.targets.get("reply_to")
        reply = await self._reply(ctx, channel_id, reply_to) if takes is None else _Reply()
        channel = ctx.guild.channel(channel_id)
        guild = ctx.guild.discord
        thread = channel if isinstance(channel, discord.Thread) else None
        problems = told(
            takes,
            file_problems,
            rules.draft_problems(
                draft(arguments.content, arguments.embeds, files, arguments.poll, arguments.buttons),
                guild.filesize_limit,
            ),
            reply.problem,
            unmentioned(whom, arguments.content, reply.author_id),
            _crosspost_problem(channel, crosspost=arguments.crosspost),
            rules.thread_takes_messages(locked=thread.locked, may_manage_threads=self._manages(ctx, thread))
            if thread
            else None,
            remote_media_problem(arguments.embeds, tainted=tainted),
        )
        unknowns = told(
            automod_may_block(list(guild.features), ctx.guild.bot_bits(channel)),
            _slowmode(channel, ctx.guild.bits(channel)),
            reply.unknown,
            rules.thread_may_stay_archived(archived=thread.archived, locked=thread.locked) if thread else None,
        )
        effect = MessageSendEffect(
            channel_id=channel_id,
            content=arguments.content,
            embeds=arguments.embeds,
            files=files,
            poll=arguments.poll,
            buttons=arguments.buttons,
            reply_to_id=None if reply_to is None else reply_to.id,
            ping=ping_of(whom, reply.author_id),
            silent=arguments.silent,
            crosspost=arguments.crosspost,
            # A link preview is a request to a stranger's host: what was read could leave by it.
            suppress_embeds=tainted and not arguments.embeds,
        )
        return Preview(
            summary=_summary(effect, channel, ctx.guild.discord.name),
            effect=effect,
            changes=tuple(_changes(effect, channel, thread, whom)),
            problems=problems,
            unknowns=unknowns,
            reversible=ctx.services.registry.get("message_delete") is not None,
        )

    @staticmethod
    async def _files(ctx: Context, given: list[FileInput]) -> tuple[tuple[FileEffect, ...], list[str]]:
        """The files with their bytes known, and what is wrong with the others."""
        files: list[FileEffect] = []
        problems: list[str] = []
        # A request holds no more than this in all, so no more is fetched for it.
        left = MAX_BYTES
        for number, file in enumerate(given, start=1):
            if (file.data is None) is (file.url is None):
                problems.append(f"File {number} needs either data (base64) or url.")
                continue
            try:
                content = await _bytes(ctx, file.data, file.url, left)
            except FetchRefused as refused:
                problems.append(f"File {number}: {refused}")
                continue
            left = max(left - len(content), 0)
            digest = hashlib.sha256(content).hexdigest()
            files.append(FileEffect(name=file.name, sha256=digest, size=len(content), data=file.data, url=file.url))
        return tuple(files), problems

    @staticmethod
    async def _reply(ctx: Context, channel_id: int, target: Target | None) -> _Reply:
        if target is None:
            return _Reply()
        problem = rules.reply_target_is_here(channel_id, target.channel_id or 0)
        if problem is not None:
            return _Reply(problem)
        try:
            message = await messageable(ctx.guild, channel_id).fetch_message(target.id)
        except discord.NotFound:
            return _Reply("The message to reply to does not exist.")
        return _Reply(None, rules.reply_may_be_refused(message.type), message.author.id)

    @staticmethod
    def _manages(ctx: Context, thread: discord.Thread) -> bool:
        """The requester must be able to write there as well."""
        return bool(ctx.guild.bits(thread) & ctx.guild.bot_bits(thread) & Bits.manage_threads)

    # ----------------------------------------------------------------- execute
    async def execute(self, ctx: Context, effect: MessageSendEffect) -> MessageSendResult:
        files = [discord.File(io.BytesIO(await _verified(ctx, file)), filename=file.name) for file in effect.files]
        channel = messageable(ctx.guild, effect.channel_id)
        view = view_of(effect.buttons)
        message = await channel.send(
            effect.content or None,
            embeds=[discord.Embed.from_dict(embed.payload()) for embed in effect.embeds],
            files=files,
            poll=_poll(effect.poll) if effect.poll else discord.utils.MISSING,
            view=view if view is not None else discord.utils.MISSING,
            **_reference(effect),
            nonce=call_ids.nonce(ctx.call_id),
            allowed_mentions=effect.ping.allowed_mentions(),
            silent=effect.silent,
            suppress_embeds=effect.suppress_embeds,
        )
        return MessageSendResult(
            message_id=str(message.id),
            channel_id=str(effect.channel_id),
            jump_url=message.jump_url,
            not_published=await _publish(message) if effect.crosspost else None,
        )

    def inverse_of(self, effect: MessageSendEffect, result: MessageSendResult) -> Inverse | None:
        return Inverse(
            operation="message_delete", arguments={"channel": result.channel_id, "message": result.message_id}
        )

    def messages_of(self, effect: MessageSendEffect, result: MessageSendResult) -> tuple[SentMessage, ...]:
        return (SentMessage(int(result.channel_id), int(result.message_id)),)


async def _publish(message: discord.Message) -> str | None:
    """Why it could not be published: the message stands, so this must not read as a failure of sending it."""
    try:
        await message.publish()
    except (discord.DiscordServerError, discord.NotFound):
        raise
    except (discord.HTTPException, discord.RateLimited) as error:
        if isinstance(error, discord.HTTPException) and error.code == ALREADY_CROSSPOSTED:
            return None
        return translate(error).reason
    return None


async def _bytes(ctx: Context, data: str | None, url: str | None, max_bytes: int = MAX_BYTES) -> bytes:
    """Raises operations.file_fetch.FetchRefused."""
    if url is not None:
        return await ctx.services.files.fetch(url, max_bytes)
    try:
        return base64.b64decode(data or "", validate=True)
    except binascii.Error:
        raise FetchRefused("data is not base64.") from None


async def _verified(ctx: Context, file: FileEffect) -> bytes:
    """The very bytes that the preview saw. Raises Refused when the file behind the URL has changed."""
    try:
        content = await _bytes(ctx, file.data, file.url)
    except FetchRefused as refused:
        raise Refused(Refuse(Step.EXECUTE, "file_gone", str(refused), "Ask again with a fresh file.")) from refused
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise Refused(
            Refuse(
                Step.EXECUTE, "file_changed", f"The file {inline(file.name)} changed since the preview.", "Ask again."
            )
        )
    return content


def _poll(poll: PollInput) -> discord.Poll:
    made = discord.Poll(question=poll.question, duration=datetime.timedelta(hours=poll.hours), multiple=poll.multiple)
    for answer in poll.answers:
        made.add_answer(text=answer)
    return made


def _reference(effect: MessageSendEffect) -> dict[str, Any]:
    """discord.py takes no None and no MISSING for it: it is either there or left out."""
    if effect.reply_to_id is None:
        return {}
    replied = discord.MessageReference(
        message_id=effect.reply_to_id, channel_id=effect.channel_id, fail_if_not_exists=True
    )
    return {"reference": replied}


def _crosspost_problem(channel: object, *, crosspost: bool) -> str | None:
    """https://discord.com/developers/docs/resources/message#crosspost-message"""
    if not crosspost or (isinstance(channel, discord.TextChannel) and channel.is_news()):
        return None
    return "Only messages in an announcement channel can be published; leave crosspost out."


def _slowmode(channel: object, requester_bits: int) -> str | None:
    """ "bots, as well as users with the permission manage_messages or manage_channel, are unaffected": it binds the
    requester alone, and when he last wrote is not known here.

    https://discord.com/developers/docs/resources/channel#channel-object-channel-structure (rate_limit_per_user)
    """
    delay = getattr(channel, "slowmode_delay", 0)
    if not delay or requester_bits & (
        Bits.bypass_slowmode | Bits.manage_channels | Bits.manage_messages | Bits.administrator
    ):
        return None
    return f"The channel has a slowmode of {delay} s for you; whether you would have to wait is not known. I do not."


def _where(channel: object) -> str:
    return f"#{inline(getattr(channel, 'name', '') or 'channel')}"


def _summary(effect: MessageSendEffect, channel: object, guild_name: str) -> str:
    parts: list[str] = []
    if effect.content:
        parts.append(f"{len(effect.content):,} characters")
    for count, one in (
        (len(effect.embeds), "embed"),
        (len(effect.files), "file"),
        (len(effect.buttons), "link button"),
    ):
        if count:
            parts.append(f"{count} {one}{'' if count == 1 else 's'}")
    if effect.poll:
        parts.append("a poll")
    what = f"a message ({', '.join(parts)})" if parts else "an empty message"
    verb = "Send and publish" if effect.crosspost else "Send"
    return f"{verb} {what} to {_where(channel)} in {inline(guild_name)}"


def _changes(
    effect: MessageSendEffect, channel: object, thread: discord.Thread | None, whom: tuple[Target, ...]
) -> list[Change]:
    where = f"channel {effect.channel_id} {_where(channel)}"
    changes = [Change(target=where, field="message", before=None, after=effect.content or "(no text)")]
    if effect.reply_to_id is not None:
        changes.append(Change(target=where, field="reply to", after=str(effect.reply_to_id)))
    if effect.ping.anybody:
        changes.append(Change(target=where, field="notifies", after=pinged(whom)))
    if effect.suppress_embeds:
        changes.append(Change(target=where, field="link previews", after="off, since text of others was read"))
    if thread is not None and rules.thread_is_unarchived(archived=thread.archived, locked=thread.locked):
        changes.append(Change(target=where, field="archived", before=True, after=False))
    return changes
