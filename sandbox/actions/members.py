"""Coming, going, and moderation by hand, as people do it in Discord: by whom, with their permissions, and logged."""

from __future__ import annotations

import datetime
from typing import Any

from pydantic import Field

from sandbox.control import Action, ActionBody
from sandbox.internals import SetupError, serializers
from sandbox.world import World


class AddMember(ActionBody):
    """A new account by `name`, or the existing account `user`."""

    guild: int
    name: str | None = None
    user: int | None = None
    roles: list[int] = []
    nick: str | None = None
    bot: bool = False
    pending: bool = False


class Leave(ActionBody):
    guild: int
    user: int


class ByHand(ActionBody):
    """`by`: who does it; the guild's owner if nobody is named."""

    guild: int
    user: int
    by: int | None = None
    reason: str | None = None


class SetRoles(ByHand):
    roles: list[int]


class Ban(ByHand):
    delete_message_seconds: int = Field(default=0, ge=0, le=604_800)


class TimeOut(ByHand):
    """For `seconds`, or `until` a timestamp; neither ends a timeout."""

    seconds: float | None = None
    until: datetime.datetime | None = None


class SetNick(ByHand):
    nick: str | None


class TakeDirectMessages(ActionBody):
    """Whether this person takes direct messages from people of shared guilds."""

    user: int
    open: bool


class MemberActions:
    def __init__(self, world: World) -> None:
        self._world = world
        self._backend = world.backend

    def actions(self) -> list[Action]:
        return [
            Action("add_member", AddMember, self.add_member),
            Action("leave", Leave, self.leave),
            Action("set_roles", SetRoles, self.set_roles),
            Action("set_nick", SetNick, self.set_nick),
            Action("kick", ByHand, self.kick),
            Action("ban", Ban, self.ban),
            Action("unban", ByHand, self.unban),
            Action("timeout", TimeOut, self.timeout),
            Action("direct_messages", TakeDirectMessages, self.direct_messages),
        ]

    async def add_member(self, body: AddMember) -> dict[str, Any]:
        guild = self._backend.get_guild(body.guild)
        if (body.name is None) == (body.user is None):
            raise SetupError("a member comes by name (a new account) or by user (an existing one)")
        for role_id in body.roles:
            self._backend.get_role(guild.id, role_id)
        user = self._backend.make_user(body.name, bot=body.bot) if body.name else self._backend.get_user(body.user or 0)
        if user.id in guild.bans:
            raise SetupError(f"{user.name} is banned from {guild.name}")
        if user.id in guild.members:
            raise SetupError(f"{user.name} is a member of {guild.name} already")
        member = self._backend.add_member(
            guild.id, user.id, roles=body.roles, nick=body.nick, announce=not body.pending
        )
        if body.pending:
            member.pending = True
            payload = serializers.member_payload(self._backend, guild, member)
            self._backend.emit("GUILD_MEMBER_ADD", {**payload, "guild_id": str(guild.id)})
        return {"id": str(user.id)}

    async def leave(self, body: Leave) -> dict[str, Any]:
        if self._backend.get_guild(body.guild).owner_id == body.user:
            raise SetupError("an owner can't leave their guild")
        self._backend.remove_member(body.guild, body.user)
        return {}

    def _by_hand(self, body: ByHand, method: str, path: str, request: dict[str, Any] | None = None) -> dict[str, Any]:
        guild = self._backend.get_guild(body.guild)
        by = body.by if body.by is not None else guild.owner_id
        if body.user == self._world.bot_id and method in ("DELETE", "PUT") and "/roles/" not in path:
            raise SetupError("the bot is taken out of a guild with remove_guild")
        self._world.request_as(by, method, f"/guilds/{guild.id}{path}", request, reason=body.reason)
        return {}

    async def set_roles(self, body: SetRoles) -> dict[str, Any]:
        roles = {"roles": [str(role_id) for role_id in body.roles]}
        for role_id in body.roles:
            self._backend.get_role(body.guild, role_id)
        return self._by_hand(body, "PATCH", f"/members/{body.user}", roles)

    async def set_nick(self, body: SetNick) -> dict[str, Any]:
        return self._by_hand(body, "PATCH", f"/members/{body.user}", {"nick": body.nick})

    async def kick(self, body: ByHand) -> dict[str, Any]:
        return self._by_hand(body, "DELETE", f"/members/{body.user}")

    async def ban(self, body: Ban) -> dict[str, Any]:
        seconds = {"delete_message_seconds": body.delete_message_seconds}
        return self._by_hand(body, "PUT", f"/bans/{body.user}", seconds)

    async def unban(self, body: ByHand) -> dict[str, Any]:
        return self._by_hand(body, "DELETE", f"/bans/{body.user}")

    async def timeout(self, body: TimeOut) -> dict[str, Any]:
        until = body.until
        if body.seconds is not None:
            until = self._world.clock.now() + datetime.timedelta(seconds=body.seconds)
        request = {"communication_disabled_until": until.isoformat() if until is not None else None}
        return self._by_hand(body, "PATCH", f"/members/{body.user}", request)

    async def direct_messages(self, body: TakeDirectMessages) -> dict[str, Any]:
        user = self._backend.get_user(body.user)
        if body.open:
            self._world.direct_messages.closed.discard(user.id)
        else:
            self._world.direct_messages.closed.add(user.id)
        return {}
