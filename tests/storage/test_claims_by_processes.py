from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections import Counter

from storage import calls
from storage.database import Database
from tests.storage import rows

PROCESSES = 3
CALLS = 40


async def test_each_call_is_claimed_once_by_all_tasks_of_all_processes(database: Database, database_url: str) -> None:
    installation = await rows.installed(database)
    records = [rows.call(installation) for _ in range(CALLS)]
    async with database.unit_of_work() as session:
        for record in records:
            await calls.insert(session, database.keyring, record)
    call_ids = [record.call_id for record in records]
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.storage.claiming",
            database_url,
            f"p{n}",
            *call_ids,
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
    for process, (output, errors) in zip(processes, outputs, strict=True):
        assert process.returncode == 0, errors.decode()
        won.update(output.decode().split())
    assert won == Counter(call_ids)
