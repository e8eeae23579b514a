"""What a guild is made from: a specification by names."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ChannelKind = Literal["text", "voice", "category", "announcement", "stage", "forum"]


class Spec(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OverwriteSpec(Spec):
    """Permissions allowed and denied, by name, to one role (`@everyone` too) or one member."""

    role: str | None = None
    member: str | None = None
    allow: list[str] = []
    deny: list[str] = []

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.role is None) == (self.member is None):
            raise ValueError("an overwrite is for one role or for one member")
        return self


class RoleSpec(Spec):
    name: str
    permissions: list[str] = []
    position: int | None = Field(default=None, ge=1)
    hoist: bool = False
    mentionable: bool = False
    color: int = Field(default=0, ge=0, le=0xFFFFFF)


class MemberSpec(Spec):
    """A new account, or with `user` one that exists already. Usernames need not be unique across guilds."""

    name: str
    user: int | None = None
    global_name: str | None = None
    roles: list[str] = []
    nick: str | None = None
    bot: bool = False
    pending: bool = False
    timed_out_until: str | None = None


class ChannelSpec(Spec):
    name: str
    type: ChannelKind = "text"
    category: str | None = None
    topic: str | None = None
    slowmode_seconds: int = Field(default=0, ge=0, le=21_600)
    overwrites: list[OverwriteSpec] = []
    tags: list[str] = []


class GuildSpec(Spec):
    """A guild. Roles are listed from the highest down, as Discord's settings show them, unless all give a position.

    `bot_permissions`: None is all but administrator. `bot_position`: None is above every other role.
    `everyone_permissions`: None is simcord's default for @everyone.
    """

    name: str = Field(min_length=2, max_length=100)
    owner: str = "owner"
    owner_user: int | None = None
    description: str | None = None
    roles: list[RoleSpec] = []
    members: list[MemberSpec] = []
    channels: list[ChannelSpec] = []
    bot_permissions: list[str] | None = None
    bot_position: int | None = Field(default=None, ge=1)
    bot_nick: str | None = None
    everyone_permissions: list[str] | None = None
    system_channel: str | None = None
    rules_channel: str | None = None
    public_updates_channel: str | None = None
    features: list[str] = []

    @model_validator(mode="after")
    def _positions(self) -> Self:
        placed = [role for role in self.roles if role.position is not None]
        if placed and len(placed) != len(self.roles):
            raise ValueError("either all roles give a position or none does")
        return self
