"""Making and changing guilds at run time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from sandbox.control import Action, ActionBody
from sandbox.describe import guild_ids
from sandbox.gateway import Gateway
from sandbox.guild_builder import GuildBuilder
from sandbox.guild_spec import GuildSpec
from sandbox.internals import Guild, SetupError
from sandbox.permission_names import bits_of
from sandbox.world import World

MOST_LEFT = 16


class MakeGuild(GuildSpec, ActionBody):
    """The specification itself."""


class RemoveGuild(ActionBody):
    guild: int


class InviteAgain(ActionBody):
    """The bot comes back into a guild that it was removed from."""

    guild: int


class SetOverwrite(ActionBody):
    """Replaces the overwrite of a role or of a member; with neither allow nor deny, it is taken away."""

    channel: int
    role: int | None = None
    member: int | None = None
    allow: list[str] = []
    deny: list[str] = []
    by: int | None = None


class MoveRole(ActionBody):
    """To a position counted from 1, the lowest above @everyone; the others close up around it."""

    guild: int
    role: int
    position: int = Field(ge=1)
    by: int | None = None


class AsUser(ActionBody):
    """Any REST route, as a person does it by hand: with their permissions, and with them in the audit log."""

    user: int
    method: str
    path: str
    body: Any = None
    reason: str | None = None


class DelayGuild(ActionBody):
    """From now on, the guild (its id or its name) comes this many seconds after READY; 0 brings it at once."""

    guild: str
    seconds: float = Field(ge=0, le=600)


class GuildOutage(ActionBody):
    guild: int
    available: bool


@dataclass(frozen=True, slots=True)
class _Left:
    """A guild as it was when the bot was removed from it."""

    guild: Guild
    channels: dict[int, Any]
    messages: dict[int, Any]


class GuildActions:
    def __init__(self, world: World, gateway: Gateway) -> None:
        self._world = world
        self._backend = world.backend
        self._gateway = gateway
        self._left: dict[int, _Left] = {}

    def actions(self) -> list[Action]:
        return [
            Action("make_guild", MakeGuild, self.make_guild),
            Action("remove_guild", RemoveGuild, self.remove_guild),
            Action("invite_again", InviteAgain, self.invite_again),
            Action("set_overwrite", SetOverwrite, self.set_overwrite),
            Action("move_role", MoveRole, self.move_role),
            Action("as_user", AsUser, self.as_user),
            Action("delay_guild", DelayGuild, self.delay_guild),
            Action("guild_outage", GuildOutage, self.guild_outage),
        ]

    async def make_guild(self, body: MakeGuild) -> dict[str, Any]:
        return dict(guild_ids(self._backend, GuildBuilder(self._world, body).build()))

    async def remove_guild(self, body: RemoveGuild) -> dict[str, Any]:
        guild = self._backend.get_guild(body.guild)
        channel_ids = [*guild.channel_ids, *guild.thread_ids]
        left = _Left(
            guild,
            {each: self._backend.channels[each] for each in channel_ids if each in self._backend.channels},
            {each: self._backend.messages[each] for each in channel_ids if each in self._backend.messages},
        )
        self._backend.remove_guild(body.guild)
        if len(self._left) >= MOST_LEFT:
            del self._left[next(iter(self._left))]
        self._left[body.guild] = left
        return {}

    async def invite_again(self, body: InviteAgain) -> dict[str, Any]:
        """https://discord.com/developers/docs/events/gateway-events#guild-create (when the current user joins)"""
        left = self._left.pop(body.guild, None)
        if left is None:
            raise SetupError(f"the bot was not removed from {body.guild}")
        self._backend.guilds[body.guild] = left.guild
        self._backend.channels.update(left.channels)
        self._backend.messages.update(left.messages)
        self._backend.emit("GUILD_CREATE", self._world.guild_payload(left.guild))
        return dict(guild_ids(self._backend, left.guild))

    async def set_overwrite(self, body: SetOverwrite) -> dict[str, Any]:
        channel = self._backend.get_channel(body.channel)
        if channel.guild_id is None or (body.role is None) == (body.member is None):
            raise SetupError("an overwrite is for one role or one member of a guild channel")
        guild = self._backend.get_guild(channel.guild_id)
        target_id = body.role if body.role is not None else body.member
        by = body.by if body.by is not None else guild.owner_id
        path = f"/channels/{channel.id}/permissions/{target_id}"
        if not body.allow and not body.deny:
            self._world.request_as(by, "DELETE", path)
            return {}
        overwrite = {
            "type": 0 if body.role is not None else 1,
            "allow": str(bits_of(body.allow)),
            "deny": str(bits_of(body.deny)),
        }
        self._world.request_as(by, "PUT", path, overwrite)
        return {}

    async def move_role(self, body: MoveRole) -> dict[str, Any]:
        guild = self._backend.get_guild(body.guild)
        moved = self._backend.get_role(guild.id, body.role)
        if moved.id == guild.id:
            raise SetupError("@everyone stays at the bottom")
        others = sorted(
            (role for role in guild.roles.values() if role.id not in (guild.id, moved.id)),
            key=lambda role: (role.position, -role.id),
        )
        order = [*others[: body.position - 1], moved, *others[body.position - 1 :]]
        positions = [{"id": str(role.id), "position": index} for index, role in enumerate(order, start=1)]
        changed = [item for item in positions if guild.roles[int(item["id"])].position != int(item["position"])]
        by = body.by if body.by is not None else guild.owner_id
        self._world.request_as(by, "PATCH", f"/guilds/{guild.id}/roles", changed)
        return {}

    async def as_user(self, body: AsUser) -> dict[str, Any]:
        result = self._world.request_as(body.user, body.method.upper(), body.path, body.body, reason=body.reason)
        return {"result": result}

    async def delay_guild(self, body: DelayGuild) -> dict[str, Any]:
        self._gateway.delay_guild(body.guild, body.seconds)
        return {}

    async def guild_outage(self, body: GuildOutage) -> dict[str, Any]:
        self._backend.get_guild(body.guild)
        self._gateway.set_guild_available(body.guild, body.available)
        return {}
