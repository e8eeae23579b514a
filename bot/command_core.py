"""The core for one command of the command line: over REST, beside whatever runs on the same database."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import discord

from bot.client import ConnectionRefusedByDiscord, GuildhallClient
from bot.commands.failures import CommandError
from bot.core import Core, built
from bot.discord_addresses import point_discord_at
from bot.edge_ban import EdgeBan
from bot.garbage import GarbagePauses
from bot.guild_sources import RestSource
from bot.http_guard import HttpGuard
from bot.intents import intents_for
from bot.marked_database import opened_database
from bot.request_budget import RequestBudget
from bot.settings import Settings
from operations.events import EventHub
from operations.file_fetch import FileFetcher
from operations.guild_state import GuildState
from storage.facts import PlatformFacts
from storage.instance import Mark
from storage.leases import ProcessLease
from storage.limits import RateLimits

LOGIN_SECONDS = 10.0
DRAIN_SECONDS = 5.0


@asynccontextmanager
async def command_core(settings: Settings, mark: Mark) -> AsyncGenerator[Core]:
    """It never becomes the active process: what is one transaction is written, whatever else is refused. It does
    nothing by itself. Raises CommandError when Discord does not answer.
    """
    if settings.discord_bot_token is None:
        raise CommandError("DISCORD_BOT_TOKEN is not set; Discord is asked what a member may do.")
    point_discord_at(settings.discord_api_base_url)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(opened_database(settings, mark))
        facts = PlatformFacts(database)
        await facts.load()
        limits = await stack.enter_async_context(RateLimits.open(None))
        process_id = f"px_{secrets.token_hex(8)}"
        hub = EventHub()
        garbage = await stack.enter_async_context(GarbagePauses(hub))
        guard = HttpGuard(edge_ban=EdgeBan(), budget=RequestBudget())
        client = GuildhallClient(hub=hub, guard=guard, intents=intents_for(settings), garbage=garbage)
        await stack.enter_async_context(client)
        try:
            async with asyncio.timeout(LOGIN_SECONDS):
                await client.login(settings.discord_bot_token.get_secret_value())
                source = await stack.enter_async_context(RestSource(client))
        except (aiohttp.ClientError, OSError, discord.HTTPException, ConnectionRefusedByDiscord) as error:
            raise CommandError(
                f"Discord could not be asked ({type(error).__name__}), so that nothing was changed; "
                "`guildhall doctor` says more."
            ) from None
        garbage.settle()
        files = await stack.enter_async_context(FileFetcher.open())
        lease = ProcessLease(database, process_id)
        core, _, _ = built(settings, database, facts, limits, lease, client, GuildState(source), hub, files, process_id)
        stack.push_async_callback(core.executor.drain, DRAIN_SECONDS)
        yield core
        core.failed.cancel()
