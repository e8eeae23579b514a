"""Ends what was made for a time: in the active process alone, also after restarts, and once.

A row is claimed before anything is sent, and settled in the transaction that records the unban. What lies between is
found again by the unban's own call: recovery settles that one by Discord's audit log, and the row with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import discord
import structlog

from operations import bans, call_ids
from operations.base import Outcome, Status
from operations.callers import Callers
from operations.durations import spoken
from operations.failures import DISCORD_FAILED
from operations.guild_state import GuildState, GuildVanished
from operations.ledger import phase
from operations.pauses import held
from policy.model import Caller, Installation
from policy.system import Deed
from storage import calls, temporary_effects
from storage.calls import CallState
from storage.database import Database, DatabaseUnavailable
from storage.facts import PlatformFacts
from storage.temporary_effects import EffectRecord

LOOK_SECONDS = 1.0
# Longer than a call's own lease: until then it is settled, or recovery has it.
LEASE_SECONDS = 180.0
LEAST_PAUSE_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 3_600.0
# Later than this it is said how late.
LATE_SECONDS = 60.0


class Doer(Protocol):
    async def run_deed(self, name: str, arguments: Mapping[str, Any], caller: Caller, *, call_id: str) -> Outcome: ...


class TemporaryEffects:
    def __init__(
        self,
        *,
        database: Database,
        facts: PlatformFacts,
        state: GuildState,
        doer: Doer,
        callers: Callers,
        executor_id: str,
        is_active: Callable[[], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._facts = facts
        self._state = state
        self._doer = doer
        self._callers = callers
        self._executor_id = executor_id
        self._is_active = is_active
        self._clock = clock
        self._log = structlog.get_logger("guildhall.temporary_effects")

    async def run(self) -> None:
        """Until cancelled; survives outages of the database and of Discord."""
        while True:
            if self._is_active():
                try:
                    await self.once()
                except DatabaseUnavailable:
                    self._log.warning("the ends of temporary bans wait for the database")
                except Exception:  # noqa: BLE001 - a loop that must live on
                    self._log.exception("ending temporary bans failed")
            await asyncio.sleep(LOOK_SECONDS)

    async def once(self) -> None:
        """Ends what is due now. Raises DatabaseUnavailable."""
        async with self._database.read() as session:
            due = await temporary_effects.due(session, self._clock())
        for effect in due:
            if await self._is_under_way(effect):
                continue
            call_id = call_ids.new_call_id()
            if await self._claimed(effect, call_id):
                await self._end(effect, call_id)

    async def _is_under_way(self, effect: EffectRecord) -> bool:
        """Whether an earlier attempt was sent and nobody knows yet what became of it."""
        if effect.end_call_id is None:
            return False
        async with self._database.read() as session:
            record = await calls.get(session, self._database.keyring, effect.end_call_id)
        return record is not None and record.state is CallState.EXECUTING

    async def _claimed(self, effect: EffectRecord, call_id: str) -> bool:
        async with self._database.unit_of_work() as session:
            return await temporary_effects.claim(
                session,
                effect.id,
                executor=self._executor_id,
                end_call_id=call_id,
                lease_seconds=LEASE_SECONDS,
                now=self._clock(),
            )

    async def _end(self, effect: EffectRecord, call_id: str) -> None:
        installation = self._installation(effect)
        if installation is None:
            await self._give_up(effect, "the guild is installed no more")
            return
        paused = held(self._facts, installation.guild_id, now=self._clock())
        if paused is not None:
            await self._postpone(effect, paused.reason)
            return
        try:
            ban = await self._ban(installation.guild_id, effect, call_id)
        except (*DISCORD_FAILED, GuildVanished) as error:
            await self._postpone(effect, type(error).__name__)
            return
        if ban is None:
            await self._give_up(effect, "it was ended otherwise")
        elif not _is_the_same(ban, effect):
            await self._give_up(effect, "somebody has banned him anew")
        else:
            await self._unban(installation, effect, call_id)

    async def _unban(self, installation: Installation, effect: EffectRecord, call_id: str) -> None:
        outcome = await self._doer.run_deed(
            "member_unban",
            {"guild": str(installation.guild_id), "member": str(effect.user_id), "reason": self._reason(effect)},
            self._callers.of_system(installation, Deed.END_TEMPORARY_BAN),
            call_id=call_id,
        )
        if outcome.status in (Status.REFUSED, Status.FAILED):
            refusal = outcome.refusal
            await self._postpone(effect, outcome.detail if refusal is None else refusal.reason)
        elif outcome.status is Status.UNKNOWN:
            # Settled with its call, or looked at again when the lease has run out.
            self._log.warning("what became of the end of a temporary ban is not known yet", call_id=call_id)

    def _installation(self, effect: EffectRecord) -> Installation | None:
        known = self._facts.snapshot.installations.values()
        return next((each for each in known if each.id == effect.installation_id), None)

    async def _ban(self, guild_id: int, effect: EffectRecord, call_id: str) -> discord.BanEntry | None:
        """Raises GuildVanished, and one of DISCORD_FAILED."""
        with phase("read", call_id, guild_id=guild_id):
            view = await self._state.view(guild_id, None)
            if view is None:
                raise GuildVanished
            return await bans.ban_of(view.discord, effect.user_id)

    def _reason(self, effect: EffectRecord) -> str:
        late = int(self._clock() - effect.ends_at)
        told = f"; {spoken(late - late % 60)} late, for it could not be ended in time" if late >= LATE_SECONDS else ""
        return f"The temporary ban of {effect.call_id} has ended{told}"

    async def _give_up(self, effect: EffectRecord, why: str) -> None:
        async with self._database.unit_of_work() as session:
            await temporary_effects.give_up(session, effect.id, executor=self._executor_id, now=self._clock())
        self._log.info("a temporary ban needs no end", effect_id=effect.id, why=why)

    async def _postpone(self, effect: EffectRecord, why: str) -> None:
        """The longer it could not be done, the rarer it is tried."""
        now = self._clock()
        pause = min(max(now - effect.ends_at, LEAST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        async with self._database.unit_of_work() as session:
            await temporary_effects.postpone(session, effect.id, executor=self._executor_id, until=now + pause)
        self._log.warning(
            "a temporary ban could not be ended; it is tried again",
            effect_id=effect.id,
            why=why,
            again_in_seconds=round(pause),
        )


def _is_the_same(ban: discord.BanEntry, effect: EffectRecord) -> bool:
    """Whether Discord's list has the ban that was to end, and not a later one of somebody else."""
    if effect.reason is not None:
        return (ban.reason or "") == effect.reason
    tag = call_ids.TAG.match(ban.reason or "")
    return tag is not None and tag[1] == effect.call_id
