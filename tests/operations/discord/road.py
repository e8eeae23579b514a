"""The one road in this process, against a sandbox in another: calls by name, and the world afterwards."""

from __future__ import annotations

import time
from typing import Any

from bot.core import Core
from operations.base import Outcome
from operations.outcomes import plain
from policy.model import Caller, CallerKind, Face, PlatformRole
from policy.rules import ChannelRules, ClassRules
from policy.scopes import EVERYTHING
from storage import installations, memberships, policies, workspaces
from tests.app import until
from tests.deeds import EVERY_DEED
from tests.sandbox_process import GuildIds, SandboxProcess


class Road:
    """One guild, installed in the default workspace; members call by their names in it."""

    def __init__(self, core: Core, sandbox: SandboxProcess, guild: GuildIds) -> None:
        self.core = core
        self.sandbox = sandbox
        self.guild = guild

    @property
    def guild_id(self) -> int:
        return int(self.guild["id"])

    def channel(self, name: str) -> str:
        return self.guild["channels"][name]

    def caller(self, member: str | None, *, kind: CallerKind = CallerKind.TOKEN, direct: bool = True) -> Caller:
        """A client of this member; None: the system, which acts as the bot."""
        installation = self.core.facts.snapshot.installations[self.guild_id]
        return Caller(
            kind=kind if member is not None else CallerKind.SYSTEM,
            face=Face.MCP,
            # Of its own in each guild: limits are counted by it, and the tests of a session share them.
            client_id=f"mc_{member or 'system'}_{self.guild_id}",
            workspace_id=installation.workspace_id,
            user_id=None if member is None else int(self.guild["members"][member]),
            scopes=EVERYTHING,
            guild_ids=frozenset({self.guild_id}),
            direct_writes=direct,
            deeds=EVERY_DEED,
        )

    async def call(self, name: str, member: str | None, /, **arguments: Any) -> Outcome:
        return await self.core.executor.run(name, arguments, self.caller(member))

    async def read(self, name: str, member: str, /, **arguments: Any) -> Any:
        """The result of a read as JSON values. Fails when it is refused."""
        outcome = await self.call(name, member, **arguments)
        assert not outcome.is_error, outcome
        assert outcome.data is not None
        return plain(outcome.data)

    async def world(self) -> dict[str, dict[str, Any]]:
        """The channels of the guild as Discord has them, by name."""
        seen = await self.sandbox.control("world", guild=self.guild_id)
        return {channel["name"]: channel for channel in seen["guilds"][0]["channels"]}

    async def writes(self) -> list[str]:
        """The requests with an effect since the last look, as ``METHOD path``. Direct messages aside: the card of an
        earlier test may still be brought up to date.
        """
        log = await self.sandbox.control("requests", clear=True)
        seen = await self.sandbox.control("world", guild=self.guild_id)
        direct = tuple(f"/channels/{channel['id']}/" for channel in seen["direct_messages"])
        return [
            f"{each['method']} {each['path']}"
            for each in log["requests"]
            if each["method"] != "GET" and not each["path"].startswith(direct)
        ]

    async def set_policy(self, channel: str, **rules: Any) -> None:
        installation = self.core.facts.snapshot.installations[self.guild_id]
        async with self.core.database.unit_of_work() as session:
            await policies.set_channel(
                session,
                installation.id,
                int(self.channel(channel)),
                ChannelRules(rules=ClassRules(**rules)),
                by=None,
                now=time.time(),
            )

    async def set_role(self, member: str, role: PlatformRole) -> None:
        workspace_id = self.core.facts.snapshot.installations[self.guild_id].workspace_id
        async with self.core.database.unit_of_work() as session:
            user_id = int(self.guild["members"][member])
            await memberships.set_role(session, workspace_id, user_id, role, time.time())


async def install(core: Core, guild: GuildIds) -> None:
    """Installs a guild that was made later, as soon as it has arrived."""
    guild_id = int(guild["id"])
    await until(lambda: core.state.source.cached(guild_id), "the guild arrives")
    async with core.database.unit_of_work() as session:
        workspace_id = await workspaces.default(session)
        assert workspace_id is not None
        await installations.install(session, workspace_id, guild_id, time.time())
