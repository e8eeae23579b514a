"""Pauses as they are kept, and as every process knows them."""

from __future__ import annotations

from policy.model import Caller, CallerKind, Face, Installation, Pause, PauseCause, PauseScope
from storage import installations, pauses
from storage.database import Database
from storage.facts import PlatformFacts
from tests.storage import rows
from tests.storage.rows import GUILD, NOW, OWNER


def caller(installation: Installation, client_id: str = "mc_1", face: Face = Face.MCP) -> Caller:
    return Caller(CallerKind.TOKEN, face, client_id, installation.workspace_id, OWNER)


async def test_each_pause_holds_whom_it_names_until_it_runs_out_or_is_ended(database: Database) -> None:
    here, there = await rows.installed(database), await rows.installed(database, GUILD + 1)
    facts = PlatformFacts(database)
    await facts.load()
    asking = caller(here)
    assert facts.snapshot.pause_of(here, asking, NOW) is None

    async with database.unit_of_work() as session:
        await pauses.pause_caller(
            session, here.id, "mc_1", user_id=OWNER, cause=PauseCause.REFUSALS, until=NOW + 60, now=NOW
        )
    own = Pause(PauseScope.CALLER, NOW + 60, PauseCause.REFUSALS)
    assert facts.snapshot.pause_of(here, asking, NOW) == own
    assert facts.snapshot.pause_of(here, asking, NOW + 60) is None
    assert facts.snapshot.pause_of(here, caller(here, "mc_2"), NOW) is None
    assert facts.snapshot.pause_of(here, caller(here, face=Face.AGENT), NOW) is None
    assert facts.snapshot.pause_of(there, asking, NOW) is None

    async with database.unit_of_work() as session:
        await pauses.pause_guild(session, here.id, until=None, by=OWNER, now=NOW)
    assert facts.snapshot.pause_of(here, asking, NOW) == Pause(PauseScope.GUILD)
    assert facts.snapshot.pause_of(there, asking, NOW) is None
    async with database.unit_of_work() as session:
        await pauses.pause_process(session, until=NOW + 5, now=NOW)
    assert facts.snapshot.pause_of(there, None, NOW) == Pause(PauseScope.PROCESS, NOW + 5)

    async with database.read() as session:
        assert [each.caller_key for each in await pauses.of_guild(session, here.id, NOW)] == [None, "mc_1"]
        assert await pauses.of_process(session, NOW + 5) is None
    async with database.unit_of_work() as session:
        assert await pauses.resume(session, here.id, "nothing") == [here.id]
        assert await pauses.resume(session, here.id) == []
    assert facts.snapshot.pause_of(here, asking, NOW + 5) == own


async def test_another_pause_of_the_same_guild_takes_the_place_of_the_first(database: Database) -> None:
    here = await rows.installed(database)
    async with database.unit_of_work() as session:
        await pauses.pause_guild(session, here.id, until=NOW + 60, by=1, now=NOW)
        await pauses.pause_guild(session, here.id, until=None, by=2, now=NOW + 1)
    async with database.read() as session:
        (paused,) = await pauses.of_guild(session, here.id, NOW + 90)
    assert (paused.until, paused.began_by, paused.began_at) == (None, 2, NOW + 1)


async def test_what_has_run_out_or_was_left_is_forgotten(database: Database) -> None:
    here, there = await rows.installed(database), await rows.installed(database, GUILD + 1)
    async with database.unit_of_work() as session:
        await pauses.pause_guild(session, here.id, until=NOW + 60, by=None, now=NOW)
        await pauses.pause_guild(session, there.id, until=None, by=None, now=NOW)
        await pauses.pause_process(session, until=None, now=NOW)
        await installations.remove(session, there.guild_id, NOW)
    async with database.unit_of_work() as session:
        await pauses.erase_ended(session, database.keyring, NOW + 60)
        assert await pauses.by_scope(session) == {"": Pause(PauseScope.PROCESS)}
