"""Selections of operations that have a name: what a client is shown, and what a guild is served with.

A preset narrows; it never lets a caller do more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from policy.model import Kind, Requirement

META = "meta"
READ_ONLY = "read_only"
ALL = "all"
PresetName = Literal["everyday", "moderation", "builder", "read_only", "all"]
# Whatever a guild is served with: setting it up, asking about oneself, what was done and undoing it, one's own data.
ALWAYS_SERVED = frozenset({META, "administration", "audit", "privacy"})


class Offered(Protocol):
    """An operation, as far as it is declared."""

    name: ClassVar[str]
    toolset: ClassVar[str]
    kind: ClassVar[Kind]


@dataclass(frozen=True, slots=True)
class Preset:
    """Operations by name, by toolset, or all of some kinds.

    ``undoing``: what undoes one of them; it is served, but not shown.
    """

    names: frozenset[str] = frozenset()
    toolsets: frozenset[str] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    undoing: frozenset[str] = frozenset()

    def shows(self, operation: Offered) -> bool:
        return self._has(operation.name, operation.toolset, operation.kind)

    def serves(self, name: str, toolset: str, kind: Kind) -> bool:
        return toolset in ALWAYS_SERVED or name in self.undoing or self._has(name, toolset, kind)

    def _has(self, name: str, toolset: str, kind: Kind) -> bool:
        return name in self.names or toolset in self.toolsets or kind in self.kinds


def is_served(preset: str, requirement: Requirement) -> bool:
    """Whether a guild that is served with this preset knows the operation. An unknown preset is the narrowest."""
    return PRESETS.get(preset, Preset()).serves(requirement.operation, requirement.toolset, requirement.kind)


_SELF = ("whoami", "tool_search", "policy_explain", "plan_get", "plan_confirm", "plan_cancel")
_DELEGATES = ("operation_read", "operation_write", "operation_destroy")
_LOOKING_AROUND = ("guild_list", "guild_get", "channel_list", "channel_get", "role_list", "member_get", "member_search")
_READING = ("message_list_recent", "message_get", "message_search")

PRESETS: Mapping[str, Preset] = {
    "everyday": Preset(
        frozenset(
            (
                *_SELF,
                *_DELEGATES,
                *_LOOKING_AROUND,
                *_READING,
                "channel_create",
                "channel_edit",
                "message_send",
                "message_edit",
                "message_delete",
                "reaction_add",
                "thread_create",
                "thread_list",
                "role_assign",
                "role_remove",
                "member_timeout",
            )
        ),
        undoing=frozenset({"channel_delete", "member_timeout_remove"}),
    ),
    "moderation": Preset(
        frozenset((*_SELF, *_DELEGATES, *_LOOKING_AROUND, *_READING, "role_assign", "role_remove", "message_send")),
        toolsets=frozenset({"moderation", "members", "audit"}),
    ),
    "builder": Preset(
        frozenset((*_SELF, *_DELEGATES, *_LOOKING_AROUND, "message_send", "message_edit")),
        toolsets=frozenset(
            {"guilds", "channels", "roles", "forums", "threads", "webhooks", "invites", "expressions", "community"}
        ),
        undoing=frozenset({"message_delete"}),
    ),
    READ_ONLY: Preset(kinds=frozenset({Kind.READ})),
    ALL: Preset(kinds=frozenset(Kind)),
}
