"""MCP resources: URIs under `discord://` that are read through operations, on the executor's one road.

Each is one entry of the table that the server is built with; who may read it is what its operation says.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Protocol

import mcp.types as t
import orjson
from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.uri_template import UriTemplate

from mcp_server.identities import Identities
from operations.base import Executor, Outcome
from operations.outcomes import structured
from policy.model import Caller, Refuse, Step

LONGEST_URI = 512
JSON = "application/json"

Variables = Mapping[str, str]
Context = ServerRequestContext[Any, Any]


class Resource(Protocol):
    """One entry. ``template``: RFC 6570, level 1; without variables it is listed as a resource."""

    @property
    def template(self) -> UriTemplate: ...

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def description(self) -> str: ...

    def call(self, variables: Variables) -> tuple[str, dict[str, Any]]:
        """The operation that reads it, and its arguments."""
        ...

    def changes(self, variables: Variables, caller: Callable[[], Caller]) -> AsyncGenerator[None]:
        """Yields after each change that the caller may know of, as he is at that moment; ends when there can be no
        more.

        Raises Refused once he may not know of it any more, and DatabaseUnavailable.
        """
        ...


class Resources:
    """Lists and reads the entries of the table."""

    def __init__(self, table: Sequence[Resource], executor: Executor, identities: Identities) -> None:
        self._table = tuple(table)
        self._executor = executor
        self._identities = identities

    async def list(self, ctx: Context, params: t.PaginatedRequestParams | None) -> t.ListResourcesResult:
        return t.ListResourcesResult(
            resources=[
                t.Resource(
                    uri=str(entry.template),
                    name=entry.name,
                    title=entry.title,
                    description=entry.description,
                    mime_type=JSON,
                )
                for entry in self._table
                if not entry.template.variable_names
            ]
        )

    async def templates(self, ctx: Context, params: t.PaginatedRequestParams | None) -> t.ListResourceTemplatesResult:
        return t.ListResourceTemplatesResult(
            resource_templates=[
                t.ResourceTemplate(
                    uri_template=str(entry.template),
                    name=entry.name,
                    title=entry.title,
                    description=entry.description,
                    mime_type=JSON,
                )
                for entry in self._table
                if entry.template.variable_names
            ]
        )

    async def read(self, ctx: Context, params: t.ReadResourceRequestParams) -> t.ReadResourceResult:
        """Raises MCPError with the refusal; what the caller may not see answers as what does not exist."""
        entry, variables = self.find(params.uri)
        outcome = await self.outcome(entry, variables, self._identities.caller(ctx.request))
        if outcome.is_error:
            raise refused(outcome.refusal)
        text = orjson.dumps(structured(outcome)).decode()
        return t.ReadResourceResult(contents=[t.TextResourceContents(uri=params.uri, mime_type=JSON, text=text)])

    def find(self, uri: str) -> tuple[Resource, Variables]:
        """Raises MCPError for a URI that no entry is made for."""
        if len(uri) <= LONGEST_URI:
            for entry in self._table:
                found = entry.template.match(uri)
                if found is not None and all(found.values()):
                    return entry, {name: value for name, value in found.items() if isinstance(value, str)}
        raise refused(None)

    async def outcome(self, entry: Resource, variables: Variables, caller: Caller) -> Outcome:
        """Reading it, as the executor decides it."""
        operation, arguments = entry.call(variables)
        return await self._executor.run(operation, arguments, caller)


def refused(refusal: Refuse | None) -> MCPError:
    """A refusal as the protocol has it for resources; None where no such resource is served."""
    if refusal is None:
        refusal = Refuse(
            Step.RESOLVE,
            "unknown_resource",
            "There is no resource of this URI.",
            "resources/templates/list shows which there are.",
        )
    data: dict[str, Any] = {"step": refusal.step.value, "code": refusal.code}
    if refusal.retry_after_seconds is not None:
        data["retry_after_seconds"] = round(refusal.retry_after_seconds, 1)
    return MCPError(t.INVALID_PARAMS, f"{refusal.reason} {refusal.remedy}".strip(), data)
