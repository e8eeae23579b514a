"""The catalogue as tools of the Messages API: what this member could ever use, little of it in full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cogs.agent.messages import Block
from operations.base import Common, Delegate, Operation
from operations.guild_state import GuildView
from operations.registry import Registry
from operations.schemas import input_schema
from policy.model import Caller, Face, Kind, PlatformRole, Tier
from policy.permissions import ALL, bits
from policy.scopes import least_role

GUILD, CHANNEL, REASON = "guild", "channel", "reason"
SEARCH = "tool_search"
SERVER_SEARCH = "tool_search_tool_bm25"
SEARCH_RESULTS = 8
# What the assistant reaches in its own way: search, and plans, which only a person moves.
_LEFT_OUT = frozenset({SEARCH, "plan_get", "plan_confirm", "plan_cancel"})
# Given in full: what everyday requests need.
CORE = frozenset(
    {
        "channel_create",
        "channel_get",
        "channel_list",
        "guild_get",
        "guild_list",
        "member_get",
        "member_search",
        "member_timeout",
        "member_warn",
        "message_get",
        "message_list_recent",
        "message_search",
        "message_send",
        "role_list",
    }
)
# Where a call that names no channel means the one of the request. Nothing that changes a channel itself.
_HERE = frozenset({"messages", "reactions", "polls", "search"})
_SEARCH_TOOL: Block = {
    "name": SEARCH,
    "description": "Find further tools for what you want to do. What is found can be called from the next step on.",
    "input_schema": {
        "type": "object",
        "properties": {"query": {"type": "string", "description": "What you want to do, in a few words."}},
        "required": ["query"],
    },
}


class ToolCatalogue:
    """Every operation that the assistant may offer, as a tool; made once."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._operations = {
            operation.name: operation
            for operation in registry
            if Face.AGENT in operation.faces and not isinstance(operation, Delegate) and operation.name not in _LEFT_OUT
        }
        self._definitions = {name: _definition(operation) for name, operation in self._operations.items()}

    def toolbox(self, caller: Caller, view: GuildView, role: PlatformRole | None, *, server_searches: bool) -> Toolbox:
        """What this member could use here. ``role``: his in the workspace, where he has an explicit one."""
        held = _held_anywhere(view)
        offered = {
            operation.name: operation
            for operation in self.registry.offered(caller)
            if operation.name in self._operations
            and (role is None or role >= _least(operation))
            and held & (needed := bits(*operation.actor_permissions)) == needed
        }
        return Toolbox(self.registry, caller, offered, self._definitions, server_searches=server_searches)


class Toolbox:
    """The tools of one turn. Those that a search finds are in full from then on."""

    def __init__(
        self,
        registry: Registry,
        caller: Caller,
        offered: Mapping[str, Operation],
        definitions: Mapping[str, Block],
        *,
        server_searches: bool,
    ) -> None:
        self._registry = registry
        self._caller = caller
        self._offered = offered
        self._definitions = definitions
        self._server_searches = server_searches
        self._in_full = {name for name in offered if name in CORE}

    def __contains__(self, name: object) -> bool:
        return name in self._offered

    def get(self, name: str) -> Operation | None:
        return self._offered.get(name)

    def definitions(self) -> list[Block]:
        """For a request, by name: the same set is the same bytes."""
        if self._server_searches:
            tools = [self._deferred(name) for name in sorted(self._offered)]
            return [{"type": f"{SERVER_SEARCH}_20251119", "name": SERVER_SEARCH}, *tools]
        tools = [self._definitions[name] for name in self._in_full]
        if len(self._in_full) < len(self._offered):
            tools.append(_SEARCH_TOOL)
        return sorted(tools, key=lambda tool: str(tool["name"]))

    def _deferred(self, name: str) -> Block:
        definition = self._definitions[name]
        return definition if name in CORE else {**definition, "defer_loading": True}

    def search(self, query: str) -> list[Operation]:
        """What fits best, given in full from now on."""
        # Of the whole catalogue first: what a member could never use must not take the places of what he could.
        everything = self._registry.search(query[:200], self._caller, len(self._registry))
        found = [operation for operation in everything if operation.name in self._offered][:SEARCH_RESULTS]
        self._in_full.update(operation.name for operation in found)
        return found


@dataclass(frozen=True, slots=True)
class Here:
    """Where the request stands: guild and channel come from the event, never from the model."""

    guild_id: int
    channel_id: int


def arguments_of(operation: Operation, given: Mapping[str, Any], here: Here) -> dict[str, Any]:
    """A model's arguments without what isn't for it to say, and with the guild of the event."""
    known = operation.Input.model_fields
    cleaned = {key: value for key, value in given.items() if key not in Common.model_fields or key in known}
    if operation.kind is Kind.WRITE and isinstance(given.get(REASON), str):
        cleaned[REASON] = given[REASON]
    cleaned.pop(GUILD, None)
    if GUILD in known:
        cleaned[GUILD] = str(here.guild_id)
    if _defaults_to_here(operation) and not cleaned.get(CHANNEL):
        cleaned[CHANNEL] = str(here.channel_id)
    return cleaned


def _definition(operation: Operation) -> Block:
    more = {REASON: {"type": "string"}} if operation.kind is Kind.WRITE else {}
    schema = input_schema(operation.Input, more=more)
    properties = {name: part for name, part in schema["properties"].items() if name != GUILD}
    required = [name for name in schema.get("required", ()) if name != GUILD]
    if _defaults_to_here(operation):
        required = [name for name in required if name != CHANNEL]
        properties[CHANNEL] = {**properties[CHANNEL], "description": "Left out: the channel of the request."}
    shown = {"type": "object", "properties": properties, **({"required": required} if required else {})}
    return {"name": operation.name, "description": operation.description, "input_schema": shown}


def _defaults_to_here(operation: Operation) -> bool:
    field = operation.Input.model_fields.get(CHANNEL)
    return field is not None and field.is_required() and operation.toolset in _HERE and operation.tier <= Tier.WRITE


def _least(operation: Operation) -> PlatformRole:
    return least_role(operation.kind, operation.scope) if operation.min_role is None else operation.min_role


def _held_anywhere(view: GuildView) -> int:
    """What the member may do in the guild or in any channel that he sees: an overwrite may give more than his roles."""
    held = view.bits()
    if held == ALL:
        return held
    for channel_id in view.visible_ids():
        held |= view.bits(view.channel(channel_id))
    return held
