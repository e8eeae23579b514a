"""Who confirms in a guild, and the channels of its policy: approvals and log."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from operations.base import Context, Model
from operations.platform.administration import posting_problem
from operations.platform.guild_rules import GuildRulesWrite, RulesEffect
from operations.preflight import told
from operations.refs import ChannelRef, GuildRef, RoleRef
from policy.model import PlatformRole, Tier
from policy.rules import GuildRules


# ------------------------------------------------------------------ approvers
class ApproversSetInput(Model):
    guild: GuildRef | None = None
    roles: list[RoleRef] = Field(max_length=25, description="All of them; an empty list: the rights alone count.")


class SetApprovers(GuildRulesWrite[ApproversSetInput]):
    """Set the roles of which an approver holds one, beside the rights that the plan asks for. Once some are set,
    changing them is critical.
    """

    name = "approvers_set"
    title = "Set who confirms"
    min_role = PlatformRole.ADMIN

    def changed(self, ctx: Context, arguments: ApproversSetInput, before: GuildRules) -> GuildRules:
        role_ids = sorted({role.id for role in ctx.many.get("roles", ())})
        return before.model_copy(update={"approver_role_ids": tuple(role_ids)})

    def back(self, effect: RulesEffect) -> dict[str, Any]:
        return {"roles": [str(role_id) for role_id in effect.before.approver_role_ids]}

    def problems(self, ctx: Context, arguments: ApproversSetInput, effect: RulesEffect) -> tuple[str, ...]:
        if ctx.guild.id in effect.after.approver_role_ids:
            return ("Everybody holds @everyone, so that it says nothing about who confirms; pick other roles.",)
        return ()

    def unknowns(self, ctx: Context, effect: RulesEffect) -> tuple[str, ...]:
        guild = ctx.guild.discord
        roles = [guild.get_role(role_id) for role_id in effect.after.approver_role_ids]
        if not roles or any(role is not None and role.members for role in roles):
            return ()
        return ("Whether anybody holds one of these roles; nobody whom I know of does.",)


# ------------------------------------------------------------------- channels
class PolicyChannelInput(Model):
    guild: GuildRef | None = None
    channel: ChannelRef | None = None
    off: bool = Field(default=False, description="Have none any more, instead of a channel.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.off is (self.channel is not None):
            raise ValueError("give either a channel, or off=true to have none any more")
        return self


class SetApprovalsChannel(GuildRulesWrite[PolicyChannelInput]):
    """Set the channel in which plans wait for an approver. Once one is set, changing it is critical."""

    name = "approvals_channel_set"
    title = "Set the approvals channel"
    min_role = PlatformRole.ADMIN

    def changed(self, ctx: Context, arguments: PolicyChannelInput, before: GuildRules) -> GuildRules:
        return before.model_copy(update={"approvals_channel_id": _named(ctx)})

    def back(self, effect: RulesEffect) -> dict[str, Any]:
        return _back(effect.before.approvals_channel_id)

    def problems(self, ctx: Context, arguments: PolicyChannelInput, effect: RulesEffect) -> tuple[str, ...]:
        left_alone = effect.after.four_eyes and effect.after.approvals_channel_id is None
        return told(
            _posting_problem(ctx),
            "With four_eyes on, plans need an approvals channel; turn that off first." if left_alone else None,
        )


class SetLogChannel(GuildRulesWrite[PolicyChannelInput]):
    """Set the channel in which every effect, refusal and confirmation is told. Once one is set, changing it is
    critical.
    """

    name = "log_channel_set"
    title = "Set the log channel"
    tier = Tier.WRITE

    def changed(self, ctx: Context, arguments: PolicyChannelInput, before: GuildRules) -> GuildRules:
        return before.model_copy(update={"log_channel_id": _named(ctx)})

    def back(self, effect: RulesEffect) -> dict[str, Any]:
        return _back(effect.before.log_channel_id)

    def problems(self, ctx: Context, arguments: PolicyChannelInput, effect: RulesEffect) -> tuple[str, ...]:
        return told(_posting_problem(ctx))


def _named(ctx: Context) -> int | None:
    channel = ctx.targets.get("channel")
    return None if channel is None else channel.id


def _posting_problem(ctx: Context) -> str | None:
    channel_id = _named(ctx)
    return None if channel_id is None else posting_problem(ctx, channel_id)


def _back(channel_id: int | None) -> dict[str, Any]:
    return {"off": True} if channel_id is None else {"channel": str(channel_id)}
