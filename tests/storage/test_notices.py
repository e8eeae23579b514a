"""How far a log was told, and what comes next, in the order of the chain."""

from __future__ import annotations

from dataclasses import replace

from policy.model import Installation
from storage import audit, audit_chain, notices
from storage.audit import AuditEntry
from storage.database import Database
from storage.notices import Position
from tests.storage import rows
from tests.storage.rows import GUILD, NOW


def entry(installation: Installation, call_id: str, at: float = NOW) -> AuditEntry:
    return rows.entry(
        installation.workspace_id, call_id, at=at, installation_id=installation.id, guild_id=installation.guild_id
    )


async def entered(database: Database, installation: Installation, *call_ids: str, at: float = NOW) -> None:
    async with database.unit_of_work() as session:
        for call_id in call_ids:
            await audit.append(session, entry(installation, call_id, at=at))
    await audit_chain.Chain(database).catch_up()


async def test_a_log_begins_when_it_was_set_and_goes_on_from_there(database: Database) -> None:
    here = await rows.installed(database)
    await entered(database, here, "cl_early", at=NOW - 10)
    await entered(database, here, "cl_1", "cl_2", "cl_3")
    async with database.unit_of_work() as session:
        begun = await notices.begin(session, here, NOW)
        assert begun == Position(here.id, 1)
        assert await notices.begin(session, here, NOW + 100) == begun
    async with database.read() as session:
        found, looked_to = await notices.entries_after(session, here, begun.seq, upto=None, limit=2)
        assert ([each.call_id for each in found], looked_to) == (["cl_1", "cl_2"], 3)
        found, looked_to = await notices.entries_after(session, here, looked_to, upto=None, limit=2)
        assert ([each.call_id for each in found], looked_to) == (["cl_3"], 4)
        found, looked_to = await notices.entries_after(session, here, begun.seq, upto=2, limit=9)
        assert ([each.call_id for each in found], looked_to) == (["cl_1"], 2)


async def test_what_is_on_its_way_is_remembered_until_it_was_told(database: Database) -> None:
    here = await rows.installed(database)
    async with database.unit_of_work() as session:
        begun = await notices.begin(session, here, NOW)
        underway = replace(begun, sending_to=7, sending_at=NOW, channel_id=5, nonce="lg_1")
        await notices.sending(session, underway)
    async with database.read() as session:
        assert await notices.positions(session) == {here.id: underway}
    async with database.unit_of_work() as session:
        assert await notices.told(session, here.id, 7) == Position(here.id, 7)
    async with database.read() as session:
        assert await notices.positions(session) == {here.id: Position(here.id, 7)}


async def test_other_guilds_and_what_is_not_chained_yet_are_not_read(database: Database) -> None:
    here, there = await rows.installed(database), await rows.installed(database, GUILD + 1)
    await entered(database, there, "cl_there")
    await entered(database, here, "cl_here")
    async with database.unit_of_work() as session:
        await audit.append(session, entry(here, "cl_later"))
    async with database.read() as session:
        found, looked_to = await notices.entries_after(session, here, 0, upto=None, limit=9)
        assert [each.call_id for each in found] == ["cl_here"]
        assert looked_to == (await notices.heads(session))[here.workspace_id] == 1
