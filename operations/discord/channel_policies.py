"""Changes of the channel tree that would loosen a channel's effective policy.

A channel policy applies to everything below it. Moving a channel out of a category with a strict policy, or deleting
that category, would do what only editors of the policy may do; so only they may, and a person confirms it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from operations.base import Context
from operations.errors import Refused
from operations.membership import role_in_guild
from policy.model import Need, OperationClass, PlatformRole, Refuse, Requirement, Step, Tier
from policy.permissions import Bits
from policy.rules import ChannelRules, GuildRules, effective

NO_RULES = GuildRules()


def loosens(ctx: Context, before: Iterable[int], after: Iterable[int]) -> bool:
    """Whether any operation class is under a weaker rule along ``after`` than along ``before``.

    Both are the ids of a channel and of what it stands in.
    """
    snapshot = ctx.services.facts.snapshot
    installation = snapshot.installations.get(ctx.guild.id)
    if installation is None:
        return True
    guild_rules = snapshot.guild_rules.get(installation.id, NO_RULES)

    def rules(ids: Iterable[int]) -> list[ChannelRules]:
        found = (snapshot.channel_rules.get((installation.id, channel_id)) for channel_id in ids)
        return [known for known in found if known is not None]

    earlier, later = rules(before), rules(after)
    return any(effective(each, guild_rules, later) < effective(each, guild_rules, earlier) for each in OperationClass)


def raised(requirement: Requirement, guild_need: Need) -> Requirement:
    """What a call asks for that loosens a policy: as much as editing the policy does.

    ``guild_need``: the call's need at the guild itself.
    """
    administrator = replace(guild_need, actor_bits=guild_need.actor_bits | Bits.administrator)
    return replace(
        requirement,
        tier=Tier.CRITICAL,
        min_role=max(requirement.min_role, PlatformRole.ADMIN),
        needs=(*requirement.needs, administrator),
    )


def refuse_unless_policy_editor(ctx: Context, what: str) -> None:
    """Loosening a policy takes a workspace admin who is an administrator in Discord. Raises Refused for others."""
    snapshot = ctx.services.facts.snapshot
    installation = snapshot.installations.get(ctx.guild.id)
    role = None if installation is None else role_in_guild(snapshot, ctx.caller, installation, ctx.guild)
    if role is not None and role >= PlatformRole.ADMIN and ctx.guild.bits() & Bits.administrator:
        return
    raise Refused(
        Refuse(
            Step.CHANNEL,
            "loosens_policy",
            f"{what} would put channels under a weaker policy than they have now.",
            "Ask a workspace admin who is an administrator of the guild, or choose a category with the same policy.",
        )
    )
