"""Reading webhooks: those of a channel or of the guild, and one of them. Never their tokens."""

from __future__ import annotations

import discord
from pydantic import Field

from operations import cursors
from operations.base import Context, Model, ReadOperation
from operations.discord.names import channel_name, name
from operations.discord.webhook_facts import (
    RIGHTS,
    WebhookFacts,
    WebhookKind,
    facts_of,
    home_of,
    known,
    webhook_need,
)
from operations.guild_state import GuildView
from operations.outcomes import timestamp
from operations.preflight.webhooks import webhook_is_executable
from operations.refs import ChannelRef, GuildRef, WebhookRef
from policy.model import Need
from policy.permissions import missing


class WebhookRow(Model):
    """``executable``: whether webhook_execute can post through it; those of other applications and followed channels
    it cannot.
    """

    id: str
    name: str
    channel_id: str
    channel_name: str | None = None
    type: WebhookKind
    executable: bool
    created_by: str | None = None
    created_by_name: str | None = None


def row(view: GuildView, facts: WebhookFacts) -> WebhookRow:
    problem = webhook_is_executable(facts.kind, has_token=facts.has_token, application_id=facts.application_id)
    return WebhookRow(
        id=str(facts.id),
        name=name(facts.name),
        channel_id=str(facts.channel_id),
        channel_name=channel_name(view, facts.channel_id),
        type=facts.kind_name,
        executable=problem is None,
        created_by=None if facts.creator_id is None else str(facts.creator_id),
        created_by_name=None if facts.creator_name is None else name(facts.creator_name),
    )


# ---------------------------------------------------------------------- list
class WebhookListInput(Model):
    channel: ChannelRef | None = None
    guild: GuildRef | None = None
    limit: int = Field(default=50, ge=1, le=100)
    cursor: str | None = None


class WebhookListResult(Model):
    """Oldest first. ``cursor``: for newer ones, absent when there are none."""

    webhooks: list[WebhookRow]
    cursor: str | None = None


class ListWebhooks(ReadOperation[WebhookListInput, WebhookListResult]):
    """List the webhooks of one channel, or of every channel in which you may manage them; their tokens are never
    shown.
    """

    name = "webhook_list"
    title = "List webhooks"
    toolset = "webhooks"
    scope = "webhooks:read"
    in_default_set = True
    bot_permissions = ("manage_webhooks",)
    actor_permissions = ("manage_webhooks",)

    def needs(self, ctx: Context, arguments: WebhookListInput) -> tuple[Need, ...]:
        """Discord gives the list of a guild to who may manage webhooks guild-wide."""
        channel = ctx.targets.get("channel")
        return (self.need(ctx.guild_target) if channel is None else webhook_need(ctx, channel),)

    async def read(self, ctx: Context, arguments: WebhookListInput) -> WebhookListResult:
        after = 0
        if arguments.cursor is not None:
            after = int(cursors.open_cursor(ctx, self.name, arguments.cursor)[0])
        channel = ctx.targets.get("channel")
        listed = await (ctx.guild.discord if channel is None else home_of(ctx, channel.id)).webhooks()
        rows = _rows(ctx.guild, listed, after)
        shown = rows[: arguments.limit]
        more = len(rows) > len(shown)
        return WebhookListResult(
            webhooks=shown, cursor=cursors.seal(ctx, self.name, [int(shown[-1].id)]) if more else None
        )


def _rows(view: GuildView, webhooks: list[discord.Webhook], after: int) -> list[WebhookRow]:
    """Those after an id, in channels where bot and requester may manage them."""
    managed = {
        channel_id
        for channel_id in view.shared_ids()
        if (channel := view.channel(channel_id)) is not None
        and not missing(view.bits(channel), RIGHTS)
        and not missing(view.bot_bits(channel), RIGHTS)
    }
    found = [facts for webhook in webhooks if webhook.id > after and (facts := facts_of(webhook)) is not None]
    return [row(view, facts) for facts in sorted(found, key=lambda each: each.id) if facts.channel_id in managed]


# ----------------------------------------------------------------------- get
class WebhookGetInput(Model):
    webhook: WebhookRef
    channel: ChannelRef | None = None
    guild: GuildRef | None = None


class WebhookGetResult(WebhookRow):
    """``why_not``: why webhook_execute cannot post through it."""

    created_at: str
    avatar_url: str | None = None
    why_not: str | None = None


class GetWebhook(ReadOperation[WebhookGetInput, WebhookGetResult]):
    """One webhook, by id, or by its name in a channel; its token is never shown."""

    name = "webhook_get"
    title = "Look at a webhook"
    toolset = "webhooks"
    scope = "webhooks:read"
    in_default_set = True
    bot_permissions = ("manage_webhooks",)
    actor_permissions = ("manage_webhooks",)

    def needs(self, ctx: Context, arguments: WebhookGetInput) -> tuple[Need, ...]:
        return (webhook_need(ctx, ctx.targets["webhook"]),)

    async def read(self, ctx: Context, arguments: WebhookGetInput) -> WebhookGetResult:
        facts = await known(ctx, ctx.targets["webhook"])
        return WebhookGetResult(
            **row(ctx.guild, facts).model_dump(),
            created_at=timestamp(discord.utils.snowflake_time(facts.id).timestamp()),
            avatar_url=facts.avatar_url,
            why_not=webhook_is_executable(facts.kind, has_token=facts.has_token, application_id=facts.application_id),
        )
