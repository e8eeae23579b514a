"""``guildhall token create|list|revoke``: client tokens, from the command line of the host."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Sequence

from bot.commands.discord_ids import check_ids
from bot.commands.failures import CommandError
from bot.marked_database import opened_database
from bot.settings import Settings
from policy.scopes import parse
from storage import clients, workspaces
from storage.clients import Client
from storage.database import Database, Session
from storage.instance import Mark
from storage.snapshot import ClientKind

DURATION = re.compile(r"^(\d+)([hdw])$")
SECONDS = {"h": 3600, "d": 86_400, "w": 604_800}
OPERATOR_DEFAULT_SECONDS = 8 * 3600.0
LONGEST_SECONDS = 520 * SECONDS["w"]


async def run(settings: Settings, arguments: argparse.Namespace, mark: Mark) -> Sequence[str]:
    """The lines to print. Raises CommandError."""
    async with opened_database(settings, mark) as database:
        match arguments.action:
            case "create":
                return await _create(database, arguments)
            case "revoke":
                return await _revoke(database, arguments.client_id)
            case _:
                return await _list(database, everything=arguments.all)


async def _create(database: Database, arguments: argparse.Namespace) -> Sequence[str]:
    now = time.time()
    try:
        scopes = parse(arguments.scope or ["read"])
    except ValueError as error:
        raise CommandError(f"--scope: {error}") from None
    expires_at = _expiry(arguments.expires, now)
    check_ids("--as", [] if arguments.user_id is None else [arguments.user_id])
    check_ids("--guild", arguments.guild)
    _check_toolsets(arguments.toolset)
    guild_ids = frozenset[int](arguments.guild) or None
    lines: list[str] = []
    if arguments.operator:
        if guild_ids is None:
            raise CommandError("--operator: name the guilds that it may act in with --guild GUILD_ID.")
        expires_at = expires_at or now + OPERATOR_DEFAULT_SECONDS
        lines.append(
            "Warning: no person stands behind an operator token. It acts with the bot's own permissions in the listed "
            "guilds, everything risky it asks for waits for a person, and the audit says so."
        )
    async with database.unit_of_work() as session:
        workspace_id = await _workspace(session, arguments.workspace, guild_ids)
        client, token = await clients.create(
            session,
            database.keyring,
            workspace_id=workspace_id,
            user_id=None if arguments.operator else arguments.user_id,
            name=arguments.name,
            scopes=scopes,
            toolsets=frozenset(arguments.toolset) or None,
            guild_ids=guild_ids,
            read_only=arguments.read_only,
            direct_writes=arguments.direct,
            expires_at=expires_at,
            kind=ClientKind.OPERATOR if arguments.operator else ClientKind.TOKEN,
            created_by=arguments.user_id,
            now=now,
        )
    lines += [f"{_line(client, now)}", f"Token (shown once): {token}"]
    return lines


async def _workspace(session: Session, named: str | None, guild_ids: frozenset[int] | None) -> str:
    from storage import installations

    if named is not None:
        if await workspaces.get(session, named) is None:
            raise CommandError(f"--workspace: there is no workspace {named}.")
        return named
    found: set[str] = set()
    for guild_id in guild_ids or ():
        installation = await installations.active(session, guild_id)
        if installation is None:
            raise CommandError(f"--guild: {guild_id} is not installed; start `guildhall run` once, or list it.")
        found.add(installation.workspace_id)
    if len(found) > 1:
        raise CommandError("--guild: these guilds belong to different workspaces; make a token for each.")
    if found:
        return found.pop()
    default = await workspaces.default(session)
    if default is None:
        raise CommandError("There is no workspace yet; start `guildhall run` once, so that it sees its guilds.")
    return default


async def _list(database: Database, *, everything: bool) -> Sequence[str]:
    now = time.time()
    async with database.read() as session:
        found = await clients.all(session)
    shown = [client for client in found if everything or client.active(now)]
    return [_line(client, now) for client in shown] or [
        "There are no tokens. Create one with `guildhall token create`."
    ]


async def _revoke(database: Database, client_id: str) -> Sequence[str]:
    async with database.unit_of_work() as session:
        revoked = await clients.revoke(session, client_id, time.time())
    if not revoked:
        raise CommandError(f"There is no active token {client_id}; `guildhall token list` shows them.")
    return [f"Revoked {client_id}. A running instance refuses it within a second."]


def _expiry(text: str | None, now: float) -> float | None:
    if text is None:
        return None
    matched = DURATION.match(text)
    if matched is None:
        raise CommandError(f"--expires: '{text}' is not a duration; write for example 8h, 30d or 12w.")
    seconds = int(matched[1]) * SECONDS[matched[2]]
    if not 0 < seconds <= LONGEST_SECONDS:
        raise CommandError(f"--expires: '{text}' is not between 1h and {LONGEST_SECONDS // SECONDS['w']}w.")
    return now + seconds


def _check_toolsets(given: Sequence[str]) -> None:
    """A misspelt toolset would be a token that can do less than it says."""
    if not given:
        return
    from bot.catalogue import CATALOGUE
    from operations.registry import Registry

    known = Registry(CATALOGUE).toolsets
    for toolset in given:
        if toolset not in known:
            raise CommandError(f"--toolset: there is no toolset '{toolset}'; there are {', '.join(known)}.")


def _line(client: Client, now: float) -> str:
    who = "operator" if client.kind is ClientKind.OPERATOR else f"as {client.user_id}"
    state = "active" if client.active(now) else "revoked" if client.revoked_at is not None else "expired"
    until = (
        "" if client.expires_at is None else time.strftime(", until %Y-%m-%d %H:%M UTC", time.gmtime(client.expires_at))
    )
    limits = "".join(
        (
            ", read-only" if client.read_only else "",
            ", direct writes" if client.direct_writes else "",
            f", guilds {' '.join(map(str, sorted(client.guild_ids)))}" if client.guild_ids is not None else "",
            f", toolsets {' '.join(sorted(client.toolsets))}" if client.toolsets is not None else "",
        )
    )
    scopes = " ".join(sorted(client.scopes))
    return f"{client.id}  {client.name}  {who}  {client.workspace_id}  [{scopes}]{limits}{until}  {state}"
