"""The card that a guild gets when the bot joins it: once, whatever reconnects and restarts come between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import aiohttp
import discord
import structlog
from discord.ext import commands

from cogs.setup import card, places
from cogs.setup.ids import SetupIds
from cogs.setup.state import SetupStates
from operations.events import GuildGone, GuildReady, Subscription
from operations.failures import DISCORD_FAILED, refusal_of
from operations.guild_source import GuildSource
from operations.ledger import OutcomeUnknown, phase
from storage import setup_cards
from storage.database import Database
from storage.outages import DatabaseUnavailable
from storage.session import Session
from storage.setup_cards import Due

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 30.0
"""How long what could not be done is left alone."""
_NOBODY = discord.AllowedMentions.none()


class SetupPosting:
    """To be run by the active process alone. ``posts`` False: guilds are remembered, and nothing is posted."""

    def __init__(
        self,
        client: commands.AutoShardedBot,
        database: Database,
        source: GuildSource,
        states: SetupStates,
        ids: SetupIds,
        *,
        posts: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._database = database
        self._source = source
        self._states = states
        self._ids = ids
        self._posts = posts
        self._clock = clock
        self._ready = asyncio.Event()

    def begin(self) -> None:
        """The guilds of the start are known and installed: from now on they are compared with what is remembered."""
        self._ready.set()

    async def watch(self, events: Subscription) -> None:
        """Until cancelled."""
        await self._ready.wait()
        await self._patiently(self._compare)
        while True:
            await self._patiently(self._post_due)
            try:
                async with asyncio.timeout(AGAIN_SECONDS):
                    event = await events.queue.get()
            except TimeoutError:
                continue
            match event:
                case GuildReady():
                    await self._patiently(partial(self._joined, event.guild_id))
                case GuildGone(left=True):
                    await self._patiently(partial(self._left, event.guild_id))
                case _:
                    pass

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        """Does it as soon as the database answers."""
        while True:
            try:
                return await work()
            except DatabaseUnavailable:
                log.warning("set-up cards wait for the database")
                await asyncio.sleep(1.0)

    # ------------------------------------------------------------- remembering
    async def _compare(self) -> None:
        """What came and went while no process ran. A guild that is served already needs no card."""
        present = set(self._source.guild_ids())
        async with self._database.unit_of_work() as session:
            known = await setup_cards.known(session)
            await setup_cards.left(session, sorted(known - present))
            for guild_id in sorted(present - known):
                await self._remember(session, guild_id, with_card=self._states.is_inert(guild_id))

    async def _joined(self, guild_id: int) -> None:
        async with self._database.unit_of_work() as session:
            await self._remember(session, guild_id, with_card=True)

    async def _remember(self, session: Session, guild_id: int, *, with_card: bool) -> None:
        wanted = with_card and self._posts and self._states.is_claimable(guild_id)
        await setup_cards.joined(session, guild_id, self._clock(), with_card=wanted)

    async def _left(self, guild_id: int) -> None:
        async with self._database.unit_of_work() as session:
            await setup_cards.left(session, [guild_id])

    # ----------------------------------------------------------------- posting
    async def _post_due(self) -> None:
        async with self._database.read() as session:
            due = await setup_cards.due(session)
        for each in due:
            guild = self._source.cached(each.guild_id)
            if guild is None:
                continue  # it has not arrived yet, and says so when it does
            try:
                message = await self._post(guild, each)
            except DISCORD_FAILED as error:
                log.warning("a set-up card waits", guild_id=each.guild_id, reason=refusal_of(error).reason)
                continue
            if message is None:
                log.warning("nobody could be told how to set the guild up; /setup does it", guild_id=each.guild_id)
            async with self._database.unit_of_work() as session:
                await setup_cards.settle(
                    session,
                    each.guild_id,
                    self._clock(),
                    channel_id=None if message is None else message.channel.id,
                    message_id=None if message is None else message.id,
                )

    async def _post(self, guild: discord.Guild, due: Due) -> discord.Message | None:
        """In the first channel that takes it, else to the owner; None when nobody takes it. Raises what says that
        Discord could not be asked.
        """
        for channel in places.channels(guild):
            message = await self._send(channel, guild, due, in_dm=False)
            if message is not None:
                return message
        if guild.owner_id is None:
            return None
        with phase("system", due.nonce, guild_id=guild.id):
            owner = await self._client.create_dm(discord.Object(guild.owner_id))
        return await self._send(owner, guild, due, in_dm=True)

    async def _send(
        self, channel: discord.abc.Messageable, guild: discord.Guild, due: Due, *, in_dm: bool
    ) -> discord.Message | None:
        """None when it is closed to the bot. An answer that was lost is asked for again: the nonce keeps the card from
        standing there twice.
        """
        state = self._states.of(guild)
        embed, view = card.embed(state, in_dm=in_dm), card.view(state, self._ids, guild, in_dm=in_dm)
        for attempt in range(2):
            with phase("system", due.nonce, guild_id=guild.id):
                try:
                    return await channel.send(
                        embed=embed, view=view or discord.utils.MISSING, nonce=due.nonce, allowed_mentions=_NOBODY
                    )
                except (discord.Forbidden, discord.NotFound):
                    return None
                except DISCORD_FAILED as error:
                    if attempt or not isinstance(
                        error, OutcomeUnknown | discord.DiscordServerError | aiohttp.ClientError | OSError
                    ):
                        raise
        return None
