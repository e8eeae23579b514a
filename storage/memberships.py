"""Explicit memberships: the roles that people hold in workspaces."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import col

from policy.model import PlatformRole
from storage import clients, plans, users
from storage.database import Session
from storage.revisions import Noun, bump
from storage.tables import Workspace, WorkspaceMembership
from storage.upserts import insert_into


class LastOwner(Exception):
    """A workspace always keeps an owner."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What ended with a membership."""

    client_ids: tuple[str, ...]
    call_ids: tuple[str, ...]


async def get(session: Session, workspace_id: str, user_id: int) -> PlatformRole | None:
    row = await session.get(WorkspaceMembership, (workspace_id, user_id))
    return None if row is None else PlatformRole(row.role)


async def all_of(session: Session, workspace_id: str) -> dict[int, PlatformRole]:
    """The explicit members of a workspace, by user id."""
    rows = await session.scalars(
        select(WorkspaceMembership).where(col(WorkspaceMembership.workspace_id) == workspace_id)
    )
    return {row.user_id: PlatformRole(row.role) for row in rows}


async def set_role(session: Session, workspace_id: str, user_id: int, role: PlatformRole, now: float) -> None:
    """Raises LastOwner when this would leave the workspace without an owner."""
    if role is not PlatformRole.OWNER:
        await _keep_an_owner(session, workspace_id, user_id)
    await users.ensure(session, user_id, now=now)
    statement = insert_into(session, WorkspaceMembership).values(
        workspace_id=workspace_id, user_id=user_id, role=int(role), created_at=now
    )
    await session.execute(
        statement.on_conflict_do_update(index_elements=["workspace_id", "user_id"], set_={"role": int(role)})
    )
    await bump(session, Noun.MEMBERSHIPS)


async def remove(session: Session, workspace_id: str, user_id: int, now: float) -> Removal | None:
    """Ends a membership, and in the same transaction what hangs on it: the person's clients and open plans there.

    None when there was no explicit membership. Raises LastOwner.
    """
    await _keep_an_owner(session, workspace_id, user_id)
    row = await session.get(WorkspaceMembership, (workspace_id, user_id))
    if row is None:
        return None
    await session.delete(row)
    await session.flush()
    revoked = await clients.revoke_all_of(session, user_id=user_id, workspace_id=workspace_id, now=now)
    cancelled = await plans.cancel_plans_of(session, user_id=user_id, workspace_id=workspace_id, now=now)
    await bump(session, Noun.MEMBERSHIPS)
    return Removal(tuple(revoked), tuple(cancelled))


async def depart(session: Session, workspace_id: str, user_id: int, now: float) -> Removal:
    """Ends what hangs on a person who belonged to the workspace by its guilds alone, and is in none any more."""
    revoked = await clients.revoke_all_of(session, user_id=user_id, workspace_id=workspace_id, now=now)
    cancelled = await plans.cancel_plans_of(session, user_id=user_id, workspace_id=workspace_id, now=now)
    return Removal(tuple(revoked), tuple(cancelled))


async def _keep_an_owner(session: Session, workspace_id: str, user_id: int) -> None:
    # The lock lets two owners who leave at once leave one after the other.
    await session.execute(select(col(Workspace.id)).where(col(Workspace.id) == workspace_id).with_for_update())
    if await get(session, workspace_id, user_id) is not PlatformRole.OWNER:
        return
    owners = await session.scalar(
        select(func.count())
        .select_from(WorkspaceMembership)
        .where(
            col(WorkspaceMembership.workspace_id) == workspace_id,
            col(WorkspaceMembership.role) == int(PlatformRole.OWNER),
        )
    )
    if owners == 1:
        raise LastOwner("This is the workspace's last owner. Make another member an owner first.")
