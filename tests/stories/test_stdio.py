"""MCP over standard input and output: as a proxy to a running instance, and alone."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.app import HANDSHAKE, MODERN, Place, Town, answer_of, environment
from tests.sandbox_process import SandboxProcess
from tests.served_process import process_environment

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def over_stdio(
    settings: Mapping[str, str], folder: Path, *arguments: str, mode: str = MODERN
) -> AsyncGenerator[Client]:
    """The official client of a process that speaks MCP; its errors go to a file beside it."""
    program = StdioServerParameters(
        command=sys.executable, args=list(arguments), env=process_environment(settings), cwd=folder
    )
    with (folder / "errors.txt").open("w") as errors:
        era = "legacy" if mode == HANDSHAKE else mode
        async with Client(stdio_client(program, errlog=errors), mode=era) as client:
            yield client


async def speaks(client: Client, guild: str) -> str:
    """Lists, reads, previews and sends; the id of the message."""
    listed = {tool.name for tool in (await client.list_tools()).tools}
    assert {"channel_list", "message_send", "audit_list"} <= listed
    channels = answer_of(await client.call_tool("channel_list", {"guild": guild}))
    assert not channels.is_error, channels
    asked = {"guild": guild, "channel": "general", "content": "through the pipe"}
    assert answer_of(await client.call_tool("message_send", asked)).status == "preview"
    sent = answer_of(await client.call_tool("message_send", {**asked, "dry_run": False}))
    assert sent.status == "done", sent
    audited = answer_of(await client.call_tool("audit_list", {"guild": guild, "mine": True}))
    assert sent.data["call_id"] in {call["call_id"] for call in audited.data["calls"]}
    message_id: str = sent.data["result"]["message_id"]
    return message_id


@pytest.mark.parametrize("mode", [HANDSHAKE, MODERN])
async def test_with_an_address_and_a_token_it_is_a_proxy(place: Place, tmp_path: Path, mode: str) -> None:
    given = {"GUILDHALL_URL": place.town.url, "GUILDHALL_TOKEN": await place.token("ada")}
    async with over_stdio(given, tmp_path, "-m", "bot", "stdio", mode=mode) as client:
        message_id = await speaks(client, place.id)
    assert [message["id"] for message in await place.history("general")] == [message_id]


async def test_beside_a_running_instance_it_is_a_proxy_to_that(town: Town, tmp_path: Path) -> None:
    """The same settings, the same database: it finds the address there, and its credential ends with it."""
    amy, channel = town.anchor["members"]["amy"], int(town.anchor["channels"]["general"])
    async with over_stdio(town.environment, tmp_path, "-m", "bot", "stdio", "--as", amy) as client:
        message_id = await speaks(client, town.anchor["id"])
        live = [client for client in town.core.facts.snapshot.clients.values() if client.name == "stdio"]
        assert [str(client.user_id) for client in live if client.revoked_at is None] == [amy]
    history = (await town.sandbox.control("history", channel=channel))["messages"]
    assert [message["id"] for message in history] == [message_id]


async def test_alone_it_is_the_whole_product(tmp_path: Path) -> None:
    async with SandboxProcess() as sandbox:
        guild = await sandbox.make_guild("Alone", members=[{"name": "amy"}], channels=[{"name": "general"}])
        given = environment(sandbox, tmp_path / "data")
        arguments = ("-m", "mcp_server", "--as", guild["members"]["amy"])
        async with over_stdio(given, tmp_path, *arguments) as client:
            message_id = await speaks(client, "Alone")
        channel = int(guild["channels"]["general"])
        history = (await sandbox.control("history", channel=channel))["messages"]
    assert [message["id"] for message in history] == [message_id]


async def test_an_operator_over_stdio_is_bound_to_the_guilds_that_it_names(tmp_path: Path) -> None:
    async with SandboxProcess() as sandbox:
        named = await sandbox.make_guild("Named", channels=[{"name": "general"}])
        other = await sandbox.make_guild("Other", channels=[{"name": "general"}])
        given = environment(sandbox, tmp_path / "data")
        arguments = ("-m", "bot", "stdio", "--operator", "--guild", named["id"])
        async with over_stdio(given, tmp_path, *arguments) as client:
            inside = answer_of(await client.call_tool("channel_list", {"guild": named["id"]}))
            outside = answer_of(await client.call_tool("channel_list", {"guild": other["id"]}))
            nowhere = answer_of(await client.call_tool("channel_list", {"guild": "1000000000000000001"}))
            me = answer_of(await client.call_tool("whoami", {}))
    assert not inside.is_error
    assert outside.said == nowhere.said
    assert (me.data["kind"], me.data["tainted"], me.data.get("user_id")) == ("operator", True, None)
    assert me.data["expires_at"]
    assert [guild["id"] for guild in me.data["guilds"]] == [named["id"]]
    assert "nobody stands behind this session" in (tmp_path / "errors.txt").read_text()
