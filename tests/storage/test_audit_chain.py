from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from storage import audit, audit_retention
from storage.audit_chain import Chain, heads
from storage.audit_verification import WHAT_IS_DETECTED, Fault, VerifyReport, verify
from storage.crypto import Keyring
from storage.database import Database
from tests.storage.rows import NOW, entry

DAY = 86_400.0


async def fill(database: Database, count: int = 6, workspace_id: str = "ws_1", at: float = NOW) -> None:
    async with database.unit_of_work() as session:
        for number in range(count):
            await audit.append(session, entry(workspace_id, f"{workspace_id}-{at}-{number}", at=at + number))
    await Chain(database).catch_up()


async def tamper(database: Database, *statements: str) -> None:
    """As somebody with the database's own password would: triggers do not hold him."""
    drops = (
        ("DROP TRIGGER IF EXISTS audit_event_update", "DROP TRIGGER IF EXISTS audit_event_delete")
        if database.is_sqlite
        else ("DROP TRIGGER IF EXISTS audit_event_change ON audit_event",)
    )
    async with database.unit_of_work() as session:
        for statement in (*drops, *statements):
            await session.execute(text(statement))


async def check(database: Database, keyring: Keyring | None = None, workspace_id: str | None = None) -> VerifyReport:
    async with database.read() as session:
        return await verify(session, keyring or database.keyring, workspace_id)


def faults(report: VerifyReport) -> list[tuple[Fault, int, int]]:
    return [(problem.fault, problem.seq, problem.last_seq) for problem in report.problems]


async def test_entries_are_numbered_by_workspace_without_gaps(database: Database) -> None:
    async with database.unit_of_work() as session:
        for number in range(6):
            await audit.append(session, entry(f"ws_{number % 2}", f"c{number}"))
    assert await Chain(database).catch_up() == 6
    assert await Chain(database).catch_up() == 0
    async with database.read() as session:
        found = {head.workspace_id: head.seq for head in await heads(session)}
        page = await audit.page(session, audit.AuditQuery(workspace_id="ws_0"))
    assert found == {"ws_0": 3, "ws_1": 3}
    assert [call[0].seq for call in page.calls] == [3, 2, 1]


async def test_an_untouched_audit_is_intact(database: Database) -> None:
    await fill(database)
    await fill(database, 3, "ws_2")
    async with database.unit_of_work() as session:
        await audit.append(session, entry("ws_1", "not yet chained"))
    report = await check(database)
    assert report.intact
    assert (report.checked, report.unchained, report.workspaces) == (9, 1, 2)


async def test_an_empty_audit_is_intact(database: Database) -> None:
    assert (await check(database)).intact


