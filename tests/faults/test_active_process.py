"""One process is active on a database: the next one waits, takes over, and ends what the first began."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests import databases
from tests.app import until
from tests.faults.effects import WRITES, message_send
from tests.faults.instance import Instance
from tests.sandbox_process import GuildIds, SandboxProcess

DRAINED_SECONDS = 3.0


@pytest.mark.parametrize("dialect", databases.DIALECTS)
@pytest.mark.parametrize("ending", ["terminated", "killed"])
async def test_a_second_process_waits_and_takes_over(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, dialect: str, ending: str
) -> None:
    async with (
        databases.fresh_database_url(dialect, tmp_path) as url,
        Instance(sandbox, tmp_path / "first", url, ALLOWED_GUILD_IDS=guild["id"]) as first,
    ):
        second = Instance(sandbox, tmp_path / "second", url, ALLOWED_GUILD_IDS=guild["id"])
        token = await first.token(guild, "ada")
        second.launch()
        try:
            await until(lambda: "waiting for it to end" in second.log, "the second waits", 30)
            write = message_send(sandbox, guild)
            assert (await write.by(first, token)).status == "done"
            assert not await second.is_listening()
            if ending == "terminated":
                first.terminate()
                assert (await first.ended()).code == 0
            else:
                await _killed_in_the_middle(first, sandbox, guild, token)
            await second.serving()
            if ending == "killed":

                async def is_settled() -> bool:
                    return list((await second.calls()).values()) == ["done", "done"]

                await until(is_settled, "the call of the first is settled", 20)
            assert (await write.by(second, token)).status == "done"
            assert await write.effects() == 2
            assert (await second.verified()).intact
        finally:
            await second.__aexit__()


async def _killed_in_the_middle(first: Instance, sandbox: SandboxProcess, guild: GuildIds, token: str) -> None:
    begun = message_send(sandbox, guild, "begun by the first")
    await begun.suffers({"hang": 300, "when": "after", "times": 1})
    call = asyncio.create_task(begun.by(first, token))

    async def has_effect() -> bool:
        return await begun.effects() == 1

    await until(has_effect, "it takes effect")
    await first.kill()
    await asyncio.wait([call])
    # The lease of a dead process holds for 15 seconds.
    await first.let_the_lease_run_out()


@pytest.mark.parametrize("operation", WRITES)
async def test_a_terminated_process_ends_the_writes_under_way_and_then_itself(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str, operation: str
) -> None:
    async with Instance(sandbox, tmp_path, sqlite_url, ALLOWED_GUILD_IDS=guild["id"]) as instance:
        token = await instance.token(guild, "ada")
        write = WRITES[operation](sandbox, guild)
        await write.suffers({"latency": 1.0})
        call = asyncio.create_task(write.by(instance, token))

        async def has_arrived() -> bool:
            return bool(await write.requests())

        await until(has_arrived, "the request arrives")
        began_at = time.monotonic()
        instance.terminate()
        ended = await instance.ended()
        assert time.monotonic() - began_at < DRAINED_SECONDS
        assert ended.code == 0, ended.err
        answer = await call
        assert answer.status == "done", answer
        assert await write.effects() == 1
        assert await instance.audited(answer.data["call_id"]) == [("intent", "executing"), ("outcome", "done")]
        assert (await instance.run_command("audit", "verify")).code == 0
        assert "Traceback" not in ended.err, ended.err
