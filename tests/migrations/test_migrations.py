from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect

from migrations import runner
from policy.rules import GuildRules
from storage import audit, calls, policies
from storage.audit_chain import Chain
from storage.database import Database
from storage.tables import metadata
from tests import databases
from tests.storage import rows


@pytest.fixture(params=databases.DIALECTS)
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[str]:
    async with databases.fresh_database_url(request.param, tmp_path) as fresh:
        yield fresh


async def fill(url: str) -> None:
    """Rows in tables that refer to each other, and a chained audit entry."""
    async with Database.open(url, databases.new_keyring()) as database:
        installation = await rows.installed(database)
        record = rows.call(installation)
        async with database.unit_of_work() as session:
            await calls.insert(session, database.keyring, record)
            await policies.set_guild(session, installation.id, GuildRules(), by=rows.OWNER, now=rows.NOW)
            await audit.append(session, rows.entry(installation.workspace_id, record.call_id))
        await Chain(database).catch_up()


async def on_connection(url: str, look: str) -> list[str]:
    engine = runner.engine_for(url)

    def differences(connection: Connection) -> list[str]:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return [str(difference) for difference in compare_metadata(context, metadata)]

    def tables(connection: Connection) -> list[str]:
        return inspect(connection).get_table_names()

    try:
        async with engine.connect() as connection:
            return await connection.run_sync(differences if look == "differences" else tables)
    finally:
        await engine.dispose()


async def test_the_migrated_schema_is_that_of_the_tables(url: str) -> None:
    await runner.upgrade(url)
    assert await on_connection(url, "differences") == []
    assert await runner.current(url) == runner.newest()


async def test_an_empty_database_has_no_revision(url: str) -> None:
    assert await runner.current(url) is None


async def test_up_down_up_works_with_rows_in_the_tables(url: str) -> None:
    await fill(url)
    await runner.downgrade(url, "base")
    assert await on_connection(url, "tables") == ["alembic_version"]
    await runner.upgrade(url)
    assert await on_connection(url, "differences") == []
    await fill(url)


async def test_migrating_again_keeps_the_rows(url: str) -> None:
    await fill(url)
    await runner.upgrade(url)
    async with Database.open(url, databases.new_keyring()) as database, database.read() as session:
        entries = await audit.page(session, audit.AuditQuery(workspace_id=await _workspace(database)))
    assert len(entries.calls) == 1


async def _workspace(database: Database) -> str:
    from storage.facts import PlatformFacts

    facts = PlatformFacts(database)
    await facts.load()
    return next(iter(facts.snapshot.workspace_guilds))


async def test_two_processes_that_migrate_at_once_both_succeed(url: str) -> None:
    program = "import asyncio, sys; from migrations import runner; asyncio.run(runner.upgrade(sys.argv[1]))"
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, url, stderr=asyncio.subprocess.PIPE)
        for _ in range(2)
    ]
    for process in processes:
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
    assert await on_connection(url, "differences") == []


async def test_a_wrong_url_is_told_without_its_password() -> None:
    with pytest.raises(ValueError, match="DATABASE_URL") as raised:
        await runner.upgrade("mysql://root:hunter2@localhost/db")
    assert "hunter2" not in str(raised.value)
