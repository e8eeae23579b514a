"""Tells each guild's log channel what was done, refused and decided there: every entry once, none left out.

It follows the chain of the audit, so it tells committed entries alone. What a message is about is written down before
it is sent, so that after a crash the very same is sent again, with the nonce by which Discord knows it.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus

import aiohttp
import discord
import structlog

from cogs.log_embeds import buttons_of, embeds_of, summary_of
from cogs.log_ids import LogIds
from cogs.log_news import Batch, Known, batch_of, news_of
from cogs.log_places import Naming, problem_of
from operations.failures import DISCORD_FAILED, refusal_of
from operations.guild_source import GuildStarting
from operations.guild_state import GuildState, GuildView
from operations.ledger import OutcomeUnknown, Priority, SendRefused, phase
from operations.registry import Registry
from operations.transport_errors import unwrap
from policy.model import Installation
from storage import audit, notices
from storage.crypto import Unreadable
from storage.database import Database, DatabaseUnavailable
from storage.facts import PlatformFacts
from storage.notices import Position

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
GATHER_SECONDS = 0.25
"""What belongs together comes together: a call's entries are some milliseconds apart."""
PACE_SECONDS = 2.0
"""Between two messages in one guild: what comes meanwhile shares the next."""
AGAIN_SECONDS = 15.0
"""Before a channel that could not be told is tried again."""
NONCE_SECONDS = 60.0
"""Discord knows a nonce for some minutes; what was begun longer ago is looked for in the channel first."""
LOOKED_THROUGH = 100
SCANNED = 500
REMEMBERED_EVERY = 200
_NOBODY = discord.AllowedMentions.none()


@dataclass(frozen=True, slots=True)
class LogState:
    """``problem``: why the log channel is not told of anything now, with what to do; None while it is."""

    channel_id: int | None
    problem: str | None = None


