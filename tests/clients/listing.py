"""What the server itself says of its tools, on the wire, and whether results fit it."""

from __future__ import annotations

from typing import Any, TypeAlias

import aiohttp
import jsonschema

from tests.clients.peers import Answer

Tools: TypeAlias = dict[str, dict[str, Any]]

VERSION = "2026-07-28"


async def listed_tools(url: str, token: str) -> Tools:
    """The answer to `tools/list`, without a client in between that may mend or drop something; by name."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientInfo": {"name": "bare", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": VERSION,
        "Mcp-Method": "tools/list",
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url, json=body) as response:
        assert response.status == 200, await response.text()
        result: dict[str, Any] = (await response.json())["result"]
    assert "nextCursor" not in result, "many clients never ask for a second page"
    return {tool["name"]: tool for tool in result["tools"]}


def check_result(tool: dict[str, Any], answer: Answer) -> None:
    """The TypeScript SDK refuses an answer that is not of its tool's output schema, whether it is an error or not."""
    jsonschema.validate(answer.data, tool["outputSchema"], jsonschema.Draft202012Validator)
