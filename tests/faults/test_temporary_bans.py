"""A ban for a time, and processes that die between its beginning and its end: it ends, and once."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from storage.tables import TemporaryEffect
from tests import databases
from tests.app import until
from tests.faults.instance import Instance
from tests.faults.locked_database import sqlite_locked
from tests.faults.planned import PLANNED
from tests.faults.test_two_processes import pair
from tests.sandbox_process import GuildIds, SandboxProcess

DIALECTS = pytest.mark.parametrize("dialect", databases.DIALECTS)


async def banned_for_a_time(instance: Instance, sandbox: SandboxProcess, guild: GuildIds, token: str) -> str:
    """The id of somebody who is; ada has pressed the card's button."""
    write = await PLANNED["member_ban"](sandbox, guild, "raider")
    write.arguments["duration_seconds"] = 86_400
    step = await write.prepared(instance, token)
    await step()
    user_id: str = write.arguments["member"]

    async def is_banned() -> bool:
        return await state(instance) == "waiting"

    await until(is_banned, "the ban is made, and its end remembered", 30)
    assert await is_listed(sandbox, guild, user_id)
    return user_id


async def is_listed(sandbox: SandboxProcess, guild: GuildIds, user_id: str) -> bool:
    seen = await sandbox.control("world", guild=int(guild["id"]))
    return user_id in {ban["id"] for ban in seen["guilds"][0]["bans"]}


async def unbans(sandbox: SandboxProcess, guild: GuildIds) -> int:
    entries = (await sandbox.control("audit_log", guild=int(guild["id"])))["entries"]
    return sum(entry["action_type"] == 23 for entry in entries)


async def state(instance: Instance) -> str | None:
    async with instance.database() as database, database.read() as session:
        found: str | None = await session.scalar(select(col(TemporaryEffect.state)))
        return found


async def its_time_has_come(instance: Instance) -> None:
    """As if a day had gone by."""
    async with instance.database() as database, database.unit_of_work() as session:
        await session.execute(update(TemporaryEffect).values(ends_at=1.0))


async def until_ended(instance: Instance) -> None:
    async def is_ended() -> bool:
        return await state(instance) == "ended"

    await until(is_ended, "the ban has ended", 30)


@DIALECTS
async def test_a_ban_ends_after_a_restart_though_its_time_came_while_nobody_was_there(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, dialect: str
) -> None:
    async with (
        databases.fresh_database_url(dialect, tmp_path) as url,
        Instance(sandbox, tmp_path, url, ALLOWED_GUILD_IDS=guild["id"]) as instance,
    ):
        user_id = await banned_for_a_time(instance, sandbox, guild, await instance.token(guild, "ada"))
        await instance.kill()
        await its_time_has_come(instance)
        await instance.let_the_lease_run_out()
        await instance.start()
        await until_ended(instance)
        assert not await is_listed(sandbox, guild, user_id)
        assert await unbans(sandbox, guild) == 1
        assert instance.mistakes == []
        report = await instance.verified()
        assert report.intact, report


@DIALECTS
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_process_that_dies_while_it_ends_a_ban_leaves_it_to_the_next_one_and_it_ends_once(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, dialect: str, when: str
) -> None:
    """``when``: whether the unban took effect before its answer stayed away."""
    async with (
        databases.fresh_database_url(dialect, tmp_path) as url,
        Instance(sandbox, tmp_path, url, ALLOWED_GUILD_IDS=guild["id"]) as instance,
    ):
        user_id = await banned_for_a_time(instance, sandbox, guild, await instance.token(guild, "ada"))
        path = f"/guilds/{guild['id']}/bans/{user_id}"
        await sandbox.control("fault", faults=[{"method": "DELETE", "path": path, "hang": 60, "when": when}])
        await its_time_has_come(instance)

        async def is_sent() -> bool:
            log = (await sandbox.control("requests"))["requests"]
            return any((each["method"], each["path"]) == ("DELETE", path) for each in log)

        await until(is_sent, "the unban is sent", 30)
        assert await state(instance) == "ending"
        await instance.kill()
        await sandbox.control("fault", faults=[])
        await instance.let_the_lease_run_out()
        await instance.start()
        await until_ended(instance)
        assert not await is_listed(sandbox, guild, user_id)
        assert await unbans(sandbox, guild) == 1
        assert instance.mistakes == []


async def test_the_database_was_away_when_its_time_came(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    async with Instance(sandbox, tmp_path, sqlite_url, ALLOWED_GUILD_IDS=guild["id"]) as instance:
        user_id = await banned_for_a_time(instance, sandbox, guild, await instance.token(guild, "ada"))
        await its_time_has_come(instance)
        with sqlite_locked(sqlite_url):
            await until(lambda: "wait for the database" in instance.log, "the end waits for the database", 30)
            assert await is_listed(sandbox, guild, user_id)
        await until_ended(instance)
        assert not await is_listed(sandbox, guild, user_id)
        assert await unbans(sandbox, guild) == 1


async def test_of_two_processes_the_active_one_ends_it(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path
) -> None:
    async with (
        databases.fresh_database_url("postgresql", tmp_path) as url,
        pair(sandbox, guild, tmp_path, url) as both,
    ):
        user_id = await banned_for_a_time(both.active, sandbox, guild, both.ada)
        await its_time_has_come(both.active)
        await until_ended(both.active)
        assert not await is_listed(sandbox, guild, user_id)
        assert await unbans(sandbox, guild) == 1
