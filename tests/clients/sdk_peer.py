"""The TypeScript SDK, of both major versions, as a Node.js process that is driven by lines of JSON."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.clients.peers import PATIENCE_SECONDS, Address, Answer, ClientFailed, Programs, Transport
from tests.served_process import process_environment

DRIVER = Path(__file__).with_name("sdk_client.cjs")
# Of one line: tools/list is longer than asyncio's own limit.
LINE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SDKPeer:
    """``era``: as the SDK's second version calls it; "auto" asks which versions the server speaks."""

    sdk: Literal["v1", "v2"]
    transport: Transport
    era: Literal["legacy", "auto"] | None = None

    @property
    def calls_unlisted(self) -> bool:
        return True

    def __str__(self) -> str:
        return "-".join(["sdk", self.sdk, self.transport, *([self.era] if self.era else [])])

    @asynccontextmanager
    async def connected(self, programs: Programs, address: Address) -> AsyncGenerator[SDKSession]:
        asked = {
            "folder": str(programs.packages),
            "sdk": self.sdk,
            "transport": self.transport,
            "era": self.era,
            "url": address.url,
            "token": address.token,
        }
        process = await asyncio.create_subprocess_exec(
            programs.node,
            DRIVER,
            json.dumps(asked),
            stdin=PIPE,
            stdout=PIPE,
            limit=LINE_BYTES,
            env=process_environment({}),
        )
        try:
            session = SDKSession(process)
            session.connected = await session.read()
            yield session
            await session.close()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


class SDKSession:
    """``connected``: the server's name and version, and the protocol version where this transport tells it."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._one_at_a_time = asyncio.Lock()
        self.connected: dict[str, Any] = {}

    async def list_tools(self) -> list[dict[str, Any]]:
        return (await self._ask("tools/list", {}))["tools"]

    async def call(self, name: str, /, **arguments: Any) -> Answer:
        return Answer.of(await self._ask("tools/call", {"name": name, "arguments": arguments}))

    async def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        async with self._one_at_a_time:
            self._stdin.write(json.dumps({"method": method, "params": params}).encode() + b"\n")
            await self._stdin.drain()
            return await self.read()

    async def read(self) -> dict[str, Any]:
        """The next answer. What the SDK complains about without failing fails the test."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = await self._stdout.readline()
        assert line, "the client's process has ended"
        said = json.loads(line)
        if error := said.get("error"):
            status = next((each for each in (error.get("status"), error.get("code")) if isinstance(each, int)), None)
            raise ClientFailed(error["kind"], status, error["message"])
        assert said["complaints"] == []
        return said["result"]

    async def close(self) -> None:
        """The client says goodbye and its process ends."""
        self._stdin.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await self._process.wait() == 0
