"""Posting through a webhook: in its own channel, under its own name, and saying through whom."""

from __future__ import annotations

import discord
from pydantic import Field

from operations.base import Change, Context, Model, Preview, Reconcile, WriteOperation
from operations.discord.message_models import EMBED_TEXTS_AS_SENT, EmbedInput, PingEffect, draft, remote_media_problem
from operations.discord.pings import ping_of, pinged, pings_beyond_members, unmentioned
from operations.discord.webhook_facts import WebhookFacts, fetched, home_of, known, labelled, observed, webhook_need
from operations.errors import Refused
from operations.guild_state import Channel
from operations.preflight import messages, told
from operations.preflight import webhooks as rules
from operations.preflight.guilds import automod_may_block, two_factor_may_be_missing
from operations.refs import ChannelRef, GuildRef, MentionableRef, WebhookRef
from operations.refusals import hidden
from operations.sanitise import inline
from policy.model import Need, Refuse, Step, Target, Tier
from policy.permissions import Bits
from storage import call_messages
from storage.call_messages import MessagePlace
from storage.calls import CallRecord
from storage.session import Session

MAX_SENDER_NAME = 40


class WebhookExecuteInput(Model):
    webhook: WebhookRef
    channel: ChannelRef | None = None
    guild: GuildRef | None = None
    content: str = ""
    embeds: list[EmbedInput] = Field(default_factory=list[EmbedInput], max_length=10, description=EMBED_TEXTS_AS_SENT)
    thread: ChannelRef | None = Field(default=None, description="Thread or post of its channel.")
    ping: list[MentionableRef] = Field(
        default_factory=list[str], max_length=50, description="The text must mention them."
    )


class WebhookExecuteEffect(Model):
    """``content``: as it is sent, with the line that says through whom."""

    webhook: Target
    thread: Target | None
    content: str
    embeds: list[EmbedInput]
    ping: PingEffect
    suppress_embeds: bool


class WebhookExecuteResult(Model):
    message_id: str
    channel_id: str
    jump_url: str


class ExecuteWebhook(WriteOperation[WebhookExecuteInput, WebhookExecuteEffect, WebhookExecuteResult]):
    """Post through a webhook in its own channel, under its own name. A last line says through whom; it pings only
    whom `ping` names.
    """

    # A webhook's message has no nonce and is in no audit log, and nothing in it is unlike that of a second call with
    # the same text: a lost answer stays unknown.
    name = "webhook_execute"
    title = "Post through a webhook"
    toolset = "webhooks"
    scope = "webhooks:write"
    tier = Tier.RISKY
    in_default_set = True
    bot_permissions = ("manage_webhooks",)
    actor_permissions = ("manage_webhooks",)
    reconcile = Reconcile.NONE

    # ------------------------------------------------------------------- rights
    def needs(self, ctx: Context, arguments: WebhookExecuteInput) -> tuple[Need, ...]:
        return _needs(ctx, ctx.targets["webhook"], ctx.targets.get("thread"), ping_of(ctx.many.get("ping", ())))

    def needs_of(self, ctx: Context, effect: WebhookExecuteEffect) -> tuple[Need, ...]:
        return _needs(ctx, effect.webhook, effect.thread, effect.ping)

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: WebhookExecuteInput) -> Preview[WebhookExecuteEffect]:
        target, place = ctx.targets["webhook"], ctx.targets.get("thread")
        whom = ctx.many.get("ping", ())
        now = await known(ctx, target)
        home = home_of(ctx, now.channel_id)
        thread = None if place is None else ctx.guild.channel(place.id)
        if place is not None and thread is None:
            raise Refused(hidden("thread", "channel"))
        tainted = ctx.caller.always_tainted or bool(ctx.services.decisions.taint_sources(ctx.caller))
        effect = WebhookExecuteEffect(
            webhook=target,
            thread=place,
            content=rules.with_sender(arguments.content, sender(ctx)),
            embeds=arguments.embeds,
            ping=ping_of(whom),
            # A link preview is a request to a stranger's host: what was read could leave by it.
            suppress_embeds=tainted and not arguments.embeds,
        )
        guild, bot_bits = ctx.guild.discord, ctx.guild.bot_bits(home)
        return Preview(
            summary=_summary(effect, thread or home, guild.name),
            effect=effect,
            changes=tuple(_changes(effect, thread or home, whom)),
            problems=told(
                rules.webhook_is_executable(now.kind, has_token=now.has_token, application_id=now.application_id),
                rules.forum_needs_thread(home.type, has_thread=thread is not None),
                _thread_problem(ctx, now, thread),
                rules.text_names_no_sender(arguments.content),
                unmentioned(whom, arguments.content),
                messages.message_holds_something(draft(arguments.content, arguments.embeds, (), None, [])),
                messages.draft_problems(draft(effect.content, effect.embeds, (), None, []), guild.filesize_limit),
                remote_media_problem(arguments.embeds, tainted=tainted),
            ),
            unknowns=told(
                automod_may_block(list(guild.features), bot_bits),
                two_factor_may_be_missing(guild.mfa_level, Bits.manage_webhooks),
            ),
            fingerprint=now.fingerprint,
            reversible=False,
        )

    async def observe(self, ctx: Context, effect: WebhookExecuteEffect) -> str:
        return await observed(ctx, effect.webhook)

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: WebhookExecuteEffect) -> WebhookExecuteResult:
        webhook = await fetched(ctx, effect.webhook)
        if webhook.token is None:
            raise Refused(NOT_OURS)
        message = await webhook.send(
            effect.content,
            embeds=[discord.Embed.from_dict(embed.payload()) for embed in effect.embeds],
            allowed_mentions=effect.ping.allowed_mentions(),
            thread=discord.utils.MISSING if effect.thread is None else discord.Object(effect.thread.id),
            suppress_embeds=effect.suppress_embeds,
            wait=True,
        )
        place = effect.webhook.channel_id if effect.thread is None else effect.thread.id
        return WebhookExecuteResult(
            message_id=str(message.id),
            channel_id=str(place),
            jump_url=f"https://discord.com/channels/{effect.webhook.guild_id}/{place}/{message.id}",
        )

    async def keep(
        self, session: Session, call: CallRecord, effect: WebhookExecuteEffect, result: WebhookExecuteResult
    ) -> None:
        """What was posted is erased from the call when Discord deletes it. It is nobody's own message."""
        place = MessagePlace(int(result.channel_id), int(result.message_id))
        await call_messages.put(session, call.call_id, [place])


