"""What a client has open ends with its access, within a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from mcp_server.app import MCP_HTTP
from mcp_server.listing import ToolListing
from mcp_server.revocations import Revocations
from operations.callers import Callers
from policy.model import PlatformRole
from storage import memberships
from tests.mcp_server.served import MEMBER_ID, REGISTRY, TOOLS, Clock, Served
from tests.mcp_server.transports.small_server import bearer, request, until_true

SECOND = 1.0


@asynccontextmanager
async def stream_of(served: Served, token: str, query: str = "") -> AsyncGenerator[aiohttp.ClientResponse]:
    """A session with its standalone stream open."""
    headers = await served.session(token, query)
    async with served.web.get(served.url + query, headers=headers) as stream:
        assert stream.status == 200
        await stream.content.readuntil(b": open\r\n\r\n")
        yield stream


async def test_a_revoked_client_loses_sessions_and_streams_within_a_second_and_others_keep_theirs(
    served: Served,
) -> None:
    client, token = await served.token()
    kept, other = await served.token()
    async with stream_of(served, token) as stream, stream_of(served, other):
        async with asyncio.timeout(SECOND):
            await served.revoke(client.id)
            assert await stream.content.read() == b""
        sessions = served.app[MCP_HTTP].sessions
        await until_true(lambda: [session.principal for session in sessions] == [kept.id])


async def test_a_call_that_is_under_way_ends_with_its_client(served: Served) -> None:
    client, token = await served.token()
    served.executor.gate = asyncio.Event()
    call: dict[str, Any] = {"name": "guild_list", "arguments": {}}

    async def send() -> int:
        async with served.modern(token, "tools/call", call) as response:
            return response.status

    sent = asyncio.create_task(send())
    await until_true(lambda: served.executor.calls)
    async with asyncio.timeout(SECOND):
        await served.revoke(client.id)
        assert await sent == 403


async def test_legacy_streams_end_too(served: Served) -> None:
    client, token = await served.token()
    async with served.web.get(f"{served.base}/sse", headers=bearer(token)) as stream:
        await stream.content.readuntil(b"endpoint")
        async with asyncio.timeout(SECOND):
            await served.revoke(client.id)
            await stream.content.read()


async def test_removing_a_member_ends_all_of_the_clients(served: Served) -> None:
    await served.set_role(MEMBER_ID, PlatformRole.MEMBER)
    _, first = await served.token()
    _, second = await served.token()
    async with stream_of(served, first) as one, stream_of(served, second) as two:
        async with asyncio.timeout(SECOND):
            async with served.database.unit_of_work() as session:
                assert await memberships.remove(session, served.workspace_id, MEMBER_ID, served.clock())
            await asyncio.gather(one.content.read(), two.content.read())
    for token in (first, second):
        async with served.modern(token, "tools/list") as response:
            assert response.status == 401


async def test_an_expiring_client_is_ended_when_its_time_is_over(served: Served) -> None:
    """By the upkeep of its own: nothing in the database changes when a token expires."""
    _, token = await served.token(expires_at=served.clock() + 3600)
    clock = Clock(served.clock())
    http = served.app[MCP_HTTP]
    revocations = Revocations(served.facts, Callers(served.facts), ToolListing(REGISTRY, TOOLS), http, clock)
    async with stream_of(served, token) as stream:
        await revocations.look()
        assert len(http.sessions) == 1
        clock.now += 3600
        await revocations.look()
        assert len(http.sessions) == 0
        async with asyncio.timeout(SECOND):
            assert await stream.content.read() == b""


async def test_the_upkeep_wakes_up_at_the_expiry(served: Served) -> None:
    """Real time here: the token lives for a tenth of a second."""
    clock = Clock()
    _, token = await served.token(expires_at=served.clock() + 3600)
    http = served.app[MCP_HTTP]
    clock.now = served.clock() + 3599.9
    ticking = clock.now - asyncio.get_running_loop().time()
    revocations = Revocations(
        served.facts,
        Callers(served.facts),
        ToolListing(REGISTRY, TOOLS),
        http,
        lambda: asyncio.get_running_loop().time() + ticking,
    )
    async with stream_of(served, token) as stream:
        upkeep = asyncio.create_task(revocations.run())
        async with asyncio.timeout(SECOND):
            assert await stream.content.read() == b""
        upkeep.cancel()


async def test_a_session_is_told_when_its_list_of_tools_changes_and_only_then(served: Served) -> None:
    _, token = await served.token()
    _, operator = await served.token(user_id=300)
    async with stream_of(served, token) as stream, stream_of(served, operator) as unaffected:
        await served.token()  # another client appears: nobody's list changes
        await served.set_role(MEMBER_ID, PlatformRole.VIEWER)
        async with asyncio.timeout(SECOND):
            event = await stream.content.readuntil(b"\r\n\r\n")
        assert b"notifications/tools/list_changed" in event
        await served.set_role(300, PlatformRole.VIEWER)
        async with asyncio.timeout(SECOND):
            assert b"list_changed" in await unaffected.content.readuntil(b"\r\n\r\n")
        # Both streams are at the same change now; a notice too many would have come before it.
        await served.set_role(MEMBER_ID, PlatformRole.MEMBER)
        async with asyncio.timeout(SECOND):
            assert b"list_changed" in await stream.content.readuntil(b"\r\n\r\n")


async def test_a_session_that_selected_toolsets_hears_of_changes_to_what_it_lists_alone(served: Served) -> None:
    """A viewer loses writing tools; a session that lists nothing but reads keeps its list."""
    _, token = await served.token()
    async with stream_of(served, token) as whole, stream_of(served, token, "?toolsets=read_only") as reading:
        await served.set_role(MEMBER_ID, PlatformRole.VIEWER)
        async with asyncio.timeout(SECOND):
            assert b"list_changed" in await whole.content.readuntil(b"\r\n\r\n")
        sessions = {session.selection: session for session in served.app[MCP_HTTP].sessions}
        reader = next(session for selection, session in sessions.items() if selection is not None)
        # What comes next on the other stream is this, and no notice that was sent before it.
        await reader.notify("notifications/message", {"level": "info", "data": "marker"})
        async with asyncio.timeout(SECOND):
            assert b"marker" in await reading.content.readuntil(b"\r\n\r\n")


async def test_a_client_that_vanished_is_ended(served: Served) -> None:
    """A session whose client no row tells of any more, such as one that opened while its client was deleted."""
    client, token = await served.token()
    http = served.app[MCP_HTTP]
    revocations = Revocations(served.facts, Callers(served.facts), ToolListing(REGISTRY, TOOLS), http, served.clock)
    await served.session(token)
    snapshot = served.facts.snapshot
    served.facts.snapshot = type(snapshot)(
        revision=snapshot.revision,
        clients={key: value for key, value in snapshot.clients.items() if key != client.id},
    )
    served.facts.epoch += 1
    await revocations.look()
    assert len(http.sessions) == 0
    body = request("ping", None, 5)
    async with served.web.post(served.url, headers=bearer(token), json=body) as response:
        assert response.status == 401
