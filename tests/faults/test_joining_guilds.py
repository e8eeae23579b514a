"""A guild that joins while the instance runs, leaves, and joins again: listed ones are served, and begin anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import discord

from bot.installing import Installing
from operations.events import EventHub, GuildGone, GuildReady
from policy.rules import GuildRules
from storage import policies
from storage.database import Database
from storage.facts import PlatformFacts
from tests import databases
from tests.app import until

OWNER, LISTED, UNLISTED = 11, 21, 22


class NoGuilds:
    """A source for a bot that is in no guild yet."""

    name: Literal["gateway", "rest"] = "gateway"
    bot_user_id = 1
    application_owner_ids = frozenset({OWNER})

    def guild_ids(self) -> Iterable[int]:
        return ()

    def cached(self, guild_id: int) -> discord.Guild | None:
        return None

    async def guild(self, guild_id: int) -> discord.Guild | None:
        return None

    def guild_of_channel(self, channel_id: int) -> int | None:
        return None

    def age_seconds(self, guild_id: int) -> float:
        return 0.0

    def members_are_current(self, guild_id: int) -> bool:
        return True

    async def fetch_member(self, guild: discord.Guild, user_id: int) -> discord.Member | None:
        return None

    async def fetch_user(self, user_id: int) -> discord.User | None:
        return None

    async def complete_members(self, guild: discord.Guild) -> None:
        return None

    async def list_members(self, guild: discord.Guild, after: int, limit: int) -> list[discord.Member]:
        return []

    async def search_members(self, guild: discord.Guild, name: str) -> list[discord.Member]:
        return []

    async def fetch_webhook(self, webhook_id: int) -> discord.Webhook | None:
        return None

    async def fetch_invite(self, code: str) -> discord.Invite | None:
        return None


@asynccontextmanager
async def watched(url: str) -> AsyncGenerator[tuple[EventHub, PlatformFacts, Database]]:
    """Installations that follow the events of a hub."""
    async with Database.open(url, databases.new_keyring()) as database:
        facts, hub = PlatformFacts(database), EventHub()
        await facts.load()
        installing = Installing(
            database, facts, NoGuilds(), single_workspace=True, allowed_guild_ids=frozenset({LISTED})
        )
        await installing.start()
        with hub.subscribe() as events:
            watching = asyncio.create_task(installing.watch(events))
            try:
                yield hub, facts, database
            finally:
                watching.cancel()
                await asyncio.wait([watching])


async def test_a_listed_guild_is_installed_as_it_joins_and_another_stays_inert(tmp_path: Path) -> None:
    async with watched(f"sqlite:///{tmp_path / 'guildhall.db'}") as (hub, facts, _):
        hub.publish(GuildReady(UNLISTED))
        hub.publish(GuildReady(LISTED))
        await until(lambda: LISTED in facts.snapshot.installations, "the listed guild is installed")
        assert set(facts.snapshot.installations) == {LISTED}


async def test_a_guild_that_joins_again_begins_with_a_new_and_empty_installation(tmp_path: Path) -> None:
    async with watched(f"sqlite:///{tmp_path / 'guildhall.db'}") as (hub, facts, database):
        hub.publish(GuildReady(LISTED))
        await until(lambda: LISTED in facts.snapshot.installations, "the guild is installed")
        first = facts.snapshot.installations[LISTED]
        async with database.unit_of_work() as session:
            await policies.set_guild(session, first.id, GuildRules(), by=OWNER, now=1.0)
        assert first.id in facts.snapshot.guild_rules

        hub.publish(GuildGone(LISTED, left=False))  # an outage of Discord's ends nothing
        hub.publish(GuildGone(LISTED, left=True))
        await until(lambda: LISTED not in facts.snapshot.installations, "the installation ends")
        assert first.id not in facts.snapshot.guild_rules

        hub.publish(GuildReady(LISTED))
        await until(lambda: LISTED in facts.snapshot.installations, "the guild is installed again")
        second = facts.snapshot.installations[LISTED]
        assert second.id != first.id
        assert facts.snapshot.guild_rules == {}