NOT_OURS = Refuse(
    Step.EXECUTE,
    "not_executable",
    "Discord does not let me execute this webhook any more.",
    "webhook_list shows which webhooks I can execute.",
)


def sender(ctx: Context) -> str:
    """The requester's username, which nobody else has: a nickname may be anybody's. Where no person stands behind the
    call, that of the bot.
    """
    return inline(ctx.guild.actor.name, MAX_SENDER_NAME)


def _needs(ctx: Context, webhook: Target, thread: Target | None, ping: PingEffect) -> tuple[Need, ...]:
    more = int(Bits.mention_everyone) if pings_beyond_members(ctx, ping) else 0
    needs = [webhook_need(ctx, webhook, more)]
    if thread is not None:
        seen = int(Bits.view_channel)
        needs.append(Need(thread, seen, seen))
    return tuple(needs)


def _thread_problem(ctx: Context, now: WebhookFacts, thread: Channel | None) -> str | None:
    if thread is None:
        return None
    if not isinstance(thread, discord.Thread):
        return rules.thread_is_of_channel(None, now.channel_id)
    return rules.thread_is_of_channel(thread.parent_id, now.channel_id) or messages.thread_takes_messages(
        locked=thread.locked,
        may_manage_threads=bool(ctx.guild.bits(thread) & ctx.guild.bot_bits(thread) & Bits.manage_threads),
    )


def _summary(effect: WebhookExecuteEffect, place: Channel, guild_name: str) -> str:
    parts = [f"{len(effect.content):,} characters"]
    if effect.embeds:
        parts.append(f"{len(effect.embeds)} embed{'' if len(effect.embeds) == 1 else 's'}")
    return (
        f"Post a message ({', '.join(parts)}) through the webhook {inline(effect.webhook.name)} "
        f"in #{inline(place.name)} in {inline(guild_name)}"
    )


def _changes(effect: WebhookExecuteEffect, place: Channel, whom: tuple[Target, ...]) -> list[Change]:
    where = f"channel {place.id} #{inline(place.name)}"
    changes = [
        Change(target=where, field="message", after=effect.content),
        Change(target=where, field="posted as", after=labelled(effect.webhook)),
    ]
    if effect.ping.anybody:
        changes.append(Change(target=where, field="notifies", after=pinged(whom)))
    if effect.suppress_embeds:
        changes.append(Change(target=where, field="link previews", after="off, since text of others was read"))
    if isinstance(place, discord.Thread) and messages.thread_is_unarchived(
        archived=place.archived, locked=place.locked
    ):
        changes.append(Change(target=where, field="archived", before=True, after=False))
    return changes