class LogChannels:
    """Runs beside the active process. A guild whose Discord is slow keeps no other one waiting.

    ``ids`` None: without a gateway nobody can press a button, so that there are none.
    """

    def __init__(
        self,
        *,
        client: discord.Client,
        database: Database,
        facts: PlatformFacts,
        state: GuildState,
        registry: Registry,
        ids: LogIds | None,
        is_active: Callable[[], bool],
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._database = database
        self._facts = facts
        self._state = state
        self._registry = registry
        self._ids = ids
        self._is_active = is_active
        self._clock = clock
        self._monotonic = monotonic
        self._wake = asyncio.Event()
        self._telling: dict[str, asyncio.Task[None]] = {}
        self._looked_to: dict[str, int] = {}
        self._problems: dict[str, tuple[int, str]] = {}
        self._again_at: dict[str, float] = {}

    # ------------------------------------------------------------------- state
    def wake(self) -> None:
        """Says that there may be news, or that a channel may be open again."""
        self._wake.set()

    def state(self, guild_id: int) -> LogState:
        installation = self._facts.snapshot.installations.get(guild_id)
        channel_id = None if installation is None else self._channel_of(installation)
        if installation is None or channel_id is None:
            return LogState(None)
        known = self._problems.get(installation.id)
        return LogState(channel_id, None if known is None or known[0] != channel_id else known[1])

    def looked_to(self, installation_id: str) -> int:
        """Up to which place of its workspace's chain a guild was told, or had nothing to be told; 0 at first."""
        return self._looked_to.get(installation_id, 0)

    async def concern(self, guild_id: int) -> str | None:
        """For /status: what is wrong with the log channel of a guild."""
        view = self._state.view_at_once(guild_id, None)
        known = self.state(guild_id)
        if known.channel_id is None:
            return None
        return (None if view is None else problem_of(view, known.channel_id)) or known.problem

    def _channel_of(self, installation: Installation) -> int | None:
        rules = self._facts.snapshot.guild_rules.get(installation.id)
        return None if rules is None else rules.log_channel_id

    # --------------------------------------------------------------------- run
    async def run(self) -> None:
        """Until cancelled; survives outages."""
        try:
            while True:
                self._wake.clear()
                if self._is_active():
                    try:
                        await self.once()
                    except DatabaseUnavailable:
                        log.warning("log channels wait for the database")
                    except Exception:
                        log.exception("looking for news failed")
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._wake.wait()
                        await asyncio.sleep(GATHER_SECONDS)
                except TimeoutError:
                    continue
        finally:
            for task in self._telling.values():
                task.cancel()
            await asyncio.gather(*self._telling.values(), return_exceptions=True)

    async def once(self) -> None:
        """Begins to tell each guild what is new there. Raises DatabaseUnavailable."""
        snapshot = self._facts.snapshot
        wanted = [
            (installation, channel_id)
            for installation in snapshot.installations.values()
            if (channel_id := self._channel_of(installation)) is not None
        ]
        if not wanted:
            return
        async with self._database.read() as session:
            heads, positions = await notices.heads(session), await notices.positions(session)
        for installation, channel_id in wanted:
            if installation.id in self._telling or self._monotonic() < self._again_at.get(installation.id, 0.0):
                continue
            position = positions.get(installation.id)
            if position is None:
                position = await self._begun(installation)
            looked_to = max(position.seq, self._looked_to.get(installation.id, 0))
            if position.sending_to is None and heads.get(installation.workspace_id, 0) <= looked_to:
                continue
            task = asyncio.create_task(self._tell(installation, channel_id, position))
            self._telling[installation.id] = task
            task.add_done_callback(lambda _, installation_id=installation.id: self._telling.pop(installation_id))

    async def _begun(self, installation: Installation) -> Position:
        """From the moment on at which the log channel was set."""
        async with self._database.unit_of_work() as session:
            since = await notices.policy_set_at(session, installation.id)
            return await notices.begin(session, installation, self._clock() if since is None else since)

    # ------------------------------------------------------------------- telling
    async def _tell(self, installation: Installation, channel_id: int, position: Position) -> None:
        """One message, if there is something to tell, and then the pause before the next."""
        try:
            view = await self._state.view(installation.guild_id, None)
            if view is None:
                return
            problem = problem_of(view, channel_id)
            if problem is not None:
                self._lost(installation, channel_id, problem, 0.0)
            elif await self._message(installation, channel_id, position, view):
                self._problems.pop(installation.id, None)
                await asyncio.sleep(PACE_SECONDS)
                # More may wait by now.
                asyncio.get_running_loop().call_soon(self.wake)
        except GuildStarting:
            # The next round asks again.
            return
        except DatabaseUnavailable:
            log.warning("a log channel waits for the database", installation_id=installation.id)
        except DISCORD_FAILED as error:
            refusal = refusal_of(error)
            seconds = refusal.retry_after_seconds or AGAIN_SECONDS
            self._lost(installation, channel_id, f"Discord did not take the last entry: {refusal.reason}", seconds)
        except Exception:
            log.exception("a log channel could not be told", installation_id=installation.id)
            self._again_at[installation.id] = self._monotonic() + AGAIN_SECONDS

    def _lost(self, installation: Installation, channel_id: int, problem: str, seconds: float) -> None:
        if self._problems.get(installation.id) != (channel_id, problem):
            log.warning("a log channel is not told", guild_id=installation.guild_id, problem=problem)
        self._problems[installation.id] = (channel_id, problem)
        if seconds:
            self._again_at[installation.id] = self._monotonic() + seconds
            asyncio.get_running_loop().call_later(seconds, self.wake)

    async def _message(self, installation: Installation, channel_id: int, position: Position, view: GuildView) -> bool:
        """Whether a message was sent, or was found to stand there."""
        batch, looked_to = await self._next(installation, position)
        if batch is None:
            self._looked_to[installation.id] = looked_to
            if looked_to - position.seq >= REMEMBERED_EVERY or position.sending_to is not None:
                await self._remember(installation, looked_to)
            return False
        embeds = embeds_of(batch, Naming(view, channel_id), self._client_name)
        is_there = False
        if position.sending_to is None:
            position = await self._announced(position, batch.to, channel_id)
        elif self._clock() - (position.sending_at or 0.0) > NONCE_SECONDS:
            is_there = await self._stands(installation, position, embeds)
        if not is_there:
            await self._send(installation, channel_id, position, batch, embeds)
        await self._remember(installation, batch.to)
        return True

    async def _next(self, installation: Installation, position: Position) -> tuple[Batch | None, int]:
        """What to tell next, and how far was looked. Of a message that is on its way: exactly that one."""
        workspace_id, begun = installation.workspace_id, position.sending_to is not None
        after = position.seq if begun else max(position.seq, self._looked_to.get(installation.id, 0))
        async with self._database.read() as session:
            entries, looked_to = await notices.entries_after(
                session, installation, after, upto=position.sending_to, limit=SCANNED
            )
            call_ids = list({entry.call_id for entry in entries})
            calls = await audit.of_calls(session, workspace_id, call_ids)
            try:
                records = await notices.calls_of(session, self._database.keyring, call_ids)
            except Unreadable:
                # Sealed with a key that is gone: the ids in the audit are told.
                records = {}
        news = news_of(entries, calls, records, self._catalogue)
        return batch_of(news, looked_to, all_of_it=begun), looked_to

    def _catalogue(self, name: str) -> Known:
        operation = self._registry.get(name)
        if operation is None:
            return Known(name.replace("_", " ").capitalize() or "A call")
        return Known(operation.title, operation.scope, operation.kind)

    def _client_name(self, client_id: str) -> str:
        client = self._facts.snapshot.clients.get(client_id)
        return "" if client is None else client.name

    async def _announced(self, position: Position, to: int, channel_id: int) -> Position:
        begun = replace(
            position,
            sending_to=to,
            sending_at=self._clock(),
            channel_id=channel_id,
            nonce=f"lg_{secrets.token_hex(8)}",
        )
        async with self._database.unit_of_work() as session:
            await notices.sending(session, begun)
        return begun

    async def _remember(self, installation: Installation, seq: int) -> None:
        async with self._database.unit_of_work() as session:
            await notices.told(session, installation.id, seq)
        self._looked_to[installation.id] = seq

    # --------------------------------------------------------------------- Discord
    async def _send(
        self,
        installation: Installation,
        channel_id: int,
        position: Position,
        batch: Batch,
        embeds: Sequence[discord.Embed],
    ) -> None:
        """What Discord takes no embeds of is told in numbers: nothing stands in the way of what comes after it."""
        # discord.py tells "no view" apart from one that is None.
        buttons = discord.utils.MISSING if self._ids is None else buttons_of(batch, self._ids, installation.guild_id)
        try:
            await self._sent(installation, channel_id, position, embeds, buttons)
        except discord.HTTPException as error:
            if error.status != HTTPStatus.BAD_REQUEST:
                raise
            log.exception("Discord took no embeds of a log", guild_id=installation.guild_id)
            told = (*batch.shown, *batch.summed_up)
            in_numbers = [summary_of(told, f"{len(told)} that could not be shown")]
            await self._sent(installation, channel_id, position, in_numbers, discord.utils.MISSING)

    async def _sent(
        self,
        installation: Installation,
        channel_id: int,
        position: Position,
        embeds: Sequence[discord.Embed],
        buttons: discord.ui.View,
    ) -> None:
        """An answer that was lost is asked for again: the nonce keeps it from standing there twice."""
        for attempt in range(2):
            with phase("system", position.nonce or "", guild_id=installation.guild_id, priority=Priority.NOTICE):
                try:
                    channel = self._client.get_partial_messageable(channel_id, guild_id=installation.guild_id)
                    await channel.send(
                        embeds=embeds,
                        view=buttons,
                        nonce=position.nonce or "",
                        allowed_mentions=_NOBODY,
                        silent=True,
                    )
                except DISCORD_FAILED as error:
                    if attempt or not _is_lost(error):
                        raise
                else:
                    return

    async def _stands(self, installation: Installation, position: Position, embeds: Sequence[discord.Embed]) -> bool:
        """Whether a message that was begun before a crash stands in its channel: Discord may have forgotten its nonce.
        Where the bot may not look, it is sent again rather than lost.
        """
        channel = self._client.get_partial_messageable(position.channel_id or 0, guild_id=installation.guild_id)
        since = discord.Object(discord.utils.time_snowflake(_moment(position.sending_at or 0.0), high=False))
        mine = [(embed.footer.text, embed.title) for embed in embeds]
        bot_id = self._client.user.id if self._client.user is not None else 0
        try:
            with phase("read", position.nonce or "", guild_id=installation.guild_id, priority=Priority.NOTICE):
                async for message in channel.history(limit=LOOKED_THROUGH, after=since):
                    shown = [(embed.footer.text, embed.title) for embed in message.embeds]
                    if message.author.id == bot_id and shown == mine:
                        return True
        except (discord.Forbidden, discord.NotFound):
            return False
        return False


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(max(seconds - 5.0, 0.0), UTC)


def _is_lost(error: Exception) -> bool:
    """Whether Discord may have done it without saying so."""
    if isinstance(unwrap(error), SendRefused):
        return False
    return isinstance(error, OutcomeUnknown | discord.DiscordServerError | aiohttp.ClientError | OSError)
