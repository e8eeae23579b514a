"""Who belongs where: a person's guilds and his platform role, by what Discord and the workspace say now."""

from __future__ import annotations

import asyncio

from operations.failures import DISCORD_FAILED
from operations.guild_state import GuildState, GuildVanished, GuildView
from policy.model import Caller, CallerKind, Installation, PlatformRole
from policy.rules import GuildRules, mapped_role
from storage.facts import PlatformFacts
from storage.snapshot import Snapshot

NO_RULES = GuildRules()


def explicit_role(snapshot: Snapshot, caller: Caller) -> PlatformRole | None:
    """The role that the workspace gave to this very person."""
    if caller.kind is CallerKind.OPERATOR:
        return PlatformRole.MEMBER
    if caller.user_id is None or caller.workspace_id is None:
        return None
    return snapshot.memberships.get((caller.workspace_id, caller.user_id))


def role_in_guild(
    snapshot: Snapshot, caller: Caller, installation: Installation, view: GuildView | None
) -> PlatformRole | None:
    """The role inside one guild: the explicit one, else what the guild's policy maps his roles to; whoever claimed the
    guild is an admin in it. Raises GuildVanished.
    """
    explicit = explicit_role(snapshot, caller)
    if explicit is not None or view is None:
        return explicit
    mapped = _mapped_role(snapshot, installation, view)
    if caller.user_id is not None and installation.claimed_by == caller.user_id:
        return max(mapped, PlatformRole.ADMIN)
    return mapped


def _mapped_role(snapshot: Snapshot, installation: Installation, view: GuildView) -> PlatformRole:
    rules = snapshot.guild_rules.get(installation.id, NO_RULES)
    return mapped_role(rules, (role.id for role in view.actor.roles) if rules.role_map else ())


class Membership:
    """``allowed_guild_ids`` None: no list is set."""

    def __init__(self, facts: PlatformFacts, state: GuildState, allowed_guild_ids: frozenset[int] | None) -> None:
        self._facts = facts
        self._state = state
        self._allowed = allowed_guild_ids

    def allows(self, guild_id: int) -> bool:
        """Whether ALLOWED_GUILD_IDS lets the guild be served."""
        return self._allowed is None or guild_id in self._allowed

    def explicit_role(self, caller: Caller) -> PlatformRole | None:
        """The role that the workspace gave to this very person."""
        return explicit_role(self._facts.snapshot, caller)

    def guild_role(self, caller: Caller, installation: Installation, view: GuildView | None) -> PlatformRole | None:
        """The role inside one guild. Raises GuildVanished."""
        return role_in_guild(self._facts.snapshot, caller, installation, view)

    def candidate_guilds(self, caller: Caller) -> list[int]:
        """The guilds of the caller's workspace that his credential names; membership is not asked yet."""
        if caller.workspace_id is None:
            return []
        ids = self._facts.snapshot.workspace_guilds.get(caller.workspace_id, frozenset())
        return sorted(
            guild_id
            for guild_id in ids
            if (caller.guild_ids is None or guild_id in caller.guild_ids) and self.allows(guild_id)
        )

    async def reachable_guilds(self, caller: Caller) -> tuple[int, ...]:
        """Those of them that the person is a member of now, as far as Discord could be asked."""
        return (await self.memberships_now(caller))[0]

    async def memberships_now(self, caller: Caller) -> tuple[tuple[int, ...], Exception | None]:
        """The guilds that the person is in now, and why one of the others could not be asked about."""
        candidates = self.candidate_guilds(caller)
        # All at once: one that is arriving makes a call wait for up to two seconds.
        answers = await asyncio.gather(*(self._is_member(guild_id, caller) for guild_id in candidates))
        inside = tuple(guild_id for guild_id, answer in zip(candidates, answers, strict=True) if answer is True)
        return inside, next((answer for answer in answers if isinstance(answer, Exception)), None)

    async def _is_member(self, guild_id: int, caller: Caller) -> bool | Exception:
        try:
            return await self._state.view(guild_id, caller.user_id) is not None
        except DISCORD_FAILED as error:
            return error

    async def role(self, caller: Caller) -> PlatformRole | None:
        """The role outside of any guild: the explicit one, else that of a member of any of the workspace's guilds."""
        return (await self.role_anywhere(caller))[0]

    async def role_anywhere(self, caller: Caller) -> tuple[PlatformRole | None, Exception | None]:
        """The role, and why a guild could not be asked about."""
        explicit = self.explicit_role(caller)
        if explicit is not None:
            return explicit, None
        roles: list[PlatformRole] = []
        reachable, failed = await self.memberships_now(caller)
        for guild_id in reachable:
            installation = self._facts.snapshot.installations.get(guild_id)
            try:
                view = await self._state.view(guild_id, caller.user_id)
                role = _mapped_role(self._facts.snapshot, installation, view) if installation and view else None
            except (*DISCORD_FAILED, GuildVanished):
                continue
            roles += [] if role is None else [role]
        return max(roles, default=None), failed
