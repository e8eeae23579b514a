"""How the parts are, for GET /ready and /health."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

from bot.client import GuildhallClient
from bot.edge_ban import EdgeBan
from bot.settings import Settings
from mcp_server.health import Alarm, Probe, Reading, State
from policy.pauses import held_in_words
from storage.database import Database
from storage.facts import PlatformFacts
from storage.leases import ProcessLease
from storage.limits import LimitState, RateLimits

if TYPE_CHECKING:
    from bot.core import Core


def probes(core: Core) -> dict[str, Probe]:
    """One for each part; switched-off ones say so."""
    return {
        "gateway": _Gateway(core.client, enabled=core.settings.enable_gateway),
        "database": _Database(core.database),
        "redis": _Redis(core.limits),
        "lease": _Lease(core.lease),
        "writes": _Writes(core.facts),
        **{name: _SwitchedOff(text) for name, text in _off(core.settings).items()},
    }


def alarms(core: Core) -> dict[str, Alarm]:
    return {"discord": functools.partial(edge_alarm, core.client.guard.edge_ban)}


def _off(settings: Settings) -> dict[str, str]:
    off: dict[str, str] = {}
    if not settings.agent_enabled:
        off["agent"] = "AGENT_ENABLED is false."
    if not settings.enable_gateway:
        off["subscriptions"] = "ENABLE_GATEWAY is false: guilds are fetched over REST, events and buttons are off."
    return off


class _Gateway:
    def __init__(self, client: GuildhallClient, *, enabled: bool) -> None:
        self._client = client
        self._enabled = enabled

    async def __call__(self) -> Reading:
        if not self._enabled:
            return Reading(State.OFF, "ENABLE_GATEWAY is false.")
        connected, count = self._client.readiness.connected_shards()
        if not count:
            return Reading(State.STARTING, "Not connected yet.")
        if not connected:
            return Reading(State.DOWN, "No shard is connected.")
        awaited = self._client.readiness.awaited()
        if connected < count or awaited:
            return Reading(State.STARTING, f"{connected} of {count} shards; {awaited} guilds have not arrived.")
        return Reading(State.UP, f"{count} shard{'' if count == 1 else 's'}.")


class _Database:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self) -> Reading:
        await self._database.ping()
        return Reading(State.UP, "SQLite." if self._database.is_sqlite else "PostgreSQL.")


class _Redis:
    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits

    async def __call__(self) -> Reading:
        match self._limits.state:
            case LimitState.MEMORY:
                return Reading(State.OFF, "REDIS_URL is not set; limits are counted in memory.")
            case LimitState.REDIS:
                return Reading(State.UP)
            case LimitState.LOCAL:
                return Reading(State.DEGRADED, "Redis is down; every process counts by itself, with half the limits.")


class _Lease:
    def __init__(self, lease: ProcessLease) -> None:
        self._lease = lease

    async def __call__(self) -> Reading:
        if self._lease.held:
            return Reading(State.UP, "This is the active process.")
        return Reading(State.DOWN, "This is not the active process; it executes nothing.")


class _Writes:
    """Whether they are held everywhere; a guild's own pause is that guild's affair."""

    def __init__(self, facts: PlatformFacts) -> None:
        self._facts = facts

    async def __call__(self) -> Reading:
        pause = self._facts.snapshot.pause_of(None, None, time.time())
        return Reading(State.UP) if pause is None else Reading(State.DEGRADED, " ".join(held_in_words(pause)))


class _SwitchedOff:
    def __init__(self, text: str) -> None:
        self._text = text

    async def __call__(self) -> Reading:
        return Reading(State.OFF, self._text)


def edge_alarm(edge_ban: EdgeBan) -> str | None:
    """Whose requests are kept from leaving: all, or those of some guilds (by id) and callers (by number)."""
    state = edge_ban.state()
    if state.retry_after_seconds > 0:
        return f"Calls to Discord are stopped for {state.retry_after_seconds:.0f} s, lest its edge bans this address."
    stopped: list[str] = []
    if state.stopped_guild_ids:
        named = ", ".join(str(guild_id) for guild_id in state.stopped_guild_ids)
        stopped.append(f"guild{'s' if len(state.stopped_guild_ids) > 1 else ''} {named}")
    if state.stopped_callers:
        stopped.append(f"{state.stopped_callers} caller{'s' if state.stopped_callers > 1 else ''}")
    if not stopped:
        return None
    return f"Too many requests were refused by Discord: for now, calls are stopped for {' and '.join(stopped)}."
