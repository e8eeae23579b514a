"""`tools/call`, on both roads: through the SDK, and as bytes. Each takes the executor's one road."""

from __future__ import annotations

import math
from typing import Any

import mcp.types as t
from aiohttp import web
from mcp.server import ServerRequestContext

from mcp_server.confirmations import Confirmations, awaits
from mcp_server.identities import Identities
from mcp_server.results import ResultEncoder
from operations.base import Executor, Outcome

_HANDED_ON = web.RequestKey("outcome_handed_on", Outcome)
"""What the hot path came to, for the ordinary road to go on with: a call runs once."""


class ToolCalls:
    """Whatever the executor says is a result that a model can read; only faults are protocol errors."""

    def __init__(
        self, executor: Executor, identities: Identities, encoder: ResultEncoder, confirmations: Confirmations
    ) -> None:
        self._executor = executor
        self._identities = identities
        self._encoder = encoder
        self._confirmations = confirmations

    async def handle(
        self, ctx: ServerRequestContext[Any, Any], params: t.CallToolRequestParams
    ) -> t.CallToolResult | t.InputRequiredResult:
        """The ordinary road, with progress for a client that gave a token, and questions for one that takes them."""
        if params.request_state is not None:
            return await self._confirmations.resume(ctx, params, params.request_state)
        request: web.Request | None = ctx.request
        outcome = None if request is None else request.get(_HANDED_ON)
        if outcome is None:
            outcome = await self._run(ctx, params)
        return await self._confirmations.answer(ctx, outcome)

    async def _run(self, ctx: ServerRequestContext[Any, Any], params: t.CallToolRequestParams) -> Outcome:
        last = -math.inf

        async def progress(done: float, total: float | None = None, message: str | None = None) -> None:
            """ "The progress value MUST increase with each notification": what has not moved is not told.

            https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/progress
            """
            nonlocal last
            if done > last:
                last = done
                await ctx.session.report_progress(done, total, message)

        caller = self._identities.caller(ctx.request)
        return await self._executor.run(params.name, params.arguments or {}, caller, progress=progress)

    def ready_path(
        self, request: web.Request, name: str, arguments: dict[str, object], *, modern: bool
    ) -> bytes | None:
        """A transport's `ReadyPath`: the executor's answer where nothing has to be waited for."""
        outcome = self._executor.run_at_once(name, arguments, self._identities.caller(request))
        return None if outcome is None else self._encoder.encode(outcome, modern=modern)

    async def hot_path(
        self, request: web.Request, name: str, arguments: dict[str, object], *, modern: bool
    ) -> bytes | None:
        """A transport's `HotPath`; hands on what its client may have to be asked about."""
        outcome = await self._executor.run(name, arguments, self._identities.caller(request))
        if awaits(outcome):
            request[_HANDED_ON] = outcome
            return None
        return self._encoder.encode(outcome, modern=modern)
