"""Policy facts as one frozen picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from policy.model import Caller, Installation, Pause, PlatformRole
from policy.pauses import PROCESS, in_force, scope_of_caller
from policy.rules import ChannelRules, GuildRules
from storage.channel_locks import Lock


class ClientKind(StrEnum):
    TOKEN = "token"  # noqa: S105 - the word, not a secret
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Client:
    """A grant in a workspace (a row of MCPClient). Times are seconds since the epoch.

    ``user_id`` None: no person stands behind it. ``toolsets`` and ``guild_ids`` None: all.
    """

    id: str
    workspace_id: str
    user_id: int | None
    name: str
    kind: ClientKind
    token_mac: str = field(repr=False)
    scopes: frozenset[str]
    toolsets: frozenset[str] | None
    guild_ids: frozenset[int] | None
    read_only: bool
    direct_writes: bool
    created_at: float
    created_by: int | None
    expires_at: float | None
    revoked_at: float | None

    def active(self, now: float) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The facts of policy at one revision. Installations are the active ones, memberships the explicit ones.

    ``pauses``: by scope (see policy.pauses), some of which may have run out.
    ``chat_channels``: by installation, the channels in which the agent answers.
    """

    revision: int = 0
    installations: Mapping[int, Installation] = field(default_factory=dict[int, Installation])
    workspace_guilds: Mapping[str, frozenset[int]] = field(default_factory=dict[str, frozenset[int]])
    guild_rules: Mapping[str, GuildRules] = field(default_factory=dict[str, GuildRules])
    channel_rules: Mapping[tuple[str, int], ChannelRules] = field(default_factory=dict[tuple[str, int], ChannelRules])
    memberships: Mapping[tuple[str, int], PlatformRole] = field(default_factory=dict[tuple[str, int], PlatformRole])
    channel_locks: Mapping[tuple[str, int], Lock] = field(default_factory=dict[tuple[str, int], Lock])
    chat_channels: Mapping[str, frozenset[int]] = field(default_factory=dict[str, frozenset[int]])
    clients: Mapping[str, Client] = field(default_factory=dict[str, Client])
    clients_by_mac: Mapping[str, Client] = field(default_factory=dict[str, Client])
    pauses: Mapping[str, Pause] = field(default_factory=dict[str, Pause])

    def pause_of(self, installation: Installation | None, caller: Caller | None, now: float) -> Pause | None:
        """The pause that holds writes of a caller in a guild (``installation`` None: outside of any), the widest first.

        ``caller`` None: whether anything is held there for everybody.
        """
        if not self.pauses:
            return None
        scopes = [PROCESS]
        if installation is not None:
            scopes.append(installation.id)
            if caller is not None:
                scopes.append(scope_of_caller(installation.id, caller))
        return in_force((self.pauses.get(scope) for scope in scopes), now)
