"""``guildhall demo``: everything on loopback against a simulated Discord, with nothing to sign up for."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from bot import logs
from bot import settings as settings_module
from bot.app import App, running
from bot.commands.serving import stop_signal
from bot.marked_database import opened_database
from bot.setting_values import is_real_token
from bot.settings import Settings, SettingsError
from operations.client_configurations import client_configurations, told
from policy.model import PlatformRole
from policy.rules import GuildRules
from policy.scopes import EVERYTHING_BUT_ADMIN
from storage import clients, installations, instance, memberships, policies, workspaces
from storage.database import Database
from storage.instance import Mark
from storage.snapshot import ClientKind

HOST = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 1.0
ADMINISTRATOR = "ada"
VIEWER = "wren"
SPAMMER = "coinflip100"
EXAMPLE_CHANNEL = "general"
APPROVALS_CHANNEL = "approvals"


async def run(arguments: argparse.Namespace) -> None:
    """Until SIGTERM or Ctrl-C, also while it starts.

    Raises SettingsError when something of a real Discord is in the environment, and when the port is taken.
    """
    _refuse_real_token()
    _refuse_taken_port(arguments.port)
    stopping = stop_signal()
    if not arguments.json:
        print("Starting Guildhall and a simulated Discord ...", flush=True)
    serving = asyncio.ensure_future(_serve(arguments))
    stopped = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not serving.done():
        if not arguments.json:
            print("Ending.", flush=True)
        serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
    # The process ends now: without this Python first goes through all it holds once more, for a second or two.
    gc.freeze()


async def _serve(arguments: argparse.Namespace) -> None:
    """Until it is cancelled; raises what a part that must live died of."""
    with _data_dir(keep=arguments.keep) as data_dir:
        async with _sandbox() as sandbox:
            settings = _settings(sandbox, data_dir)
            logs.configure_from(settings)
            tokens = await _seed(settings, sandbox)
            async with running(settings, Mark.SANDBOX, port=arguments.port) as app:
                await _guilds_arrived(app, sandbox)
                shown = _shown(app, sandbox, tokens)
                print(json.dumps(shown) if arguments.json else _text(shown), flush=True)
                await app.core.until_failed()


def _refuse_taken_port(port: int) -> None:
    """Before anything starts, so that it is all that is said."""
    with socket.socket() as probe:
        # As the server binds: connections of a run that has just ended don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise SettingsError(
                [f"--port: {HOST}:{port} can't be had ({error.strerror}). Choose another one; 0 takes a free one."]
            ) from None


def _refuse_real_token() -> None:
    import os

    token = os.environ.get("DISCORD_BOT_TOKEN", "")
    if is_real_token(token):
        raise SettingsError(
            ["DISCORD_BOT_TOKEN: a real bot token is set; the demo never uses one. Unset it, or use `guildhall run`."]
        )


class _data_dir:  # noqa: N801 - a context manager, named like the function that it is
    """A folder for the demo's database: fresh and removed afterwards, or ./data/demo with ``keep``."""

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep
        self._path = Path("data/demo") if keep else Path(tempfile.mkdtemp(prefix="guildhall-demo-"))

    def __enter__(self) -> Path:
        self._path.mkdir(parents=True, exist_ok=True)
        return self._path

    def __exit__(self, *_exception: object) -> None:
        if not self._keep:
            shutil.rmtree(self._path, ignore_errors=True)


@asynccontextmanager
async def _sandbox() -> AsyncGenerator[Mapping[str, Any]]:
    """The simulated Discord as a process of its own; it ends with this one, however that ends."""
    command = [sys.executable, "-m", "sandbox", "--json", "--stdin-lifeline", "--world", "demo"]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("the sandbox has no pipes")
        async with asyncio.timeout(START_SECONDS):
            line = await process.stdout.readline()
        if not line:
            raise SettingsError(["The simulated Discord did not start; run `make demo`, which installs what it needs."])
        yield json.loads(line)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _settings(sandbox: Mapping[str, Any], data_dir: Path) -> Settings:
    """Nothing of the environment counts but how it logs: the demo reaches no Discord, no database and no Redis of
    yours.
    """
    blank = dict.fromkeys(
        (
            "DATABASE_URL",
            "REDIS_URL",
            "PUBLIC_URL",
            "ALLOWED_GUILD_IDS",
            "SECRET_KEYS",
            "DISCORD_CLIENT_ID",
            "DISCORD_CLIENT_SECRET",
        )
    )
    given = {
        "DISCORD_BOT_TOKEN": sandbox["bot_token"],
        "DISCORD_API_BASE_URL": sandbox["api_base_url"],
        "ALLOW_INSECURE_DISCORD_API": "true",
        "DATA_DIR": str(data_dir),
        "HOST": HOST,
    }
    return settings_module.load(given, env_file=None, unset=blank)


async def _seed(settings: Settings, sandbox: Mapping[str, Any]) -> dict[str, str]:
    """Two workspaces, one a guild; in the first an approvals channel and two tokens. Returns the tokens by what they
    are called outside.
    """
    now = time.time()
    first, second = sandbox["guilds"][0], sandbox["guilds"][1]
    async with opened_database(settings, Mark.SANDBOX) as database:
        workspace_id = await _workspace(database, first, now)
        await _workspace(database, second, now)
        await _approvals_channel(database, first, now)
        async with database.unit_of_work() as session:
            await memberships.set_role(session, workspace_id, int(first["members"][VIEWER]), PlatformRole.VIEWER, now)
        return {
            "token": await _token(database, workspace_id, int(first["members"][ADMINISTRATOR]), "demo", now),
            "viewer_token": await _token(database, workspace_id, int(first["members"][VIEWER]), "demo viewer", now),
        }


