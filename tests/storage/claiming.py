"""A process that tries to claim calls: python -m tests.storage.claiming URL NAME CALL_ID…; prints what it won."""

from __future__ import annotations

import asyncio
import sys

from storage import audit, calls
from storage.database import Database
from tests import databases
from tests.storage import rows


async def claim_all(url: str, name: str, call_ids: list[str]) -> list[str]:
    won: list[str] = []
    async with Database.open(url, databases.new_keyring(), migrate=False) as database:

        async def claim(call_id: str) -> None:
            async with database.unit_of_work() as session:
                claimed = await calls.claim(
                    session, call_id, executor=name, lease_seconds=30, now=rows.NOW, confirmed_by=None
                )
                await audit.append(session, rows.entry("ws_1", call_id, entry="decision", code=str(claimed)))
            if claimed:
                won.append(call_id)

        # All processes begin together: each says that it is there, and waits for the word.
        print("ready", flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(*(claim(call_id) for call_id in call_ids))
    return won


if __name__ == "__main__":
    print(" ".join(asyncio.run(claim_all(sys.argv[1], sys.argv[2], sys.argv[3:]))))  # noqa: T201
