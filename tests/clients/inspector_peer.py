"""The MCP inspector's command line: a process for each call."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.clients.peers import PATIENCE_SECONDS, Address, Answer, ClientFailed, Programs, Transport
from tests.served_process import process_environment

LAUNCHER = Path("node_modules", "@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js")
DONE = 0
"""Its exit code. It has another one for a result that says isError, and prints the result all the same."""


@dataclass(frozen=True, slots=True)
class InspectorPeer:
    """``era``: as its option calls it."""

    transport: Transport
    era: Literal["legacy", "modern"]

    @property
    def calls_unlisted(self) -> bool:
        return False

    def __str__(self) -> str:
        return f"inspector-{self.transport}-{self.era}"

    @asynccontextmanager
    async def connected(self, programs: Programs, address: Address) -> AsyncGenerator[InspectorSession]:
        """Nothing stays open between its calls, so the first of them finds out whether it can connect."""
        header = f"Authorization: Bearer {address.token}"
        yield InspectorSession(
            programs,
            "--server-url",
            address.url,
            "--transport",
            self.transport,
            "--header",
            header,
            "--protocol-era",
            self.era,
        )


class InspectorSession:
    """``server``: the options that say what to connect to."""

    def __init__(self, programs: Programs, *server: str) -> None:
        self._programs = programs
        self._server = server

    async def list_tools(self) -> list[dict[str, Any]]:
        return (await self._run("--method", "tools/list"))["tools"]

    async def call(self, name: str, /, **arguments: Any) -> Answer:
        given = ["--tool-name", name, "--tool-args-json", json.dumps(arguments)]
        return Answer.of(await self._run("--method", "tools/call", *given))

    async def portability(self) -> str:
        """What it thinks of the tools' schemas. Raises ClientFailed when a client would have to refuse one."""
        _, errors = await self._finished("--method", "tools/list", "--strict")
        return errors

    async def _run(self, *arguments: str) -> dict[str, Any]:
        output, _ = await self._finished("--quiet", *arguments)
        return json.loads(output)["result"]

    async def _finished(self, *arguments: str) -> tuple[str, str]:
        """What it printed to its two streams."""
        home = self._programs.home
        environment = {
            "HOME": str(home),
            "NODE_COMPILE_CACHE": str(self._programs.packages / "compiled"),
            "MCP_STORAGE_DIR": str(home / "storage"),
            "MCP_INSPECTOR_SECRET_STORE": "memory",
        }
        process = await asyncio.create_subprocess_exec(
            self._programs.node,
            self._programs.packages / LAUNCHER,
            "--cli",
            *self._server,
            *arguments,
            "--stored-auth-only",
            "--format",
            "json",
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            env=process_environment(environment),
        )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                output, errors = (each.decode() for each in await process.communicate())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode == DONE or output:
            return output, errors
        error = json.loads(errors.strip().splitlines()[-1])["error"]
        raise ClientFailed(error["code"], None, error["message"])
