"""The sandbox as a process of its own, and a client for its control API."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypedDict, cast

import aiohttp

START_SECONDS = 30.0
STOP_SECONDS = 5.0
REPOSITORY = Path(__file__).resolve().parent.parent


class GuildIds(TypedDict):
    """A guild's ids by name, all strings."""

    id: str
    name: str
    owner_id: str
    channels: dict[str, str]
    members: dict[str, str]
    roles: dict[str, str]


class ControlError(Exception):
    """The control API refused; `status` is its HTTP status, `answer` its JSON."""

    def __init__(self, action: str, status: int, answer: dict[str, Any]) -> None:
        super().__init__(f"{action}: {status} {answer.get('error')}")
        self.status = status
        self.answer = answer


async def controlled(control_url: str, control_token: str, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What an action of a control API answers. Raises ControlError when it is refused."""
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {control_token}"}) as session,
        session.post(f"{control_url}/{action}", json=body) as response,
    ):
        answer: dict[str, Any] = await response.json()
        if response.status != 200:
            raise ControlError(action, response.status, answer)
        return answer


class SandboxProcess:
    """`python -m sandbox` on a free loopback port. It ends with this process, however that dies.

    `await start()` and `await stop()`, or `async with`. It is bound to no event loop: one may last for a session whose
    tests each have their own.
    """

    def __init__(self, *, world: Literal["demo", "empty"] = "empty", port: int = 0) -> None:
        self._world = world
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.base_url = ""
        self.api_base_url = ""
        self.control_url = ""
        self.control_token = ""
        self.preview_url = ""
        self.bot_token = ""
        self.bot_id = ""
        self.application_id = ""
        self.oauth_client_secret = ""
        self.guilds: list[GuildIds] = []

    @property
    def process(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the sandbox has not been started")
        return self._process

    async def start(self) -> None:
        """Start it and wait until it serves. Raises RuntimeError if it ends first."""
        command = [sys.executable, "-m", "sandbox", "--json", "--stdin-lifeline"]
        command += ["--port", str(self._port), "--world", self._world]
        # Not asyncio's subprocess: that one belongs to the loop it was started in.
        self._process = await asyncio.to_thread(
            subprocess.Popen, command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY
        )
        stdout = self._process.stdout
        assert stdout is not None
        async with asyncio.timeout(START_SECONDS):
            line = await asyncio.to_thread(stdout.readline)
        if not line:
            await self.stop()
            raise RuntimeError(f"the sandbox ended at the start, with {self.process.returncode}")
        ready = json.loads(line)
        self.base_url = ready["base_url"]
        self.api_base_url = ready["api_base_url"]
        self.control_url = ready["control_url"]
        self.control_token = ready["control_token"]
        self.preview_url = ready["preview_url"]
        self.bot_token = ready["bot_token"]
        self.bot_id = ready["bot_id"]
        self.application_id = ready["application_id"]
        self.oauth_client_secret = ready["oauth_client_secret"]
        self.guilds = ready["guilds"]

    async def stop(self) -> None:
        """End it by closing its standard input; kill it if it stays."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.to_thread(process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
        if process.stdout is not None:
            process.stdout.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.stop()

    async def control(self, action: str, **body: Any) -> dict[str, Any]:
        """Run one action of the control API. Raises ControlError when it is refused."""
        return await controlled(self.control_url, self.control_token, action, body)

    async def make_guild(self, name: str, **spec: Any) -> GuildIds:
        """Make a guild while everything runs; its ids. What `spec` takes: sandbox.guild_spec.GuildSpec."""
        return cast("GuildIds", await self.control("make_guild", name=name, **spec))
