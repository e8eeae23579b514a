"""What /status shows: the probes of GET /ready, the alarms of GET /health, the budget of requests, a guild's losses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import discord

from bot.probes import alarms, probes
from bot.request_budget import REQUESTS_PER_SECOND
from cogs import texts
from cogs.slash.status import Part, Usage
from cogs.slash.sync import REFUSED
from mcp_server.health import Alarm, Probe
from operations.guild_state import bits_at
from policy.permissions import Bits
from policy.rules import GuildRules
from storage import instance

if TYPE_CHECKING:
    from bot.core import Core

PROBE_SECONDS = 2.0
_WRITES = int(Bits.view_channel | Bits.send_messages | Bits.embed_links)


class Board:
    """Implements cogs.slash.status.StatusBoard."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._probes: Mapping[str, Probe] = probes(core)
        self._alarms: Mapping[str, Alarm] = alarms(core)

    async def parts(self) -> Sequence[Part]:
        found = await asyncio.gather(*(_looked_at(name, probe) for name, probe in self._probes.items()))
        alarming = [Part(name, "degraded", said) for name, alarm in self._alarms.items() if (said := alarm())]
        return [*found, *alarming]

    def usage(self, guild_id: int) -> Usage:
        guard = self._core.client.guard
        counted = guard.usage.last_minute()
        return Usage(
            total=sum(counted.values()),
            waiting=guard.budget.waiting,
            per_second=REQUESTS_PER_SECOND,
            callers={caller: count for (guild, caller), count in counted.items() if guild == guild_id},
        )

    # ----------------------------------------------------------------- concerns
    async def refused_commands(self, guild_id: int) -> str | None:
        """What Discord said when it did not take the slash commands."""
        async with self._core.database.read() as session:
            said = await instance.get(session, REFUSED)
        return texts.COMMANDS_REFUSED.format(why=said) if said else None

    async def lost_channels(self, guild_id: int) -> str | None:
        """Channels of the guild's policy that are gone, or closed to the bot."""
        snapshot = self._core.facts.snapshot
        installation = snapshot.installations.get(guild_id)
        guild = self._core.state.source.cached(guild_id)
        if installation is None or guild is None:
            return None
        rules = snapshot.guild_rules.get(installation.id, GuildRules())
        named = ((texts.LOG_CHANNEL, rules.log_channel_id), (texts.APPROVALS_CHANNEL, rules.approvals_channel_id))
        lost = [
            f"{which} (`{channel_id}`)" for which, channel_id in named if channel_id and _is_lost(guild, channel_id)
        ]
        return texts.LOST_CHANNELS.format(which=", ".join(lost)) if lost else None


async def _looked_at(name: str, probe: Probe) -> Part:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            reading = await probe()
    except Exception as error:  # noqa: BLE001 - a probe fails in any way its part can; its text may hold what nobody should read
        return Part(name, "down", texts.NO_ANSWER.format(kind=type(error).__name__))
    return Part(name, reading.state.value, reading.detail)


def _is_lost(guild: discord.Guild, channel_id: int) -> bool:
    channel = guild.get_channel_or_thread(channel_id)
    return channel is None or bits_at(guild, channel, guild.me) & _WRITES != _WRITES
