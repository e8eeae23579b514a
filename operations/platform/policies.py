"""A guild's policy: what it says, and setting it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from operations.base import Context, Model, ReadOperation
from operations.declaring import ADMINISTRATION
from operations.platform.administration import (
    CHANNEL_HIDDEN,
    NamedChannel,
    NamedRole,
    installation_of,
    named_channel,
    named_role,
    rules_of,
    with_given,
)
from operations.platform.guild_rules import GuildRulesWrite, RulesEffect
from operations.preflight import told
from operations.refs import GuildRef, PlainId
from policy.model import Kind, OperationClass, Tier
from policy.presets import ALL
from policy.rules import ClassRules, GuildRules, RuleName

ReadRule = Literal["allow", "deny"]
TierName = Literal["none", "risky", "critical"]
RoleName = Literal["none", "viewer", "member", "manager", "admin"]
OperationName = Annotated[str, Field(max_length=64)]
NONE = "none"
TWO_PEOPLE = (
    "Whether a second person can confirm: turning four_eyes off again takes two people who are each workspace admin "
    "and administrator in Discord."
)


# ------------------------------------------------------------------------ get
class PolicyGetInput(Model):
    guild: GuildRef | None = None


class ChannelPolicyShown(Model):
    channel: NamedChannel
    rules: ClassRules


class MappedRole(Model):
    role: NamedRole
    platform_role: str


class PolicyGetResult(Model):
    """``rules``: what each class of operations is under; the strictest of guild, category and channel holds.
    ``chat_channels``: where the agent answers. Of channels only those that you can see are listed.
    """

    guild_id: str
    rules: ClassRules
    tiers: dict[str, str]
    role_map: list[MappedRole]
    four_eyes: bool
    record_reads: bool
    preset: str = Field(description="What is served in the guild.")
    approver_roles: list[NamedRole]
    approvals_channel: NamedChannel | None = None
    log_channel: NamedChannel | None = None
    channels: list[ChannelPolicyShown]
    chat_channels: list[NamedChannel]


class GetPolicy(ReadOperation[PolicyGetInput, PolicyGetResult]):
    """Show a guild's policy: its rules, raised tiers, mapped roles, approvers, channels, and channels with rules of
    their own.
    """

    name = "policy_get"
    title = "Show a guild's policy"
    toolset = "administration"
    scope = "admin:policy"
    faces = ADMINISTRATION

    async def read(self, ctx: Context, arguments: PolicyGetInput) -> PolicyGetResult:
        installation, rules, snapshot = installation_of(ctx), rules_of(ctx), ctx.services.facts.snapshot
        own = {
            channel_id: channel.rules
            for (installation_id, channel_id), channel in snapshot.channel_rules.items()
            if installation_id == installation.id
        }
        chat = sorted(snapshot.chat_channels.get(installation.id, frozenset()))
        shown = [(named_channel(ctx, channel_id), own[channel_id]) for channel_id in sorted(own)]
        return PolicyGetResult(
            guild_id=str(ctx.guild.id),
            rules=rules.rules,
            tiers=dict(sorted(rules.tiers.items())),
            role_map=[
                MappedRole(role=named_role(ctx, role_id), platform_role=role)
                for role_id, role in sorted(rules.role_map.items())
            ],
            four_eyes=rules.four_eyes,
            record_reads=rules.record_reads,
            preset=rules.preset or ALL,
            approver_roles=[named_role(ctx, role_id) for role_id in rules.approver_role_ids],
            approvals_channel=_channel(ctx, rules.approvals_channel_id),
            log_channel=_channel(ctx, rules.log_channel_id),
            channels=[
                ChannelPolicyShown(channel=channel, rules=rule) for channel, rule in shown if not _hidden(channel)
            ],
            chat_channels=[channel for channel_id in chat if not _hidden(channel := named_channel(ctx, channel_id))],
        )


def _channel(ctx: Context, channel_id: int | None) -> NamedChannel | None:
    return None if channel_id is None else named_channel(ctx, channel_id)


def _hidden(channel: NamedChannel) -> bool:
    return channel.note == CHANNEL_HIDDEN


# ------------------------------------------------------------------------ set
class PolicySetInput(Model):
    guild: GuildRef | None = None
    read: ReadRule | None = Field(default=None, description="Rule for reads.")
    write: RuleName | None = Field(default=None, description="Rule for writes of the tier write.")
    destroy: RuleName | None = Field(default=None, description="Rule for risky and critical writes.")
    tiers: dict[OperationName, TierName] = Field(
        default={}, max_length=50, description="Operation to the tier that it is raised to; none lifts that."
    )
    role_map: dict[PlainId, RoleName] = Field(
        default={}, max_length=50, description="Role id to the platform role of its holders; none takes it out."
    )
    four_eyes: bool | None = Field(default=None, description="Plans take the confirmation of a second person.")
    record_reads: bool | None = Field(default=None, description="Audit each read instead of counting them.")


class SetPolicy(GuildRulesWrite[PolicySetInput]):
    """Change a guild's policy: what is named, and nothing else. Loosening takes a workspace admin who is administrator
    in Discord, and a person's confirmation.
    """

    name = "policy_set"
    title = "Set a guild's policy"

    def changed(self, ctx: Context, arguments: PolicySetInput, before: GuildRules) -> GuildRules:
        given = arguments.model_dump(include={each.value for each in OperationClass})
        mapped = {int(role_id): role for role_id, role in arguments.role_map.items()}
        return GuildRules.model_validate(
            before.model_dump()
            | {
                "rules": with_given(before.rules, given).model_dump(),
                "tiers": _merged(before.tiers, arguments.tiers),
                "role_map": _merged(before.role_map, mapped),
                "four_eyes": before.four_eyes if arguments.four_eyes is None else arguments.four_eyes,
                "record_reads": before.record_reads if arguments.record_reads is None else arguments.record_reads,
            }
        )

    def back(self, effect: RulesEffect) -> dict[str, Any]:
        before, after = effect.before, effect.after
        found: dict[str, Any] = {
            each.value: getattr(before.rules, each.value)
            for each in OperationClass
            if before.rules.of(each) != after.rules.of(each)
        }
        tiers, role_map = _unmerged(before.tiers, after.tiers), _unmerged(before.role_map, after.role_map)
        found |= {"tiers": tiers} if tiers else {}
        found |= {"role_map": {str(role_id): role for role_id, role in role_map.items()}} if role_map else {}
        for name in ("four_eyes", "record_reads"):
            if getattr(before, name) != getattr(after, name):
                found[name] = getattr(before, name)
        return found

    def problems(self, ctx: Context, arguments: PolicySetInput, effect: RulesEffect) -> tuple[str, ...]:
        return told(
            *(_tier_problem(ctx, name, tier, effect.before) for name, tier in arguments.tiers.items()),
            *(_role_problem(ctx, int(role_id), role) for role_id, role in arguments.role_map.items()),
            _four_eyes_problem(effect),
        )

    def unknowns(self, ctx: Context, effect: RulesEffect) -> tuple[str, ...]:
        if effect.before.four_eyes or not effect.after.four_eyes:
            return ()
        return (TWO_PEOPLE,)


def _merged(before: dict[Any, Any], given: dict[Any, Any]) -> dict[Any, Any]:
    merged = before | given
    return {key: value for key, value in merged.items() if value != NONE}


def _unmerged(before: dict[Any, Any], after: dict[Any, Any]) -> dict[Any, Any]:
    return {key: before.get(key, NONE) for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def _tier_problem(ctx: Context, name: str, tier: TierName, before: GuildRules) -> str | None:
    if tier == NONE:
        return None if name in before.tiers else f"The tier of {name} is not raised, so nothing can be lifted."
    operation = ctx.services.registry.get(name)
    if operation is None or operation.kind is not Kind.WRITE:
        return f"{name} is not an operation that writes; docs/operations.md lists them."
    if Tier[tier.upper()] <= operation.tier:
        return f"{name} is {operation.tier.label} by itself; {tier} would raise nothing."
    return None


def _role_problem(ctx: Context, role_id: int, role: RoleName) -> str | None:
    if role == NONE or ctx.guild.discord.get_role(role_id) is not None:
        return None
    return f"{role_id} is not a role of this guild."


def _four_eyes_problem(effect: RulesEffect) -> str | None:
    if effect.before.four_eyes or not effect.after.four_eyes or effect.after.approvals_channel_id is not None:
        return None
    return "Without an approvals channel no second person would see what waits; set one first (approvals_channel_set)."