TAMPERINGS: dict[str, tuple[list[str], list[tuple[Fault, int, int]]]] = {
    "altered": (["UPDATE audit_event SET reason = 'x' WHERE seq = 3"], [(Fault.ALTERED, 3, 3)]),
    "altered time": (["UPDATE audit_event SET at = at + 0.001 WHERE seq = 6"], [(Fault.ALTERED, 6, 6)]),
    "deleted": (["DELETE FROM audit_event WHERE seq IN (3, 4)"], [(Fault.DELETED, 3, 4)]),
    "deleted and closed up": (
        ["DELETE FROM audit_event WHERE seq = 6", "UPDATE audit_event SET seq = 6 WHERE seq = 5"],
        [(Fault.DELETED, 5, 5), (Fault.ALTERED, 6, 6)],
    ),
    "truncated": (["DELETE FROM audit_event WHERE seq > 4"], [(Fault.TRUNCATED, 5, 6)]),
    "emptied": (["DELETE FROM audit_event"], [(Fault.TRUNCATED, 1, 6)]),
    "reordered": (
        [
            "UPDATE audit_event SET seq = 99 WHERE seq = 2",
            "UPDATE audit_event SET seq = 2 WHERE seq = 3",
            "UPDATE audit_event SET seq = 3 WHERE seq = 99",
        ],
        [(Fault.ALTERED, 2, 2), (Fault.ALTERED, 3, 3), (Fault.ALTERED, 4, 4)],
    ),
    "head moved back": (
        ["DELETE FROM audit_event WHERE seq > 4", "UPDATE audit_head SET seq = 4"],
        [(Fault.HEAD_ALTERED, 4, 4), (Fault.ALTERED, 4, 4)],
    ),
    "checkpoint moved": (
        ["DELETE FROM audit_event WHERE seq < 3", "UPDATE audit_head SET checkpoint_seq = 2"],
        [(Fault.HEAD_ALTERED, 6, 6), (Fault.ALTERED, 3, 3)],
    ),
    "head deleted": (["DELETE FROM audit_head"], [(Fault.HEAD_MISSING, 0, 0)]),
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_tampering_is_detected_where_it_happened(database: Database, name: str) -> None:
    statements, expected = TAMPERINGS[name]
    await fill(database)
    await tamper(database, *statements)
    assert faults(await check(database)) == expected


async def test_an_inserted_entry_is_detected(database: Database) -> None:
    await fill(database)
    async with database.unit_of_work() as session:
        await audit.append(session, entry("ws_1", "forged"))
    await tamper(database, "UPDATE audit_event SET seq = 7, mac = 'abc' WHERE seq IS NULL")
    assert faults(await check(database)) == [(Fault.INSERTED, 7, 7)]


async def test_one_workspace_can_be_checked_alone(database: Database) -> None:
    await fill(database)
    await fill(database, 2, "ws_2")
    await tamper(database, "UPDATE audit_event SET reason = 'x' WHERE workspace_id = 'ws_2' AND seq = 1")
    assert (await check(database, workspace_id="ws_1")).intact
    assert not (await check(database, workspace_id="ws_2")).intact


async def test_the_chain_holds_over_a_rotation_of_keys(database: Database) -> None:
    await fill(database, 3)
    old_root = "a key for tests that nobody must use elsewhere"
    rotated = Keyring(["another key for tests, to be used from now on", old_root])
    assert (await check(database, rotated)).intact
    assert not (await check(database, Keyring(["another key for tests, to be used from now on"]))).intact


async def test_the_report_says_what_it_can_not_detect(database: Database) -> None:
    report = await check(database)
    assert report.limits == WHAT_IS_DETECTED
    for words in ("older head put back", "SECRET_KEYS", "before the checkpoint"):
        assert words in report.limits


async def test_retention_deletes_the_oldest_and_leaves_a_verifiable_chain(database: Database) -> None:
    await fill(database, 4, at=NOW - 200 * DAY)
    await fill(database, 3, at=NOW)
    async with database.unit_of_work() as session:
        assert await audit_retention.erase_older(session, database.keyring, NOW - 180 * DAY) == 4
        assert await audit_retention.erase_older(session, database.keyring, NOW - 180 * DAY) == 0
    report = await check(database)
    assert (report.intact, report.checked) == (True, 3)
    await fill(database, 2, at=NOW + 10)
    assert (await check(database)).intact
    await tamper(database, "DELETE FROM audit_event WHERE seq = 5")
    assert faults(await check(database)) == [(Fault.DELETED, 5, 5)]


async def test_retention_can_delete_all(database: Database) -> None:
    await fill(database, 3, at=NOW - 200 * DAY)
    async with database.unit_of_work() as session:
        assert await audit_retention.erase_older(session, database.keyring, NOW - 180 * DAY) == 3
    assert (await check(database)).intact
    await fill(database, 2)
    report = await check(database)
    assert (report.intact, report.checked) == (True, 2)


async def test_several_chains_at_once_give_each_entry_one_place(database: Database) -> None:
    async with database.unit_of_work() as session:
        for number in range(40):
            await audit.append(session, entry(f"ws_{number % 3}", f"c{number}"))
    await asyncio.gather(*(Chain(database).catch_up() for _ in range(4)))
    report = await check(database)
    assert (report.intact, report.checked, report.unchained) == (True, 40, 0)


async def test_a_woken_chain_takes_in_what_was_committed(
    database: Database, eventually: Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]
) -> None:
    chain = Chain(database)
    running = asyncio.create_task(chain.run())

    async def chained() -> bool:
        return (await check(database)).checked == 1

    async with database.unit_of_work() as session:
        await audit.append(session, entry("ws_1", "a"))
    chain.wake()
    await eventually(chained)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
