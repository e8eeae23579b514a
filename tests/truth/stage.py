"""Product and simulated Discord in one process, so that thousands of states take minutes."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yarl

from bot import settings
from bot.core import Core
from bot.edge_ban import EdgeBan
from bot.request_budget import RequestBudget
from bot.serving_core import running_core
from operations.base import WriteOperation
from operations.decider import Decider
from operations.explainer import Explainer
from operations.file_fetch import FileFetcher
from operations.registry import Registry
from operations.services import Services
from operations.taints import Taints
from policy.model import Caller, CallerKind, Face
from policy.scopes import EVERYTHING
from sandbox.guild_builder import GuildBuilder
from sandbox.guild_spec import GuildSpec
from sandbox.server import Sandbox
from storage import installations, sent_messages, workspaces
from storage.instance import Mark
from tests.app import until
from tests.deeds import EVERY_DEED
from tests.truth.scope import face_of

SIMULATED_REQUESTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Stage:
    """``decider`` and ``services`` are those of a road without limits and without memory of what callers have read."""

    sandbox: Sandbox
    core: Core
    decider: Decider
    services: Services

    def caller(
        self, guild_id: int, user_id: int | None, operation: WriteOperation[Any, Any, Any], *, owner_id: int
    ) -> Caller:
        """A client of this person, or the person himself where no client may; None: the system, which acts as the bot,
        or the guild's owner.
        """
        if (face := face_of(operation)) is not Face.MCP:
            member = self.core.callers.of_member(guild_id, owner_id if user_id is None else user_id, face)
            assert member is not None
            return member
        installation = self.core.facts.snapshot.installations[guild_id]
        return Caller(
            kind=CallerKind.SYSTEM if user_id is None else CallerKind.TOKEN,
            face=Face.MCP,
            client_id=f"mc_{user_id or 'system'}",
            workspace_id=installation.workspace_id,
            user_id=user_id,
            scopes=EVERYTHING,
            guild_ids=frozenset({guild_id}),
            direct_writes=True,
            deeds=EVERY_DEED,
        )

    async def install(self, guild_id: int, owner_id: int, sent: dict[tuple[int, int], int]) -> None:
        """Installs a guild that is there, claimed by its owner. ``sent``: (channel, message) of the bot's messages ->
        for whom they are.
        """
        async with self.core.database.unit_of_work() as session:
            workspace_id = await workspaces.default(session)
            assert workspace_id is not None
            installation = await installations.install(
                session, workspace_id, guild_id, time.time(), claimed_by=owner_id
            )
            for (channel_id, message_id), user_id in sent.items():
                await sent_messages.put(
                    session,
                    message_id=message_id,
                    channel_id=channel_id,
                    installation_id=installation.id,
                    user_id=user_id,
                    client_id=f"mc_{user_id}",
                    call_id=f"cl_{message_id}",
                    now=time.time(),
                )
        await until(lambda: guild_id in self.core.facts.snapshot.installations, "the guild is installed")

    async def remove(self, guild_id: int) -> None:
        async with self.core.database.unit_of_work() as session:
            await installations.remove(session, guild_id, time.time())
        self.sandbox.world.backend.remove_guild(guild_id)
        await until(lambda: self.core.client.get_guild(guild_id) is None, "the guild is gone")


@asynccontextmanager
async def running_stage(folder: Path) -> AsyncGenerator[Stage]:
    async with Sandbox() as sandbox:
        # The first start makes the default workspace, of the guilds that are there.
        anchor = GuildBuilder(sandbox.world, GuildSpec(name="Anchor")).build()
        configured = settings.load(
            {
                "DISCORD_BOT_TOKEN": sandbox.world.bot_token,
                "DISCORD_API_BASE_URL": sandbox.addresses()["api_base_url"],
                "ALLOW_INSECURE_DISCORD_API": "true",
                "DATA_DIR": str(folder),
                "SECRET_KEYS": "a key for tests that nobody must use elsewhere",
            },
            env_file=None,
        )
        async with (
            running_core(configured, Mark.SANDBOX) as core,
            FileFetcher.open(yarl.URL(sandbox.base_url)) as files,
        ):
            await until(lambda: anchor.id in core.facts.snapshot.installations, "the first start is done")
            # A simulated Discord has no edge that bans, and most states are refused.
            core.client.guard.budget = RequestBudget(SIMULATED_REQUESTS)
            core.client.guard.edge_ban = EdgeBan(limit=SIMULATED_REQUESTS)
            yield Stage(sandbox, core, *_road(core, files))


def _road(core: Core, files: FileFetcher) -> tuple[Decider, Services]:
    taints, registry = Taints(), Registry([type(each) for each in core.registry])
    decider = Decider(core.database, core.facts, core.state, taints)
    explainer = Explainer(registry, decider, core.limits, taints, lambda: services)
    services = Services(core.database, core.facts, core.state, registry, explainer, core.desk, files, core.forgetting)
    return decider, services
