"""``guildhall stdio`` where no instance runs: the whole core without HTTP, agent and automations."""

from __future__ import annotations

import asyncio

from bot.app import face_of
from bot.commands.failures import CommandError
from bot.commands.stdio_credential import Acting, credential
from bot.core import Core
from bot.installing import STARTED
from bot.serving_core import running_core
from bot.settings import Settings
from mcp_server.identities import OneCaller
from mcp_server.metrics import Metrics
from mcp_server.transports import serve_stdio
from policy.model import Caller, Face
from storage import instance
from storage.instance import Mark

FIRST_START_SECONDS = 30.0
POLL_SECONDS = 0.05


async def serve_alone(settings: Settings, acting: Acting, mark: Mark) -> None:
    async with running_core(settings, mark) as core:
        await _first_start(core)
        owner_id = None if acting.operator else acting.user_id or min(core.state.source.application_owner_ids)
        async with credential(core.database, acting, owner_id) as (client_id, _):
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
