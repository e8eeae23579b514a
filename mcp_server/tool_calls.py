"""`tools/call`, on both roads: through the SDK, and as bytes. Each takes the executor's one road."""

from __future__ import annotations

from typing import Any

import mcp.types as t
from aiohttp import web
from mcp.server import ServerRequestContext

from mcp_server.identities import Identities
from mcp_server.results import ResultEncoder, tool_result
from operations.base import Executor


class ToolCalls:
    """Whatever the executor says is a result that a model can read; only faults are protocol errors."""

    def __init__(self, executor: Executor, identities: Identities, encoder: ResultEncoder) -> None:
        self._executor = executor
        self._identities = identities
        self._encoder = encoder

    async def handle(self, ctx: ServerRequestContext[Any, Any], params: t.CallToolRequestParams) -> t.CallToolResult:
        """The ordinary road, with progress for a client that gave a token."""

        async def progress(done: float, total: float | None = None, message: str | None = None) -> None:
            await ctx.session.report_progress(done, total, message)

        caller = self._identities.caller(ctx.request)
        outcome = await self._executor.run(params.name, params.arguments or {}, caller, progress=progress)
        return tool_result(outcome)

    async def hot_path(self, request: web.Request, name: str, arguments: dict[str, object], *, modern: bool) -> bytes:
        """A transport's `HotPath`, for every outcome."""
        outcome = await self._executor.run(name, arguments, self._identities.caller(request))
        return self._encoder.encode(outcome, modern=modern)
