from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import select
from sqlmodel import col

from policy.model import Installation
from storage import cases, installations
from storage.cases import CaseEdit, CaseKind, CaseQuery, CaseState, NewCase
from storage.database import Database
from storage.tables import Case, CaseNote
from tests import databases
from tests.storage import rows

NINA, MARLOW = 11, 12
ELSEWHERE = rows.GUILD + 1


def new(installation: Installation, kind: CaseKind = CaseKind.WARN, **changes: object) -> NewCase:
    given: dict[str, object] = {"user_id": NINA, "moderator_id": MARLOW, "reason": "spam", "created_at": rows.NOW}
    return NewCase(installation_id=installation.id, kind=kind, **(given | changes))  # pyright: ignore[reportArgumentType]


async def add(database: Database, case: NewCase) -> int:
    async with database.unit_of_work() as session:
        return await cases.add(session, case)


async def numbers(database: Database, installation: Installation) -> list[int]:
    async with database.read() as session:
        found = await cases.page(session, CaseQuery(installation.id, limit=1000))
    return [case.number for case in found]


async def test_cases_are_numbered_in_each_installation_from_one(database: Database) -> None:
    here, there = await rows.installed(database), await rows.installed(database, ELSEWHERE)
    assert [await add(database, new(each)) for each in (here, here, there, here)] == [1, 2, 1, 3]
    assert await numbers(database, here) == [3, 2, 1]


async def test_numbers_have_neither_gaps_nor_doubles_when_many_add_at_once(
    database: Database, database_url: str
) -> None:
    """Two databases on one, as two processes have it; every third unit of work is thrown away."""
    installation = await rows.installed(database)
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(Database.open(database_url, databases.new_keyring(), migrate=False))
        turns = asyncio.Semaphore(6)

        async def one(number: int) -> None:
            async with turns:
                try:
                    async with (database, other)[number % 2].unit_of_work() as session:
                        await cases.add(session, new(installation))
                        if number % 3 == 0:
                            raise LookupError
                except LookupError:
                    pass

        await asyncio.gather(*(one(number) for number in range(60)))
    assert await numbers(database, installation) == list(range(40, 0, -1))


async def test_an_entry_of_discords_audit_log_becomes_one_case(database: Database) -> None:
    installation = await rows.installed(database)

    async def once(entry_id: int) -> int | None:
        async with database.unit_of_work() as session:
            return await cases.add_once(session, new(installation, CaseKind.KICK, discord_entry_id=entry_id))

    made = await asyncio.gather(*(once(entry_id) for entry_id in (7, 8, 7, 7, 8)))
    assert sorted(number for number in made if number is not None) == [1, 2]
    assert await numbers(database, installation) == [2, 1]
    assert await add(database, new(installation)) == 3


async def test_what_was_seen_of_discords_audit_log_only_grows(database: Database) -> None:
    installation = await rows.installed(database)
    async with database.read() as session:
        assert await cases.seen_entry(session, installation.id) is None
    for entry_id in (50, 40, 60):
        async with database.unit_of_work() as session:
            await cases.saw_entry(session, installation.id, entry_id)
    async with database.read() as session:
        assert await cases.seen_entry(session, installation.id) == 60
    assert await add(database, new(installation)) == 1


async def test_texts_are_sealed_in_the_database_and_open_in_records(database: Database) -> None:
    installation = await rows.installed(database)
    await add(database, new(installation, reason="a canary sings"))
    async with database.unit_of_work() as session:
        case = await cases.get(session, installation.id, 1)
        assert case is not None
        await cases.add_note(session, case.id, MARLOW, "another canary", rows.NOW)
    async with database.read() as session:
        assert case.reason == "a canary sings"
        assert [note.text for note in await cases.notes(session, case.id)] == ["another canary"]
        stored = [*await session.scalars(select(col(Case.reason))), *await session.scalars(select(col(CaseNote.text)))]
    assert len(stored) == 2
    assert not [text for text in stored if b"canary" in text]


async def test_a_page_is_filtered_and_goes_on_before_a_number(database: Database) -> None:
    installation = await rows.installed(database)
    await add(database, new(installation))
    await add(database, new(installation, CaseKind.REPORT))
    await add(database, new(installation, CaseKind.REPORT, user_id=99))

    async def found(**query: object) -> list[int]:
        async with database.read() as session:
            wanted = CaseQuery(installation.id, **query)  # pyright: ignore[reportArgumentType]
            return [case.number for case in await cases.page(session, wanted)]

    assert await found(user_id=NINA) == [2, 1]
    assert await found(kind=CaseKind.REPORT) == [3, 2]
    assert await found(state=CaseState.OPEN) == [3, 2]
    assert await found(state=CaseState.CLOSED) == [1]
    assert await found(before=3, limit=1) == [2]
    assert await found(user_id=99, kind=CaseKind.WARN) == []
    async with database.read() as session:
        assert await cases.totals(session, installation.id, NINA) == {CaseKind.WARN: 1, CaseKind.REPORT: 1}


async def test_an_edit_of_what_has_changed_meanwhile_changes_nothing(database: Database) -> None:
    installation = await rows.installed(database)
    await add(database, new(installation, CaseKind.REPORT))
    async with database.read() as session:
        case = await cases.get(session, installation.id, 1)
    assert case is not None

    async def edit(by: int, at: float, **changes: object) -> bool:
        async with database.unit_of_work() as session:
            change = CaseEdit(case.id, by, at, None, **changes)  # pyright: ignore[reportArgumentType]
            return await cases.edit(session, change)

    assert await edit(MARLOW, rows.NOW + 1, state=CaseState.CLOSED, reason="it was spam")
    assert not await edit(13, rows.NOW + 2, reason="it was not")
    async with database.read() as session:
        edited = await cases.get(session, installation.id, 1)
    assert edited is not None
    assert (edited.state, edited.closed_by, edited.closed_at) == (CaseState.CLOSED, MARLOW, rows.NOW + 1)
    assert (edited.reason, edited.reason_by, edited.edited_by) == ("it was spam", MARLOW, MARLOW)


async def test_the_cases_of_a_guild_that_was_left_go_with_its_installation(database: Database) -> None:
    here, there = await rows.installed(database), await rows.installed(database, ELSEWHERE)
    for each in (here, there):
        await add(database, new(each))
    async with database.unit_of_work() as session:
        await installations.remove(session, rows.GUILD, rows.NOW)
        await installations.purge(session, database.keyring, rows.NOW)
    assert (await numbers(database, here), await numbers(database, there)) == ([], [1])


@pytest.mark.parametrize("kind", list(CaseKind))
async def test_only_reports_wait_for_a_moderator(database: Database, kind: CaseKind) -> None:
    installation = await rows.installed(database)
    await add(database, new(installation, kind))
    async with database.read() as session:
        (case,) = await cases.page(session, CaseQuery(installation.id))
    assert (case.state is CaseState.OPEN) is (kind is CaseKind.REPORT)
