"""A server for one caller, as over stdio: no HTTP request says who calls."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import mcp.types as t
import pytest
from mcp.client import Client, ClientRequestContext
from mcp.server.subscriptions import ResourceUpdated

from mcp_server.identities import Identities, OneCaller
from mcp_server.selection import parse
from mcp_server.server import MCPFace, mcp_face
from operations.base import Encoded
from policy.model import Caller, CallerKind, Face
from policy.scopes import EVERYTHING_BUT_ADMIN
from tests.app import until
from tests.mcp_server.scripted_executor import read
from tests.mcp_server.scripted_plans import waiting
from tests.mcp_server.served import REGISTRY, TOOLS, Served
from tests.mcp_server.transports.small_server import MODERN

CALLER = Caller(
    CallerKind.COMMAND_LINE, Face.MCP, "cli", "ws_1", 1, scopes=EVERYTHING_BUT_ADMIN | {"meta:read", "meta:write"}
)


def face_for(served: Served, identities: Identities) -> MCPFace:
    keyring = served.database.keyring
    return mcp_face(REGISTRY, served.executor, identities, served.facts, served.plans, keyring, catalogue=TOOLS)


def client(served: Served, identities: Identities, mode: str) -> Client:
    return Client(face_for(served, identities).server, mode=mode)


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


pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")


async def accept(context: ClientRequestContext, params: t.ElicitRequestParams) -> t.ElicitResult:
    return t.ElicitResult(action="accept", content={})


@pytest.mark.parametrize("mode", ["legacy", MODERN])
async def test_the_one_caller_confirms_and_hears_of_his_plans(served: Served, mode: str) -> None:
    """Without HTTP as well: there is one session, and no road but the SDK's."""
    served.executor.outcomes["channel_delete"] = waiting(served.plans.add("cl_1", CALLER.client_id))
    served.executor.outcomes["plan_get"] = read("plan_get", Encoded(b'{"plan_id":"cl_1"}'))
    face = face_for(served, OneCaller(lambda: CALLER))
    heard: list[Any] = []

    async def hear(message: Any) -> None:
        heard.append(message)

    async with AsyncExitStack() as stack:
        connected = await stack.enter_async_context(
            Client(face.server, mode=mode, elicitation_callback=accept, message_handler=hear)
        )
        uri = "discord://plans/cl_1"
        events = None
        if mode == MODERN:
            events = await stack.enter_async_context(connected.listen(resource_subscriptions=[uri]))
        else:
            await connected.subscribe_resource(uri)  # pyright: ignore[reportDeprecated]
        result = await connected.call_tool("channel_delete", {"channel": "5"})
        assert result.structured_content["status"] == "done"
        if events is not None:
            async with asyncio.timeout(5):
                assert await anext(aiter(events)) == ResourceUpdated(uri)
        else:
            await until(
                lambda: any(isinstance(each, t.ResourceUpdatedNotification) for each in heard), "the update arrives"
            )
    assert len(face.subscriptions) == 0
