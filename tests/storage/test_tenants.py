"""Workspaces, memberships, installations, clients."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from policy.model import Installation, PlatformRole
from policy.rules import ChannelRules, GuildRules
from storage import calls, clients, idempotency, installations, memberships, plans, policies, workspaces
from storage.calls import CallState
from storage.clients import ClientKind
from storage.database import Database
from storage.installations import GuildTaken
from storage.memberships import LastOwner
from storage.tables import Call, GuildPolicy, IdempotencyRecord
from tests.storage import rows
from tests.storage.rows import CHANNEL, GUILD, NOW, OWNER

OTHER = OWNER + 1


async def test_a_new_workspace_has_its_owner(database: Database) -> None:
    async with database.unit_of_work() as session:
        workspace_id = await workspaces.create(session, "Home", OWNER, NOW)
        assert await workspaces.default(session) is None
        await workspaces.set_default(session, workspace_id)
    async with database.read() as session:
        assert await workspaces.default(session) == workspace_id
        assert await memberships.all_of(session, workspace_id) == {OWNER: PlatformRole.OWNER}
        found = await workspaces.get(session, workspace_id)
    assert found is not None
    assert found.name == "Home"
    assert workspace_id.startswith("ws_")


async def test_the_last_owner_can_neither_leave_nor_step_down(database: Database) -> None:
    workspace_id = (await rows.installed(database)).workspace_id
    async with database.unit_of_work() as session:
        with pytest.raises(LastOwner):
            await memberships.remove(session, workspace_id, OWNER, NOW)
        with pytest.raises(LastOwner):
            await memberships.set_role(session, workspace_id, OWNER, PlatformRole.ADMIN, NOW)


async def test_two_owners_who_leave_at_once_leave_one(database: Database) -> None:
    workspace_id = (await rows.installed(database)).workspace_id
    async with database.unit_of_work() as session:
        await memberships.set_role(session, workspace_id, OTHER, PlatformRole.OWNER, NOW)

    async def leave(user_id: int) -> None:
        async with database.unit_of_work() as session:
            await memberships.remove(session, workspace_id, user_id, NOW)

    results = await asyncio.gather(leave(OWNER), leave(OTHER), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["LastOwner", "NoneType"]


async def test_a_removal_revokes_clients_and_cancels_plans_there_and_nowhere_else(database: Database) -> None:
    here, there = await rows.installed(database), await rows.installed(database, GUILD + 1)
    kept: list[str] = []
    ended: list[str] = []
    async with database.unit_of_work() as session:
        for place in (here, there):
            await memberships.set_role(session, place.workspace_id, OTHER, PlatformRole.MEMBER, NOW)
            for user_id in (OWNER, OTHER):
                client, _ = await clients.create(
                    session,
                    database.keyring,
                    workspace_id=place.workspace_id,
                    user_id=user_id,
                    name="x",
                    scopes=["*:read"],
                    now=NOW,
                )
                record = rows.call(place, user_id=user_id, client_id=client.id)
                await calls.insert(session, database.keyring, record)
                affected = place is here and user_id == OTHER
                (ended if affected else kept).extend([client.id, record.call_id])
    async with database.unit_of_work() as session:
        removal = await memberships.remove(session, here.workspace_id, OTHER, NOW)
        assert await memberships.remove(session, here.workspace_id, OTHER, NOW) is None
    assert removal is not None
    assert [*removal.client_ids, *removal.call_ids] == ended
    async with database.read() as session:
        revoked = {client.id for client in await clients.all(session) if client.revoked_at is not None}
        states = {
            call_id: found.state
            for call_id in kept + ended
            if (found := await calls.get(session, database.keyring, call_id))
        }
    assert revoked == {ended[0]}
    assert [call_id for call_id, state in states.items() if state is CallState.CANCELLED] == [ended[1]]


async def test_a_client_is_revoked_once(database: Database) -> None:
    workspace_id = (await rows.installed(database)).workspace_id
    async with database.unit_of_work() as session:
        client, token = await clients.create(
            session, database.keyring, workspace_id=workspace_id, user_id=OWNER, name="x", scopes=["*:read"], now=NOW
        )
        assert await clients.revoke(session, client.id, NOW + 1)
        assert not await clients.revoke(session, client.id, NOW + 2)
    async with database.read() as session:
        found = await clients.all(session, workspace_id)
        assert await clients.all(session, "ws_other") == []
    assert [(one.id, one.revoked_at) for one in found] == [(client.id, NOW + 1)]
    assert token.startswith("ghd_")


async def test_an_operator_must_expire_and_others_need_a_person(database: Database) -> None:
    workspace_id = (await rows.installed(database)).workspace_id

    async def create(kind: ClientKind, user_id: int | None, expires_at: float | None) -> None:
        async with database.unit_of_work() as session:
            await clients.create(
                session,
                database.keyring,
                workspace_id=workspace_id,
                user_id=user_id,
                name="x",
                scopes=[],
                kind=kind,
                expires_at=expires_at,
                now=NOW,
            )

    with pytest.raises(ValueError, match="expire"):
        await create(ClientKind.OPERATOR, None, None)
    with pytest.raises(ValueError, match="person"):
        await create(ClientKind.TOKEN, None, NOW + 1)
    await create(ClientKind.OPERATOR, None, NOW + 1)


async def test_a_guild_is_installed_once_at_a_time(database: Database) -> None:
    first = await rows.installed(database)
    with pytest.raises(GuildTaken):
        await rows.installed(database)
    async with database.unit_of_work() as session:
        removed = await installations.remove(session, GUILD, NOW)
        assert await installations.remove(session, GUILD, NOW) is None
    assert removed is not None
    assert removed.installation == Installation(first.id, first.workspace_id, GUILD, active=False)
    second = await rows.installed(database)
    assert second.id != first.id
    async with database.read() as session:
        assert await installations.active(session, GUILD) == second


async def test_of_many_who_claim_a_guild_at_once_one_gets_it(database: Database) -> None:
    results = await asyncio.gather(*(rows.installed(database) for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(result, Installation) for result in results) == 1
    assert sum(isinstance(result, GuildTaken) for result in results) == 5


async def test_a_new_installation_of_a_guild_starts_empty(database: Database) -> None:
    old = await rows.installed(database)
    record = rows.call(old)
    async with database.unit_of_work() as session:
        await calls.insert(session, database.keyring, record)
        await policies.set_guild(session, old.id, GuildRules(record_reads=True), by=None, now=NOW)
        await policies.set_channel(session, old.id, CHANNEL, ChannelRules(), by=None, now=NOW)
        removed = await installations.remove(session, GUILD, NOW)
    assert removed is not None
    assert removed.call_ids == (record.call_id,)
    new = await rows.installed(database)
    async with database.read() as session:
        assert await policies.guild(session, new.id) == GuildRules()
        assert await policies.channels(session, new.id) == {}
        assert await plans.waiting(session, database.keyring, installation_id=new.id) == []


async def test_a_purge_deletes_what_ended_long_ago(database: Database) -> None:
    old = await rows.installed(database)
    key = idempotency.Key(old.id, OWNER, "mc_1", "x", "k")
    async with database.unit_of_work() as session:
        await calls.insert(session, database.keyring, rows.call(old))
        await policies.set_guild(session, old.id, GuildRules(), by=None, now=NOW)
        await idempotency.reserve(session, database.keyring, key, call_id="c", payload_mac="p", now=NOW)
        await installations.remove(session, GUILD, NOW)
    new = await rows.installed(database)
    async with database.unit_of_work() as session:
        assert await installations.purge(session, database.keyring, NOW - 1) == 0
        assert await installations.purge(session, database.keyring, NOW) == 1
    async with database.read() as session:
        for table in (Call, GuildPolicy, IdempotencyRecord):
            assert await session.scalar(select(func.count()).select_from(table)) == 0
        assert await installations.active(session, GUILD) == new


async def test_rules_of_a_channel_can_be_taken_away(database: Database) -> None:
    installation = await rows.installed(database)
    async with database.unit_of_work() as session:
        await policies.set_channel(session, installation.id, CHANNEL, ChannelRules(), by=OWNER, now=NOW)
        assert set(await policies.channels(session, installation.id)) == {CHANNEL}
        await policies.set_channel(session, installation.id, CHANNEL, None, by=OWNER, now=NOW)
        assert await policies.channels(session, installation.id) == {}
