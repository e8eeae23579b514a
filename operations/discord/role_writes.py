"""What holds for every write that rests on manage_roles: to roles, to who holds them, to overwrites."""

from __future__ import annotations

from operations.base import Context
from operations.preflight import told
from operations.preflight.guilds import audit_reason_fits, two_factor_may_be_missing
from policy.model import Refuse, Step
from policy.permissions import Bits

ROLE_GONE = Refuse(
    Step.EXECUTE, "role_gone", "The role was deleted meanwhile.", "role_list shows the roles that there are."
)


def common_problems(ctx: Context) -> tuple[str, ...]:
    return told(audit_reason_fits(ctx.audit_reason))


def common_unknowns(ctx: Context) -> tuple[str, ...]:
    return told(two_factor_may_be_missing(ctx.guild.discord.mfa_level, Bits.manage_roles))
