from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from policy.model import OperationClass, PlatformRole, Rule
from policy.rules import ChannelRules, ClassRules, GuildRules
from storage import clients, installations, memberships, policies, tokens
from storage.clients import ClientKind
from storage.crypto import Keyring
from storage.database import Database
from storage.facts import PlatformFacts
from tests.storage import rows
from tests.storage.conftest import Eventually
from tests.storage.rows import CHANNEL, GUILD, NOW, OWNER


@asynccontextmanager
async def watching(facts: PlatformFacts) -> AsyncGenerator[None]:
    await facts.load()
    task = asyncio.create_task(facts.watch())
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def new_client(database: Database, workspace_id: str) -> tuple[clients.Client, str]:
    async with database.unit_of_work() as session:
        return await clients.create(
            session,
            database.keyring,
            workspace_id=workspace_id,
            user_id=OWNER,
            name="Claude",
            scopes=["*:read", "messages:write"],
            toolsets=["messages"],
            guild_ids=[GUILD],
            read_only=True,
            direct_writes=False,
            expires_at=NOW + 100,
            kind=ClientKind.TOKEN,
            created_by=OWNER,
            now=NOW,
        )


async def test_the_snapshot_holds_what_the_tables_hold(database: Database) -> None:
    facts = PlatformFacts(database)
    installation = await rows.installed(database)
    client, _ = await new_client(database, installation.workspace_id)
    guild = GuildRules(rules=ClassRules(destroy="confirm"), role_map={5: "manager"})
    channel = ChannelRules(rules=ClassRules(write="deny"))
    async with database.unit_of_work() as session:
        await policies.set_guild(session, installation.id, guild, by=OWNER, now=NOW)
        await policies.set_channel(session, installation.id, CHANNEL, channel, by=OWNER, now=NOW)
    snapshot = facts.snapshot
    assert snapshot.installations == {GUILD: installation}
    assert snapshot.workspace_guilds == {installation.workspace_id: {GUILD}}
    assert snapshot.guild_rules == {installation.id: guild}
    assert snapshot.channel_rules == {(installation.id, CHANNEL): channel}
    assert snapshot.memberships == {(installation.workspace_id, OWNER): PlatformRole.OWNER}
    assert snapshot.clients == {client.id: client}
    assert client.active(NOW)
    assert not client.active(NOW + 100)


async def test_a_change_of_this_process_is_there_when_its_unit_has_ended(database: Database) -> None:
    facts = PlatformFacts(database)
    told: list[int] = []
    facts.subscribe(lambda: told.append(facts.epoch))
    installation = await rows.installed(database)
    assert GUILD in facts.snapshot.installations
    async with database.unit_of_work() as session:
        await installations.remove(session, GUILD, NOW)
    assert facts.snapshot.installations == {}
    assert facts.snapshot.workspace_guilds == {}
    assert told == [1, 2]
    assert installation.active


async def test_a_load_that_finds_nothing_new_does_not_grow_the_epoch(database: Database) -> None:
    facts = PlatformFacts(database)
    await facts.load()
    epoch = facts.epoch
    await facts.load()
    assert facts.epoch == epoch


async def test_a_rolled_back_change_is_not_in_the_snapshot(database: Database) -> None:
    facts = PlatformFacts(database)
    await facts.load()

    async def fail() -> None:
        async with database.unit_of_work() as session:
            await installations.install(session, "ws_none", GUILD, NOW)
            raise ZeroDivisionError

    with pytest.raises(Exception, match=r"FOREIGN KEY|foreign key|^$"):
        await fail()
    assert facts.snapshot.installations == {}


async def test_a_change_of_another_process_arrives_within_a_second(
    database: Database, database_url: str, eventually: Eventually
) -> None:
    installation = await rows.installed(database)
    facts = PlatformFacts(database)
    async with watching(facts), Database.open(database_url, database.keyring, migrate=False) as other:
        client, token = await new_client(other, installation.workspace_id)

        async def known() -> bool:
            return facts.find_client(token) is not None

        async def revoked() -> bool:
            found = facts.find_client(token)
            return found is not None and found.revoked_at == NOW + 1

        await eventually(known)
        loop = asyncio.get_running_loop()
        async with other.unit_of_work() as session:
            assert await clients.revoke(session, client.id, NOW + 1)
        asked_at = loop.time()
        await eventually(revoked)
        assert loop.time() - asked_at < 1.5


async def test_subscribers_of_the_feed_hear_of_nouns_that_are_no_facts(
    database: Database, database_url: str, eventually: Eventually
) -> None:
    from storage.revisions import Noun, bump

    facts = PlatformFacts(database)
    heard: list[frozenset[str]] = []
    facts.feed.subscribe(heard.append)
    async with watching(facts), Database.open(database_url, database.keyring, migrate=False) as other:

        async def fresh() -> bool:
            return facts.age_seconds() < 0.2

        async def told() -> bool:
            return frozenset({"calls"}) in heard

        await eventually(fresh)
        epoch = facts.epoch
        async with other.unit_of_work() as session:
            await bump(session, Noun.CALLS)
        await eventually(told)
        assert facts.epoch == epoch


async def test_a_token_is_found_by_its_mac_under_any_key(database: Database) -> None:
    installation = await rows.installed(database)
    client, token = await new_client(database, installation.workspace_id)
    rotated = Keyring(
        ["another key for tests, to be used from now on", "a key for tests that nobody must use elsewhere"]
    )
    database.keyring = rotated
    facts = PlatformFacts(database)
    await facts.load()
    assert facts.find_client(token) == client
    assert facts.find_client(tokens.new()) is None
    assert facts.find_client("") is None


async def test_the_token_is_nowhere_in_the_database(database: Database) -> None:
    installation = await rows.installed(database)
    client, token = await new_client(database, installation.workspace_id)
    async with database.read() as session:
        row = (await session.execute(text("SELECT * FROM mcp_client"))).one()
    assert token not in str(row)
    assert client.token_mac not in repr(client)


async def test_policy_that_can_not_be_read_denies(database: Database) -> None:
    facts = PlatformFacts(database)
    installation = await rows.installed(database)
    async with database.unit_of_work() as session:
        await policies.set_guild(session, installation.id, GuildRules(), by=None, now=NOW)
        await policies.set_channel(session, installation.id, CHANNEL, ChannelRules(), by=None, now=NOW)
        await session.execute(text("UPDATE guild_policy SET rules = '{'"))
        await session.execute(text("UPDATE channel_policy SET rules = '{\"future\": 1}'"))
    for rules in (
        facts.snapshot.guild_rules[installation.id].rules,
        facts.snapshot.channel_rules[installation.id, CHANNEL].rules,
    ):
        assert [rules.of(operation_class) for operation_class in OperationClass] == [Rule.DENY] * 3


async def test_a_membership_set_or_removed_is_in_the_snapshot(database: Database) -> None:
    facts = PlatformFacts(database)
    installation = await rows.installed(database)
    async with database.unit_of_work() as session:
        await memberships.set_role(session, installation.workspace_id, 77, PlatformRole.VIEWER, NOW)
    assert facts.snapshot.memberships[installation.workspace_id, 77] is PlatformRole.VIEWER
    async with database.unit_of_work() as session:
        await memberships.remove(session, installation.workspace_id, 77, NOW)
    assert (installation.workspace_id, 77) not in facts.snapshot.memberships
