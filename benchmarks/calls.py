"""Requests of MCP clients, in both eras, as headers and bodies for the load generator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp

Era = Literal["2025-11-25", "2026-07-28"]
ACCEPTS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
ENVELOPE: dict[str, Any] = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "benchmark", "version": "1"},
}


@dataclass(frozen=True, slots=True)
class Calls:
    """One tool call, to be asked over ``clients`` connections; each has request ids of its own."""

    port: int
    headers: dict[str, str]
    bodies: list[str]

    async def answer(self) -> dict[str, Any]:
        """Asks once; the JSON-RPC response. Raises RuntimeError for anything but a result."""
        answer: dict[str, Any] = json.loads(await self.answer_text())
        return answer

    async def answer_text(self) -> str:
        """The same as it came."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://127.0.0.1:{self.port}/mcp", data=self.bodies[0], headers=self.headers) as response,
        ):
            text = await response.text()
            if response.status != 200 or "result" not in json.loads(text):
                raise RuntimeError(f"{response.status}: {text[:500]}")
            return text


async def tool_call(
    port: int, token: str, era: Era, name: str, arguments: Mapping[str, Any], *, clients: int = 1
) -> Calls:
    params: dict[str, Any] = {"name": name, "arguments": dict(arguments)}
    return await _calls(port, token, era, "tools/call", params, clients)


async def _calls(port: int, token: str, era: Era, method: str, params: dict[str, Any], clients: int) -> Calls:
    headers = {**ACCEPTS, "Authorization": f"Bearer {token}", "MCP-Protocol-Version": era}
    if era == "2026-07-28":
        headers["Mcp-Method"] = method
        if "name" in params:
            headers["Mcp-Name"] = params["name"]
        params = {**params, "_meta": ENVELOPE}
    else:
        headers["Mcp-Session-Id"] = await _initialize(port, headers)
    bodies = [
        json.dumps({"jsonrpc": "2.0", "id": f"c{number}", "method": method, "params": params})
        for number in range(clients)
    ]
    return Calls(port, headers, bodies)


async def listed_tools(port: int, token: str) -> list[dict[str, Any]]:
    """What `tools/list` gives by default."""
    calls = await _calls(port, token, "2025-11-25", "tools/list", {}, 1)
    tools: list[dict[str, Any]] = (await calls.answer())["result"]["tools"]
    return tools


async def _initialize(port: int, headers: Mapping[str, str]) -> str:
    """The id of a new session of the handshake era."""
    params = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "benchmark", "version": "1"},
    }
    initialize = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
    initialized = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    url = f"http://127.0.0.1:{port}/mcp"
    async with aiohttp.ClientSession() as session:
        async with session.post(url, json=initialize, headers=headers) as response:
            if response.status != 200:
                raise RuntimeError(f"{response.status}: {await response.text()}")
            session_id = response.headers["Mcp-Session-Id"]
        async with session.post(url, json=initialized, headers={**headers, "Mcp-Session-Id": session_id}):
            return session_id
