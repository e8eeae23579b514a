"""Which of the bot's guilds nobody has claimed, and how that is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import aiohttp
import discord

from bot.client import ConnectionRefusedByDiscord
from bot.commands.finding import Finding
from bot.installing import STARTED
from bot.marked_database import KEYS_FILE
from bot.settings import Settings
from operations.sanitise import inline
from storage import installations, instance
from storage.crypto import Keyring
from storage.database import Database, DatabaseUnavailable

TIMEOUT_SECONDS = 10.0
MOST_NAMED = 5


async def unclaimed(settings: Settings) -> AsyncGenerator[Finding]:
    """Nothing where token or database do not answer: other lines say so."""
    joined = await _joined(settings)
    served = await _served(settings)
    if joined is None or served is None:
        return
    has_started, served_ids = served
    if not has_started and settings.single_workspace and not settings.allowed_guild_ids:
        yield Finding("guilds", True, f"The bot is in {len(joined)}; the first `guildhall run` serves them all.")
        return
    allowed = settings.allowed_guild_ids
    waiting = [guild for guild in joined if guild.id not in served_ids and (not allowed or guild.id in allowed)]
    unlisted = sum(1 for guild in joined if allowed and guild.id not in allowed)
    if allowed:
        # Listed ones are served from the next start on, or from the moment in which they join.
        yield Finding("guilds", True, f"{len(joined) - unlisted} listed of {len(joined)}; others are not served.")
    elif not waiting:
        yield Finding("guilds", True, f"All {len(joined)} are claimed.")
    else:
        yield Finding("guilds", True, f"Nobody has claimed {_named(waiting)}.", _how(settings, waiting[0].id))


def _how(settings: Settings, guild_id: int) -> str:
    command = f"`guildhall guild claim --guild {guild_id} --as MEMBER_ID`"
    who = "a member with Manage Server"
    if not settings.enable_gateway:
        return f"Without a gateway there is no set-up card: run {command}, as {who}."
    return f"There, {who} runs /setup; or run {command}."


def _named(guilds: Sequence[discord.Guild]) -> str:
    shown = ", ".join(f"{guild.id} ({inline(guild.name, 40)})" for guild in guilds[:MOST_NAMED])
    return shown if len(guilds) <= MOST_NAMED else f"{shown} and {len(guilds) - MOST_NAMED} more"


async def _joined(settings: Settings) -> list[discord.Guild] | None:
    if settings.discord_bot_token is None:
        return None
    client = discord.Client(intents=discord.Intents.none())
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await client.login(settings.discord_bot_token.get_secret_value())
            return [guild async for guild in client.fetch_guilds(limit=None, with_counts=False)]
    except (aiohttp.ClientError, OSError, discord.HTTPException, discord.LoginFailure, ConnectionRefusedByDiscord):
        return None
    finally:
        await client.close()


async def _served(settings: Settings) -> tuple[bool, frozenset[int]] | None:
    """Whether an instance has ever started, and which guilds are installed."""
    keys = settings.secret_keys.get_secret_value() if settings.secret_keys else None
    try:
        keyring = await asyncio.to_thread(Keyring.load, keys, settings.data_dir / KEYS_FILE)
        async with Database.open(settings.database, keyring, migrate=False) as database, database.read() as session:
            return await instance.get(session, STARTED) is not None, await installations.active_guild_ids(session)
    except (ValueError, DatabaseUnavailable, OSError):
        return None
