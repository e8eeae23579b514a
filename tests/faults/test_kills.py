"""SIGKILL at every point of a write, and what the next start makes of it: one effect at most, one outcome, audited."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import databases
from tests.app import Answer, until
from tests.faults.effects import WRITES, Write
from tests.faults.instance import Instance
from tests.faults.locked_database import writes_blocked
from tests.sandbox_process import GuildIds, SandboxProcess

FOREVER = 300.0
ANSWERS_AFTER_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Scene:
    """An instance in which one write is under way."""

    instance: Instance
    write: Write
    token: str
    database_url: str

    def begin(self) -> asyncio.Task[Answer]:
        return asyncio.create_task(self.write.by(self.instance, self.token))

    async def has_arrived(self) -> bool:
        return bool(await self.write.requests())

    async def has_effect(self) -> bool:
        return await self.write.effects() == 1

    async def is_done(self) -> bool:
        return "done" in (await self.instance.calls()).values()


Point = Callable[[Scene], Awaitable[asyncio.Task[Answer]]]


async def intent_is_written(scene: Scene) -> asyncio.Task[Answer]:
    """Committed, and not sent: Discord's rate limit of the route is used up, so that the request waits its turn."""
    # Who asks is known from now on: to ask Discord for him would be held back as well.
    assert not (await scene.instance.call(scene.token, "channel_list", guild=scene.write.guild["id"])).is_error
    await scene.write.sandbox.control("limits", per_bucket=1, window_seconds=25)
    first = WRITES[scene.write.operation](scene.write.sandbox, scene.write.guild, "the-first")
    # discord.py holds back the answer to the last request that a limit lets through.
    used_up = asyncio.create_task(first.by(scene.instance, scene.token))

    async def first_is_there() -> bool:
        return await first.effects() == 1

    await until(first_is_there, "the first takes effect")
    call = scene.begin()

    async def both_execute() -> bool:
        return list((await scene.instance.calls()).values()) == ["executing", "executing"]

    await until(both_execute, "the intent is written")
    assert len(await scene.write.requests()) == 1
    await scene.instance.kill()
    await asyncio.wait([used_up])
    return call


async def request_is_lost(scene: Scene) -> asyncio.Task[Answer]:
    """Sent, and it never takes effect."""
    await scene.write.suffers({"hang": FOREVER})
    call = scene.begin()
    await until(scene.has_arrived, "the request arrives")
    return call


async def effect_is_late(scene: Scene) -> asyncio.Task[Answer]:
    """Sent, and it takes effect when the process is dead already."""
    await scene.write.suffers({"latency": 1.0})
    call = scene.begin()
    await until(scene.has_arrived, "the request arrives")
    await scene.instance.kill()
    await until(scene.has_effect, "it takes effect")
    return call


async def answer_is_lost(scene: Scene) -> asyncio.Task[Answer]:
    """It took effect, and the answer never comes."""
    await scene.write.suffers({"hang": FOREVER, "when": "after"})
    call = scene.begin()
    await until(scene.has_effect, "it takes effect")
    return call


async def outcome_is_not_written(scene: Scene) -> asyncio.Task[Answer]:
    """Answered, and the database takes no outcome."""
    await scene.write.suffers({"latency": ANSWERS_AFTER_SECONDS, "when": "after"})
    call = scene.begin()
    await until(scene.has_effect, "it takes effect")
    async with writes_blocked(scene.database_url):

        async def is_answered() -> bool:
            return (await scene.write.requests())[-1]["status"] is not None

        await until(is_answered, "the answer is sent")
        await scene.instance.kill()
    return call


async def outcome_is_written(scene: Scene) -> asyncio.Task[Answer]:
    """All is done; the caller may or may not have heard of it."""
    call = scene.begin()
    await until(scene.is_done, "the outcome is written")
    return call


# Where the process dies; the outcome and the effects of a message, which has a nonce, and of a channel, which has none;
# the database.
POINTS: list[tuple[Point, tuple[str, int], tuple[str, int]]] = [
    (intent_is_written, ("done", 1), ("unknown", 0)),
    (request_is_lost, ("done", 1), ("unknown", 0)),
    (effect_is_late, ("done", 1), ("done", 1)),
    (answer_is_lost, ("done", 1), ("done", 1)),
    (outcome_is_not_written, ("done", 1), ("done", 1)),
    (outcome_is_written, ("done", 1), ("done", 1)),
]
CASES = [
    pytest.param(
        point,
        operation,
        expected,
        databases.DIALECTS[(number + turn) % 2],
        id=f"{operation}-{point.__name__}-{databases.DIALECTS[(number + turn) % 2]}",
    )
    for number, (point, *expectations) in enumerate(POINTS)
    for turn, (operation, expected) in enumerate(zip(WRITES, expectations, strict=True))
]


@pytest.mark.parametrize(("point", "operation", "expected", "dialect"), CASES)
async def test_a_killed_process_leaves_at_most_one_effect_and_the_next_one_settles_the_call(
    sandbox: SandboxProcess,
    guild: GuildIds,
    tmp_path: Path,
    point: Point,
    operation: str,
    expected: tuple[str, int],
    dialect: str,
) -> None:
    async with (
        databases.fresh_database_url(dialect, tmp_path) as url,
        Instance(sandbox, tmp_path, url, ALLOWED_GUILD_IDS=guild["id"]) as instance,
    ):
        write = WRITES[operation](sandbox, guild)
        scene = Scene(instance, write, await instance.token(guild, "ada"), url)
        call = await point(scene)
        await instance.kill()
        await asyncio.wait([call])

        call_id, state = list((await instance.calls()).items())[-1]
        assert state == ("done" if point is outcome_is_written else "executing")
        # Not "reset", which would make Discord forget the nonces.
        await sandbox.control("fault", faults=[])
        await sandbox.control("limits", per_bucket=0)
        await instance.let_the_lease_run_out()
        await instance.start()

        async def is_settled() -> bool:
            return (await instance.calls())[call_id] != "executing"

        await until(is_settled, "the call is settled", 30)
        outcome, effects = expected
        assert (await instance.calls())[call_id] == outcome, instance.log
        assert await write.effects() == effects
        assert await instance.audited(call_id) == [("intent", "executing"), ("outcome", outcome)]
        report = await instance.verified()
        assert report.intact, report
        assert report.checked > 0


async def test_a_call_left_behind_is_found_again_when_discord_can_be_asked_again(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    constants = {"operations.recovery.PAUSE_SECONDS": 0.5}
    async with Instance(sandbox, tmp_path, sqlite_url, constants=constants, ALLOWED_GUILD_IDS=guild["id"]) as instance:
        write = WRITES["channel_create"](sandbox, guild)
        call = await answer_is_lost(Scene(instance, write, await instance.token(guild, "ada"), sqlite_url))
        await instance.kill()
        await asyncio.wait([call])
        await sandbox.control("fault", faults=[{"path": f"/guilds/{guild['id']}/audit-logs", "reset": True}])
        await instance.let_the_lease_run_out()
        await instance.start()
        await until(lambda: instance.log.count("reconciliation failed") > 1, "Discord was asked in vain", 30)
        assert list((await instance.calls()).values()) == ["executing"]
        await sandbox.control("fault", faults=[])

        async def is_settled() -> bool:
            return list((await instance.calls()).values()) == ["done"]

        await until(is_settled, "the call is settled", 30)
        assert await write.effects() == 1
