"""``guildhall stdio``: MCP over standard input and output.

With GUILDHALL_URL and GUILDHALL_TOKEN, or when an instance runs on the same database, it is a proxy to that; alone it
is the whole core without HTTP, agent and automations.
"""

from __future__ import annotations

import argparse
import asyncio

import aiohttp
import structlog

from bot.commands.failures import CommandError
from bot.commands.stdio_credential import Acting, credential
from bot.marked_database import opened_database
from bot.settings import Settings
from mcp_server.transports import proxy_stdio
from policy.model import PlatformRole
from storage import instance, memberships, workspaces
from storage.database import Database
from storage.instance import Mark

log = structlog.get_logger(__name__)

PROBE_SECONDS = 2.0
KNOWN_SECONDS = 10.0
CHANGE_FEED_SECONDS = 0.35


async def run(settings: Settings, arguments: argparse.Namespace, mark: Mark) -> None:
    """Proxies to a running instance on the same database, else serves alone. Raises CommandError."""
    acting = Acting(arguments.user_id, arguments.operator, frozenset(arguments.guild))
    if acting.operator and not acting.guild_ids:
        raise CommandError("--operator: name the guilds that it may act in with --guild GUILD_ID.")
    if acting.operator:
        log.warning(
            "nobody stands behind this session: it acts as the bot itself, and everything risky waits for a person"
        )
    url = await _running_instance(settings, mark)
    if url is None:
        # All of the product, which a proxy has no use for.
        from bot.commands.stdio_alone import serve_alone

        await serve_alone(settings, acting, mark)
        return
    async with opened_database(settings, mark) as database:
        owner_id = None if acting.operator else acting.user_id or await _owner(database)
        async with credential(database, acting, owner_id) as (_, token):
            await _until_known(url, token)
            log.info("proxy to the running instance", url=url)
            await proxy_stdio(f"{url}/mcp", token)


async def _running_instance(settings: Settings, mark: Mark) -> str | None:
    """The address of a process that serves on this database right now."""
    async with opened_database(settings, mark) as database, database.read() as session:
        url = await instance.get(session, instance.ADDRESS)
    if url is None:
        return None
    timeout = aiohttp.ClientTimeout(total=PROBE_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{url}/health") as response:
            return url if response.status == 200 else None
    except (aiohttp.ClientError, OSError, TimeoutError):
        return None


async def _until_known(url: str, token: str) -> None:
    """The running instance hears of a new credential by its change feed, a moment later. Raises CommandError."""
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with asyncio.timeout(KNOWN_SECONDS), aiohttp.ClientSession(headers=headers) as session:
            while True:
                # First the pause: each try that comes too soon is a refused credential in the instance's log.
                await asyncio.sleep(CHANGE_FEED_SECONDS)
                async with session.get(f"{url}/mcp") as response:
                    if response.status != 401:
                        return
    except (aiohttp.ClientError, OSError, TimeoutError):
        raise CommandError(
            f"The running instance at {url} does not take a new credential; look at {url}/ready."
        ) from None


async def _owner(database: Database) -> int:
    """The owner of the default workspace: the application's owner at the first start."""
    async with database.read() as session:
        workspace_id = await workspaces.default(session)
        if workspace_id is None:
            raise CommandError("There is no workspace yet; start `guildhall run` once.")
        roles = await memberships.all_of(session, workspace_id)
    owners = [user_id for user_id, role in roles.items() if role is PlatformRole.OWNER]
    return min(owners)
