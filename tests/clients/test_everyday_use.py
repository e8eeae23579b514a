"""What a newcomer does first, with every client: look around, read, preview, send, and look it up."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.clients.demo_process import Demo
from tests.clients.inspector_peer import InspectorPeer
from tests.clients.newcomer import address, newcomer
from tests.clients.peers import ClientFailed, Peer, Programs
from tests.clients.sdk_peer import SDKPeer

PEERS: list[Peer] = [
    SDKPeer("v1", "http"),
    SDKPeer("v1", "sse"),
    SDKPeer("v2", "http", "legacy"),
    SDKPeer("v2", "http", "auto"),
    SDKPeer("v2", "sse"),
    InspectorPeer("http", "modern"),
    InspectorPeer("sse", "legacy"),
]
# Their own words for an answer with status 401.
NOT_AUTHORIZED = {"StreamableHTTPError", "SdkHttpError", "SseError", "auth_required"}
NOBODYS_TOKEN = "ghd_nobody-has-this-token"
HANGS_SECONDS = 20.0

each_peer = pytest.mark.parametrize("peer", PEERS, ids=str)


@each_peer
async def test_a_client_reads_answers_there_finds_it_in_the_audit_and_takes_nothing_elsewhere_alone(
    demo: Demo, programs: Programs, peer: Peer
) -> None:
    """The channel that it answers in is for some members only. What was read marks the person, not the connection."""
    asked, gossip = f"noted, says {peer}", f"the rent is late, says {peer}"
    async with newcomer(demo, programs, peer) as me:
        assert await me.list_tools() == me.tools

        channels, news, repairs, office = await asyncio.gather(
            me.call("channel_list"),
            me.call("message_list_recent", channel="announcements"),
            me.call("message_list_recent", channel="#repair-cafe"),
            me.call("message_list_recent", channel="harbor-office"),
        )
        listed = [*channels.data["channels"], *(c for group in channels.data["categories"] for c in group["channels"])]
        assert {each["name"]: each["id"] for each in listed}["general"] == demo.guild["channels"]["general"]
        assert "[embed] Lantern walk" in news.text
        assert "Start: 19:30, the slip" in news.text
        assert "[attachment] toaster-checklist.txt (text/plain" in repairs.text
        assert "the rent is late" in office.text

        preview = await me.send("harbor-office", asked, dry_run=True)
        assert not preview.is_error
        assert preview.data["status"] == "preview"
        assert preview.text.startswith("NOT DONE")
        assert await demo.sent("harbor-office", asked) == []

        done = await me.send("harbor-office", asked)
        assert done.data["status"] == "done", done
        assert await demo.sent("harbor-office", asked) == [done.data["result"]["message_id"]]

        waiting = await me.send("general", gossip)
        assert waiting.data["status"] == "needs_confirmation"
        assert not waiting.is_error
        assert waiting.text.startswith("NOT DONE")
        assert waiting.data["plan_id"] in waiting.text
        # Few plans of one person may wait at once, and others act for him as well.
        taken_back = await me.take_back(waiting.data["plan_id"])
        assert taken_back.data["state"] == "cancelled"
        assert await demo.sent("general", gossip) == []

        audit = await me.call("audit_list", operation="message_send", limit=100)
        statuses = {call["call_id"]: call["status"] for call in audit.data["calls"]}
        assert statuses[done.data["call_id"]] == "done"
        assert statuses[waiting.data["call_id"]] == "cancelled"


@each_peer
async def test_refusals_arrive_as_texts_that_say_what_helps_and_a_viewer_changes_nothing(
    demo: Demo, programs: Programs, peer: Peer
) -> None:
    content = f"not allowed, {peer}"
    async with newcomer(demo, programs, peer, demo.viewer_token) as viewer:
        unknown = await viewer.call("channel_get", channel="no-such-channel")
        assert unknown.is_error
        assert "No channel that you can see matches" in unknown.text
        assert "channel_list" in unknown.text
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
        async with peer.connected(programs, address(demo, peer, NOBODYS_TOKEN)) as session:
            await session.list_tools()
    assert failed.value.kind in NOT_AUTHORIZED
    assert failed.value.status in (401, None)
    assert time.monotonic() - began < HANGS_SECONDS


async def test_the_second_sdk_asks_for_the_newest_protocol_and_gets_it(demo: Demo, programs: Programs) -> None:
    peer = SDKPeer("v2", "http", "auto")
    async with peer.connected(programs, address(demo, peer)) as session:
        assert session.connected["version"] == "2026-07-28"
        assert session.connected["server"]["name"] == "guildhall"
