"""An unmodified discord.py bot that is pointed at a sandbox, and remembers what it heard."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import discord
import yarl
from discord.asset import Asset
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.sandbox_process import SandboxProcess

WAIT_SECONDS = 15.0


@contextlib.contextmanager
def discord_pointed_at(base_url: str) -> Generator[None]:
    """The three addresses that make discord.py speak with a sandbox."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, Asset.BASE
    Route.BASE = f"{base_url}/api/v10"
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(base_url.replace("http", "ws", 1) + "/gateway")
    setattr(Asset, "BASE", f"{base_url}/cdn")  # noqa: B010 - discord.py types it as its one literal address
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, Asset.BASE = before


class ListeningBot(commands.Bot):
    """`heard` holds the name and arguments of every event; `until` waits for a condition on anything."""

    def __init__(self, intents: discord.Intents, **options: Any) -> None:
        super().__init__(command_prefix="!", intents=intents, **options)
        self.heard: list[tuple[str, tuple[Any, ...]]] = []
        self._event = asyncio.Event()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Without discord.py's 5 seconds before any but the first: the sandbox limits no one who identifies."""

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        super().dispatch(event_name, *args, **kwargs)
        self.heard.append((event_name, args))
        event, self._event = self._event, asyncio.Event()
        event.set()

    def events(self, name: str) -> list[tuple[Any, ...]]:
        return [args for event, args in self.heard if event == name]

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for the condition, looked at after every event. Fails naming `what` when it never holds."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while not condition():
                    await self._event.wait()
        except TimeoutError:
            raise AssertionError(f"never: {what}; heard {[name for name, _ in self.heard][-20:]}") from None

    async def until_heard(self, event: str) -> None:
        await self.until(lambda: self.events(event), event)

    async def until_guild(self, guild_id: str) -> discord.Guild:
        """Wait for a guild to be there whole, not merely announced as unavailable."""
        found: list[discord.Guild] = []

        def arrived() -> bool:
            guild = self.get_guild(int(guild_id))
            found[:] = [guild] if guild is not None and not guild.unavailable else []
            return bool(found)

        await self.until(arrived, f"guild {guild_id}")
        return found[0]


@contextlib.asynccontextmanager
async def connected_bot(
    sandbox: SandboxProcess, *, intents: discord.Intents | None = None, **options: Any
) -> AsyncGenerator[ListeningBot]:
    """A bot that has identified; its guilds may still be on their way."""
    with discord_pointed_at(sandbox.base_url):
        bot = ListeningBot(intents or discord.Intents.all(), **options)
        running = asyncio.create_task(bot.start(sandbox.bot_token))
        try:
            await bot.until_heard("connect")
            yield bot
        finally:
            await bot.close()
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


def text_channel(guild: discord.Guild, name: str) -> discord.TextChannel:
    channel = discord.utils.get(guild.text_channels, name=name)
    assert channel is not None
    return channel
