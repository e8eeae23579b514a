"""A process that tries to claim calls: python -m tests.storage.claiming URL NAME CONNECTIONS CALL_ID…; prints what it
won. An id may be named as often as it is to be tried, all at once.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack

from storage import audit, calls
from storage.database import Database, DatabaseUnavailable
from tests import databases
from tests.storage import rows

AT_ONCE = 8


async def claim_all(url: str, name: str, connections: int, call_ids: list[str]) -> list[str]:
    won: list[str] = []
    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(Database.open(url, databases.new_keyring(), migrate=False))
            for _ in range(connections)
        ]

        # As many at once as a pool has connections.
        turns = [asyncio.Semaphore(AT_ONCE) for _ in opened]

        async def claim(number: int, call_id: str) -> None:
            async with turns[number]:
                while True:
                    try:
                        return await claim_once(opened[number], call_id)
                    except DatabaseUnavailable:
                        # Others took too long on a busy machine: whoever is refused tries again.
                        continue

        async def claim_once(database: Database, call_id: str) -> None:
            async with database.unit_of_work() as session:
                claimed = await calls.claim(
                    session, call_id, executor=name, lease_seconds=30, now=rows.NOW, confirmed_by=None
                )
                if claimed:
                    await audit.append(session, rows.entry("ws_1", call_id, entry="decision"))
            if claimed:
                won.append(call_id)

        # All processes begin together: each says that it is there, and waits for the word.
        print("ready", flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(*(claim(number % connections, call_id) for number, call_id in enumerate(call_ids)))
    return won


if __name__ == "__main__":
    print(" ".join(asyncio.run(claim_all(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]))))  # noqa: T201
