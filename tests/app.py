"""The whole product in this process, against a sandbox in another: guilds of a test's own, and clients of its members.

One sandbox and one connected app serve a worker for its whole session. A test makes a guild and a workspace of its own
and never restarts the bot; what needs a process of its own stands in tests.served_process.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import discord
import httpx2
import mcp.types as t
from discord.gateway import DiscordWebSocket
from discord.http import Route
from mcp.client import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from bot import settings
from bot.app import App, running
from bot.core import Core
from policy.model import PlatformRole
from policy.rules import ChannelRules, ClassRules, GuildRules
from policy.scopes import EVERYTHING_BUT_ADMIN
from storage import cases, clients, installations, memberships, policies, workspaces
from storage.instance import Mark
from storage.snapshot import Client as GrantedClient
from storage.snapshot import ClientKind
from storage.tables import AuditEvent
from tests.harbor import HARBOR
from tests.sandbox_process import GuildIds, SandboxProcess

HANDSHAKE = "2025-11-25"
MODERN = "2026-07-28"
SSE = "legacy HTTP+SSE"
WAIT_SECONDS = 10.0
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


async def until(condition: Callable[[], object], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Waits for a condition, which may be awaitable. Fails naming ``what`` when it never holds."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                holds = condition()
                if await cast("Awaitable[object]", holds) if isinstance(holds, Awaitable) else holds:
                    return
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"never: {what}") from None


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a tool call as its client got it."""

    text: str
    data: dict[str, Any]
    is_error: bool

    @property
    def status(self) -> str:
        return self.data.get("status", "done")

    @property
    def code(self) -> str | None:
        return self.data.get("code")

    @property
    def said(self) -> tuple[str, dict[str, Any]]:
        """All that it says, save the call's own id."""
        call_id = self.data.get("call_id")
        text = self.text.replace(call_id, "cl_") if call_id else self.text
        return text, {key: value for key, value in self.data.items() if key != "call_id"}


def answer_of(result: Any) -> Answer:
    assert isinstance(result, t.CallToolResult), result
    content = result.content[0]
    assert isinstance(content, t.TextContent)
    return Answer(content.text, dict(result.structured_content or {}), bool(result.is_error))


def _http_client(
    headers: dict[str, str] | None = None, timeout: httpx2.Timeout | None = None, auth: httpx2.Auth | None = None
) -> httpx2.AsyncClient:
    """The SDK's own client, save that it loads no certificates, which takes longer than most tests: it needs none."""
    return httpx2.AsyncClient(
        headers=headers, timeout=timeout or httpx2.Timeout(30, read=300), auth=auth, verify=NO_CERTIFICATES
    )


@asynccontextmanager
async def connected(
    port: int, token: str, mode: str = MODERN, query: str = "", **options: Any
) -> AsyncGenerator[Client]:
    """The official client of an instance on this machine; ``mode``: MODERN, HANDSHAKE or SSE."""
    base, headers = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {token}"}
    if mode == SSE:
        transport = sse_client(f"{base}/sse{query}", headers=headers, httpx_client_factory=_http_client)
        async with Client(transport, mode="legacy", **options) as client:
            yield client
        return
    era = "legacy" if mode == HANDSHAKE else mode
    async with (
        _http_client(headers=headers) as http,
        Client(streamable_http_client(f"{base}/mcp{query}", http_client=http), mode=era, **options) as client,
    ):
        yield client


