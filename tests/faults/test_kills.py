"""SIGKILL at every point of a write, and what the next start makes of it: one effect at most, one outcome, audited."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from tests import databases
from tests.app import until
from tests.faults.effects import WRITES
from tests.faults.instance import Instance
from tests.faults.planned import PLANNED
from tests.faults.scenes import Point, Scene, answer_is_lost, outcome_is_written, points_of, write_of
from tests.sandbox_process import GuildIds, SandboxProcess

# Each point once: of a message, which has a nonce, of a channel, which has none, and of a plan, which is confirmed by
# its token or on its card; the two databases by turns.
BY_TURNS = {
    "message_send": points_of("message_send"),
    "channel_create": [*reversed(points_of("channel_create"))],
    "a loud message_send": points_of("a loud message_send")[::2],
    "member_ban": points_of("member_ban")[1::2],
}
CASES = [
    pytest.param(point, name, expected, dialect, id=f"{name}-{point.__name__}-{dialect}")
    for name, points in BY_TURNS.items()
    for (point, expected), dialect in zip(points, itertools.cycle(databases.DIALECTS), strict=False)
]


@pytest.mark.parametrize(("point", "name", "expected", "dialect"), CASES)
async def test_a_killed_process_leaves_at_most_one_effect_and_the_next_one_settles_the_call(
    sandbox: SandboxProcess,
    guild: GuildIds,
    tmp_path: Path,
    point: Point,
    name: str,
    expected: tuple[str, int],
    dialect: str,
) -> None:
    async with (
        databases.fresh_database_url(dialect, tmp_path) as url,
        Instance(sandbox, tmp_path, url, ALLOWED_GUILD_IDS=guild["id"]) as instance,
    ):
        write = await write_of(name, sandbox, guild, "once-and-no-more")
        scene = await Scene.of(instance, write, await instance.token(guild, "ada"), url)
        call = await point(scene)
        await instance.kill()
        await asyncio.gather(call, return_exceptions=True)

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
        begun = [("intent", "pending"), ("decision", "confirmed")] if name in PLANNED else [("intent", "executing")]
        assert await instance.audited(call_id) == [*begun, ("outcome", outcome)]
        report = await instance.verified()
        assert report.intact, report
        assert report.checked > 0


async def test_a_call_left_behind_is_found_again_when_discord_can_be_asked_again(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    constants = {"operations.recovery.PAUSE_SECONDS": 0.5}
    async with Instance(sandbox, tmp_path, sqlite_url, constants=constants, ALLOWED_GUILD_IDS=guild["id"]) as instance:
        write = WRITES["channel_create"](sandbox, guild)
        call = await answer_is_lost(await Scene.of(instance, write, await instance.token(guild, "ada"), sqlite_url))
        await instance.kill()
        await asyncio.gather(call, return_exceptions=True)
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
