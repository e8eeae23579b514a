"""Which tools a caller sees, and the answers to `tools/list`."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, TypeAlias

import mcp.types as t
from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError

from mcp_server.identities import Identities
from mcp_server.selection import Selection
from mcp_server.tools import ToolCatalogue
from operations.base import Operation
from operations.registry import Registry
from policy.model import Caller, PlatformRole
from policy.scopes import least_role
from storage.facts import PlatformFacts
from storage.snapshot import Snapshot

PAGE = 250
"""More than the catalogue holds: many clients never ask for a second page."""
_REMEMBERED = 64

Names: TypeAlias = tuple[str, ...]


class ToolListing:
    """What is listed is a selection; what a caller could use can be called by name all the same."""

    def __init__(self, registry: Registry, catalogue: ToolCatalogue, page: int = PAGE) -> None:
        self._registry = registry
        self._catalogue = catalogue
        self._page = page

    def names(self, caller: Caller, role: PlatformRole | None, selection: Selection | None = None) -> Names:
        """The tools that this caller sees, in the catalogue's order.

        ``role``: the person's explicit role in the workspace; None where it is that of a guild's member, which is asked
        for at each call.
        """
        return tuple(
            operation.name
            for operation in self._registry.offered(caller)
            if operation.name in self._catalogue
            and (role is None or role >= _least(operation))
            and _is_selected(operation, caller, selection)
        )

    def page(self, names: Names, *, direct_writes: bool, cursor: str | None) -> t.ListToolsResult:
        """One page; a cursor is the first name on it. Raises MCPError for one that isn't of this list."""
        if cursor is not None and cursor not in names:
            raise MCPError(t.INVALID_PARAMS, "There is no such cursor. List the tools anew, without a cursor.")
        start = 0 if cursor is None else names.index(cursor)
        end = start + self._page
        return t.ListToolsResult(
            tools=[self._catalogue.get(name, direct_writes=direct_writes) for name in names[start:end]],
            next_cursor=names[end] if end < len(names) else None,
        )


class ListTools:
    """Answers `tools/list`.

    As server middleware it remembers each answer's wire form: the SDK dumps and checks every tool anew, which takes
    several milliseconds of the event loop.
    """

    def __init__(self, listing: ToolListing, identities: Identities, facts: PlatformFacts) -> None:
        self._listing = listing
        self._identities = identities
        self._facts = facts
        self._answers: OrderedDict[tuple[str, Names, bool, str], dict[str, Any]] = OrderedDict()

    async def handle(
        self, ctx: ServerRequestContext[Any, Any], params: t.PaginatedRequestParams | None
    ) -> t.ListToolsResult:
        names, direct_writes = self.listed_for(ctx)
        return self._listing.page(names, direct_writes=direct_writes, cursor=params.cursor if params else None)

    async def remember(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        cursor = (ctx.params or {}).get("cursor", "")
        if ctx.method != "tools/list" or not isinstance(cursor, str):
            return await call_next(ctx)
        key = (ctx.protocol_version, *self.listed_for(ctx), cursor)
        found = self._answers.get(key)
        if found is not None:
            self._answers.move_to_end(key)
            return found
        answer = await call_next(ctx)
        if isinstance(answer, dict):
            self._answers[key] = answer
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        return answer

    def listed_for(self, ctx: ServerRequestContext[Any, Any]) -> tuple[Names, bool]:
        """The tools that this call's client sees now, and whether its write mode is direct."""
        caller = self._identities.caller(ctx.request)
        role = explicit_role(self._facts.snapshot, caller)
        return self._listing.names(caller, role, self._identities.selection(ctx.request)), caller.direct_writes


def explicit_role(snapshot: Snapshot, caller: Caller) -> PlatformRole | None:
    """The role that a workspace gave the caller's person, if it gave one."""
    if caller.user_id is None or caller.workspace_id is None:
        return None
    return snapshot.memberships.get((caller.workspace_id, caller.user_id))


def _least(operation: Operation) -> PlatformRole:
    return least_role(operation.kind, operation.scope) if operation.min_role is None else operation.min_role


def _is_selected(operation: Operation, caller: Caller, selection: Selection | None) -> bool:
    if selection is not None:
        return selection.shows(operation)
    return operation.in_default_set or caller.toolsets is not None
