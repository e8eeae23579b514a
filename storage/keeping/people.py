"""Who belongs to a workspace, what acts for him, and what he has read."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from sqlalchemy import select, update
from sqlmodel import col

from policy.model import PlatformRole
from storage import clients, erasure_requests, taints
from storage.crypto import Keyring
from storage.keeping.base import DAY_SECONDS, Keeper, Kept, Periods, Person, Told
from storage.paging import newest_first
from storage.session import Session
from storage.tables import MCPClient, TaintMark, User, WorkspaceMembership


class PeopleKeeper(Keeper):
    tables = ("user", "workspace_membership", "mcp_client", "taint_mark", "erasure_request")

    def kept(self, periods: Periods) -> tuple[Kept, ...]:
        return (
            Kept(
                what="Roles in the workspace, by user id",
                until="until the role is taken away or the workspace ends",
            ),
            Kept(
                what="Tokens: name, scopes and a keyed hash, never the token itself",
                seconds=periods.audit_seconds,
                since="after it was revoked or has expired",
                erase=clients.erase_ended,
            ),
            Kept(
                what="In which channels somebody has read text of others, by ids",
                seconds=taints.TAINT_SECONDS,
                since="after reading",
                erase=taints.erase_older,
            ),
            Kept(
                what="That somebody asked to be forgotten",
                seconds=DAY_SECONDS,
                since="after that",
                erase=erasure_requests.erase_older,
            ),
        )

    async def person_forgotten(
        self, session: Session, keyring: Keyring, person: Person, asked_at: float, now: float
    ) -> dict[str, int]:
        """His role stays, since it may bind as well as lift him; so do the marks of what he has read, which bind what
        acts for him for an hour.
        """
        revoked = await clients.forget_person(
            session, user_id=person.user_id, workspace_id=person.workspace_id, created_until=asked_at, now=now
        )
        await session.execute(
            update(User)
            .where(col(User.user_id) == person.user_id, col(User.name) != "")
            .values(name="")
            .execution_options(synchronize_session=False)
        )
        return {"tokens_revoked": len(revoked)}

    async def data_of(self, session: Session, keyring: Keyring, person: Person) -> AsyncGenerator[Told]:
        user = await session.get(User, person.user_id)
        if user is not None:
            yield "person", {"user_id": str(user.user_id), "name": user.name or None, "known_since": user.created_at}
        membership = await session.get(WorkspaceMembership, (person.workspace_id, person.user_id))
        if membership is not None:
            role = PlatformRole(membership.role).label
            yield (
                "memberships",
                {"workspace_id": person.workspace_id, "role": role, "created_at": membership.created_at},
            )
        held = select(MCPClient).where(
            col(MCPClient.user_id) == person.user_id, col(MCPClient.workspace_id) == person.workspace_id
        )
        async for client in newest_first(session, held, MCPClient.created_at, MCPClient.id):
            yield (
                "tokens",
                {
                    "client_id": client.id,
                    "name": client.name or None,
                    "kind": client.kind,
                    "scopes": client.scopes,
                    "toolsets": client.toolsets,
                    "guild_ids": None if client.guild_ids is None else [str(each) for each in client.guild_ids],
                    "read_only": client.read_only,
                    "direct_writes": client.direct_writes,
                    "created_at": client.created_at,
                    "expires_at": client.expires_at,
                    "revoked_at": client.revoked_at,
                },
            )
        read = select(TaintMark).where(
            col(TaintMark.user_id) == person.user_id, col(TaintMark.workspace_id) == person.workspace_id
        )
        keys = (TaintMark.expires_at, TaintMark.guild_id, TaintMark.channel_id, TaintMark.gate, TaintMark.client_id)
        async for mark in newest_first(session, read, *keys):
            yield (
                "text_read",
                {
                    "guild_id": str(mark.guild_id),
                    "channel_id": str(mark.channel_id) if mark.channel_id else None,
                    "ends_at": mark.expires_at,
                },
            )
