"""`guildhall run` against a sandbox, seen from outside: over HTTP, through its database, by signals."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp
from sqlalchemy import select, update
from sqlmodel import col

from policy.scopes import EVERYTHING_BUT_ADMIN
from storage import clients, installations, workspaces
from storage.audit_verification import VerifyReport, verify
from storage.crypto import Keyring
from storage.database import Database
from storage.tables import AuditEvent, Call, ProcessLease
from tests.app import MODERN, Answer, environment, until
from tests.faults.command_line import Command, Ended, guildhall
from tests.sandbox_process import GuildIds, SandboxProcess

START_SECONDS = 60.0
_ENTRY = re.compile(r"\d{4}-\d{2}-\d{2}T")
CALL_SECONDS = 60.0


class Instance:
    """``async with`` starts it and, if it still runs, kills it at the end. It may be started again on its database."""

    def __init__(
        self,
        sandbox: SandboxProcess,
        folder: Path,
        database_url: str,
        *,
        constants: Mapping[str, float] | None = None,
        **settings: str,
    ) -> None:
        self.sandbox = sandbox
        self.port = _free_port()
        self.command: Command | None = None
        self.aside = database_url
        """The database's address for those who look at it from outside."""
        self._folder = folder
        self._constants = constants
        self.environment = environment(
            sandbox, folder, DATABASE_URL=database_url, PORT=str(self.port), LOG_LEVEL="DEBUG", **settings
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        if self.command is not None and self.command.is_alive:
            await self.command.kill()

    @property
    def dialect(self) -> str:
        """sqlite or postgresql."""
        return self.aside.partition(":")[0]

    # ----------------------------------------------------------------- process
    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return "" if self.command is None else self.command.err

    @property
    def mistakes(self) -> list[str]:
        """What it logged with a traceback, save discord.py's own lines about a gateway that it connects to again."""
        found: list[str] = []
        entry = ""
        for line in self.log.splitlines():
            if _ENTRY.match(line):
                entry = line
            elif line.startswith("Traceback") and "[discord." not in entry:
                found.append(entry)
        return found

    async def start(self) -> None:
        """Starts it and waits until it serves."""
        self.launch()
        await self.serving()

    def launch(self) -> None:
        """Starts it, without waiting."""
        self.command = Command(["run"], self.environment, self._folder, constants=self._constants)

    async def serving(self) -> None:
        async def serves() -> bool:
            assert self.command is not None
            assert self.command.is_alive, self.log
            return await self.is_listening()

        await until(serves, "the instance serves", START_SECONDS)

    async def is_listening(self) -> bool:
        with contextlib.suppress(aiohttp.ClientConnectionError):
            async with aiohttp.ClientSession() as http, http.get(f"{self.url}/health") as response:
                return response.status == 200
        return False

    async def kill(self) -> None:
        """SIGKILL."""
        assert self.command is not None
        await self.command.kill()

    def terminate(self) -> None:
        """SIGTERM, without waiting for the end."""
        assert self.command is not None
        assert self.command.process.pid is not None
        self.command.process.terminate()

    async def ended(self) -> Ended:
        assert self.command is not None
        return await self.command.ended()

    async def run_command(self, *arguments: str) -> Ended:
        """Another command with the same settings."""
        return await guildhall(*arguments, environment=self.environment, folder=self._folder)

    # -------------------------------------------------------------------- HTTP
    async def ready(self) -> dict[str, Any]:
        """The parts of GET /ready by name, and ``code``: its HTTP status."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/ready") as response:
            body: dict[str, Any] = await response.json()
            return {"code": response.status, **body["parts"]}

    async def part(self, name: str) -> str:
        """The state of a part by GET /ready."""
        found: str = (await self.ready())[name]["state"]
        return found

    async def until_part(self, name: str, state: str, seconds: float = 20.0) -> None:
        async def has_state() -> bool:
            return await self.part(name) == state

        await until(has_state, f"{name} is {state}", seconds)

    async def call(self, token: str, name: str, /, **arguments: Any) -> Answer:
        """One call of a tool. Raises aiohttp.ClientError when the process goes away meanwhile."""
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {
                "name": name,
                "arguments": arguments,
                "_meta": {
                    "io.modelcontextprotocol/protocolVersion": MODERN,
                    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
                    "io.modelcontextprotocol/clientCapabilities": {},
                },
            },
        }
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": MODERN,
            "Mcp-Method": "tools/call",
            "Mcp-Name": name,
        }
        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
        async with (
            aiohttp.ClientSession(headers=headers, timeout=timeout) as http,
            http.post(f"{self.url}/mcp", json=body) as response,
        ):
            text = await response.text()
        if response.content_type == "text/event-stream":
            text = [line.removeprefix("data:") for line in text.splitlines() if line.startswith("data:")][-1]
        answer: dict[str, Any] = json.loads(text)
        assert "result" in answer, answer
        result = answer["result"]
        return Answer(result["content"][0]["text"], result.get("structuredContent") or {}, bool(result.get("isError")))

    # ---------------------------------------------------------------- database
    @asynccontextmanager
    async def database(self) -> AsyncGenerator[Database]:
        """Its database, from another process."""
        async with Database.open(self.aside, self._keyring, migrate=False) as database:
            yield database

    @property
    def _keyring(self) -> Keyring:
        return Keyring([self.environment["SECRET_KEYS"]])

    async def token(self, guild: GuildIds, member: str, **options: Any) -> str:
        """A client token of a member, in the default workspace; the guild's first installation is waited for."""
        await self.installed(guild)
        given: dict[str, Any] = {
            "name": member,
            "scopes": EVERYTHING_BUT_ADMIN,
            "user_id": int(guild["members"][member]),
        }
        async with self.database() as database:
            workspace_id = await self._default_workspace(database)
            async with database.unit_of_work() as session:
                _, token = await clients.create(
                    session, self._keyring, workspace_id=workspace_id, now=time.time(), **given | options
                )

        await self.accepts(token)
        return token

    async def accepts(self, token: str) -> None:
        """Waits until a token is known."""

        async def is_known() -> bool:
            return await self._status(token) not in (401, 429)

        await until(is_known, "the token is known")

    async def refuses(self, token: str) -> None:
        """Waits until a token is refused."""

        async def is_refused() -> bool:
            return await self._status(token) == 401

        await until(is_refused, "the token is refused")

    async def _status(self, token: str) -> int:
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http,
            http.post(f"{self.url}/mcp", json={}) as response,
        ):
            return response.status

    @staticmethod
    async def _default_workspace(database: Database) -> str:
        """Waits for the first start to make it."""
        found: list[str] = []

        async def made() -> bool:
            async with database.read() as session:
                found[:] = [workspace_id] if (workspace_id := await workspaces.default(session)) else []
            return bool(found)

        await until(made, "the default workspace is made", START_SECONDS)
        return found[0]

    async def install(self, guild: GuildIds) -> None:
        """Installs a guild that was made after the first start, in the default workspace."""
        async with self.database() as database:
            workspace_id = await self._default_workspace(database)
            # The first start may have been quicker.
            with contextlib.suppress(installations.GuildTaken):
                async with database.unit_of_work() as session:
                    await installations.install(session, workspace_id, int(guild["id"]), time.time())

    async def installed(self, guild: GuildIds) -> None:
        """Waits until the guild is installed."""
        async with self.database() as database:

            async def found() -> bool:
                async with database.read() as session:
                    return await installations.active(session, int(guild["id"])) is not None

            await until(found, "the guild is installed", START_SECONDS)

    async def calls(self) -> dict[str, str]:
        """The state of every call, by call_id, oldest first."""
        async with self.database() as database, database.read() as session:
            rows = await session.execute(select(col(Call.call_id), col(Call.state)).order_by(col(Call.created_at)))
            return {row.call_id: row.state for row in rows}

    async def audited(self, call_id: str) -> list[tuple[str, str]]:
        """Entry and status of every audit row of a call, oldest first."""
        async with self.database() as database, database.read() as session:
            rows = await session.execute(
                select(col(AuditEvent.entry), col(AuditEvent.status))
                .where(col(AuditEvent.call_id) == call_id)
                .order_by(col(AuditEvent.id))
            )
            return [(row.entry, row.status) for row in rows]

    async def verified(self) -> VerifyReport:
        """What `guildhall audit verify` finds, once all that was written is chained."""
        async with self.database() as database:

            async def chained() -> bool:
                async with database.read() as session:
                    return (await verify(session, self._keyring)).unchained == 0

            await until(chained, "the audit is chained", 20.0)
            async with database.read() as session:
                return await verify(session, self._keyring)

    async def let_the_lease_run_out(self, holder: str | None = None) -> None:
        """As if its 15 seconds had gone by; of this holder alone where one is named."""
        ended = update(ProcessLease).values(expires_at=0.0)
        if holder is not None:
            ended = ended.where(col(ProcessLease.holder) == holder)
        async with self.database() as database, database.unit_of_work() as session:
            await session.execute(ended)


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port
