"""The credential of a stdio session: on whose behalf it acts, and a client of its own."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.commands.failures import CommandError
from policy.scopes import EVERYTHING_BUT_ADMIN
from storage import clients, workspaces
from storage.database import Database
from storage.snapshot import ClientKind

SESSION_SECONDS = 12 * 3600.0


@dataclass(frozen=True, slots=True)
class Acting:
    """On whose behalf a stdio session acts. ``user_id`` None and not ``operator``: the application's owner."""

    user_id: int | None
    operator: bool
    guild_ids: frozenset[int]


@asynccontextmanager
async def credential(database: Database, acting: Acting, owner_id: int | None) -> AsyncGenerator[tuple[str, str]]:
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