async def _workspace(database: Database, guild: Mapping[str, Any], now: float) -> str:
    guild_id = int(guild["id"])
    async with database.unit_of_work() as session:
        installed = await installations.active(session, guild_id)
        if installed is not None:
            return installed.workspace_id
        workspace_id = await workspaces.create(session, guild["name"], int(guild["owner_id"]), now)
        if await workspaces.default(session) is None:
            await workspaces.set_default(session, workspace_id)
        await installations.install(session, workspace_id, guild_id, now)
        await instance.put(session, "started", str(now))
        return workspace_id


async def _approvals_channel(database: Database, guild: Mapping[str, Any], now: float) -> None:
    """Where the cards of the guild are posted, unless a kept database says otherwise."""
    channel_id = int(guild["channels"][APPROVALS_CHANNEL])
    async with database.unit_of_work() as session:
        installed = await installations.active(session, int(guild["id"]))
        if installed is None:
            return
        rules = await policies.guild(session, installed.id)
        if rules == GuildRules():
            rules = GuildRules(approvals_channel_id=channel_id)
            await policies.set_guild(session, installed.id, rules, by=None, now=now)


async def _token(database: Database, workspace_id: str, user_id: int, name: str, now: float) -> str:
    async with database.unit_of_work() as session:
        _, token = await clients.create(
            session,
            database.keyring,
            workspace_id=workspace_id,
            user_id=user_id,
            name=name,
            scopes=EVERYTHING_BUT_ADMIN,
            toolsets=None,
            guild_ids=None,
            read_only=False,
            direct_writes=False,
            expires_at=None,
            kind=ClientKind.TOKEN,
            created_by=user_id,
            now=now,
        )
    return token


async def _guilds_arrived(app: App, sandbox: Mapping[str, Any]) -> None:
    async with asyncio.timeout(START_SECONDS):
        for guild in sandbox["guilds"]:
            while not app.core.client.readiness.is_ready(int(guild["id"])):
                await app.core.client.readiness.wait(int(guild["id"]), START_SECONDS)
    await app.health.look()


def _shown(app: App, sandbox: Mapping[str, Any], tokens: Mapping[str, str]) -> dict[str, Any]:
    base = f"http://{HOST}:{app.port}"
    guilds = [
        {key: guild[key] for key in ("id", "name", "channels", "members", "roles")} for guild in sandbox["guilds"]
    ]
    return {
        "preview_url": sandbox["preview_url"],
        "mcp_url": f"{base}/mcp",
        "sse_url": f"{base}/sse",
        "health_url": f"{base}/health",
        **tokens,
        "discord_url": sandbox["base_url"],
        "control_url": sandbox["control_url"],
        "control_token": sandbox["control_token"],
        "bot_id": sandbox["bot_id"],
        "guilds": guilds,
    }


def _text(shown: Mapping[str, Any]) -> str:
    """What a newcomer reads: addresses, configurations that can be pasted, one call that works as printed."""
    url, token, guild = shown["mcp_url"], shown["token"], shown["guilds"][0]
    header = f"Authorization: Bearer {token}"
    program = str(Path(sys.executable).with_name("guildhall"))
    arguments = {"guild": guild["name"], "channel": EXAMPLE_CHANNEL, "limit": 5}
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {
            "name": "message_list_recent",
            "arguments": arguments,
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "curl", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    }
    click = {
        "user": guild["members"][ADMINISTRATOR],
        "channel": guild["channels"][APPROVALS_CHANNEL],
        "label": "Approve",
        "wait": 10,
        "message": "MESSAGE",
    }
    return f"""
Guildhall is running against a simulated Discord. Nothing here reaches the real one.

Open {shown["preview_url"]}
and try /help there, or mention @Guildhall. You act as any of its people, with their rights.

  MCP (Streamable HTTP)  {url}
  MCP (legacy SSE)       {shown["sse_url"]}
  Health                 {shown["health_url"]}
  Token                  {token}
                         (acts as {ADMINISTRATOR}, an administrator of {guild["name"]})
  Read-only token        {shown["viewer_token"]}
  Simulated Discord      {shown["discord_url"]}
  Play its people        POST {shown["control_url"]}/<action>, Authorization: Bearer {shown["control_token"]}

{told(client_configurations(url, token, program=program))}

One call, as it is:
  curl -s {url} -H "{header}" -H "Content-Type: application/json" \\
    -H "Accept: application/json, text/event-stream" -H "MCP-Protocol-Version: 2026-07-28" \\
    -H "Mcp-Method: tools/call" -H "Mcp-Name: message_list_recent" \\
    -d '{json.dumps(call)}'

Then try message_send: it previews first (nothing is sent before dry_run is false). audit_list shows what was done, and
audit_revert undoes it.

A ban waits for a person: ask your client to ban @{SPAMMER}. A card with buttons is posted to #{APPROVALS_CHANNEL}.
{ADMINISTRATOR} presses Approve on the page, or with this line; for MESSAGE write the last number of the link that your
client got:
  curl -s {shown["control_url"]}/click -H "Content-Type: application/json" \\
    -H "Authorization: Bearer {shown["control_token"]}" -d '{json.dumps(click)}'

To play it by hand: {shown["preview_url"]}
Ctrl-C ends it.
"""
