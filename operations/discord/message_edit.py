"""Editing a message that the bot sent for this same requester."""

from __future__ import annotations

import discord
from pydantic import Field, model_validator

from operations.base import Change, Context, Inverse, Model, Preview, Reconcile, SentMessage, WriteOperation
from operations.discord.fingerprints import fingerprint
from operations.discord.message_models import (
    EMBED_TEXTS_AS_SENT,
    ButtonInput,
    EmbedInput,
    draft,
    remote_media_problem,
    view_of,
)
from operations.discord.message_places import connect_bit, messageable
from operations.preflight import messages as rules
from operations.preflight import told
from operations.preflight.guilds import automod_may_block
from operations.refs import ChannelRef, GuildRef, MessageRef
from operations.sanitise import inline
from policy.model import Need, Reach, Target, Tier
from policy.permissions import Bits


class MessageEditInput(Model):
    message: MessageRef
    channel: ChannelRef | None = None
    guild: GuildRef | None = None
    content: str | None = None
    embeds: list[EmbedInput] | None = Field(default=None, max_length=10, description=EMBED_TEXTS_AS_SENT)
    buttons: list[ButtonInput] | None = Field(default=None, max_length=25, description="Link buttons.")

    @model_validator(mode="after")
    def something_changes(self) -> MessageEditInput:
        if self.content is None and self.embeds is None and self.buttons is None:
            raise ValueError("give what to change: content, embeds or buttons")
        return self


class MessageEditEffect(Model):
    """None leaves a part as it is."""

    channel_id: int
    message_id: int
    content: str | None
    embeds: list[EmbedInput] | None
    buttons: list[ButtonInput] | None
    suppress_embeds: bool


class MessageEditResult(Model):
    message_id: str
    channel_id: str
    jump_url: str


