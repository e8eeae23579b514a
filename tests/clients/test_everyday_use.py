"""What a newcomer does first, with every client: look around, read, preview, send, and look it up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.clients.demo_process import Demo, running_demo
from tests.clients.inspector_peer import InspectorPeer
from tests.clients.listing import check_result, listed_tools
from tests.clients.peers import Address, Answer, ClientFailed, Peer, Programs, Session
from tests.clients.sdk_peer import SDKPeer

PEERS: list[Peer] = [
    SDKPeer("v1", "http"),
    SDKPeer("v1", "sse"),
    SDKPeer("v2", "http", "legacy"),
    SDKPeer("v2", "http", "auto"),
    SDKPeer("v2", "sse"),
    InspectorPeer("http", "legacy"),
    InspectorPeer("http", "modern"),
    InspectorPeer("sse", "legacy"),
]
# Their own words for an answer with status 401.
NOT_AUTHORIZED = {"StreamableHTTPError", "SdkHttpError", "SseError", "auth_required"}
HANGS_SECONDS = 20.0

each_peer = pytest.mark.parametrize("peer", PEERS, ids=str)


def address(demo: Demo, peer: Peer, token: str | None = None) -> Address:
    return Address(demo.sse_url if peer.transport == "sse" else demo.mcp_url, token or demo.token)


class Newcomer:
    """A client at a demo; every answer is checked against the tools that the server lists."""

    def __init__(self, demo: Demo, session: Session) -> None:
        self._demo = demo
        self._session = session

    async def call(self, name: str, /, **arguments: object) -> Answer:
        """In the demo's first guild, which is called by its name."""
        answer = await self._session.call(name, guild=self._demo.guild["name"], **arguments)
        tools = await listed_tools(self._demo.mcp_url, self._demo.token)
        check_result(tools[name], answer)
        return answer

    async def send(self, channel: str, content: str, *, dry_run: bool = False) -> Answer:
        return await self.call("message_send", channel=channel, content=content, dry_run=dry_run)


@asynccontextmanager
async def newcomer(demo: Demo, programs: Programs, peer: Peer, token: str | None = None) -> AsyncGenerator[Newcomer]:
    async with peer.connected(programs, address(demo, peer, token)) as session:
        yield Newcomer(demo, session)


@each_peer
async def test_a_client_reads_previews_sends_and_finds_it_in_the_audit(
    demo: Demo, programs: Programs, peer: Peer
) -> None:
    hello = f"hello from {peer}"
    async with newcomer(demo, programs, peer) as me:
        channels, announcements, repair_cafe, preview = await asyncio.gather(
            me.call("channel_list"),
            me.call("message_list_recent", channel="announcements"),
            me.call("message_list_recent", channel="#repair-cafe"),
            me.send("general", hello, dry_run=True),
        )
        ids = {each["name"]: each["id"] for group in channels.data["categories"] for each in group["channels"]}
        assert ids["general"] == demo.guild["channels"]["general"]

        assert "[embed] Lantern walk" in announcements.text
        assert "Start: 19:30, the slip" in announcements.text
        assert "[attachment] toaster-checklist.txt (text/plain" in repair_cafe.text

        assert not preview.is_error
        assert preview.data["status"] == "preview"
        assert preview.text.startswith("NOT DONE")
        assert await demo.sent("general", hello) == []

        done = await me.send("general", hello)
        assert done.data["status"] == "done", done
        assert await demo.sent("general", hello) == [done.data["result"]["message_id"]]

        audit = await me.call("audit_list", operation="message_send", limit=100)
        outcomes = {call["call_id"]: call["status"] for call in audit.data["calls"]}
        assert outcomes[done.data["call_id"]] == "done"


@each_peer
async def test_a_client_shows_every_tool_as_the_server_lists_it(demo: Demo, programs: Programs, peer: Peer) -> None:
    async with peer.connected(programs, address(demo, peer)) as session:
        shown = {tool["name"]: tool for tool in await session.list_tools()}
    assert shown == await listed_tools(demo.mcp_url, demo.token)


@each_peer
async def test_an_error_arrives_as_a_text_that_says_what_helps(demo: Demo, programs: Programs, peer: Peer) -> None:
    async with newcomer(demo, programs, peer) as me:
        unknown = await me.call("channel_get", channel="no-such-channel")
    assert unknown.is_error
    assert "No channel that you can see matches" in unknown.text
    assert "channel_list" in unknown.text


@each_peer
async def test_a_viewers_token_reads_and_is_refused_at_a_write(demo: Demo, programs: Programs, peer: Peer) -> None:
    content = f"not allowed, {peer}"
    async with newcomer(demo, programs, peer, demo.viewer_token) as viewer:
        assert not (await viewer.call("channel_list")).is_error
        if peer.calls_unlisted:
            refused = await viewer.send("general", content)
            assert refused.is_error
            assert refused.text.startswith("Refused at step ")
        else:
            with pytest.raises(ClientFailed, match="message_send"):
                await viewer.send("general", content)
    assert await demo.sent("general", content) == []


@each_peer
async def test_a_wrong_token_is_the_clients_own_error_and_no_wait(demo: Demo, programs: Programs, peer: Peer) -> None:
    began = time.monotonic()
    with pytest.raises(ClientFailed) as failed:
        async with peer.connected(programs, address(demo, peer, "ghd_nobody-has-this-token")) as session:
            await session.list_tools()
    assert failed.value.kind in NOT_AUTHORIZED
    assert failed.value.status in (401, None)
    assert time.monotonic() - began < HANGS_SECONDS


async def test_after_reading_a_private_channel_every_client_is_told_that_a_person_must_confirm(
    programs: Programs, tmp_path: Path
) -> None:
    """What was read marks the person, not the connection: so this demo is nobody else's."""
    with running_demo(tmp_path) as demo:
        await make_private_channel(demo, "harbor-office")

        async def confirmed_by_nobody(peer: Peer) -> None:
            async with newcomer(demo, programs, peer) as me:
                read = await me.call("message_list_recent", channel="harbor-office")
                assert "the rent is late" in read.text
                inside = await me.send("harbor-office", f"noted, {peer}")
                assert inside.data["status"] == "done", inside
                outside = await me.send("general", f"the rent is late, says {peer}")
            assert outside.data["status"] == "needs_confirmation"
            assert not outside.is_error
            assert outside.text.startswith("NOT DONE")
            assert outside.data["plan_id"] in outside.text
            assert await demo.sent("harbor-office", f"noted, {peer}") == [inside.data["result"]["message_id"]]
            assert await demo.sent("general", f"the rent is late, says {peer}") == []

        await asyncio.gather(*(confirmed_by_nobody(peer) for peer in PEERS))


async def make_private_channel(demo: Demo, name: str) -> None:
    """For the owner, administrators and the bot; its first message is the owner's."""
    guild, view_channel = demo.guild, str(1 << 10)
    owner_id = int(guild["owner_id"])
    overwrites = [
        {"id": guild["roles"]["@everyone"], "type": 0, "deny": view_channel},
        {"id": guild["roles"]["Guildhall"], "type": 0, "allow": view_channel},
    ]
    made = await demo.control(
        "as_user",
        user=owner_id,
        method="POST",
        path=f"/guilds/{guild['id']}/channels",
        body={"name": name, "type": 0, "permission_overwrites": overwrites},
    )
    guild["channels"][name] = made["result"]["id"]
    await demo.control("send", user=owner_id, channel=int(made["result"]["id"]), content="the rent is late")
