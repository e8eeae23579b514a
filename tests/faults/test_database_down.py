"""The database gone and back: nothing is written that can't be recorded, and what is cached goes on for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests import databases
from tests.app import Answer, until
from tests.faults.cable import Cable
from tests.faults.effects import channel_create, message_send
from tests.faults.instance import Instance
from tests.faults.locked_database import sqlite_locked
from tests.sandbox_process import GuildIds, SandboxProcess

# Instead of 60 seconds.
STALE_AFTER_SECONDS = 4.0


@asynccontextmanager
async def on_a_cable(
    sandbox: SandboxProcess, guild: GuildIds, folder: Path, **constants: float
) -> AsyncGenerator[tuple[Instance, Cable]]:
    """An instance whose PostgreSQL can be cut off."""
    async with databases.fresh_postgresql() as url:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        async with Cable.to(parts.hostname, parts.port) as cable:
            through = url.replace(f":{parts.port}/", f":{cable.port}/")
            instance = Instance(sandbox, folder, through, constants=constants, ALLOWED_GUILD_IDS=guild["id"])
            instance.aside = url
            async with instance:
                yield instance, cable


async def _reads(instance: Instance, guild: GuildIds, token: str) -> Answer:
    # Any event will do: what the gateway says is no older than it.
    channel = guild["channels"]["general"]
    await instance.sandbox.control("send", user=int(guild["members"]["nina"]), channel=int(channel), content="event")
    return await instance.call(token, "channel_list", guild=guild["id"])


async def test_without_postgresql_writes_are_refused_and_cached_reads_go_on_until_they_are_too_old(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path
) -> None:
    constants = {
        "policy.checks.MAX_FACT_AGE_SECONDS": STALE_AFTER_SECONDS,
        # Members that were fetched are to be fresh meanwhile: this test is about the database.
        "operations.decider.MEMBER_MAX_AGE_SECONDS": STALE_AFTER_SECONDS / 2,
        "operations.guild_state.MEMBER_MAX_AGE_SECONDS": STALE_AFTER_SECONDS / 2,
    }
    async with on_a_cable(sandbox, guild, tmp_path, **constants) as (instance, cable):
        token = await instance.token(guild, "ada")
        assert not (await _reads(instance, guild, token)).is_error
        writes = [message_send(sandbox, guild), channel_create(sandbox, guild)]
        await sandbox.control("effects", clear=True)
        cable.cut()
        assert not (await _reads(instance, guild, token)).is_error
        answers = await asyncio.gather(*(write.by(instance, token) for write in writes))
        assert {answer.code for answer in answers} <= {"database_unavailable", "facts_stale"}, answers
        audit = await instance.call(token, "audit_list", guild=guild["id"])
        assert audit.status == "refused", audit
        await instance.until_part("database", "down")
        assert (await instance.ready())["code"] == 503

        refusal: list[Answer] = []

        async def is_refused() -> bool:
            refusal[:] = [await _reads(instance, guild, token)]
            return refusal[0].is_error

        await until(is_refused, "reads are refused", 20)
        assert "database has not answered" in refusal[0].data["reason"], refusal
        assert (await sandbox.control("effects"))["effects"] == []

        cable.mend()
        await instance.until_part("database", "up")

        async def is_served() -> bool:
            return not (await _reads(instance, guild, token)).is_error

        await until(is_served, "reads are served", 20)

        async def is_written() -> bool:
            return (await writes[0].by(instance, token)).status == "done"

        await until(is_written, "writes are served", 20)
        assert await writes[0].effects() == 1
        assert (await instance.verified()).intact


async def test_a_postgresql_that_goes_dead_during_a_write_leaves_one_effect_whose_outcome_is_recorded_later(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path
) -> None:
    async with on_a_cable(sandbox, guild, tmp_path) as (instance, cable):
        token = await instance.token(guild, "ada")
        write = message_send(sandbox, guild)
        await write.suffers({"latency": 1.0, "when": "after"})
        call = asyncio.create_task(write.by(instance, token))

        async def has_effect() -> bool:
            return await write.effects() == 1

        await until(has_effect, "it takes effect")
        cable.go_dead()
        answer = await call
        assert answer.status == "unknown", answer
        assert "could not be recorded yet" in answer.data["reason"], answer
        await sandbox.control("fault", faults=[])
        refused = await message_send(sandbox, guild, "another").by(instance, token)
        assert refused.code == "database_unavailable", refused
        cable.mend()

        async def is_recorded() -> bool:
            return list((await instance.calls()).values()) == ["done"]

        await until(is_recorded, "the outcome is recorded", 20)
        assert await instance.audited(answer.data["call_id"]) == [("intent", "executing"), ("outcome", "done")]
        assert await write.effects() == 1
        assert (await message_send(sandbox, guild, "another").by(instance, token)).status == "done"


async def test_while_another_process_locks_sqlite_writes_are_refused_and_reads_go_on(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    async with Instance(sandbox, tmp_path, sqlite_url, ALLOWED_GUILD_IDS=guild["id"]) as instance:
        token = await instance.token(guild, "ada")
        write = message_send(sandbox, guild)
        with sqlite_locked(sqlite_url):
            call: asyncio.Task[Any] = asyncio.create_task(write.by(instance, token))
            while not call.done():
                assert not (await instance.call(token, "channel_list", guild=guild["id"])).is_error
                await asyncio.wait([call], timeout=0.2)
            refused = await call
        assert refused.code == "database_unavailable", refused
        assert await write.effects() == 0
        assert await write.requests() == []

        async def is_written() -> bool:
            return (await write.by(instance, token)).status == "done"

        await until(is_written, "writes are served", 20)
        assert await write.effects() == 1
        assert (await instance.verified()).intact
