"""Workspaces: the tenants."""

from __future__ import annotations

from policy.model import PlatformRole
from storage import instance, memberships, row_ids
from storage.database import Session
from storage.revisions import Noun, bump
from storage.tables import Workspace

DEFAULT = "default_workspace_id"


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


async def set_default(session: Session, workspace_id: str) -> None:
    await instance.put(session, DEFAULT, workspace_id)
    await bump(session, Noun.WORKSPACES)
