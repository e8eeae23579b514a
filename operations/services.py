"""What operations may ask for besides Discord: one frozen bundle, built in the composition root."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from operations.agent_accounts import AgentSetup
from operations.file_fetch import FileFetcher
from operations.guild_state import GuildState
from operations.plans import Plans
from operations.registry import Registry
from policy.model import Caller, Explanation, PlatformRole
from policy.taint import Source
from storage.database import Database
from storage.facts import PlatformFacts
from storage.forgetting import Forgetting


class Decisions(Protocol):
    """What policy knows and would say, for operations that tell a caller about himself."""

    async def explain(self, name: str, arguments: Mapping[str, Any], caller: Caller) -> Explanation:
        """Steps 1-7 for a call, without doing it. Raises Refused when it cannot be explained."""
        ...

    async def reachable_guilds(self, caller: Caller) -> tuple[int, ...]:
        """The installed guilds that this caller's credential and person reach."""
        ...

    async def role(self, caller: Caller) -> PlatformRole | None: ...

    def taint_sources(self, caller: Caller) -> frozenset[Source]: ...

    def taint(self, caller: Caller, sources: Iterable[Source]) -> None:
        """The caller has read what others wrote in these places, by way of what Guildhall kept of it."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """``single_workspace``: whether claimed guilds join the default workspace. ``agent``: what the operator configured
    of it.
    """

    database: Database
    facts: PlatformFacts
    state: GuildState
    registry: Registry
    decisions: Decisions
    plans: Plans
    files: FileFetcher
    forgetting: Forgetting
    single_workspace: bool = True
    agent: AgentSetup = field(default_factory=AgentSetup)
