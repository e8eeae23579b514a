from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections import Counter

import pytest
from sqlalchemy import select
from sqlmodel import col

from storage import calls
from storage.database import Database
from storage.tables import AuditEvent, Call
from tests.storage import rows

PROCESSES = 4
# SQLite writes by one connection of each: eight in all.
CONNECTIONS_A_PROCESS = 2
CALLS = 40


@pytest.mark.parametrize("attempts", [25, pytest.param(250, marks=pytest.mark.storm)])
async def test_each_call_is_claimed_once_by_all_tasks_of_all_processes(
    database: Database, database_url: str, attempts: int
) -> None:
    """Forty calls by each process once, and the first of them by each as often as is said, all at once."""
    installation = await rows.installed(database)
    records = [rows.call(installation) for _ in range(CALLS)]
    async with database.unit_of_work() as session:
        for record in records:
            await calls.insert(session, database.keyring, record)
    call_ids = [record.call_id for record in records]
    wanted = call_ids[:1] * attempts + call_ids[1:]
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.storage.claiming",
            database_url,
            f"p{n}",
            str(CONNECTIONS_A_PROCESS),
            *wanted,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        for n in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    won: Counter[str] = Counter()
    outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    winner: dict[str, str] = {}
    for number, (process, (output, errors)) in enumerate(zip(processes, outputs, strict=True)):
        assert process.returncode == 0, errors.decode()
        won.update(output.decode().split())
        winner |= dict.fromkeys(output.decode().split(), f"p{number}")
    assert won == Counter(call_ids)
    async with database.read() as session:
        audited = await session.scalars(select(col(AuditEvent.call_id)).where(col(AuditEvent.entry) == "decision"))
        held = await session.execute(select(col(Call.call_id), col(Call.executor)))
        assert Counter(audited) == Counter(call_ids)
        assert {row.call_id: row.executor for row in held} == winner
