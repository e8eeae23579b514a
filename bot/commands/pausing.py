"""``guildhall pause`` and ``guildhall resume``: the whole process or one guild, from the command line of the host."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from bot.commands.discord_ids import check_ids
from bot.commands.failures import CommandError
from bot.marked_database import opened_database
from bot.settings import Settings
from operations.call_ids import new_call_id
from policy.model import CallerKind, Face, Installation, Tier
from policy.pauses import LONGEST_MINUTES, PROCESS
from storage import audit, installations, pauses, plans
from storage.audit import AuditEntry
from storage.database import Database, Session
from storage.instance import Mark

CLIENT_ID = "command_line"
WHY_CANCELLED = "Guildhall was paused by whoever runs this instance."


async def run(settings: Settings, arguments: argparse.Namespace, mark: Mark) -> Sequence[str]:
    """The lines to print. Raises CommandError."""
    async with opened_database(settings, mark) as database:
        if arguments.command == "resume":
            return await _resume(database, arguments.guild)
        minutes: int | None = arguments.minutes
        if minutes is not None and not 1 <= minutes <= LONGEST_MINUTES:
            raise CommandError(
                f"--minutes: from 1 to {LONGEST_MINUTES} (30 days); without it until `guildhall resume`."
            )
        return await _pause(database, arguments.guild, minutes)


async def _pause(database: Database, guild_id: int | None, minutes: int | None) -> Sequence[str]:
    now, cancelled = time.time(), 0
    until = None if minutes is None else now + minutes * 60
    async with database.unit_of_work() as session:
        concerned = await _concerned(session, guild_id)
        if guild_id is None:
            await pauses.pause_process(session, until=until, now=now)
        for installation in concerned:
            if guild_id is not None:
                await pauses.pause_guild(session, installation.id, until=until, by=None, now=now)
            cancelled += len(
                await plans.cancel_plans_of(
                    session, installation_id=installation.id, now=now, keyring=database.keyring, why=WHY_CANCELLED
                )
            )
            await audit.append(session, _entry(installation, "pause", guild_id is None, now))
    where = "everywhere" if guild_id is None else f"in guild {guild_id}"
    how_long = "until `guildhall resume`" if minutes is None else f"for {minutes} min"
    return [
        f"Paused {where} {how_long}; a running instance follows within a second.",
        f"Plans cancelled: {cancelled}.",
    ]


async def _resume(database: Database, guild_id: int | None) -> Sequence[str]:
    now = time.time()
    async with database.unit_of_work() as session:
        concerned = await _concerned(session, guild_id)
        ended = await pauses.resume(session, PROCESS if guild_id is None else concerned[0].id)
        if ended:
            await audit.append(session, *(_entry(each, "resume", guild_id is None, now) for each in concerned))
    if not ended:
        return ["Nothing was paused."]
    return [f"Resumed {'everywhere' if guild_id is None else f'in guild {guild_id}'}."]


async def _concerned(session: Session, guild_id: int | None) -> list[Installation]:
    if guild_id is None:
        return await installations.all_active(session)
    check_ids("--guild", [guild_id])
    found = await installations.active(session, guild_id)
    if found is None:
        raise CommandError(f"--guild: {guild_id} is not installed; start `guildhall run` once, or list it.")
    return [found]


def _entry(installation: Installation, verb: str, everywhere: bool, now: float) -> AuditEntry:
    return AuditEntry(
        call_id=new_call_id(),
        entry="outcome",
        at=now,
        workspace_id=installation.workspace_id,
        installation_id=installation.id,
        guild_id=installation.guild_id,
        caller_kind=CallerKind.COMMAND_LINE,
        face=Face.CLI,
        client_id=CLIENT_ID,
        operation=f"{'process' if everywhere else 'guild'}_{verb}",
        tier=Tier.WRITE.label,
        status="done",
    )
