"""The policy of one channel or category: it holds for everything in there."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from operations.base import Change, Context, Inverse, Model, Preview
from operations.declaring import ADMINISTRATION
from operations.discord.fingerprints import difference, fingerprint
from operations.errors import Refused
from operations.plan_refusals import changed_since
from operations.platform.administration import (
    ROLES_DECIDE,
    channel_rules_of,
    installation_of,
    loosening,
    stored_channel_rules,
    summary_of,
    with_given,
)
from operations.platform_writes import PlatformWrite
from operations.refs import ChannelRef, GuildRef
from operations.sanitise import inline
from policy.model import Need, OperationClass, Reach, Requirement, Target, Tier
from policy.rules import ChannelRules, ClassRules, RuleName, loosens_channel
from storage import policies
from storage.session import Session


class ChannelPolicySetInput(Model):
    guild: GuildRef | None = None
    channel: ChannelRef
    read: Literal["allow", "deny"] | None = Field(default=None, description="Rule for reads there.")
    write: RuleName | None = Field(default=None, description="Rule for writes of the tier write there.")
    destroy: RuleName | None = Field(default=None, description="Rule for risky and critical writes there.")
    clear: bool = Field(default=False, description="Take all its own rules away.")

    @model_validator(mode="after")
    def _rules_or_none(self) -> Self:
        given = (self.read, self.write, self.destroy) != (None, None, None)
        if self.clear is given:
            raise ValueError("give rules (read, write, destroy), or clear=true to take them away")
        return self


class ChannelPolicyEffect(Model):
    channel: Target
    before: ChannelRules
    after: ChannelRules


class ChannelPolicyResult(Model):
    """``rules``: the channel's own. ``loosened``: what is let through now that was held before."""

    channel_id: str
    rules: ClassRules
    loosened: list[str]


class SetChannelPolicy(PlatformWrite[ChannelPolicySetInput, ChannelPolicyEffect, ChannelPolicyResult]):
    """Set what operations may do in a channel or category, beyond the guild's policy: the strictest rule holds."""

    name = "channel_policy_set"
    title = "Set a channel's policy"
    toolset = "administration"
    scope = "admin:policy"
    faces = ADMINISTRATION
    tier = Tier.RISKY
    reach = Reach.SAME_CHANNEL
    open_to_members = ROLES_DECIDE
    idempotent = True
    works_paused = True

    # --------------------------------------------------------------- rights
    def needs(self, ctx: Context, arguments: ChannelPolicySetInput) -> tuple[Need, ...]:
        return (self.need(ctx.targets["channel"]),)

    def needs_of(self, ctx: Context, effect: ChannelPolicyEffect) -> tuple[Need, ...]:
        return (self.need(effect.channel),)

    def requirement(self, ctx: Context, arguments: ChannelPolicySetInput) -> Requirement:
        base = self.base_requirement(self.needs(ctx, arguments))
        return self._raised(ctx, base, _effect(ctx, arguments))

    def requirement_of(self, ctx: Context, effect: ChannelPolicyEffect) -> Requirement:
        return self._raised(ctx, self.base_requirement(self.needs_of(ctx, effect)), effect)

    def _raised(self, ctx: Context, requirement: Requirement, effect: ChannelPolicyEffect) -> Requirement:
        return loosening(requirement, self.need(ctx.guild_target), loosens_channel(effect.before, effect.after))

    # -------------------------------------------------------------- preview
    async def preview(self, ctx: Context, arguments: ChannelPolicySetInput) -> Preview[ChannelPolicyEffect]:
        effect = _effect(ctx, arguments)
        changes = tuple(_changes(effect))
        label = f"#{inline(effect.channel.name)}"
        what = f"Set {', '.join(f'{change.field} to {change.after}' for change in changes) or 'nothing'} for {label}"
        return Preview(
            summary=summary_of(ctx, what, loosens_channel(effect.before, effect.after)),
            effect=effect,
            changes=changes,
            problems=() if changes else ("Nothing would change; it is so already.",),
            fingerprint=_seen(effect.before),
            inverse=Inverse(operation=self.name, arguments=_back(ctx, effect)),
            reversible=True,
        )

    async def observe(self, ctx: Context, effect: ChannelPolicyEffect) -> str:
        return _seen(channel_rules_of(ctx, effect.channel.id))

    # ---------------------------------------------------------------- apply
    async def apply(self, ctx: Context, session: Session, effect: ChannelPolicyEffect) -> ChannelPolicyResult:
        installation, channel_id = installation_of(ctx), effect.channel.id
        await policies.lock(session, installation.id)
        stored = await stored_channel_rules(session, installation.id, channel_id)
        fields = difference(_seen(effect.before), _seen(stored))
        if fields:
            raise Refused(changed_since(fields))
        rules = None if effect.after == ChannelRules() else effect.after
        await policies.set_channel(session, installation.id, channel_id, rules, by=ctx.caller.user_id, now=ctx.now)
        return ChannelPolicyResult(
            channel_id=str(channel_id),
            rules=effect.after.rules,
            loosened=list(loosens_channel(effect.before, effect.after)),
        )


def _effect(ctx: Context, arguments: ChannelPolicySetInput) -> ChannelPolicyEffect:
    channel = ctx.targets["channel"]
    before = channel_rules_of(ctx, channel.id)
    if arguments.clear:
        return ChannelPolicyEffect(channel=channel, before=before, after=ChannelRules())
    given = arguments.model_dump(include={each.value for each in OperationClass})
    return ChannelPolicyEffect(
        channel=channel, before=before, after=ChannelRules(rules=with_given(before.rules, given))
    )


def _changes(effect: ChannelPolicyEffect) -> list[Change]:
    target = f"{effect.channel.kind} {effect.channel.id} {inline(effect.channel.name)}"
    named = (
        (each.value, getattr(effect.before.rules, each.value), getattr(effect.after.rules, each.value))
        for each in OperationClass
    )
    return [
        Change(target=target, field=name, before=before, after=after)
        for name, before, after in named
        if before != after
    ]


def _back(ctx: Context, effect: ChannelPolicyEffect) -> dict[str, Any]:
    where = {"guild": str(ctx.guild.id), "channel": str(effect.channel.id)}
    return {**where, **effect.before.rules.model_dump()}


def _seen(rules: ChannelRules) -> str:
    return fingerprint(rules.rules.model_dump())
