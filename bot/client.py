"""The Discord client: one process, as many shards as Discord asks for, typed events out."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import discord
import structlog
from discord import app_commands
from discord.ext import commands
from discord.gateway import KeepAliveHandler

from bot import discord_internals
from bot.garbage import GarbagePauses
from bot.http_guard import HttpGuard
from bot.identify_pace import IdentifyPace
from bot.intents import members_to_cache, refused_intents
from bot.parser_hook import ParserHook
from bot.readiness import Readiness
from bot.settings import PORTAL
from operations.events import EventHub

log = structlog.get_logger(__name__)

RATE_LIMIT_SECONDS = 30.0
"""The longest that discord.py may sleep for one rate limit; beyond it the call fails and says when to come back."""
CLOSE_SECONDS = 5.0
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
_REFUSALS = {
    4004: f"Discord refused DISCORD_BOT_TOKEN at the gateway; make a new one at {PORTAL} → Bot → Reset Token.",
    4013: "Discord refused the gateway intents as invalid; this version of Guildhall is too old for Discord.",
}


class ConnectionRefusedByDiscord(Exception):
    """Discord will not let the bot in until somebody changes something; the text is one line that says what."""


class GuildhallClient(commands.AutoShardedBot):
    """``async with``, then ``login`` and ``connect`` (or ``login`` alone without a gateway)."""

    def __init__(self, *, hub: EventHub, guard: HttpGuard, intents: discord.Intents, garbage: GarbagePauses) -> None:
        """Raises DiscordPyMovedError when discord.py is not the version that this was written for."""
        self.guard = guard
        self.readiness = Readiness(self._is_open)
        self._garbage = garbage
        self._pace = IdentifyPace()
        self._keep_alives: dict[int, KeepAliveHandler] = {}
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=intents,
            member_cache_flags=members_to_cache(intents),
            chunk_guilds_at_startup=False,
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
            # Every command of every cog: what Guildhall does, it does in guilds.
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            http_trace=guard.trace_config(),
            max_ratelimit_timeout=RATE_LIMIT_SECONDS,
        )
        ParserHook(self, hub, self.readiness, self._on_session)

    async def login(self, token: str) -> None:
        """Raises ConnectionRefusedByDiscord for a token that Discord does not know."""
        try:
            await super().login(token)
        except discord.LoginFailure:
            raise ConnectionRefusedByDiscord(
                f"Discord refused DISCORD_BOT_TOKEN; make a new one at {PORTAL} → Bot → Reset Token."
            ) from None

    async def setup_hook(self) -> None:
        self.guard.application_id = self.application_id
        discord_internals.keep_close_codes(self)
        discord_internals.begin_sessions_that_never_were()

    async def connect(self, *, reconnect: bool = True) -> None:
        """Stay connected until ``close``. Raises ConnectionRefusedByDiscord when only a person can help."""
        limits = await self.fetch_session_start_limits()
        self._pace = IdentifyPace(limits.max_concurrency)
        if limits.remaining < limits.total // 10:
            # Discord resets the token of a bot that exceeds it, and tells its owner.
            log.warning("few sessions are left to start today", remaining=limits.remaining, total=limits.total)
        try:
            await super().connect(reconnect=reconnect)
        except discord.PrivilegedIntentsRequired:
            raise ConnectionRefusedByDiscord(refused_intents(self.intents)) from None
        except discord.ConnectionClosed as error:
            if error.code in _REFUSALS:
                raise ConnectionRefusedByDiscord(_REFUSALS[error.code]) from None
            raise

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        await self._pace.turn(shard_id or 0)

    async def on_message(self, message: discord.Message, /) -> None:
        """There are no commands in messages; cogs listen for themselves."""

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        if event_name == "shard_disconnect":
            self.readiness.shard_closed(args[0])
        super().dispatch(event_name, *args, **kwargs)

    async def close(self) -> None:
        """Close the shards and the REST session; a gateway that does not answer is not waited for."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await super().close()
        except TimeoutError:
            log.warning("Discord's gateway did not answer the close", waited_seconds=CLOSE_SECONDS)
            await self.http.close()

    def seconds_since_frame(self, shard_id: int) -> float:
        """How long ago the shard received anything, heartbeat answers included; infinite before its first session.

        A socket that is open but dead shows here: a living one receives at least one frame each heartbeat (41 s).
        """
        handler = self._keep_alives.get(shard_id)
        if handler is None:
            return float("inf")
        return max(0.0, time.perf_counter() - discord_internals.last_frame_at(handler))

    def _is_open(self, shard_id: int) -> bool:
        return discord_internals.is_socket_open(self, shard_id)

    def _on_session(self, shard_id: int, is_new: bool) -> None:
        handler = discord_internals.keep_alive(self, shard_id)
        if handler is not None:
            self._keep_alives[shard_id] = handler
        if is_new:
            self._garbage.session_started()
