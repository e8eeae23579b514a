from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage import audit
from storage.audit import AuditEntry, AuditPage, AuditQuery, ReadKey
from storage.audit_chain import Chain
from storage.database import Database
from tests.storage.rows import NOW, entry


async def append(database: Database, *entries: AuditEntry) -> None:
    async with database.unit_of_work() as session:
        await audit.append(session, *entries)


async def page(database: Database, **query: object) -> AuditPage:
    async with database.read() as session:
        return await audit.page(session, AuditQuery(workspace_id="ws_1", **query))  # pyright: ignore[reportArgumentType]


def call_ids(found: AuditPage) -> list[str]:
    return [call[0].call_id for call in found.calls]


async def test_entries_come_back_whole_by_call_newest_first(database: Database) -> None:
    await append(database, entry("ws_1", "a"), entry("ws_1", "b"))
    await append(database, entry("ws_1", "a", entry="outcome", status="done", error_code=50013, reason="no"))
    found = await page(database)
    assert [[part.entry for part in call] for call in found.calls] == [["intent"], ["intent", "outcome"]]
    assert call_ids(found) == ["b", "a"]
    last = found.calls[1][1]
    assert (last.status, last.error_code, last.target_ids, last.duration_ms) == ("done", 50013, (5, 6), 1.25)
    assert found.next_before is None


async def test_pages_follow_each_other_also_while_calls_go_on(database: Database) -> None:
    for number in range(5):
        await append(database, entry("ws_1", f"c{number}"))
    first = await page(database, limit=2)
    await append(database, entry("ws_1", "c0", entry="outcome"), entry("ws_1", "new"))
    second = await page(database, limit=2, before=first.next_before)
    third = await page(database, limit=2, before=second.next_before)
    assert [call_ids(found) for found in (first, second, third)] == [["c4", "c3"], ["c2", "c1"], ["c0"]]
    assert len(third.calls[0]) == 2
    assert third.next_before is None


async def test_filters_hold_for_whole_calls(database: Database) -> None:
    await append(
        database,
        entry("ws_1", "a", guild_id=1, user_id=1, operation="x"),
        entry("ws_1", "a", guild_id=1, user_id=1, operation="x", entry="outcome", status="failed"),
        entry("ws_1", "b", guild_id=2, user_id=2, operation="y"),
        entry("ws_2", "c", guild_id=1, user_id=1, operation="x"),
    )
    assert call_ids(await page(database, guild_id=1)) == ["a"]
    assert call_ids(await page(database, user_id=2)) == ["b"]
    assert call_ids(await page(database, operation="x")) == ["a"]
    assert call_ids(await page(database, call_id="b")) == ["b"]
    failed = await page(database, status="failed")
    assert [len(call) for call in failed.calls] == [2]
    assert call_ids(await page(database, status="failed", guild_id=2)) == []


@pytest.mark.parametrize("chained", [False, True])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET reason = 'forged'",
        "UPDATE audit_event SET user_id = NULL",
        "UPDATE audit_event SET seq = NULL, mac = NULL",
        "UPDATE audit_event SET seq = 7",
        "DELETE FROM audit_event",
    ],
)
async def test_entries_can_not_be_changed_or_deleted(database: Database, statement: str, *, chained: bool) -> None:
    await append(database, entry("ws_1", "a"))
    if chained:
        await Chain(database).catch_up()
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.unit_of_work() as session:
            await session.execute(text(statement))
    assert call_ids(await page(database)) == ["a"]


async def test_a_chained_entry_is_never_chained_again(database: Database) -> None:
    await append(database, entry("ws_1", "a"))
    await Chain(database).catch_up()
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.unit_of_work() as session:
            await session.execute(text("UPDATE audit_event SET seq = 9, mac = 'forged'"))


async def test_counts_of_reads_add_up(database: Database) -> None:
    key = ReadKey("ws_1", "mc_1", 5, "channel_list", "2027-01-15")
    nobody = ReadKey("ws_1", "mc_2", None, "channel_list", "2027-01-15")
    for _ in range(2):
        async with database.unit_of_work() as session:
            await audit.count_reads(session, {key: 3, nobody: 1})
    async with database.unit_of_work() as session:
        await audit.count_reads(session, {})
    async with database.read() as session:
        assert await audit.read_counts(session, "ws_1", since_day="2027-01-01") == {key: 6, nobody: 2}
        assert await audit.read_counts(session, "ws_1", since_day="2027-01-16") == {}


async def test_times_keep_their_fractions(database: Database) -> None:
    await append(database, entry("ws_1", "a", at=NOW + 0.123456))
    assert (await page(database)).calls[0][0].at == NOW + 0.123456
