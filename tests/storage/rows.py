"""Rows that many tests of storage begin with."""

from __future__ import annotations

import itertools
from dataclasses import replace

from policy.model import CallerKind, Face, Installation, Strength, Tier
from storage import installations, workspaces
from storage.audit import AuditEntry
from storage.calls import CallRecord, CallState
from storage.database import Database

NOW = 1_800_000_000.0
OWNER = 4_000_000_000_000_000_001
GUILD = 9_000_000_000_000_000_001
CHANNEL = 9_000_000_000_000_000_002

_numbers = itertools.count(1)


async def installed(database: Database, guild_id: int = GUILD) -> Installation:
    """A new workspace with one guild."""
    async with database.unit_of_work() as session:
        workspace_id = await workspaces.create(session, "Home", OWNER, NOW)
        return await installations.install(session, workspace_id, guild_id, NOW)


def call(installation: Installation, **changes: object) -> CallRecord:
    """A pending plan with a new id."""
    record = CallRecord(
        call_id=f"cl_{next(_numbers):017d}",
        operation="member_ban",
        state=CallState.PENDING,
        tier=Tier.CRITICAL,
        installation_id=installation.id,
        workspace_id=installation.workspace_id,
        guild_id=installation.guild_id,
        client_id="mc_1",
        user_id=OWNER,
        caller_kind=CallerKind.TOKEN,
        face=Face.MCP,
        reason="raid",
        effect='{"user_id":"5"}',
        effect_version=1,
        fingerprint="f1",
        preview='{"summary":"bans one"}',
        strength=Strength.PERSON,
        created_at=NOW,
        expires_at=NOW + 600,
    )
    return replace(record, **changes)


def entry(workspace_id: str, call_id: str, **changes: object) -> AuditEntry:
    """An intent by the owner."""
    made = AuditEntry(
        call_id=call_id,
        entry="intent",
        at=NOW,
        workspace_id=workspace_id,
        guild_id=GUILD,
        caller_kind=CallerKind.TOKEN,
        face=Face.MCP,
        client_id="mc_1",
        user_id=OWNER,
        operation="member_ban",
        tier="critical",
        target_ids=(5, 6),
        status="pending",
        duration_ms=1.25,
    )
    return replace(made, **changes)
