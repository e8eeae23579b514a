"""MCP clients: grants in a workspace, by token."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlmodel import col

from storage import row_ids, tokens, users
from storage.crypto import Keyring
from storage.database import Session
from storage.revisions import Noun, bump
from storage.snapshot import Client, ClientKind
from storage.tables import MCPClient


async def create(
    session: Session,
    keyring: Keyring,
    *,
    workspace_id: str,
    user_id: int | None,
    name: str,
    scopes: Iterable[str],
    now: float,
    toolsets: Iterable[str] | None = None,
    guild_ids: Iterable[int] | None = None,
    read_only: bool = False,
    direct_writes: bool = False,
    expires_at: float | None = None,
    kind: ClientKind = ClientKind.TOKEN,
    created_by: int | None = None,
) -> tuple[Client, str]:
    """A new client and its token, which is stored nowhere: this is the one time to show it.

    Raises ValueError for a client without a person that isn't an operator that expires.
    """
    if kind is ClientKind.OPERATOR and expires_at is None:
        raise ValueError("An operator's token must expire. Say when.")
    if kind is not ClientKind.OPERATOR and user_id is None:
        raise ValueError("A token needs the person that it acts for. Name a member, or make an operator's token.")
    for person in (user_id, created_by):
        if person is not None:
            await users.ensure(session, person, now=now)
    token = tokens.new()
    row = MCPClient(
        id=row_ids.new("mc"),
        workspace_id=workspace_id,
        user_id=user_id,
        name=name,
        kind=kind.value,
        token_mac=keyring.mac(tokens.MAC_PURPOSE, token, length=tokens.MAC_LENGTH),
        scopes=sorted(scopes),
        toolsets=None if toolsets is None else sorted(toolsets),
        guild_ids=None if guild_ids is None else sorted(guild_ids),
        read_only=read_only,
        direct_writes=direct_writes,
        created_at=now,
        created_by=created_by,
        expires_at=expires_at,
    )
    session.add(row)
    await session.flush()
    await bump(session, Noun.CLIENTS)
    return _client(row), token


async def renew(
    session: Session, keyring: Keyring, client_id: str, *, user_id: int, now: float
) -> tuple[Client, str] | None:
    """Another token for a living client of this person, shown once like the first, which ends. None where there is no
    such client.
    """
    token = tokens.new()
    statement = (
        update(MCPClient)
        .where(
            col(MCPClient.id) == client_id,
            col(MCPClient.user_id) == user_id,
            col(MCPClient.revoked_at).is_(None),
            or_(col(MCPClient.expires_at).is_(None), col(MCPClient.expires_at) > now),
        )
        .values(token_mac=keyring.mac(tokens.MAC_PURPOSE, token, length=tokens.MAC_LENGTH))
        .returning(MCPClient)
        .execution_options(synchronize_session=False)
    )
    row = await session.scalar(statement)
    if row is None:
        return None
    await bump(session, Noun.CLIENTS)
    return _client(row), token


async def all(session: Session, workspace_id: str | None = None) -> list[Client]:  # noqa: A001
    """The clients of a workspace, or of all; oldest first, revoked and expired ones too."""
    wanted = select(MCPClient).order_by(col(MCPClient.created_at), col(MCPClient.id))
    if workspace_id is not None:
        wanted = wanted.where(col(MCPClient.workspace_id) == workspace_id)
    return [_client(row) for row in await session.scalars(wanted)]


async def revoke(session: Session, client_id: str, now: float) -> bool:
    """Whether there was an unrevoked one."""
    return bool(await _revoke(session, now, col(MCPClient.id) == client_id))


async def revoke_all_of(session: Session, *, user_id: int, workspace_id: str, now: float) -> list[str]:
    """Revokes what a person holds in a workspace; the ids of what was revoked."""
    return await _revoke(session, now, col(MCPClient.user_id) == user_id, col(MCPClient.workspace_id) == workspace_id)


async def forget_person(
    session: Session, *, user_id: int, workspace_id: str, created_until: float, now: float
) -> list[str]:
    """Revokes what a person held in a workspace and takes its names away; the ids of what was revoked."""
    his = (
        col(MCPClient.user_id) == user_id,
        col(MCPClient.workspace_id) == workspace_id,
        col(MCPClient.created_at) <= created_until,
    )
    revoked = await _revoke(session, now, *his)
    await session.execute(update(MCPClient).where(*his).values(name="").execution_options(synchronize_session=False))
    return revoked


async def erase_ended(session: Session, keyring: Keyring, before: float) -> int:
    """Deletes clients that were revoked or have expired by then; how many."""
    ended = (col(MCPClient.revoked_at) <= before) | (col(MCPClient.expires_at) <= before)
    gone = await session.scalars(
        delete(MCPClient).where(ended).returning(col(MCPClient.id)).execution_options(synchronize_session=False)
    )
    count = len(gone.all())
    if count:
        await bump(session, Noun.CLIENTS)
    return count


async def _revoke(session: Session, now: float, *conditions: ColumnElement[bool]) -> list[str]:
    statement = (
        update(MCPClient)
        .where(col(MCPClient.revoked_at).is_(None), *conditions)
        .values(revoked_at=now)
        .returning(col(MCPClient.id))
        .execution_options(synchronize_session=False)
    )
    revoked = list((await session.scalars(statement)).all())
    if revoked:
        await bump(session, Noun.CLIENTS)
    return revoked


def _client(row: MCPClient) -> Client:
    return Client(
        id=row.id,
        workspace_id=row.workspace_id,
        user_id=row.user_id,
        name=row.name,
        kind=ClientKind(row.kind),
        token_mac=row.token_mac,
        scopes=frozenset(row.scopes),
        toolsets=None if row.toolsets is None else frozenset(row.toolsets),
        guild_ids=None if row.guild_ids is None else frozenset(row.guild_ids),
        read_only=row.read_only,
        direct_writes=row.direct_writes,
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
