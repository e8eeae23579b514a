"""Callers from trusted context: a token's client, a member of a guild, a stored call's requester."""

from __future__ import annotations

from dataclasses import replace

from policy.model import Caller, CallerKind, Face, Installation
from policy.scopes import EVERYTHING, OWN_DATA
from policy.system import OPERATIONS, SCOPES, Deed
from storage.calls import CallRecord
from storage.facts import Client, PlatformFacts

# What somebody may do in a guild that nobody has installed yet.
CLAIMING = frozenset({"admin:claim"})
# Asking about oneself and moving one's own plans needs no scope of its own.
OWN_AFFAIRS = frozenset({"meta:read", "meta:write"})


class Callers:
    """Builds Callers; every fact in them is re-checked against the platform's facts at each call."""

    def __init__(self, facts: PlatformFacts) -> None:
        self._facts = facts

    def from_token(self, token: str, *, face: Face = Face.MCP) -> Caller | None:
        """The caller behind a bearer token, also a revoked or expired one (``active`` and ``expires_at`` say so); None
        when unknown.
        """
        client = self._facts.find_client(token)
        return None if client is None else self.of_client(client, face)

    def of_client(self, client: Client, face: Face) -> Caller:
        operator = client.kind == "operator"
        return Caller(
            kind=CallerKind.OPERATOR if operator else CallerKind.TOKEN,
            face=face,
            client_id=client.id,
            workspace_id=client.workspace_id,
            user_id=None if operator else client.user_id,
            client_name=client.name,
            scopes=client.scopes | OWN_AFFAIRS,
            toolsets=None if client.toolsets is None else client.toolsets | {"meta"},
            guild_ids=client.guild_ids,
            read_only=client.read_only,
            direct_writes=client.direct_writes,
            always_tainted=operator,
            expires_at=client.expires_at,
            # Nobody stands behind an operator: one that would never expire is none.
            active=client.revoked_at is None and not (operator and client.expires_at is None),
        )

    def of_member(self, guild_id: int, user_id: int, face: Face) -> Caller | None:
        """A member who acts inside Discord: that guild alone. None where the guild is not installed."""
        installation = self._facts.snapshot.installations.get(guild_id)
        if installation is None:
            return None
        return Caller(
            kind=CallerKind.MEMBER,
            face=face,
            client_id=f"discord:{user_id}",
            workspace_id=installation.workspace_id,
            user_id=user_id,
            scopes=EVERYTHING | OWN_AFFAIRS | {OWN_DATA},
            guild_ids=frozenset({guild_id}),
            direct_writes=True,
            always_tainted=face is Face.AGENT,
        )

    def of_claimant(self, guild_id: int, user_id: int, face: Face) -> Caller:
        """Somebody in a guild that may not be installed: he may claim that one guild, and nothing else of it or any
        other. He belongs to no workspace yet.
        """
        by_hand = face is Face.CLI
        return Caller(
            kind=CallerKind.COMMAND_LINE if by_hand else CallerKind.MEMBER,
            face=face,
            client_id=f"command_line:{user_id}" if by_hand else f"discord:{user_id}",
            workspace_id=None,
            user_id=user_id,
            scopes=CLAIMING,
            guild_ids=frozenset({guild_id}),
            direct_writes=True,
        )

    def of_system(self, installation: Installation, deed: Deed) -> Caller:
        """The system, for one reason, in one guild."""
        return Caller(
            kind=CallerKind.SYSTEM,
            face=Face.AUTOMATION,
            client_id=f"system:{deed.value}",
            workspace_id=installation.workspace_id,
            scopes=SCOPES[deed],
            guild_ids=frozenset({installation.guild_id}),
            direct_writes=True,
            deeds=OPERATIONS[deed],
        )

    def of_command_line(self, guild_id: int, user_id: int) -> Caller | None:
        """A member, as whom somebody with a shell on the host calls; with that member's rights. None where the guild
        is not installed.
        """
        member = self.of_member(guild_id, user_id, Face.CLI)
        if member is None:
            return None
        return replace(member, kind=CallerKind.COMMAND_LINE, client_id=f"command_line:{user_id}")

    def revive(self, record: CallRecord) -> Caller:
        """The requester of a stored call, with the rights that his credential has now."""
        client = self._facts.snapshot.clients.get(record.client_id)
        if client is not None:
            return self.of_client(client, record.face)
        if record.guild_id is not None and record.user_id is not None:
            person: Caller | None = None
            if record.caller_kind is CallerKind.MEMBER:
                person = self.of_member(record.guild_id, record.user_id, record.face)
            elif record.caller_kind is CallerKind.COMMAND_LINE:
                person = self.of_command_line(record.guild_id, record.user_id)
            if person is not None:
                return person
        return Caller(
            kind=record.caller_kind,
            face=record.face,
            client_id=record.client_id,
            workspace_id=record.workspace_id,
            user_id=record.user_id,
            active=False,
        )