class EditMessage(WriteOperation[MessageEditInput, MessageEditEffect, MessageEditResult]):
    """Edit a message that Guildhall sent for you. Parts that you leave out stay. It pings nobody."""

    name = "message_edit"
    title = "Edit a message"
    toolset = "messages"
    scope = "messages:write"
    tier = Tier.WRITE
    reach = Reach.AUDIENCE
    reconcile = Reconcile.READ_BACK
    bot_permissions = ("view_channel",)
    actor_permissions = ("view_channel",)
    in_default_set = True
    idempotent = True

    def needs(self, ctx: Context, arguments: MessageEditInput) -> tuple[Need, ...]:
        return (self._need(ctx, ctx.targets["message"], embeds=bool(arguments.embeds)),)

    def needs_of(self, ctx: Context, effect: MessageEditEffect) -> tuple[Need, ...]:
        target = Target(
            "message", effect.message_id, ctx.guild.id, str(effect.message_id), channel_id=effect.channel_id
        )
        return (self._need(ctx, target, embeds=bool(effect.embeds)),)

    @staticmethod
    def _need(ctx: Context, target: Target, *, embeds: bool) -> Need:
        channel_id = target.channel_id or 0
        channel = ctx.guild.channel(channel_id)
        seen = int(Bits.view_channel) | connect_bit(ctx.guild, channel_id)
        shown = seen | (int(Bits.embed_links) if embeds else 0)
        # Discord lets the author of a message edit it without send_messages; the requester speaks anew, so he needs it.
        speaks = Bits.send_messages_in_threads if isinstance(channel, discord.Thread) else Bits.send_messages
        return Need(target, shown, shown | int(speaks), own=True)

    async def preview(self, ctx: Context, arguments: MessageEditInput) -> Preview[MessageEditEffect]:
        target = ctx.targets["message"]
        channel_id = target.channel_id or 0
        message = await messageable(ctx.guild, channel_id).fetch_message(target.id)
        channel = messageable(ctx.guild, channel_id)
        guild = ctx.guild.discord
        tainted = ctx.caller.always_tainted or bool(ctx.services.decisions.taint_sources(ctx.caller))
        effect = MessageEditEffect(
            channel_id=channel_id,
            message_id=target.id,
            content=arguments.content,
            embeds=arguments.embeds,
            buttons=arguments.buttons,
            suppress_embeds=tainted and not (message.embeds if arguments.embeds is None else arguments.embeds),
        )
        thread = channel if isinstance(channel, discord.Thread) else None
        manages = bool(ctx.guild.bits(channel) & ctx.guild.bot_bits(channel) & Bits.manage_threads)
        problems = told(
            rules.message_is_from_bot(
                message.author.id, ctx.guild.state.source.bot_user_id, by_webhook=message.webhook_id is not None
            ),
            rules.message_is_editable(
                message.type,
                has_poll=message.poll is not None,
                is_voice=message.flags.voice,
            ),
            rules.thread_takes_edits(archived=thread.archived, locked=thread.locked, may_manage_threads=manages)
            if thread
            else None,
            self._content_problems(effect, message, guild.filesize_limit),
            remote_media_problem(arguments.embeds or [], tainted=tainted),
        )
        changes = tuple(_changes(effect, message))
        return Preview(
            summary=f"Edit my message {target.id} in #{inline(channel.name)} in {inline(guild.name)}",
            effect=effect,
            changes=changes,
            problems=(*problems, *(() if changes else ("Nothing would change; the message is like that already.",))),
            unknowns=told(automod_may_block(list(guild.features), ctx.guild.bot_bits(channel))),
            fingerprint=_fingerprint(message),
            inverse=_inverse(effect, message),
            reversible=arguments.embeds is None and arguments.buttons is None,
        )

    @staticmethod
    def _content_problems(
        effect: MessageEditEffect, message: discord.Message, filesize_limit_bytes: int
    ) -> tuple[str, ...]:
        """The rules for the message as it would be."""
        content = message.content if effect.content is None else effect.content
        drafted = draft(content, effect.embeds or [], (), None, effect.buttons or [])
        keeps_something = bool(message.attachments) or (effect.embeds is None and bool(message.embeds))
        if keeps_something and not drafted.content.strip() and not drafted.embeds:
            drafted = draft("-", effect.embeds or [], (), None, effect.buttons or [])
        return rules.draft_problems(drafted, filesize_limit_bytes)

    def quotes(self, effect: MessageEditEffect) -> tuple[SentMessage, ...]:
        return (SentMessage(effect.channel_id, effect.message_id),)

    async def observe(self, ctx: Context, effect: MessageEditEffect) -> str:
        return _fingerprint(await messageable(ctx.guild, effect.channel_id).fetch_message(effect.message_id))

    async def execute(self, ctx: Context, effect: MessageEditEffect) -> MessageEditResult:
        message = await messageable(ctx.guild, effect.channel_id).fetch_message(effect.message_id)
        missing = discord.utils.MISSING
        edited = await message.edit(
            content=missing if effect.content is None else effect.content or None,
            embeds=missing
            if effect.embeds is None
            else [discord.Embed.from_dict(embed.payload()) for embed in effect.embeds],
            view=missing if effect.buttons is None else view_of(effect.buttons),
            suppress=True if effect.suppress_embeds else missing,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        return _result(effect, edited.jump_url)

    async def read_back(self, ctx: Context, effect: MessageEditEffect) -> MessageEditResult | None:
        message = await messageable(ctx.guild, effect.channel_id).fetch_message(effect.message_id)
        return None if _changes(effect, message) else _result(effect, message.jump_url)


def _result(effect: MessageEditEffect, jump_url: str) -> MessageEditResult:
    return MessageEditResult(message_id=str(effect.message_id), channel_id=str(effect.channel_id), jump_url=jump_url)


def _fingerprint(message: discord.Message) -> str:
    return fingerprint(
        {
            "content": message.content,
            "embeds": [embed.to_dict() for embed in message.embeds if embed.type == "rich"],
            "edited_at": message.edited_at.isoformat() if message.edited_at else None,
        }
    )


def _changes(effect: MessageEditEffect, message: discord.Message) -> list[Change]:
    where = f"message {effect.message_id}"
    changes: list[Change] = []
    if effect.content is not None and effect.content.strip() != message.content.strip():
        changes.append(Change(target=where, field="content", before=message.content, after=effect.content))
    if effect.embeds is not None:
        before = [_comparable(embed) for embed in message.embeds if embed.type == "rich"]
        after = [_comparable(discord.Embed.from_dict(embed.payload())) for embed in effect.embeds]
        if before != after:
            changes.append(Change(target=where, field="embeds", before=before, after=after))
    if effect.buttons is not None:
        before_buttons = _buttons(message)
        after_buttons = [button.model_dump() for button in effect.buttons]
        if before_buttons != after_buttons:
            changes.append(Change(target=where, field="buttons", before=before_buttons, after=after_buttons))
    return changes


def _comparable(embed: discord.Embed) -> dict[str, object]:
    """What a caller can set, without what Discord adds (proxy addresses, sizes) and the blanks that it cuts off:
    "Leading and trailing whitespace characters are trimmed automatically".

    https://discord.com/developers/docs/resources/message#embed-object-embed-limits
    """
    return {
        "title": _trimmed(embed.title),
        "description": _trimmed(embed.description),
        "url": embed.url,
        "color": None if embed.color is None else embed.color.value,
        "fields": [[_trimmed(field.name), _trimmed(field.value), bool(field.inline)] for field in embed.fields],
        "footer": _trimmed(embed.footer.text),
        "author": _trimmed(embed.author.name),
        "image": embed.image.url,
        "thumbnail": embed.thumbnail.url,
    }


def _trimmed(text: str | None) -> str | None:
    return (text or "").strip() or None


def _buttons(message: discord.Message) -> list[dict[str, str | None]]:
    return [
        {"label": button.label, "url": button.url}
        for row in message.components
        if isinstance(row, discord.ActionRow)
        for button in row.children
        if isinstance(button, discord.Button)
    ]


def _inverse(effect: MessageEditEffect, message: discord.Message) -> Inverse | None:
    """Text can be put back exactly; what embeds and buttons were made from is not known any more."""
    if effect.embeds is not None or effect.buttons is not None:
        return None
    return Inverse(
        operation="message_edit",
        arguments={
            "channel": str(effect.channel_id),
            "message": str(effect.message_id),
            "content": message.content,
        },
    )
