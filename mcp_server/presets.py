"""Selections of tools that have a name. A preset chooses what is listed; it never lets a caller do more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from operations.base import Operation
from policy.model import Kind

META = "meta"
READ_ONLY = "read_only"


@dataclass(frozen=True, slots=True)
class Preset:
    """Operations by name, by toolset, or all of some kinds."""

    names: frozenset[str] = frozenset()
    toolsets: frozenset[str] = frozenset()
    kinds: frozenset[Kind] = frozenset()

    def shows(self, operation: Operation) -> bool:
        return operation.name in self.names or operation.toolset in self.toolsets or operation.kind in self.kinds


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
        )
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
    ),
    READ_ONLY: Preset(kinds=frozenset({Kind.READ})),
    "all": Preset(kinds=frozenset(Kind)),
}
