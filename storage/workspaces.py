"""Workspaces: the tenants."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlmodel import col

from policy.model import PlatformRole
from storage import instance, memberships, row_ids
from storage.database import Session
from storage.revisions import Noun, bump
from storage.tables import Workspace, WorkspaceMembership

DEFAULT = "default_workspace_id"
DEFAULT_NAME = "Default"


async def create(session: Session, name: str, owner_user_id: int, now: float) -> str:
    """The id of a new workspace with this owner."""
    workspace_id = row_ids.new("ws")
    session.add(Workspace(id=workspace_id, name=name, created_at=now))
    await session.flush()
    await memberships.set_role(session, workspace_id, owner_user_id, PlatformRole.OWNER, now)
    await bump(session, Noun.WORKSPACES)
    return workspace_id


async def get(session: Session, workspace_id: str) -> Workspace | None:
    return await session.get(Workspace, workspace_id)


async def default(session: Session) -> str | None:
    """The id of the workspace that newly claimed guilds join; None before the first start."""
    return await instance.get(session, DEFAULT)


async def ensure_default(session: Session, owner_user_id: int, now: float) -> str:
    """The same; made, with this owner, where there is none yet."""
    found = await default(session)
    if found is not None:
        return found
    made = await create(session, DEFAULT_NAME, owner_user_id, now)
    held = await instance.put_new(session, DEFAULT, made)
    if held != made:
        # Another process was quicker.
        await session.execute(delete(Workspace).where(col(Workspace.id) == made))
    return held


async def owned_by(session: Session, user_id: int) -> str | None:
    """The oldest workspace that this person owns."""
    found: str | None = await session.scalar(
        select(col(WorkspaceMembership.workspace_id))
        .where(col(WorkspaceMembership.user_id) == user_id, col(WorkspaceMembership.role) == int(PlatformRole.OWNER))
        .order_by(col(WorkspaceMembership.created_at), col(WorkspaceMembership.workspace_id))
        .limit(1)
    )
    return found


async def set_default(session: Session, workspace_id: str) -> None:
    await instance.put(session, DEFAULT, workspace_id)
    await bump(session, Noun.WORKSPACES)