class Town:
    """A running app beside a running sandbox.

    ``environment``: its settings, for other processes on the same database. ``anchor``: the one guild of its default
    workspace, there since the first start.
    """

    def __init__(self, sandbox: SandboxProcess, app: App, environment: dict[str, str], anchor: GuildIds) -> None:
        self.sandbox = sandbox
        self.app = app
        self.environment = environment
        self.anchor = anchor

    @property
    def core(self) -> Core:
        return self.app.core

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.app.port}"

    async def serving(self) -> None:
        """The event loop of a session stands still between its tests: waits until all is current again."""
        await until(lambda: self.core.lease.held, "the lease is held")
        await until(lambda: self.core.facts.age_seconds() < 5, "the facts are current")

    async def place(self, name: str = "Harbor", **spec: Any) -> Place:
        """A new guild, installed in a new workspace that its owner owns."""
        guild = await self.sandbox.make_guild(name, **{**HARBOR, **spec})
        return await self.settled(guild)

    async def settled(self, guild: GuildIds, *, workspace_id: str | None = None) -> Place:
        """Installs a guild of the sandbox, in a workspace of its own unless one is named."""
        guild_id = int(guild["id"])
        await until(lambda: self.core.client.readiness.is_ready(guild_id), "the guild arrives")
        async with self.core.database.unit_of_work() as session:
            if workspace_id is None:
                workspace_id = await workspaces.create(session, guild["name"], int(guild["owner_id"]), time.time())
            await installations.install(session, workspace_id, guild_id, time.time())
        place = Place(self, guild, workspace_id)
        if "wren" in guild["members"]:
            await place.set_role("wren", PlatformRole.VIEWER)
        return place

    async def effects(self, *, with_cards: bool = False) -> list[dict[str, Any]]:
        """What changed the simulated world since the last look, direct messages aside unless they are asked for."""
        found: list[dict[str, Any]] = (await self.sandbox.control("effects", clear=True))["effects"]
        return found if with_cards else await self._in_guilds(found)

    async def requests(self) -> list[dict[str, Any]]:
        """What the bot asked of Discord since the last look, direct messages aside."""
        found: list[dict[str, Any]] = (await self.sandbox.control("requests", clear=True))["requests"]
        return await self._in_guilds(found)

    async def _in_guilds(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Cards of plans go to direct messages, and those of an earlier test may still be brought up to date."""
        if not entries:
            return entries
        seen = await self.sandbox.control("world", guild=int(self.anchor["id"]))
        direct = {f"/channels/{channel['id']}" for channel in seen["direct_messages"]} | {"/users/@me/channels"}
        return [
            entry
            for entry in entries
            if "/".join(entry["path"].split("/")[:3]) not in direct and entry["path"] not in direct
        ]


class Place:
    """A guild of the test's own, installed in a workspace of its own; its people are named as in the guild."""

    def __init__(self, town: Town, guild: GuildIds, workspace_id: str) -> None:
        self.town = town
        self.guild = guild
        self.workspace_id = workspace_id
        self.granted: dict[str, GrantedClient] = {}
        self._tokens: dict[str, str] = {}
        self._granting = asyncio.Lock()

    # ------------------------------------------------------------------- names
    @property
    def id(self) -> str:
        return self.guild["id"]

    @property
    def guild_id(self) -> int:
        return int(self.guild["id"])

    @property
    def installation_id(self) -> str:
        return self.town.core.facts.snapshot.installations[self.guild_id].id

    def channel(self, name: str) -> str:
        return self.guild["channels"][name]

    def member(self, name: str) -> str:
        return self.guild["members"][name]

    def role(self, name: str) -> str:
        return self.guild["roles"][name]

    # ------------------------------------------------------------------ tokens
    async def token(self, who: str, /, *, key: str | None = None, **options: Any) -> str:
        """The token of a client of this person, made at its first use; ``key`` tells several of one person apart.

        ``who`` "operator": nobody stands behind it. ``options`` as storage.clients.create takes them.
        """
        key = key or who
        async with self._granting:
            if key not in self._tokens:
                self.granted[key], self._tokens[key] = await self._grant(who, {"name": key} | options)
        return self._tokens[key]

    async def _grant(self, who: str, options: dict[str, Any]) -> tuple[GrantedClient, str]:
        given: dict[str, Any] = {"scopes": EVERYTHING_BUT_ADMIN, "user_id": None} | options
        if who == "operator":
            given |= {"kind": ClientKind.OPERATOR}
            given.setdefault("guild_ids", {self.guild_id})
            given.setdefault("expires_at", time.time() + 3600)
        elif given["user_id"] is None:
            given["user_id"] = int(self.member(who))
        database = self.town.core.database
        async with database.unit_of_work() as session:
            # Known here only once it is committed: two clients of one person may ask for it at the same time.
            return await clients.create(
                session, database.keyring, workspace_id=self.workspace_id, now=time.time(), **given
            )

    async def revoke(self, key: str) -> None:
        async with self.town.core.database.unit_of_work() as session:
            assert await clients.revoke(session, self.granted[key].id, time.time())

    # ------------------------------------------------------------------- calls
    @asynccontextmanager
    async def client(self, who: str, mode: str = MODERN, **options: Any) -> AsyncGenerator[Client]:
        """The official client, as this person (or as the token that was made under this key)."""
        async with connected(self.town.app.port, await self.token(who), mode, **options) as client:
            yield client

    async def call(self, name: str, as_: str = "ada", /, **arguments: Any) -> Answer:
        """One call through the official client."""
        async with self.client(as_) as client:
            return answer_of(await client.call_tool(name, arguments))

    async def done(self, name: str, as_: str = "ada", /, **arguments: Any) -> dict[str, Any]:
        """The result of a call that succeeds: of a read, or of a write that is executed."""
        answer = await self.call(name, as_, **arguments)
        assert not answer.is_error, answer
        assert answer.status == "done", answer
        result: dict[str, Any] = answer.data.get("result", answer.data)
        return result

    async def sent(self, as_: str = "ada", channel: str = "general", /, **arguments: Any) -> str:
        """Sends a message through Guildhall; its id."""
        arguments.setdefault("content", "hello")
        result = await self.done("message_send", as_, channel=self.channel(channel), dry_run=False, **arguments)
        message_id: str = result["message_id"]
        return message_id

    # ------------------------------------------------------------------- world
    async def says(self, who: str, channel: str, content: str, **more: Any) -> str:
        """A member writes by hand; the message's id."""
        sent = await self.town.sandbox.control(
            "send", user=int(self.member(who)), channel=int(self.channel(channel)), content=content, **more
        )
        message_id: str = sent["id"]
        return message_id

    async def history(self, channel: str) -> list[dict[str, Any]]:
        found = await self.town.sandbox.control("history", channel=int(self.guild["channels"].get(channel, channel)))
        messages: list[dict[str, Any]] = found["messages"]
        return messages

    async def world(self) -> dict[str, Any]:
        """Everything in the guild, its messages too."""
        seen = await self.town.sandbox.control("world", guild=self.guild_id)
        guild: dict[str, Any] = seen["guilds"][0]
        messages = {each["id"]: await self.history(each["id"]) for each in guild["channels"]}
        return {"guild": guild, "messages": messages}

    async def kept(self) -> list[dict[str, Any]]:
        """What Guildhall itself keeps of the guild beside its audit: cases with their notes."""
        found: list[dict[str, Any]] = []
        async with self.town.core.database.read() as session:
            for case in await cases.page(session, cases.CaseQuery(self.installation_id, limit=1000)):
                notes = [note.text for note in await cases.notes(session, case.id)]
                found.append({"case": case.number, "reason": case.reason, "state": case.state.value, "notes": notes})
        return found

    async def channels(self) -> dict[str, dict[str, Any]]:
        """The channels as Discord has them, by name."""
        seen = await self.town.sandbox.control("world", guild=self.guild_id)
        return {channel["name"]: channel for channel in seen["guilds"][0]["channels"]}

    async def by_hand(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """Any REST route, as a person does it in Discord."""
        done = await self.town.sandbox.control(
            "as_user", user=int(self.member(who)), method=method, path=path, body=body
        )
        return done["result"]

    async def thread(self, who: str, channel: str, name: str, *, private: bool = False) -> str:
        """A thread made by hand, once the bot has heard of it; its id."""
        body = {"name": name, "type": 12 if private else 11}
        made = await self.by_hand(who, "POST", f"/channels/{self.channel(channel)}/threads", body)
        thread_id: str = made["id"]
        guild = self.town.core.state.source.cached(self.guild_id)
        assert guild is not None
        await until(lambda: guild.get_thread(int(thread_id)), "the thread arrives")
        return thread_id

    async def webhook(self, who: str, channel: str, name: str) -> str:
        """A webhook made by hand; its id."""
        made = await self.by_hand(who, "POST", f"/channels/{self.channel(channel)}/webhooks", {"name": name})
        webhook_id: str = made["id"]
        return webhook_id

    async def invite(self, who: str, channel: str) -> str:
        """An invite made by hand; its code."""
        made = await self.by_hand(who, "POST", f"/channels/{self.channel(channel)}/invites", {"unique": True})
        code: str = made["code"]
        return code

    # ------------------------------------------------------------------ policy
    async def set_role(self, who: str, role: PlatformRole) -> None:
        async with self.town.core.database.unit_of_work() as session:
            await memberships.set_role(session, self.workspace_id, int(self.member(who)), role, time.time())

    async def set_rules(self, **rules: Any) -> None:
        """The guild's policy, as policy.rules.GuildRules takes it."""
        async with self.town.core.database.unit_of_work() as session:
            await policies.set_guild(session, self.installation_id, GuildRules(**rules), by=None, now=time.time())

    async def set_policy(self, channel: str, **rules: Any) -> None:
        async with self.town.core.database.unit_of_work() as session:
            await policies.set_channel(
                session,
                self.installation_id,
                int(self.channel(channel)),
                ChannelRules(rules=ClassRules(**rules)),
                by=None,
                now=time.time(),
            )

    # ------------------------------------------------------------------- audit
    async def audited(self, **where: Any) -> list[AuditEvent]:
        """The rows of this workspace's audit, oldest first."""
        return await audit_rows(self.town.core, workspace_id=self.workspace_id, **where)


async def audit_rows(core: Core, **where: Any) -> list[AuditEvent]:
    from sqlmodel import col, select

    wanted = select(AuditEvent).order_by(col(AuditEvent.id))
    for name, value in where.items():
        wanted = wanted.where(getattr(AuditEvent, name) == value)
    async with core.database.read() as session:
        return list((await session.scalars(wanted)).all())


SMALL_MODEL = "a-smaller-model"


def environment(sandbox: SandboxProcess, folder: Path, **more: str) -> dict[str, str]:
    """The settings of an instance against this sandbox."""
    return {
        "DISCORD_BOT_TOKEN": sandbox.bot_token,
        "DISCORD_API_BASE_URL": sandbox.api_base_url,
        "ALLOW_INSECURE_DISCORD_API": "true",
        "DATA_DIR": str(folder),
        # Most tests make guilds of their own and look at all that is posted there.
        "SET_UP_CARDS": "false",
        "SECRET_KEYS": "a key for tests that nobody must use elsewhere",
        "AGENT_SMALL_MODEL": SMALL_MODEL,
        **more,
    }


@contextmanager
def another_discord() -> Generator[None]:
    """A process knows one Discord: whoever runs another app meanwhile gives the worker's own its address back."""
    known = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE = known


@asynccontextmanager
async def running_town(folder: Path, more: Mapping[str, str] | None = None) -> AsyncGenerator[Town]:
    """An app of its own against a sandbox of its own."""
    async with SandboxProcess() as sandbox:
        # The first start makes the default workspace, of the guilds that are there.
        anchor = await sandbox.make_guild("Anchor", members=[{"name": "amy"}], channels=[{"name": "general"}])
        given = environment(sandbox, folder, **(more or {}))
        configured = settings.load(given, env_file=None)
        with another_discord():
            async with running(configured, Mark.SANDBOX, port=0) as app:
                await until(
                    lambda: int(anchor["id"]) in app.core.facts.snapshot.installations, "the first start is done"
                )
                commands = app.core.commands
                await until(lambda: commands is None or commands.done.is_set(), "Discord has the commands")
                yield Town(sandbox, app, given, anchor)


def without(data: Any, *keys: str) -> Any:
    """The same JSON without these keys, at any depth."""
    if isinstance(data, dict):
        fields = cast("dict[str, Any]", data)
        return {key: without(value, *keys) for key, value in fields.items() if key not in keys}
    if isinstance(data, list):
        return [without(value, *keys) for value in cast("list[Any]", data)]
    return data


def names(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    return {row["name"] for row in rows}
