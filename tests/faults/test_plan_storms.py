"""Servers gone and back, a gateway that drops, and a plan that ends, while plans are confirmed: one effect at most."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col

from storage.tables import Call
from tests.app import until
from tests.faults.effects import LastStep, Write
from tests.faults.instance import Instance
from tests.faults.planned import loud_message, member_ban
from tests.faults.test_database_down import on_a_cable
from tests.faults.test_redis_down import RedisServer
from tests.sandbox_process import GuildIds, SandboxProcess

pytestmark = pytest.mark.storm

ROUNDS = 4
"""No more: of what destroys, a guild may do twenty a minute, and asking and confirming count alike."""
EXPIRES_AROUND_SECONDS = (0.0, 0.02, 0.05, 0.1, 0.2)


async def all_settled(instance: Instance) -> None:
    async def nothing_moves() -> bool:
        return not {"executing", "confirmed"} & set((await instance.calls()).values())

    await until(nothing_moves, "all calls are settled", 60)


async def done_after_all(write: Write, confirm: LastStep) -> None:
    """A confirmation that was refused is repeated as soon as it may be."""
    if await write.effects() == 0:

        async def is_answered() -> bool:
            answer = await confirm()
            return answer.code not in ("database_unavailable", "facts_stale")

        await until(is_answered, "the database answers again", 30)


async def test_postgresql_gone_and_back_while_plans_are_confirmed(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path
) -> None:
    async with on_a_cable(sandbox, guild, tmp_path) as (instance, cable):
        for number in range(ROUNDS):
            token = await instance.token(guild, "ada", name=f"ada {number}")
            write = await loud_message(sandbox, guild, f"round {number}")
            confirm = await write.prepared(instance, token)
            call = asyncio.ensure_future(confirm())
            await asyncio.wait([call], timeout=0.02 * number)
            cable.cut()
            await call
            assert await write.effects() <= 1
            cable.mend()
            await instance.until_part("database", "up")
            await all_settled(instance)
            await done_after_all(write, confirm)
            await all_settled(instance)
            assert await write.effects() == 1
        assert Counter((await instance.calls()).values()) == {"done": ROUNDS}
        assert (await instance.verified()).intact


async def test_redis_gone_and_back_while_plans_are_confirmed(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    async with RedisServer.running(tmp_path) as redis:
        address = f"redis://127.0.0.1:{redis.port}/0"
        async with Instance(
            sandbox, tmp_path, sqlite_url, ALLOWED_GUILD_IDS=guild["id"], REDIS_URL=address
        ) as instance:
            await instance.until_part("redis", "up")
            for number in range(ROUNDS):
                write = await loud_message(sandbox, guild, f"round {number}")
                token = await instance.token(guild, "ada", name=f"ada {number}")
                confirm = await write.prepared(instance, token)
                calls = [asyncio.ensure_future(confirm()) for _ in range(2)]
                redis.kill()
                answers = await asyncio.gather(*calls)
                assert "done" in {answer.status for answer in answers}, answers
                assert await write.effects() == 1
                redis.start()
                await instance.until_part("redis", "up")
            assert (await instance.verified()).intact


async def test_a_click_during_and_after_a_lost_gateway_bans_once(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    async with Instance(sandbox, tmp_path, sqlite_url, ALLOWED_GUILD_IDS=guild["id"]) as instance:
        token = await instance.token(guild, "ada")
        await instance.until_part("gateway", "up")
        write = await member_ban(sandbox, guild, "spammer")
        click = await write.prepared(instance, token)
        await sandbox.control("gateway", abort=True)
        # Lost with the gateway, as Discord loses it.
        await click()
        await instance.until_part("gateway", "up")

        async def is_banned() -> bool:
            await click()
            return await write.effects() == 1

        await until(is_banned, "the click counts", 30)
        await all_settled(instance)
        assert await write.effects() == 1
        assert list((await instance.calls()).values()) == ["done"]
        assert (await instance.verified()).intact


async def test_a_plan_that_ends_at_the_click_is_done_or_expired_and_never_both(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    async with Instance(sandbox, tmp_path, sqlite_url, ALLOWED_GUILD_IDS=guild["id"]) as instance:
        token = await instance.token(guild, "ada")
        await instance.until_part("gateway", "up")
        for number, seconds in enumerate(EXPIRES_AROUND_SECONDS):
            write = await member_ban(sandbox, guild, f"spammer-{number}")
            click = await write.prepared(instance, token)
            plan_id = list(await instance.calls())[-1]
            async with instance.database() as database, database.unit_of_work() as session:
                ends = update(Call).where(col(Call.call_id) == plan_id).values(expires_at=time.time() + seconds)
                await session.execute(ends)
            await click()

            async def has_ended(plan_id: str = plan_id) -> bool:
                return (await instance.calls())[plan_id] in ("done", "expired")

            await until(has_ended, "it has ended", 30)
            state = (await instance.calls())[plan_id]
            assert await write.effects() == (1 if state == "done" else 0)
            ended = [("decision", "confirmed"), ("outcome", "done")] if state == "done" else [("decision", "expired")]
            # A click that came too late is refused, under an id of its own.
            assert await instance.audited(plan_id) == [("intent", "pending"), *ended]
        assert (await instance.verified()).intact
