"""Writes that have to be confirmed: how an instance is asked for them, and how their plan is confirmed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.app import until
from tests.cogs.approving import Card, card_in, direct_messages
from tests.faults.effects import LastStep, Write
from tests.faults.instance import Instance
from tests.sandbox_process import GuildIds, SandboxProcess


async def card_of(sandbox: SandboxProcess, guild: GuildIds, plan_id: str) -> Card:
    """The card that was sent to ada."""
    found: list[Card] = []

    async def stands() -> bool:
        channel = await direct_messages(sandbox, guild["members"]["ada"])
        card = None if channel is None else await card_in(sandbox, channel, plan_id)
        found[:] = [card] if card is not None else []
        return card is not None

    await until(stands, "the card stands there", 30)
    return found[0]


class Planned(Write):
    """One whose effects are counted by the requests that changed the world: its address is used by nothing else."""

    async def effects(self) -> int:
        method, path = self.route.split()
        seen = (await self.sandbox.control("effects"))["effects"]
        return sum((each["method"], each["path"]) == (method, path) for each in seen)


class ByToken(Planned):
    """The client sends the plan's token back."""

    async def prepared(self, instance: Instance, token: str) -> LastStep:
        asked = await self.by(instance, token)
        assert asked.data.get("plan_token") is not None, asked
        proof = {"plan_id": asked.data["plan_id"], "plan_token": asked.data["plan_token"]}
        return lambda: instance.call(token, "plan_confirm", **proof)


class ByCard(Planned):
    """ada presses the button, and does not wait for what it says."""

    async def prepared(self, instance: Instance, token: str) -> LastStep:
        asked = await self.by(instance, token)
        assert asked.data["confirmation"] == "human", asked
        card = await card_of(self.sandbox, self.guild, asked.data["plan_id"])
        where = {"user": int(self.guild["members"]["ada"]), "channel": int(card.channel), "message": int(card.id)}
        return lambda: self.sandbox.control("click", **where, custom_id=card.custom_id("Approve"), wait=0)


class Loud(ByToken):
    """A message: its address is that of all others in its channel."""

    async def effects(self) -> int:
        return await Write.effects(self)


async def loud_message(sandbox: SandboxProcess, guild: GuildIds, text: str) -> Write:
    channel = guild["channels"]["general"]
    text = f"@everyone {text}"
    arguments = {"channel": channel, "content": text, "ping": ["everyone"]}
    return Loud("message_send", f"POST /channels/{channel}/messages", arguments, sandbox, guild, text)


async def _newcomer(sandbox: SandboxProcess, guild: GuildIds, name: str) -> str:
    added = await sandbox.control("add_member", guild=int(guild["id"]), name=name)
    user_id: str = added["id"]
    return user_id


async def member_ban(sandbox: SandboxProcess, guild: GuildIds, name: str) -> Write:
    member = await _newcomer(sandbox, guild, name)
    route = f"PUT /guilds/{guild['id']}/bans/{member}"
    return ByCard("member_ban", route, {"guild": guild["id"], "member": member}, sandbox, guild, name)


async def role_assign(sandbox: SandboxProcess, guild: GuildIds, name: str) -> Write:
    member, role = await _newcomer(sandbox, guild, name), guild["roles"]["Member"]
    route = f"PUT /guilds/{guild['id']}/members/{member}/roles/{role}"
    arguments = {"guild": guild["id"], "member": member, "role": role}
    return ByToken("role_assign", route, arguments, sandbox, guild, name)


PLANNED: dict[str, Callable[[SandboxProcess, GuildIds, str], Awaitable[Write]]] = {
    "a loud message_send": loud_message,
    "member_ban": member_ban,
    "role_assign": role_assign,
}
