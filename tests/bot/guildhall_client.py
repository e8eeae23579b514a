"""The product's client, connected to a sandbox, with what it published."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

from bot.client import GuildhallClient
from bot.edge_ban import EdgeBan
from bot.garbage import GarbagePauses
from bot.http_guard import HttpGuard
from bot.intents import intents_for
from bot.request_budget import RequestBudget
from bot.settings import Settings, load
from operations.events import Event, EventHub, GuildReady
from tests.bot.addresses import discord_at
from tests.sandbox_process import GuildIds, SandboxProcess

WAIT_SECONDS = 15.0


@dataclass
class Connected:
    """``events``: what the hub handed on, in order; ``connecting``: the task that stays connected."""

    client: GuildhallClient
    hub: EventHub
    events: list[Event]
    connecting: asyncio.Task[None]
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def heard(self, event: Event) -> None:
        self.events.append(event)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Look at the condition after each event. Fails naming `what` when it never holds."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while not condition():
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"never: {what}; heard {self.events[-20:]}") from None

    async def until_published(self, event: Event) -> None:
        await self.until(lambda: event in self.events, repr(event))

    async def until_ready(self, guild: GuildIds) -> int:
        """Wait for the guild to arrive; returns its id."""
        guild_id = int(guild["id"])
        await self.until(lambda: self.client.readiness.is_ready(guild_id), f"guild {guild_id}")
        return guild_id


def settings_for(sandbox: SandboxProcess, **overrides: str) -> Settings:
    return load(
        {
            "DISCORD_BOT_TOKEN": sandbox.bot_token,
            "DISCORD_API_BASE_URL": sandbox.api_base_url,
            "ALLOW_INSECURE_DISCORD_API": "true",
            **overrides,
        },
        env_file=None,
    )


@contextlib.asynccontextmanager
async def built_client(sandbox: SandboxProcess, **overrides: str) -> AsyncGenerator[tuple[GuildhallClient, EventHub]]:
    """A client that has logged in and is not connected to the gateway."""
    settings = settings_for(sandbox, **overrides)
    with discord_at(sandbox.api_base_url):
        hub = EventHub()
        guard = HttpGuard(edge_ban=EdgeBan(), budget=RequestBudget())
        garbage = GarbagePauses(hub, quiet_seconds=0.05)
        async with (
            garbage,
            GuildhallClient(hub=hub, guard=guard, intents=intents_for(settings), garbage=garbage) as client,
        ):
            assert settings.discord_bot_token is not None
            await client.login(settings.discord_bot_token.get_secret_value())
            yield client, hub


@contextlib.asynccontextmanager
async def connected_client(
    sandbox: SandboxProcess, *, shard_count: int | None = None, **overrides: Any
) -> AsyncGenerator[Connected]:
    async with built_client(sandbox, **overrides) as (client, hub):
        if shard_count is not None:
            client.shard_count = shard_count
        connecting = asyncio.create_task(client.connect())
        connected = Connected(client, hub, [], connecting)
        hub.listen(connected.heard)
        try:
            yield connected
        finally:
            await client.close()
            await asyncio.gather(connecting, return_exceptions=True)


def guilds_ready(connected: Connected) -> set[int]:
    return {event.guild_id for event in connected.events if isinstance(event, GuildReady)}
