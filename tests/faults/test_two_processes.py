"""Two processes on one database: the one that is not active accepts confirmations, and the active one executes them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from storage.tables import ProcessLease
from tests import databases
from tests.app import until
from tests.faults.effects import Write
from tests.faults.instance import Instance
from tests.faults.planned import loud_message
from tests.sandbox_process import GuildIds, SandboxProcess

CONFIRMATIONS = 10
"""By each process, all at once."""
DIALECTS = [
    pytest.param(dialect, marks=() if dialect == "postgresql" else pytest.mark.storm) for dialect in databases.DIALECTS
]


@dataclass(frozen=True, slots=True)
class Pair:
    """``accepting`` has lost its lease to ``active``, and serves on."""

    accepting: Instance
    active: Instance
    ada: str
    olive: str

    async def plan(self, write: Write, token: str) -> tuple[str, dict[str, str]]:
        """The id of a new plan, and what confirms it."""
        asked = await write.by(self.active, token)
        assert asked.data.get("plan_token") is not None, asked
        return asked.data["plan_id"], {"plan_id": asked.data["plan_id"], "plan_token": asked.data["plan_token"]}

    async def until_done(self, plan_id: str) -> None:
        async def is_done() -> bool:
            return (await self.active.calls())[plan_id] == "done"

        await until(is_done, "the plan is done", 20)


@asynccontextmanager
async def pair(sandbox: SandboxProcess, guild: GuildIds, folder: Path, url: str) -> AsyncGenerator[Pair]:
    first = Instance(sandbox, folder / "first", url, ALLOWED_GUILD_IDS=guild["id"])
    second = Instance(sandbox, folder / "second", url, ALLOWED_GUILD_IDS=guild["id"])
    async with first:
        ada, olive = await first.token(guild, "ada"), await first.token(guild, "olive")
        second.launch()
        try:
            await until(lambda: "waiting for it to end" in second.log, "the second waits", 30)
            holder = await _holder(first)

            async def is_taken() -> bool:
                await first.let_the_lease_run_out(holder)
                return await _holder(first) != holder

            await until(is_taken, "the second takes the lease", 30)
            await second.serving()
            await second.accepts(olive)
            await second.until_part("gateway", "up")
            await first.until_part("lease", "down")
            yield Pair(first, second, ada, olive)
        finally:
            await second.__aexit__()


async def _holder(instance: Instance) -> str:
    async with instance.database() as database, database.read() as session:
        return (await session.scalars(select(col(ProcessLease.holder)))).one()


@contextmanager
def halted(instance: Instance) -> Generator[None]:
    """It does nothing meanwhile."""
    assert instance.command is not None
    pid = instance.command.process.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_plan_that_is_confirmed_at_both_processes_is_executed_once_also_when_the_accepting_one_dies(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, dialect: str
) -> None:
    async with databases.fresh_database_url(dialect, tmp_path) as url, pair(sandbox, guild, tmp_path, url) as both:
        write = await loud_message(sandbox, guild, "confirmed at both")
        refused = await write.by(both.accepting, both.ada)
        assert refused.status == "refused", "only the active process takes new writes"

        plan_id, proof = await both.plan(write, both.ada)
        answers = await asyncio.gather(
            *(
                instance.call(both.ada, "plan_confirm", **proof)
                for _ in range(CONFIRMATIONS)
                for instance in (both.accepting, both.active)
            )
        )
        await both.until_done(plan_id)
        assert await write.effects() == 1
        assert "done" in {answer.status for answer in answers}, answers
        confirmed = [("intent", "pending"), ("decision", "confirmed"), ("outcome", "done")]
        assert await both.active.audited(plan_id) == confirmed

        # Somebody else's: ada has called as often as anybody may for a while.
        write = await loud_message(sandbox, guild, "accepted, and then dead")
        plan_id, proof = await both.plan(write, both.olive)
        with halted(both.active):
            confirming = asyncio.create_task(both.accepting.call(both.olive, "plan_confirm", **proof))

            async def is_accepted() -> bool:
                return (await both.active.calls())[plan_id] == "confirmed"

            await until(is_accepted, "it is accepted")
            await both.accepting.kill()
            await asyncio.gather(confirming, return_exceptions=True)
            assert await write.effects() == 0
        await both.until_done(plan_id)
        assert await write.effects() == 1
        assert await both.active.audited(plan_id) == confirmed
        assert (await both.active.verified()).intact
