"""The SDK's own server on uvicorn, with a tool that does nothing."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import mcp.types as t
import uvicorn
from mcp.server import Server, ServerRequestContext

from benchmarks.children.answering import Line, run, usage


async def _list(_ctx: ServerRequestContext[Any, Any], _params: t.PaginatedRequestParams | None) -> t.ListToolsResult:
    return t.ListToolsResult(tools=[t.Tool(name="trivial", input_schema={"type": "object"})])


async def _call(_ctx: ServerRequestContext[Any, Any], _params: t.CallToolRequestParams) -> t.CallToolResult:
    return t.CallToolResult(content=[t.TextContent(type="text", text="done")])


async def main() -> None:
    line = Line()
    server: Server[Any] = Server("trivial", on_list_tools=_list, on_call_tool=_call)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        served = uvicorn.Server(
            uvicorn.Config(server.streamable_http_app(json_response=True), log_level="error", access_log=False)
        )
        running = asyncio.create_task(served.serve([listening]))
        while not served.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        line.say(port=listening.getsockname()[1])
        await line.answer({"usage": usage})
        served.should_exit = True
        await running


if __name__ == "__main__":
    run(main())
