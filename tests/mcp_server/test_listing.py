"""Which tools whom is shown."""

from __future__ import annotations

import pytest
from mcp.shared.exceptions import MCPError

from mcp_server.listing import ToolListing
from mcp_server.selection import parse
from operations.base import Operation
from policy.model import Caller, CallerKind, Face, Kind, PlatformRole
from policy.scopes import EVERYTHING, READ_ONLY
from tests.mcp_server.served import MEMBER_ID, OWNER_ID, REGISTRY, TOOLS, Served

LISTING = ToolListing(REGISTRY, TOOLS)


def caller(**more: object) -> Caller:
    given: dict[str, object] = {"scopes": EVERYTHING | {"meta:read", "meta:write"}, **more}
    return Caller(CallerKind.TOKEN, Face.MCP, "mc_1", "ws_1", 1, **given)  # type: ignore[arg-type]


def operation(name: str) -> Operation:
    found = REGISTRY.get(name)
    assert found is not None
    return found


def writes(names: tuple[str, ...] | list[str]) -> list[str]:
    return [name for name in names if operation(name).kind is not Kind.READ]


def test_a_client_without_toolsets_sees_the_default_set() -> None:
    names = LISTING.names(caller(), None)
    assert names == tuple(o.name for o in REGISTRY if o.in_default_set and Face.MCP in o.faces)
    assert {"whoami", "tool_search", "message_send"} <= set(names)


def test_a_client_with_toolsets_sees_all_of_them_and_nothing_else() -> None:
    names = LISTING.names(caller(toolsets=frozenset({"messages", "meta"})), None)
    assert {operation(name).toolset for name in names} == {"messages", "meta"}
    assert set(names) == {o.name for o in REGISTRY if o.toolset in ("messages", "meta") and Face.MCP in o.faces}


def test_a_viewer_sees_no_writes() -> None:
    shown = LISTING.names(caller(), PlatformRole.VIEWER)
    assert shown
    assert writes(shown) == []
    assert writes(LISTING.names(caller(), PlatformRole.MEMBER))


def test_a_read_only_client_and_one_with_reading_scopes_see_no_writes() -> None:
    assert writes(LISTING.names(caller(read_only=True), PlatformRole.OWNER)) == []
    reader = caller(scopes=READ_ONLY)
    assert writes(LISTING.names(reader, PlatformRole.OWNER)) == []


def test_nobody_sees_what_mcp_does_not_offer() -> None:
    everything = LISTING.names(caller(), PlatformRole.OWNER, parse("all", REGISTRY.toolsets))
    assert set(everything) == {o.name for o in REGISTRY if Face.MCP in o.faces}


def test_pages_follow_each_other_and_end() -> None:
    listing = ToolListing(REGISTRY, TOOLS, page=4)
    names = listing.names(caller(), None)
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = listing.page(names, direct_writes=False, cursor=cursor)
        assert len(page.tools) <= 4
        found += [tool.name for tool in page.tools]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == list(names)


def test_the_whole_list_fits_on_one_page_by_default() -> None:
    page = LISTING.page(LISTING.names(caller(), None), direct_writes=False, cursor=None)
    assert page.next_cursor is None


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(MCPError, match="cursor"):
        LISTING.page(("whoami",), direct_writes=False, cursor="message_send")


async def test_the_default_of_dry_run_is_that_of_the_clients_write_mode(served: Served) -> None:
    for direct_writes in (False, True):
        _, token = await served.token(direct_writes=direct_writes)
        async with served.modern(token, "tools/list") as response:
            tools = {tool["name"]: tool for tool in (await response.json())["result"]["tools"]}
        properties = tools["message_send"]["inputSchema"]["properties"]
        assert properties["dry_run"] == {"type": "boolean", "default": not direct_writes}
        assert "dry_run" not in tools["guild_list"]["inputSchema"]["properties"]


async def test_the_list_follows_the_role_of_the_workspace_at_once(served: Served, token: str) -> None:
    assert writes(await served.tools(token))
    await served.set_role(MEMBER_ID, PlatformRole.VIEWER)
    assert writes(await served.tools(token)) == []
    await served.set_role(MEMBER_ID, PlatformRole.MEMBER)
    assert writes(await served.tools(token))


async def test_interleaved_callers_each_get_their_own_list(served: Served) -> None:
    """The answers are remembered; what one caller may see must never answer another."""
    _, all_of_it = await served.token(user_id=OWNER_ID)
    _, reading = await served.token(read_only=True)
    _, talking = await served.token(toolsets=["messages"])
    expected = {token: await served.tools(token) for token in (all_of_it, reading, talking)}
    assert len({tuple(names) for names in expected.values()}) == 3
    for _ in range(2):
        for token, names in expected.items():
            assert await served.tools(token) == names
            assert await served.tools(token, "?toolsets=read_only,messages") != names


async def test_the_url_lists_its_toolsets_whole_and_meta_beside_them(served: Served, token: str) -> None:
    names = await served.tools(token, "?toolsets=channels")
    assert {operation(name).toolset for name in names} == {"channels", "meta"}


async def test_the_url_cannot_widen(served: Served) -> None:
    _, token = await served.token(toolsets=["messages"], read_only=True)
    names = await served.tools(token, "?toolsets=all")
    assert {operation(name).toolset for name in names} == {"messages", "meta"}
    assert writes(names) == []
    assert writes(await served.tools(token, "?toolsets=channels")) == []


async def test_read_only_in_the_url_lists_and_allows_reads_alone(served: Served, token: str) -> None:
    names = await served.tools(token, "?toolsets=read_only")
    assert names
    assert writes(names) == []
    async with served.modern(token, "tools/call", {"name": "guild_list", "arguments": {}}, query="?toolsets=read_only"):
        pass
    assert served.executor.calls[0][2].read_only


async def test_both_eras_get_the_same_list_and_a_remembered_one_is_the_same(served: Served, token: str) -> None:
    modern = await served.tools(token)
    for mode in ("legacy", "auto"):
        async with served.official(token, mode) as client:
            first = await client.list_tools()
        async with served.official(token, mode) as client:
            assert await client.list_tools() == first
        assert [tool.name for tool in first.tools] == modern


async def test_a_cursor_that_is_no_text_is_invalid_params(served: Served, token: str) -> None:
    async with served.modern(token, "tools/list", {"cursor": 5}) as response:
        assert (await response.json())["error"]["code"] == -32602
    async with served.modern(token, "tools/list", {"cursor": "nowhere"}) as response:
        assert "cursor" in (await response.json())["error"]["message"]
