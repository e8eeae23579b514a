"""What role_create and role_modify share: the settings of a role beside its permissions."""

from __future__ import annotations

from typing import Annotated

import discord
from pydantic import Field

from operations.base import Model

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


def settings_of(role: discord.Role) -> dict[str, object]:
    """The settings as they are; ``color`` as its number."""
    return {"name": role.name, "color": role.color.value, "hoist": role.hoist, "mentionable": role.mentionable}
