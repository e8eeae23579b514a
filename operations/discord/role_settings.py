"""What role_create and role_modify share: the settings of a role, and what holds for every write to roles."""

from __future__ import annotations

from typing import Annotated

import discord
from pydantic import Field

from operations.base import Context, Model
from operations.preflight import told
from operations.preflight.guilds import audit_reason_fits, two_factor_may_be_missing
from policy.model import Refuse, Step
from policy.permissions import Bits

ROLE_GONE = Refuse(
    Step.EXECUTE, "role_gone", "The role was deleted meanwhile.", "role_list shows the roles that there are."
)

Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
SETTINGS = ("name", "color", "hoist", "mentionable")


class RoleAppearance(Model):
    """What is None stays as it is, or as Discord makes it."""

    color: Colour | None = Field(default=None, description="Like #1abc9c; #000000 is none.")
    hoist: bool | None = Field(default=None, description="Show its members apart.")
    mentionable: bool | None = Field(default=None, description="Anyone may ping it.")


def color_value(color: str) -> int:
    return int(color.removeprefix("#"), 16)


def color_text(value: int) -> str:
    return f"#{value:06x}"


def common_problems(ctx: Context) -> str | None:
    return audit_reason_fits(ctx.audit_reason)


def common_unknowns(ctx: Context, used_bits: int = 0) -> tuple[str, ...]:
    """``used_bits``: the permissions that the call rests on beside manage_roles."""
    return told(two_factor_may_be_missing(ctx.guild.discord.mfa_level, used_bits | Bits.manage_roles))


def settings_of(role: discord.Role) -> dict[str, object]:
    """The settings as they are; ``color`` as its number."""
    return {"name": role.name, "color": role.color.value, "hoist": role.hoist, "mentionable": role.mentionable}
