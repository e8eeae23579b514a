"""Configurations of MCP clients that can be pasted, with the address and a token in their places."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ClientConfiguration:
    """``title``: whose, and where it goes. ``text``: what to paste."""

    title: str
    text: str


def client_configurations(url: str, token: str, *, program: str = "guildhall") -> tuple[ClientConfiguration, ...]:
    """``url``: of MCP over Streamable HTTP. ``program``: how the client starts Guildhall where it speaks no HTTP."""
    headers = {"Authorization": f"Bearer {token}"}
    http = {"type": "http", "url": url, "headers": headers}
    started = {"command": program, "args": ["stdio"], "env": {"GUILDHALL_URL": url, "GUILDHALL_TOKEN": token}}
    return (
        ClientConfiguration("Configuration for Claude Code, LM Studio and others that take mcpServers", _servers(http)),
        ClientConfiguration(
            "Claude Code on the command line",
            f'  claude mcp add --transport http guildhall {url} --header "Authorization: Bearer {token}"',
        ),
        ClientConfiguration("VS Code (.vscode/mcp.json)", json.dumps({"servers": {"guildhall": http}}, indent=2)),
        ClientConfiguration("Cursor (.cursor/mcp.json)", _servers({"url": url, "headers": headers})),
        ClientConfiguration("Claude Desktop and other clients that start a program", _servers(started)),
    )


def told(configurations: tuple[ClientConfiguration, ...]) -> str:
    """One below the other."""
    return "\n\n".join(f"{each.title}:\n{each.text}" for each in configurations)


def _servers(server: dict[str, Any]) -> str:
    return json.dumps({"mcpServers": {"guildhall": server}}, indent=2)
