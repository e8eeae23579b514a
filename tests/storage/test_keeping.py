"""What is kept, how long, and how it is forgotten: by every store, of every table."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Table, func, select
from sqlmodel import SQLModel, col

from policy.model import Installation
from policy.rules import ChannelRules, GuildRules
from policy.taint import Source
from storage import (
    audit,
    calls,
    cases,
    clients,
    erasure_requests,
    idempotency,
    installations,
    policies,
    sent_messages,
    taints,
)
from storage.call_messages import MessagePlace
from storage.calls import CallRecord, CallState
from storage.cases import CaseKind, NewCase, Notice
from storage.database import Database
from storage.forgetting import Forgetting
from storage.keeping import KEEPERS
from storage.keeping.base import DAY_SECONDS, Kept, Periods, Person
from storage.tables import Call, MCPClient, SentMessage, TemporaryEffect, metadata
from tests.storage import rows
from tests.storage.rows import CHANNEL, GUILD, NOW, OWNER

MESSAGE = 9_000_000_000_000_000_777
SECRET = "what was said"
OTHER = OWNER + 1
# Not of one guild: they end by themselves, or with the workspace.
OF_NO_INSTALLATION = {
    "user",
    "workspace",
    "workspace_membership",
    "mcp_client",
    "taint_mark",
    "erasure_request",
    "read_count",
    "audit_event",
    "audit_head",
    "setup_card",
    "bot_config",
    "fact_revision",
    "process_lease",
    "usage_record",
    "usage_reservation",
}


def forgetting(database: Database, periods: Periods | None = None) -> Forgetting:
    return Forgetting(KEEPERS, database.keyring, periods or Periods())


# ------------------------------------------------------------------------ tables
def test_every_table_is_of_one_keeper() -> None:
    claimed = [table for keeper in KEEPERS for table in keeper.tables]
    assert sorted(claimed) == sorted(metadata.tables), "a new table needs a keeper, or a place in one (storage/keeping)"


def test_every_table_of_a_guild_is_purged_with_it() -> None:
    """By its own installation_id, or because what it refers to is."""
    named = {table.name for table in installations.tables_of_an_installation()} | {"guild_installation"}

    def goes(table: Table) -> bool:
        return table.name in named or any(
            key.ondelete == "CASCADE" and key.column.table.name not in OF_NO_INSTALLATION and goes(key.column.table)
            for key in table.foreign_keys
        )

    kept = {table.name for table in metadata.tables.values() if not goes(table)}
    assert kept == OF_NO_INSTALLATION, "rows of a table that hang on a guild need its installation_id"


def test_a_time_needs_what_erases_it() -> None:
    with pytest.raises(ValueError, match="erases"):
        Kept(what="something", seconds=1.0, since="after it")
    with pytest.raises(ValueError, match="end in words"):
        Kept(what="something")


# --------------------------------------------------------------------- retention
async def put(database: Database, *records: CallRecord) -> None:
    async with database.unit_of_work() as session:
        for record in records:
            await calls.insert(session, database.keyring, record)


async def done(database: Database, installation: Installation, **changes: object) -> CallRecord:
    """A call that was carried out, and that says SECRET in every part."""
    said = json.dumps({"content": SECRET})
    given: dict[str, object] = {
        "operation": "message_send",
        "state": CallState.EXECUTING,
        "executor": "px",
        "reason": SECRET,
        "effect": said,
        "preview": said,
    }
    record = rows.call(installation, **(given | changes))
    await put(database, record)
    async with database.unit_of_work() as session:
        settled = await calls.settle(
            session,
            database.keyring,
            record.call_id,
            executor="px",
            state=CallState.DONE,
            now=NOW,
            result=said,
            inverse=said,
            detail=SECRET,
        )
    assert settled
    return record


async def said_in(database: Database, call_id: str) -> list[str]:
    """The parts of a call that still say something."""
    async with database.read() as session:
        found = await calls.get(session, database.keyring, call_id)
    if found is None:
        return ["gone"]
    parts = ("reason", "effect", "preview", "inverse", "result", "detail", "fingerprint")
    return [part for part in parts if getattr(found, part)]


async def run_jobs(database: Database, now: float, periods: Periods | None = None) -> None:
    for kept in forgetting(database, periods).kept():
        if kept.erase is not None and kept.seconds is not None:
            while True:
                async with database.unit_of_work() as session:
                    if not await kept.erase(session, database.keyring, now - kept.seconds):
                        break


EVERYTHING = ["reason", "effect", "preview", "inverse", "result", "detail", "fingerprint"]


async def test_calls_lose_their_parts_one_after_the_other(database: Database) -> None:
    record = await done(database, await rows.installed(database))
    for days, left in (
        (6.9, EVERYTHING),
        (7, ["inverse"]),
        (29.9, ["inverse"]),
        (30, []),
        (179.9, []),
        (180, ["gone"]),
    ):
        await run_jobs(database, NOW + days * DAY_SECONDS)
        assert await said_in(database, record.call_id) == left, days


@pytest.mark.parametrize("began_with", [None, 10.0])
async def test_shorter_periods_erase_earlier_whatever_was_erased_before(
    database: Database, began_with: float | None
) -> None:
    record = await done(database, await rows.installed(database))
    if began_with is not None:
        await run_jobs(database, NOW + began_with * DAY_SECONDS)
    short = Periods(arguments_seconds=DAY_SECONDS, inverses_seconds=12 * DAY_SECONDS, audit_seconds=20 * DAY_SECONDS)
    for days, left in ((11.9, ["inverse"]), (12, []), (19.9, []), (20, ["gone"])):
        await run_jobs(database, NOW + days * DAY_SECONDS, short)
        assert await said_in(database, record.call_id) == left, days


async def test_a_shorter_period_of_arguments_holds_at_once(database: Database) -> None:
    record = await done(database, await rows.installed(database))
    short = Periods(arguments_seconds=DAY_SECONDS)
    await run_jobs(database, NOW + 0.9 * DAY_SECONDS, short)
    assert await said_in(database, record.call_id) == EVERYTHING
    await run_jobs(database, NOW + DAY_SECONDS, short)
    assert await said_in(database, record.call_id) == ["inverse"]


async def count(database: Database, table: type[SQLModel]) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_everything_else_goes_in_its_time(database: Database) -> None:
    from storage.audit_chain import Chain
    from storage.tables import AuditEvent, ErasureRequest, IdempotencyRecord, ReadCount, TaintMark

    installation = await rows.installed(database)
    person = (installation.workspace_id, OTHER)
    async with database.unit_of_work() as session:
        key = idempotency.Key(installation.id, OTHER, "mc_1", "x", "k")
        await idempotency.reserve(session, database.keyring, key, call_id="c", payload_mac="p", now=NOW)
        await taints.put(session, *person, [Source(GUILD, CHANNEL)], NOW)
        await erasure_requests.put(session, *person, NOW)
        await audit.append(session, rows.entry(installation.workspace_id, "cl_1"))
        day = "2027-01-15"
        await audit.count_reads(session, {audit.ReadKey(installation.workspace_id, "mc_1", OTHER, "x", day): 1})
        client, _ = await clients.create(
            session,
            database.keyring,
            workspace_id=installation.workspace_id,
            user_id=OTHER,
            name="x",
            scopes=[],
            now=NOW,
        )
        await clients.revoke(session, client.id, NOW)
    await Chain(database).catch_up()
    hour = 3_600.0
    ends: list[tuple[float, list[type[SQLModel]]]] = [
        (hour, [TaintMark]),
        (24 * hour, [IdempotencyRecord, ErasureRequest]),
        (180 * DAY_SECONDS, [MCPClient]),
        (180 * DAY_SECONDS + 1, [AuditEvent]),
        # A day is counted as a whole, and NOW is at eight in the morning.
        (180 * DAY_SECONDS + 16 * hour, [ReadCount]),
    ]
    for seconds, tables in ends:
        await run_jobs(database, NOW + seconds - 1)
        assert [await count(database, table) for table in tables] == [1] * len(tables), tables
        await run_jobs(database, NOW + seconds)
        assert [await count(database, table) for table in tables] == [0] * len(tables), tables


async def test_a_guild_that_was_left_is_purged_after_thirty_days_and_another_one_is_not(database: Database) -> None:
    left, stays = await rows.installed(database), await rows.installed(database, GUILD + 1)
    for place in (left, stays):
        record = await done(database, place)
        async with database.unit_of_work() as session:
            await policies.set_guild(session, place.id, GuildRules(), by=None, now=NOW)
            await policies.set_channel(session, place.id, CHANNEL, ChannelRules(), by=None, now=NOW)
            await sent_messages.put(
                session,
                message_id=MESSAGE + place.guild_id - GUILD,
                channel_id=CHANNEL,
                installation_id=place.id,
                user_id=OWNER,
                client_id="mc_1",
                call_id=record.call_id,
                now=NOW,
            )
    async with database.unit_of_work() as session:
        await installations.remove(session, GUILD, NOW)
    tables = [*installations.tables_of_an_installation()]
    short = Periods(left_guild_seconds=30 * DAY_SECONDS)
    await run_jobs(database, NOW + 30 * DAY_SECONDS - 1, short)
    assert await _installations_in(database, tables) == {left.id, stays.id}
    await run_jobs(database, NOW + 30 * DAY_SECONDS, short)
    assert await _installations_in(database, tables) == {stays.id}
    assert await count(database, Call) == 1


async def _installations_in(database: Database, tables: list[Table]) -> set[str]:
    found: set[str] = set()
    async with database.read() as session:
        for table in tables:
            found |= set((await session.scalars(select(table.c.installation_id))).all())
    return found


# ----------------------------------------------------------------------- messages
async def sent(database: Database, installation: Installation, message_id: int = MESSAGE) -> CallRecord:
    record = await done(database, installation)
    async with database.unit_of_work() as session:
        await sent_messages.put(
            session,
            message_id=message_id,
            channel_id=CHANNEL,
            installation_id=installation.id,
            user_id=OWNER,
            client_id="mc_1",
            call_id=record.call_id,
            now=NOW,
        )
    return record


async def test_a_deleted_message_is_erased_from_the_calls_that_hold_its_text(database: Database) -> None:
    installation = await rows.installed(database)
    sender = await sent(database, installation)
    editor = await done(database, installation, operation="message_edit", quoted=(MessagePlace(CHANNEL, MESSAGE),))
    other = await sent(database, installation, MESSAGE + 1)
    async with database.unit_of_work() as session:
        assert await forgetting(database).messages_deleted(session, [MESSAGE], NOW) == 3
        assert await forgetting(database).messages_deleted(session, [MESSAGE], NOW) == 0
    assert await said_in(database, sender.call_id) == []
    assert await said_in(database, editor.call_id) == []
    assert await said_in(database, other.call_id) == EVERYTHING
    async with database.read() as session:
        known = await sent_messages.sent(session, [MESSAGE, MESSAGE + 1], installation_id=installation.id)
    assert known == {MESSAGE + 1}


async def test_a_plan_about_a_deleted_message_ends_and_one_under_way_is_left_alone(database: Database) -> None:
    installation = await rows.installed(database)
    quoted = (MessagePlace(CHANNEL, MESSAGE),)
    waiting = rows.call(installation, quoted=quoted)
    running = rows.call(installation, quoted=quoted, state=CallState.EXECUTING, executor="px")
    await put(database, waiting, running)
    async with database.unit_of_work() as session:
        await forgetting(database).messages_deleted(session, [MESSAGE], NOW)
    async with database.read() as session:
        found = await calls.get(session, database.keyring, waiting.call_id)
        untouched = await calls.get(session, database.keyring, running.call_id)
    assert found is not None
    assert (found.state, found.effect) == (CallState.CANCELLED, "")
    assert untouched is not None
    assert untouched.effect == running.effect
    async with database.unit_of_work() as session:
        settled = {"executor": "px", "state": CallState.DONE, "now": NOW}
        await calls.settle(session, database.keyring, running.call_id, **settled)  # pyright: ignore[reportArgumentType]
        assert await forgetting(database).messages_deleted(session, [MESSAGE], NOW) == 1
    assert await said_in(database, running.call_id) == []


async def test_a_deleted_channel_takes_its_messages_with_it(database: Database) -> None:
    installation = await rows.installed(database)
    record = await sent(database, installation)
    async with database.unit_of_work() as session:
        assert await forgetting(database).channels_deleted(session, [CHANNEL + 1], NOW) == 0
        assert await forgetting(database).channels_deleted(session, [CHANNEL], NOW) == 2
    assert await said_in(database, record.call_id) == []


async def test_an_edit_erases_the_text_of_before_and_keeps_the_one_of_now(database: Database) -> None:
    installation = await rows.installed(database)
    first = await sent(database, installation)
    edit = await done(
        database,
        installation,
        operation="message_edit",
        effect=json.dumps({"content": "said anew "}),
        created_at=NOW + 1,
        quoted=(MessagePlace(CHANNEL, MESSAGE),),
    )
    async with database.unit_of_work() as session:
        assert await forgetting(database).message_edited(session, MESSAGE, "said anew") == 1
        assert await forgetting(database).message_edited(session, MESSAGE, "said anew") == 0
    # What undoes a call stays as long as it can be undone.
    assert await said_in(database, first.call_id) == ["inverse"]
    assert await said_in(database, edit.call_id) == EVERYTHING


async def test_an_edit_that_changes_no_text_erases_nothing(database: Database) -> None:
    record = await sent(database, await rows.installed(database))
    async with database.unit_of_work() as session:
        assert await forgetting(database).message_edited(session, MESSAGE, SECRET) == 0
    assert await said_in(database, record.call_id) == EVERYTHING


async def test_messages_are_looked_for_as_long_as_their_text_is_held(database: Database) -> None:
    installation = await rows.installed(database)
    await sent(database, installation)
    async with database.read() as session:
        assert await forgetting(database).messages_held(session, GUILD) == {MessagePlace(CHANNEL, MESSAGE)}
        assert await forgetting(database).messages_held(session, GUILD + 1) == set()
    await run_jobs(database, NOW + 31 * DAY_SECONDS)
    async with database.read() as session:
        assert await forgetting(database).messages_held(session, GUILD) == set()


# ------------------------------------------------------------------------- people
async def test_somebody_who_asks_is_forgotten_and_nobody_else(database: Database) -> None:
    here, there = await rows.installed(database), await rows.installed(database, GUILD + 1)
    his, others, elsewhere = (
        await done(database, here, user_id=OTHER),
        await done(database, here, user_id=OWNER),
        await done(database, there, user_id=OTHER),
    )
    plan = rows.call(here, user_id=OTHER)
    await put(database, plan)
    person = Person(here.workspace_id, OTHER)
    async with database.unit_of_work() as session:
        await sent_messages.put(
            session,
            message_id=MESSAGE,
            channel_id=CHANNEL,
            installation_id=here.id,
            user_id=OTHER,
            client_id="mc_1",
            call_id=his.call_id,
            now=NOW,
        )
        key = idempotency.Key(here.id, OTHER, "mc_1", "x", "k")
        await idempotency.reserve(session, database.keyring, key, call_id=his.call_id, payload_mac="p", now=NOW)
        made = {"workspace_id": here.workspace_id, "name": SECRET, "scopes": ["*:read"], "now": NOW}
        mine, _ = await clients.create(session, database.keyring, user_id=OTHER, **made)  # pyright: ignore[reportArgumentType]
        theirs, _ = await clients.create(session, database.keyring, user_id=OWNER, **made)  # pyright: ignore[reportArgumentType]
    async with database.unit_of_work() as session:
        forgotten = await forgetting(database).person_forgotten(session, person, NOW)
        again = await forgetting(database).person_forgotten(session, person, NOW + 1)
    assert forgotten == {
        "plans_cancelled": 1,
        "calls_erased": 2,
        "idempotency_keys_deleted": 1,
        "messages_disowned": 1,
        "reports_erased": 0,
        "conversation_messages_deleted": 0,
        "usage_days_deleted": 0,
        "tokens_revoked": 1,
    }
    assert set(again.values()) == {0}
    for record in (his, plan):
        assert await said_in(database, record.call_id) == []
    for record in (others, elsewhere):
        assert await said_in(database, record.call_id) == EVERYTHING
    async with database.read() as session:
        known = {client.id: client for client in await clients.all(session)}
        who = {"installation_id": here.id, "client_id": "mc_1"}
        assert await sent_messages.owned(session, [MESSAGE], user_id=OTHER, **who) == frozenset()
        assert await sent_messages.owned(session, [MESSAGE], user_id=None, **who) == frozenset()
        # Still told apart from what the bot posts of itself.
        assert await sent_messages.sent(session, [MESSAGE], installation_id=here.id) == {MESSAGE}
        sent_row = await session.scalar(select(SentMessage).where(col(SentMessage.message_id) == MESSAGE))
    assert sent_row is not None
    assert sent_row.user_id is None
    assert (known[mine.id].revoked_at, known[mine.id].name) == (NOW, "")
    assert (known[theirs.id].revoked_at, known[theirs.id].name) == (None, SECRET)


async def test_what_was_under_way_is_erased_when_it_has_ended_and_what_comes_later_is_not(database: Database) -> None:
    here = await rows.installed(database)
    running = rows.call(here, user_id=OTHER, state=CallState.EXECUTING, executor="px", effect=SECRET)
    await put(database, running)
    async with database.unit_of_work() as session:
        await forgetting(database).person_forgotten(session, Person(here.workspace_id, OTHER), NOW)
        await calls.settle(
            session, database.keyring, running.call_id, executor="px", state=CallState.DONE, now=NOW + 1, result=SECRET
        )
    later = await done(database, here, user_id=OTHER, created_at=NOW + 2)
    async with database.unit_of_work() as session:
        assert await forgetting(database).forgotten_again(session, NOW + 3) == 1
        assert await forgetting(database).forgotten_again(session, NOW + 4) == 0
    assert await said_in(database, running.call_id) == []
    assert await said_in(database, later.call_id) == EVERYTHING


async def test_somebody_is_told_what_is_kept_of_him_and_no_secret(database: Database) -> None:
    here = await rows.installed(database)
    async with database.unit_of_work() as session:
        _, token = await clients.create(
            session,
            database.keyring,
            workspace_id=here.workspace_id,
            user_id=OWNER,
            name="laptop",
            scopes=["*:read"],
            now=NOW,
        )
        await taints.put(session, here.workspace_id, OWNER, [Source(GUILD, CHANNEL)], NOW)
    mine = await sent(database, here)
    await done(database, here, user_id=OTHER)
    told: dict[str, list[dict[str, object]]] = {}
    async with database.read() as session:
        async for section, thing in forgetting(database).data_of(session, Person(here.workspace_id, OWNER)):
            told.setdefault(section, []).append(thing)
    assert set(told) == {"calls", "sent_messages", "person", "memberships", "tokens", "text_read"}
    assert [call["call_id"] for call in told["calls"]] == [mine.call_id]
    assert told["calls"][0]["effect"] == {"content": SECRET}
    assert told["memberships"][0]["role"] == "owner"
    assert told["tokens"][0]["name"] == "laptop"
    assert token not in json.dumps(told)
    assert "mac" not in json.dumps(told["tokens"])


# -------------------------------------------------------------------------- cases
async def test_of_cases_a_member_gets_what_he_was_told_and_loses_what_he_reported(database: Database) -> None:
    here = await rows.installed(database)
    moderator = OWNER

    async def add(kind: CaseKind, text: str, *, about: int, by: int, notice: Notice = Notice.NONE) -> int:
        new = NewCase(here.id, kind, NOW, user_id=about, moderator_id=by, reason=text, notice=notice)
        async with database.unit_of_work() as session:
            return await cases.add(session, new)

    warned = await add(CaseKind.WARN, "told to him", about=OTHER, by=moderator, notice=Notice.SENT)
    kicked = await add(CaseKind.KICK, "between moderators", about=OTHER, by=moderator)
    noted = await add(CaseKind.NOTE, "a note about him", about=OTHER, by=moderator)
    accused = await add(CaseKind.REPORT, "somebody accused him", about=OTHER, by=moderator)
    reported = await add(CaseKind.REPORT, "he accused somebody", about=moderator, by=OTHER)
    person = Person(here.workspace_id, OTHER)
    told: dict[str, dict[object, object]] = {}
    async with database.read() as session:
        async for section, thing in forgetting(database).data_of(session, person):
            if "case" in thing:
                told.setdefault(section, {})[thing["case"]] = thing["reason"]
    assert told == {
        "cases_about_you": {warned: "told to him", kicked: None},
        "cases_you_wrote": {reported: "he accused somebody"},
    }

    exported: dict[object, object] = {}
    async with database.read() as session:
        async for section, thing in forgetting(database).data_of_guild(session, here.id, moderator):
            assert section == "cases"
            exported[thing["case"]] = thing.get("reason")
    # Who exports is the one whom the last report accuses.
    assert exported[noted] == "a note about him"
    assert exported[reported] is None

    async with database.unit_of_work() as session:
        forgotten = await forgetting(database).person_forgotten(session, person, NOW)
    assert forgotten["reports_erased"] == 1
    async with database.read() as session:
        left = {case.number: case.reason for case in await cases.page(session, cases.CaseQuery(here.id))}
    assert left == {
        warned: "told to him",
        kicked: "between moderators",
        noted: "a note about him",
        accused: "somebody accused him",
        reported: "",
    }


async def test_bans_that_have_ended_by_themselves_are_kept_for_a_month(database: Database) -> None:
    here = await rows.installed(database)
    async with database.unit_of_work() as session:
        for number, (state, settled_at) in enumerate((("ended", NOW), ("waiting", None))):
            effect = TemporaryEffect(
                id=f"te_{number}",
                installation_id=here.id,
                kind="ban",
                state=state,
                user_id=OTHER,
                call_id="cl_1",
                reason=b"",
                created_at=NOW,
                ends_at=NOW,
                settled_at=settled_at,
            )
            session.add(effect)
    await run_jobs(database, NOW + 30 * DAY_SECONDS - 1)
    assert await count(database, TemporaryEffect) == 2
    await run_jobs(database, NOW + 300 * DAY_SECONDS)
    assert await count(database, TemporaryEffect) == 1
