"""What the agent costs, which model answers, and beginning a conversation anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import Field, model_validator

from operations.agent_accounts import MICROS, AgentAccounts
from operations.base import Change, Context, Model, Preview, ReadOperation
from operations.member_rights import role_ids_of
from operations.membership import role_in_guild
from operations.platform.administration import installation_of, named_role
from operations.platform.guild_rules import GuildRulesWrite, RulesEffect
from operations.platform.privacy import IN_PERSON
from operations.platform_writes import PlatformWrite
from operations.preflight import told
from operations.refs import ChannelRef, GuildRef, RoleRef
from operations.sanitise import inline
from policy.agent_rules import BudgetScope, DailyLimit, Dollars, ModelChoice, Tokens
from policy.model import Need, PlatformRole, Reach, Target
from policy.permissions import Bits
from policy.rules import GuildRules
from policy.scopes import OWN_DATA
from storage import conversations, usage
from storage.conversations import ConversationKey
from storage.session import Session
from storage.usage import Account, Used


# ----------------------------------------------------------------------- usage
class AgentUsageInput(Model):
    guild: GuildRef | None = None


class BudgetUsed(Model):
    """``of``: workspace, guild, role or user. Limits are absent where there is none; ``*_usd``: US dollars."""

    of: str
    role: str | None = None
    tokens: int
    cost_usd: float
    limit_tokens: int | None = None
    limit_usd: float | None = None


class AgentUsageResult(Model):
    """Of today (UTC). ``models``: what answers where, by what the operator configured."""

    day: str
    enabled: bool
    has_key: bool
    model: str
    models: dict[str, str]
    budgets: list[BudgetUsed]


class GetAgentUsage(ReadOperation[AgentUsageInput, AgentUsageResult]):
    """Read what the agent used today of your budget; whoever manages the guild also reads those of guild, roles and
    workspace.
    """

    name = "agent_usage_get"
    title = "Read the agent's usage"
    toolset = "meta"
    scope = OWN_DATA
    faces = IN_PERSON

    def needs(self, ctx: Context, arguments: AgentUsageInput) -> tuple[Need, ...]:
        return (Need(ctx.guild_target),)

    async def read(self, ctx: Context, arguments: AgentUsageInput) -> AgentUsageResult:
        installation, setup = installation_of(ctx), ctx.services.agent
        accounts = AgentAccounts(ctx.services.facts, setup.limits)
        rules = accounts.rules(ctx.guild.id)
        manages = _manages(ctx)
        held = rules.roles.keys() if manages else role_ids_of(ctx.guild.actor)
        shown = [
            account
            for account in accounts.of(installation.workspace_id, ctx.guild.id, ctx.caller.user_id or 0, held)
            if manages or account.scope == "user"
        ]
        day = usage.day_of(ctx.now)
        async with ctx.services.database.read() as session:
            found = await usage.used(session, day, shown)
        models = {"standard": setup.model} | ({} if setup.small is None else {"small": setup.small})
        return AgentUsageResult(
            day=day,
            enabled=setup.enabled,
            has_key=setup.has_key,
            model=setup.named(rules.model),
            models=models,
            budgets=[_budget(ctx, account, found[account]) for account in shown],
        )


def _manages(ctx: Context) -> bool:
    role = role_in_guild(ctx.services.facts.snapshot, ctx.caller, installation_of(ctx), ctx.guild)
    return role is not None and role >= PlatformRole.MANAGER


def _budget(ctx: Context, account: Account, used: Used) -> BudgetUsed:
    role = named_role(ctx, account.subject_id) if account.scope == "role" and account.subject_id else None
    return BudgetUsed(
        of=account.scope,
        role=None if role is None else role.name or role.id,
        tokens=used.taken.tokens,
        cost_usd=used.taken.micros / MICROS,
        limit_tokens=account.tokens,
        limit_usd=None if account.micros is None else account.micros / MICROS,
    )


# ---------------------------------------------------------------------- limits
class AgentBudgetInput(Model):
    guild: GuildRef | None = None
    scope: BudgetScope = Field(description="Whose limit: the guild's, each member's, or that of one role's holders.")
    role: RoleRef | None = Field(default=None, description="With the scope role: whose holders.")
    tokens: Tokens | None = Field(default=None, description="Tokens a day.")
    cost_usd: Dollars | None = Field(default=None, description="US dollars a day.")

    @model_validator(mode="after")
    def _whose(self) -> AgentBudgetInput:
        if (self.scope == "role") != (self.role is not None):
            raise ValueError("scope: role takes a role, and only that one")
        return self


class SetAgentBudget(GuildRulesWrite[AgentBudgetInput]):
    """Limit what the agent may use a day in a guild, on top of the operator's limits; without tokens and cost the
    guild's own limit is lifted.
    """

    name = "agent_budget_set"
    title = "Limit what the agent may use"

    def changed(self, ctx: Context, arguments: AgentBudgetInput, before: GuildRules) -> GuildRules:
        limit = DailyLimit(tokens=arguments.tokens, cost_usd=arguments.cost_usd)
        return before.model_copy(
            update={"agent": before.agent.with_limit(arguments.scope, limit, _role_id(ctx, arguments))}
        )

    def back(self, effect: RulesEffect) -> dict[str, Any]:
        before, after = effect.before.agent, effect.after.agent
        if before.guild != after.guild:
            return {"scope": "guild", **before.guild.model_dump(exclude_none=True)}
        if before.user != after.user:
            return {"scope": "user", **before.user.model_dump(exclude_none=True)}
        for role_id in before.roles.keys() | after.roles.keys():
            limit = before.limit("role", role_id)
            if limit != after.limit("role", role_id):
                return {"scope": "role", "role": str(role_id), **limit.model_dump(exclude_none=True)}
        return {"scope": "guild", **before.guild.model_dump(exclude_none=True)}

    def problems(self, ctx: Context, arguments: AgentBudgetInput, effect: RulesEffect) -> tuple[str, ...]:
        limits = ctx.services.agent.limits
        operators = {"guild": limits.guild, "user": limits.user, "role": limits.guild}[arguments.scope]
        given = DailyLimit(tokens=arguments.tokens, cost_usd=arguments.cost_usd)
        tokens = given.tokens is not None and operators.tokens is not None and given.tokens > operators.tokens
        dollars = given.cost_usd is not None and operators.cost_usd is not None and given.cost_usd > operators.cost_usd
        over = f"The operator's limit is {operators}; a guild's own only goes below it." if tokens or dollars else None
        return told(over)


def _role_id(ctx: Context, arguments: AgentBudgetInput) -> int | None:
    target = ctx.targets.get("role")
    return None if arguments.scope != "role" or target is None else target.id


class AgentModelInput(Model):
    guild: GuildRef | None = None
    model: ModelChoice = Field(description="Which of the models that the operator configured answers.")


class SetAgentModel(GuildRulesWrite[AgentModelInput]):
    """Choose which of the configured models answers in a guild."""

    name = "agent_model_set"
    title = "Choose the agent's model"
    min_role = PlatformRole.ADMIN

    def changed(self, ctx: Context, arguments: AgentModelInput, before: GuildRules) -> GuildRules:
        return before.model_copy(update={"agent": before.agent.model_copy(update={"model": arguments.model})})

    def back(self, effect: RulesEffect) -> dict[str, Any]:
        return {"model": effect.before.agent.model}

    def problems(self, ctx: Context, arguments: AgentModelInput, effect: RulesEffect) -> tuple[str, ...]:
        lacking = arguments.model == "small" and ctx.services.agent.small is None
        return told("The operator configured no smaller model (AGENT_SMALL_MODEL)." if lacking else None)


# ----------------------------------------------------------------------- reset
class ConversationResetInput(Model):
    guild: GuildRef | None = None
    channel: ChannelRef


class ConversationResetEffect(Model):
    """``user_id``: whose part is forgotten; None for all of it."""

    channel: Target
    user_id: int | None


class ConversationResetResult(Model):
    """``forgotten``: how many things were said in what is forgotten."""

    channel_id: str
    forgotten: int


class ResetConversation(PlatformWrite[ConversationResetInput, ConversationResetEffect, ConversationResetResult]):
    """Have the agent forget its conversation in a channel: all of it where you may manage messages there, else what you
    said and were answered. Messages in Discord stay.
    """

    name = "conversation_reset"
    title = "Begin a conversation with the agent anew"
    toolset = "meta"
    scope = OWN_DATA
    faces = IN_PERSON
    min_role = PlatformRole.VIEWER
    reach = Reach.SAME_CHANNEL
    open_to_members = "What somebody said to the agent is his to take back."
    idempotent = True
    works_paused = True

    def needs(self, ctx: Context, arguments: ConversationResetInput) -> tuple[Need, ...]:
        return (self.need(ctx.targets["channel"]),)

    def needs_of(self, ctx: Context, effect: ConversationResetEffect) -> tuple[Need, ...]:
        bits = Bits.manage_messages if effect.user_id is None else 0
        return (replace(self.need(effect.channel), actor_bits=int(bits)),)

    async def preview(self, ctx: Context, arguments: ConversationResetInput) -> Preview[ConversationResetEffect]:
        target = ctx.targets["channel"]
        channel = ctx.guild.channel(target.id)
        whole = channel is not None and bool(ctx.guild.bits(channel) & Bits.manage_messages)
        name = inline(target.name)
        user_id = None if whole else ctx.caller.user_id
        async with ctx.services.database.read() as session:
            count = await conversations.count(session, _key(ctx, target), user_id=user_id)
        what = "the conversation" if whole else "your part of the conversation"
        return Preview(
            summary=f"Have the agent forget {what} in #{name}",
            effect=ConversationResetEffect(channel=target, user_id=user_id),
            changes=(Change(target=f"channel {target.id} {name}", field=what, before=count, after=0),),
            problems=() if count else ("Nothing of it is kept, so there is nothing to forget.",),
        )

    async def apply(self, ctx: Context, session: Session, effect: ConversationResetEffect) -> ConversationResetResult:
        count = await conversations.forget(session, _key(ctx, effect.channel), user_id=effect.user_id)
        return ConversationResetResult(channel_id=str(effect.channel.id), forgotten=count)


def _key(ctx: Context, channel: Target) -> ConversationKey:
    return ConversationKey(installation_of(ctx).id, ctx.guild.id, channel.id)
