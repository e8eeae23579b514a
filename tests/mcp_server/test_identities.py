"""A server for one caller, as over stdio: no HTTP request says who calls."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mcp.client import Client

from mcp_server.identities import Identities, OneCaller
from mcp_server.selection import parse
from mcp_server.server import mcp_face
from operations.base import Encoded
from policy.model import Caller, CallerKind, Face
from policy.scopes import EVERYTHING_BUT_ADMIN
from tests.mcp_server.scripted_executor import read
from tests.mcp_server.served import REGISTRY, TOOLS, Served
from tests.mcp_server.transports.small_server import MODERN

CALLER = Caller(
    CallerKind.COMMAND_LINE, Face.MCP, "cli", "ws_1", 1, scopes=EVERYTHING_BUT_ADMIN | {"meta:read", "meta:write"}
)


def client(served: Served, identities: Identities, mode: str) -> Client:
    face = mcp_face(
        REGISTRY, served.executor, identities, served.facts, served.plans, served.database.keyring, catalogue=TOOLS
    )
    return Client(face.server, mode=mode)


@pytest.mark.parametrize("mode", ["legacy", MODERN])
async def test_the_one_caller_is_asked_for_at_every_call(served: Served, mode: str) -> None:
    """Its rights may change while the process runs."""
    now = [CALLER]
    served.executor.outcomes["guild_list"] = read("guild_list", Encoded(b'{"guilds":[]}'))
    async with client(served, OneCaller(lambda: now[0]), mode) as connected:
        await connected.call_tool("guild_list", {})
        now[0] = replace(CALLER, active=False)
        await connected.call_tool("guild_list", {})
    assert [caller.active for _, _, caller in served.executor.calls] == [True, False]


async def test_a_selection_narrows_the_one_caller_too(served: Served) -> None:
    one = OneCaller(lambda: CALLER, parse("read_only,messages", REGISTRY.toolsets))
    async with client(served, one, "legacy") as connected:
        tools = (await connected.list_tools()).tools
    assert {tool.name for tool in tools} >= {"message_list_recent", "whoami"}
    assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools)
    assert one.caller(None).read_only
