"""``guildhall stdio``: MCP over standard input and output.

With GUILDHALL_URL and GUILDHALL_TOKEN, or when an instance runs on the same database, it is a proxy to that; alone it
is the whole core without HTTP, agent and automations.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import structlog

from bot.app import ADDRESS, face_of
from bot.commands.tokens import CommandError
from bot.core import Core, opened_database, running_core
from bot.installing import STARTED
from bot.settings import Settings
from mcp_server.identities import OneCaller
from mcp_server.metrics import Metrics
from mcp_server.transports import proxy_stdio, serve_stdio
from policy.model import Caller, Face
from policy.scopes import EVERYTHING_BUT_ADMIN
from storage import clients, instance, workspaces
from storage.database import Database
from storage.instance import Mark
from storage.snapshot import ClientKind

log = structlog.get_logger(__name__)

SESSION_SECONDS = 12 * 3600.0
PROBE_SECONDS = 2.0
FIRST_START_SECONDS = 30.0
POLL_SECONDS = 0.05
KNOWN_SECONDS = 10.0
CHANGE_FEED_SECONDS = 0.35


@dataclass(frozen=True, slots=True)
class Acting:
    """On whose behalf a stdio session acts. ``user_id`` None and not ``operator``: the application's owner."""

    user_id: int | None
    operator: bool
    guild_ids: frozenset[int]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage] - argparse names it so
    parser = commands.add_parser("stdio", help="MCP over standard input and output")
    who = parser.add_mutually_exclusive_group()
    who.add_argument(
        "--as",
        dest="user_id",
        type=int,
        metavar="USER_ID",
        help="act as this member (default: the application's owner)",
    )
    who.add_argument("--operator", action="store_true", help="nobody stands behind it: needs --guild")
    parser.add_argument("--guild", action="append", type=int, default=[], metavar="GUILD_ID", help="only these guilds")


async def run_proxy_from_environment() -> bool:
    """Becomes a proxy to GUILDHALL_URL; False when that is not set. Raises CommandError when the token is missing."""
    url, token = os.environ.get("GUILDHALL_URL"), os.environ.get("GUILDHALL_TOKEN")
    if not url:
        return False
    if not token:
        raise CommandError("GUILDHALL_TOKEN: missing beside GUILDHALL_URL; make one with `guildhall token create`.")
    await proxy_stdio(url if url.rstrip("/").endswith("/mcp") else f"{url.rstrip('/')}/mcp", token)
    return True


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
        await _serve_alone(settings, acting, mark)
        return
    async with opened_database(settings, mark) as database:
        owner_id = None if acting.operator else acting.user_id or await _owner(database)
        async with _credential(database, acting, owner_id) as (_, token):
            await _until_known(url, token)
            log.info("proxy to the running instance", url=url)
            await proxy_stdio(f"{url}/mcp", token)


async def _running_instance(settings: Settings, mark: Mark) -> str | None:
    """The address of a process that serves on this database right now."""
    async with opened_database(settings, mark) as database, database.read() as session:
        url = await instance.get(session, ADDRESS)
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


async def _serve_alone(settings: Settings, acting: Acting, mark: Mark) -> None:
    async with running_core(settings, mark) as core:
        await _first_start(core)
        owner_id = None if acting.operator else acting.user_id or min(core.state.source.application_owner_ids)
        async with _credential(core.database, acting, owner_id) as (client_id, _):
            await serve_stdio(face_of(core, OneCaller(lambda: _caller(core, client_id)), Metrics()).server)


async def _first_start(core: Core) -> None:
    """On an empty database the workspace is made as soon as Discord has named the bot's guilds. Raises CommandError."""
    try:
        async with asyncio.timeout(FIRST_START_SECONDS):
            while True:
                async with core.database.read() as session:
                    if await instance.get(session, STARTED) is not None:
                        return
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise CommandError(
            f"Discord did not name the bot's guilds within {FIRST_START_SECONDS:g} s; `guildhall doctor` looks why."
        ) from None


def _caller(core: Core, client_id: str) -> Caller:
    """The session's client with the rights of now."""
    client = core.facts.snapshot.clients.get(client_id)
    if client is None:
        raise LookupError("the session's credential is gone")
    return core.callers.of_client(client, Face.MCP)


async def _owner(database: Database) -> int:
    """The owner of the default workspace: the application's owner at the first start."""
    from policy.model import PlatformRole
    from storage import memberships

    async with database.read() as session:
        workspace_id = await workspaces.default(session)
        if workspace_id is None:
            raise CommandError("There is no workspace yet; start `guildhall run` once.")
        roles = await memberships.all_of(session, workspace_id)
    owners = [user_id for user_id, role in roles.items() if role is PlatformRole.OWNER]
    return min(owners)


@asynccontextmanager
async def _credential(database: Database, acting: Acting, owner_id: int | None) -> AsyncGenerator[tuple[str, str]]:
    """A client of this session alone: it expires, and is revoked when the session ends."""
    now = time.time()
    async with database.unit_of_work() as session:
        workspace_id = await workspaces.default(session)
        if workspace_id is None:
            raise CommandError("There is no workspace yet; start `guildhall run` once, so that it sees its guilds.")
        client, token = await clients.create(
            session,
            database.keyring,
            workspace_id=workspace_id,
            user_id=owner_id,
            name="stdio",
            scopes=EVERYTHING_BUT_ADMIN,
            toolsets=None,
            guild_ids=acting.guild_ids or None,
            read_only=False,
            direct_writes=False,
            expires_at=now + SESSION_SECONDS,
            kind=ClientKind.OPERATOR if acting.operator else ClientKind.TOKEN,
            created_by=owner_id,
            now=now,
        )
    try:
        yield client.id, token
    finally:
        async with database.unit_of_work() as session:
            await clients.revoke(session, client.id, time.time())
