"""SIGKILL again and again: at every point of a write's road, and at moments that chance picks."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import databases
from tests.app import until
from tests.faults.effects import WRITES
from tests.faults.instance import Instance
from tests.faults.kills import PROPERTY, Kill
from tests.faults.planned import PLANNED
from tests.faults.scenes import Point, Scene, points_of, write_of
from tests.sandbox_process import GuildIds, SandboxProcess

pytestmark = pytest.mark.storm

MOMENTS = 20
"""Kills at random moments, for each write on each database; with one at each point that makes 260."""
SEED = 16
NAMES = (*WRITES, *PLANNED)


@dataclass(frozen=True, slots=True)
class Storm:
    """One write, over and over, in an instance that is killed each time."""

    name: str
    instance: Instance
    guild: GuildIds
    database_url: str
    token: str
    record: Callable[[str, object], None]

    @property
    def sandbox(self) -> SandboxProcess:
        return self.instance.sandbox

    async def scene(self, text: str) -> Scene:
        write = await write_of(self.name, self.sandbox, self.guild, text)
        scene = await Scene.of(self.instance, write, self.token, self.database_url)
        await self.sandbox.control("requests", clear=True)
        await self.sandbox.control("effects", clear=True)
        return scene

    async def undisturbed_seconds(self) -> float:
        """How long the write takes when nobody is killed."""
        scene, began_at = await self.scene("undisturbed"), time.monotonic()
        call = scene.begin()
        await until(scene.is_done, "it is done")
        await call
        return time.monotonic() - began_at

    async def killed_at(self, point: Point, expected: tuple[str, int]) -> None:
        scene = await self.scene(f"at-{point.__name__}".replace("_", "-"))
        call = await point(scene)
        await self._killed(call)
        found = await self._settled(scene, point.__name__)
        assert found == expected, (point.__name__, self.instance.log)

    async def killed_after(self, seconds: float, number: int) -> None:
        scene = await self.scene(f"moment-{number}")
        call = scene.begin()
        # Chance's own moment: there is nothing to wait for. A press of a button is over before what it began.
        await asyncio.sleep(seconds)
        await self._killed(call)
        state, effects = await self._settled(scene, "a random moment")
        assert (state, effects) in {("never begun", 0), ("pending", 0), ("done", 1), ("unknown", 0)}, self.instance.log
        if state != "pending":
            return
        # The kill was before the claim: the plan waits still, and is as good as before.
        await scene.last_step()
        await until(scene.is_done, "the plan is done after all")
        assert await scene.write.effects() == 1

    async def _killed(self, call: asyncio.Task[Any]) -> None:
        await self.instance.kill()
        await asyncio.gather(call, return_exceptions=True)
        # Not "reset", which would make Discord forget the nonces.
        await self.sandbox.control("fault", faults=[])
        await self.sandbox.control("limits", per_bucket=0)
        await self.instance.let_the_lease_run_out()
        await self.instance.start()

    async def _settled(self, scene: Scene, where: str) -> tuple[str, int]:
        """The state of the call once it is settled, and the effects: at most one, and none that is not audited."""

        async def nothing_executes() -> bool:
            return "executing" not in await scene.states()

        await until(nothing_executes, "all calls are settled", 60)
        # What was on its way when the process died has arrived by now.
        effects = await scene.write.effects()
        begun = await scene.calls()
        state = list(begun.values())[-1] if begun else "never begun"
        self.record(PROPERTY, list(Kill(self.name, self.instance.dialect, where, state, effects)))
        if not begun:
            return state, effects
        entries = await self.instance.audited(list(begun)[-1])
        if self.name in PLANNED:
            moved = [] if state == "pending" else [("decision", "confirmed"), ("outcome", state)]
            assert entries == [("intent", "pending"), *moved]
        else:
            assert entries == [("intent", "executing"), ("outcome", state)]
        return state, effects


@pytest.mark.parametrize("dialect", databases.DIALECTS)
@pytest.mark.parametrize("name", NAMES)
async def test_whenever_a_process_is_killed_there_is_one_effect_at_most_and_every_call_is_settled_and_audited(
    sandbox: SandboxProcess,
    guild: GuildIds,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    name: str,
    dialect: str,
) -> None:
    async with (
        databases.fresh_database_url(dialect, tmp_path) as url,
        Instance(sandbox, tmp_path, url, ALLOWED_GUILD_IDS=guild["id"]) as instance,
    ):
        storm = Storm(name, instance, guild, url, await instance.token(guild, "ada"), record_property)
        takes_seconds = await storm.undisturbed_seconds()
        for point, expected in points_of(name):
            await storm.killed_at(point, expected)
        chance = random.Random(SEED)
        for number in range(MOMENTS):
            await storm.killed_after(chance.uniform(0, takes_seconds), number)
        report = await instance.verified()
        assert report.intact, report
