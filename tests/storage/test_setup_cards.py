"""Which guilds are known, and which wait for their set-up card."""

from __future__ import annotations

import asyncio

from storage import setup_cards, workspaces
from storage.database import Database
from tests.storage.rows import GUILD, NOW, OWNER


async def test_a_guild_is_remembered_once_and_told_once(database: Database) -> None:
    async with database.unit_of_work() as session:
        assert await setup_cards.joined(session, GUILD, NOW, with_card=True)
        assert not await setup_cards.joined(session, GUILD, NOW + 1, with_card=True)
        assert not await setup_cards.joined(session, GUILD, NOW + 1, with_card=False)
    async with database.read() as session:
        (due,) = await setup_cards.due(session)
        assert (due.guild_id, due.joined_at) == (GUILD, NOW)
        assert len(due.nonce) <= 25, "Discord takes no longer nonce"
    async with database.unit_of_work() as session:
        await setup_cards.settle(session, GUILD, NOW + 2, channel_id=1, message_id=2)
    async with database.read() as session:
        assert await setup_cards.due(session) == []
        assert await setup_cards.known(session) == {GUILD}


async def test_a_guild_that_was_left_is_told_anew_with_another_nonce(database: Database) -> None:
    nonces: set[str] = set()
    for _ in range(2):
        async with database.unit_of_work() as session:
            await setup_cards.joined(session, GUILD, NOW, with_card=True)
            (due,) = await setup_cards.due(session)
            nonces.add(due.nonce)
            await setup_cards.left(session, [GUILD])
    async with database.read() as session:
        assert await setup_cards.known(session) == frozenset()
    assert len(nonces) == 2


async def test_a_guild_without_a_card_waits_for_none(database: Database) -> None:
    async with database.unit_of_work() as session:
        await setup_cards.joined(session, GUILD, NOW, with_card=False)
        assert await setup_cards.due(session) == []


async def test_two_who_need_the_default_workspace_at_once_get_the_same_one(database: Database) -> None:
    async def wanted() -> str:
        async with database.unit_of_work() as session:
            return await workspaces.ensure_default(session, OWNER, NOW)

    first, second = await asyncio.gather(wanted(), wanted())
    async with database.read() as session:
        assert await workspaces.default(session) == first == second
        assert await workspaces.owned_by(session, OWNER) == first
        assert await workspaces.owned_by(session, OWNER + 1) is None
