"""MCP over standard input and output, for clients that start Guildhall as their own process."""

from __future__ import annotations

from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectSendStream
from mcp.server import Server
from mcp.server.stdio import stdio_server
from mcp.types import INVALID_PARAMS, PARSE_ERROR, ErrorData, JSONRPCError, JSONRPCRequest

from mcp_server.transports.kernel import ReadStream, SessionMessage, WriteStream
from mcp_server.transports.text import unsafe_text


async def serve_stdio(server: Server[Any]) -> None:
    """Serve `server` until standard input ends; the client's first request decides the protocol era.

    While it runs, file descriptor 1 is standard error, so prints and log lines can't reach the wire.

    Raises:
        RuntimeError: standard input or output is already being served in this process.
    """
    async with stdio_server() as (incoming, outgoing), anyio.create_task_group() as tasks:
        passed_in, passed = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        tasks.start_soon(_pass_safe_text, incoming, passed_in, outgoing)
        async with passed:
            await server.run(passed, outgoing, server.create_initialization_options())
        tasks.cancel_scope.cancel()


async def _pass_safe_text(
    incoming: ReadStream[SessionMessage | Exception],
    passed_in: MemoryObjectSendStream[SessionMessage | Exception],
    outgoing: WriteStream[SessionMessage],
) -> None:
    """Hand on what can be stored and answer the rest, as the HTTP transports do."""
    async with passed_in:
        async for item in incoming:
            refusal = _refusal(item)
            if refusal is not None:
                await outgoing.send(SessionMessage(refusal))
            else:
                await passed_in.send(item)


def _refusal(item: SessionMessage | Exception) -> JSONRPCError | None:
    if isinstance(item, Exception):
        return JSONRPCError(
            jsonrpc="2.0",
            id=None,
            error=ErrorData(code=PARSE_ERROR, message="Parse error: each line must hold one JSON-RPC 2.0 message"),
        )
    message = item.message
    if isinstance(message, JSONRPCRequest) and (found := unsafe_text(message.params)):
        why = f"Invalid params: {found}. Text must be valid Unicode without NUL."
        return JSONRPCError(jsonrpc="2.0", id=message.id, error=ErrorData(code=INVALID_PARAMS, message=why))
    return None
