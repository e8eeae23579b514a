"""``guildhall doctor``: looks at what a start needs, a line a part, each with what to do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from email.utils import parsedate_to_datetime

import aiohttp
import discord

from bot.client import ConnectionRefusedByDiscord
from bot.commands.doctor_guilds import unclaimed
from bot.commands.finding import Finding
from bot.discord_addresses import point_discord_at
from bot.discord_internals import api_base
from bot.intents import intents_for
from bot.marked_database import KEYS_FILE
from bot.settings import PORTAL, Settings
from cogs.slash.sync import REFUSED
from storage import instance
from storage.crypto import Keyring
from storage.database import Database, DatabaseUnavailable
from storage.limits import LimitState, RateLimits

CLOCK_TOLERANCE_SECONDS = 5.0
TIMEOUT_SECONDS = 10.0


async def run(settings: Settings) -> AsyncGenerator[Finding]:
    """One finding after the other; none hides the next."""
    point_discord_at(settings.discord_api_base_url)
    for look in (_discord, _clock, _database, unclaimed, _redis, _public_url):
        async for finding in look(settings):
            yield finding


async def _discord(settings: Settings) -> AsyncGenerator[Finding]:
    token = settings.discord_bot_token
    if token is None:
        yield Finding("token", False, "DISCORD_BOT_TOKEN is not set.", f"Copy it from {PORTAL} → Bot → Reset Token.")
        return
    client = discord.Client(intents=discord.Intents.none())
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await client.login(token.get_secret_value())
        application = client.application
    except discord.LoginFailure:
        yield Finding(
            "token", False, "Discord refused DISCORD_BOT_TOKEN.", f"Make a new one at {PORTAL} → Bot → Reset Token."
        )
        return
    except (aiohttp.ClientError, OSError, TimeoutError, discord.HTTPException, ConnectionRefusedByDiscord) as error:
        yield Finding(
            "token",
            False,
            f"Discord could not be asked ({type(error).__name__}).",
            "Check the network, proxies and DISCORD_API_BASE_URL.",
        )
        return
    finally:
        await client.close()
    yield Finding("token", True, f"The bot is {client.user}.")
    if application is None:
        return
    asked, flags = intents_for(settings), application.flags
    for wanted, granted, name, setting in (
        (
            asked.members,
            flags.gateway_guild_members or flags.gateway_guild_members_limited,
            "Server Members Intent",
            "MEMBERS_INTENT",
        ),
        (
            asked.message_content,
            flags.gateway_message_content or flags.gateway_message_content_limited,
            "Message Content Intent",
            "MESSAGE_CONTENT_INTENT",
        ),
    ):
        if not settings.enable_gateway or not wanted:
            yield Finding("intents", True, f"{name} is not asked for.")
        elif granted:
            yield Finding("intents", True, f"{name} is switched on.")
        else:
            yield Finding(
                "intents",
                False,
                f"{name} is off.",
                f"Switch it on at {PORTAL} → Bot → Privileged Gateway Intents, or set {setting}=false.",
            )


async def _clock(settings: Settings) -> AsyncGenerator[Finding]:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{api_base()}/gateway") as response:
            date = response.headers.get("Date")
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        yield Finding(
            "clock", False, f"Discord's time could not be had ({type(error).__name__}).", "Check the network."
        )
        return
    if date is None:
        yield Finding("clock", True, "The server tells no time; not compared.")
        return
    off_seconds = abs(time.time() - parsedate_to_datetime(date).timestamp())
    if off_seconds <= CLOCK_TOLERANCE_SECONDS:
        yield Finding("clock", True, f"Within {CLOCK_TOLERANCE_SECONDS:.0f} s of Discord's.")
    else:
        yield Finding(
            "clock",
            False,
            f"It is {off_seconds:.0f} s off.",
            "Set the clock (NTP): expiries and timeouts depend on it.",
        )


async def _database(settings: Settings) -> AsyncGenerator[Finding]:
    keys = settings.secret_keys.get_secret_value() if settings.secret_keys else None
    try:
        keyring = await asyncio.to_thread(Keyring.load, keys, settings.data_dir / KEYS_FILE)
        async with Database.open(settings.database, keyring, migrate=False) as database:
            seconds = await database.ping()
            refused = await _refused_commands(database)
    except ValueError as error:
        yield Finding("database", False, str(error))
    except (DatabaseUnavailable, OSError) as error:
        yield Finding(
            "database",
            False,
            f"It does not answer ({type(error).__name__}).",
            "Start it, or mend DATABASE_URL; for SQLite check that DATA_DIR can be written.",
        )
    else:
        kind = "SQLite" if database.is_sqlite else "PostgreSQL"
        yield Finding("database", True, f"{kind} answers in {seconds * 1000:.1f} ms.")
        if refused:
            yield Finding(
                "commands",
                False,
                f"Discord did not take the slash commands: {refused}",
                "It is tried again every ten minutes; restart Guildhall to try at once.",
            )


async def _refused_commands(database: Database) -> str:
    """What Discord said last; empty where it took them, or was never asked."""
    async with database.read() as session:
        if not await instance.is_there(session):
            return ""
        return await instance.get(session, REFUSED) or ""


async def _redis(settings: Settings) -> AsyncGenerator[Finding]:
    if settings.redis_url is None:
        yield Finding("redis", True, "REDIS_URL is not set; limits are counted in memory.")
        return
    async with RateLimits.open(settings.redis_url.get_secret_value()) as limits:
        state = limits.state
    if state is LimitState.REDIS:
        yield Finding("redis", True, "It answers.")
    else:
        yield Finding("redis", False, "It does not answer.", "Start it, or mend REDIS_URL.")


async def _public_url(settings: Settings) -> AsyncGenerator[Finding]:
    if settings.public_url is None:
        yield Finding("public URL", True, "PUBLIC_URL is not set; clients reach it on this machine only.")
        return
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{settings.public_url}/health", allow_redirects=False) as response,
        ):
            status = response.status
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        yield Finding(
            "public URL",
            False,
            f"{settings.public_url}/health does not answer ({type(error).__name__}).",
            "Start `guildhall run`, and point the proxy or the DNS name at it.",
        )
        return
    if status == 200:
        yield Finding("public URL", True, f"{settings.public_url} reaches this instance.")
    else:
        yield Finding(
            "public URL",
            False,
            f"{settings.public_url}/health answers {status}.",
            "Point the proxy at Guildhall's port, with the Host header kept.",
        )
