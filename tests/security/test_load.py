"""One client at full tilt: clear errors for it, and everybody else goes on."""

from __future__ import annotations

import asyncio
import contextlib
import io
import statistics
import time
from collections.abc import Sequence
from typing import Any

import aiohttp
import orjson
import pytest

from bot.request_budget import RequestBudget
from operations.ledger import Ledger
from tests.app import HANDSHAKE, MODERN, Place, Town, answer_of, until
from tests.security.test_rights import initialized

pytestmark = pytest.mark.asyncio(loop_scope="session")

SESSIONS_OF_ONE = 32
ASKED_FOR = 10_000
CONNECTIONS = 20
BATCH = 50


def initialize_request(town: Town, token: str) -> bytes:
    params = {"protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    body = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
    head = (
        f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{town.app.port}\r\nAuthorization: Bearer {token}\r\n"
        "Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def asks_for_sessions(town: Town, token: str, count: int) -> dict[bytes, int]:
    """Over one connection, without waiting for each answer; how often each status came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", town.app.port)
    request, statuses = initialize_request(town, token), dict[bytes, int]()
    for _ in range(count // BATCH):
        writer.write(request * BATCH)
        for _ in range(BATCH):
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            statuses[lines[0]] = statuses.get(lines[0], 0) + 1
            length = next(int(line.partition(b":")[2]) for line in lines if line.lower().startswith(b"content-length"))
            await reader.readexactly(length)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return statuses


async def test_line_22_ten_thousand_sessions_are_refused_while_the_heart_goes_on(
    place: Place, elsewhere: Place
) -> None:
    town, token = place.town, await place.token("nina")
    control = town.sandbox.control
    before = await control("world", guild=place.guild_id)
    storm = asyncio.gather(*(asks_for_sessions(town, token, ASKED_FOR // CONNECTIONS) for _ in range(CONNECTIONS)))
    slowest, beats = 0.0, 0
    while not storm.done():
        seen = (await control("world", guild=place.guild_id))["stats"].get("gateway_op_1", 0)
        began_at = time.monotonic()
        await control("gateway", op=1)

        async def beaten(seen: int = seen) -> bool:
            return (await control("world", guild=place.guild_id))["stats"].get("gateway_op_1", 0) > seen

        await until(beaten, "the bot answers the gateway's question for its heartbeat")
        slowest, beats = max(slowest, time.monotonic() - began_at), beats + 1
        assert not (await elsewhere.call("channel_list", guild=elsewhere.id)).is_error
    counted: dict[bytes, int] = {}
    for statuses in await storm:
        for status, count in statuses.items():
            counted[status] = counted.get(status, 0) + count
    assert sum(counted.values()) == ASKED_FOR
    assert counted.pop(b"HTTP/1.1 200 OK") == SESSIONS_OF_ONE
    assert {status.split()[1] for status in counted} == {b"429"}
    assert beats >= 2
    assert slowest < 5, "a heartbeat may take as long as Discord waits, and no longer"
    after = await control("world", guild=place.guild_id)
    assert [each["id"] for each in after["sessions"]] == [each["id"] for each in before["sessions"]], "no reconnect"
    assert (await place.call("channel_list", guild=place.id)).status == "done", "another client of the same guild"


async def test_line_22_the_refused_session_is_told_what_to_do(place: Place) -> None:
    token = await place.token("nina")
    for _ in range(SESSIONS_OF_ONE):
        await initialized(place.town, token)
    reader, writer = await asyncio.open_connection("127.0.0.1", place.town.app.port)
    writer.write(initialize_request(place.town, token))
    answer = await reader.readuntil(b"}")
    writer.close()
    assert answer.startswith(b"HTTP/1.1 429")
    assert b"Retry-After" in answer
    assert b"32" in answer


# Small numbers and a slow Discord, so that what is measured is the waiting in line, and not this machine.
REQUESTS_PER_SECOND = 20
FLOODED_CHANNELS = 60
FLOODERS = 6
IN_LINE = 40
ANSWER_SECONDS = 0.5
ROUNDS = 6


async def seconds_of(place: Place, name: str, **arguments: Any) -> list[float]:
    """How long each of some calls in a row took."""
    took: list[float] = []
    async with place.client("ada") as client:
        for _ in range(1 + ROUNDS):
            began_at = time.monotonic()
            answer = answer_of(await client.call_tool(name, {"channel": place.channel("general"), **arguments}))
            assert not answer.is_error, answer
            took.append(time.monotonic() - began_at)
    # The first is that of a new connection, too.
    return took[1:]


async def reads_and_writes(place: Place) -> tuple[list[float], list[float]]:
    reads, writes = await asyncio.gather(
        seconds_of(place, "message_list_recent"),
        seconds_of(place, "message_send", content="hello", dry_run=False),
    )
    return reads, writes


async def floods(place: Place, who: str, channels: Sequence[str]) -> None:
    """Reads as fast as it is let, in all of these channels at once: discord.py asks one by one in each."""
    async with place.client(who) as client:

        async def reads(channel: str) -> None:
            while True:
                await client.call_tool("message_list_recent", {"channel": channel})

        await asyncio.gather(*(reads(channel) for channel in channels))


async def test_line_22_a_tenant_that_uses_up_discord_s_limit_slows_down_himself_alone(
    town: Town, elsewhere: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"flood-{number}" for number in range(FLOODED_CHANNELS)]
    hostile = await town.place("Hostile", channels=[{"name": name} for name in names])
    who = ["ada", "marlow", "nina", "bela", "wren", "olive"][:FLOODERS]
    for name in who:
        await hostile.token(name)
    budget = RequestBudget(REQUESTS_PER_SECOND)
    monkeypatch.setattr(town.core.client.guard, "budget", budget)
    control = town.sandbox.control
    await control("limits", global_per_second=REQUESTS_PER_SECOND + 5)
    await control("fault", faults=[{"path": "*/messages", "latency": ANSWER_SECONDS}])
    flood: list[asyncio.Task[None]] = []
    try:
        alone = await reads_and_writes(elsewhere)
        for number, name in enumerate(who):
            own = [hostile.channel(channel) for channel in names[number::FLOODERS]]
            flood.append(asyncio.create_task(floods(hostile, name, own)))
        await until(lambda: budget.waiting > IN_LINE, "many requests wait for their turn")
        beside = await reads_and_writes(elsewhere)
        assert budget.waiting > IN_LINE, "the flood went on"
    finally:
        for task in flood:
            task.cancel()
        await asyncio.gather(*flood, return_exceptions=True)
        await control("reset")
    for before, meanwhile in zip(alone, beside, strict=True):
        # But one: a single pause of this machine is not the tenant's.
        assert sorted(meanwhile)[-2] <= 2 * statistics.median(before), (before, meanwhile)


async def test_line_22_every_request_of_a_call_uses_the_share_of_its_guild_and_caller(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, general = place.town, place.channel("general")
    budget, asked = town.core.client.guard.budget, set[tuple[str, int | None]]()
    acquire = budget.acquire

    async def noted(ledger: Ledger | None) -> None:
        assert ledger is not None
        asked.add((ledger.caller_id, ledger.guild_id))
        await acquire(ledger)

    await place.token("ada")
    monkeypatch.setattr(budget, "acquire", noted)
    # Of a risky call the requester is asked for before anything is decided.
    for name, arguments in (
        ("message_send", {"content": "hello", "dry_run": False}),
        ("message_list_recent", {}),
        ("channel_delete", {}),
    ):
        await town.requests()
        await place.call(name, channel=general, **arguments)
        assert await town.requests(), name
        assert asked == {(place.granted["ada"].id, place.guild_id)}, name


MODERN_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def tool_call(name: Any, arguments: Any) -> dict[str, Any]:
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": name, "arguments": arguments, "_meta": MODERN_META},
    }


async def post(town: Town, token: str, body: bytes, name: str = "channel_list") -> tuple[int, dict[str, Any]]:
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
        "MCP-Protocol-Version": MODERN,
        "Mcp-Method": "tools/call",
        "Mcp-Name": name,
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{town.url}/mcp", data=io.BytesIO(body), headers=headers) as response,
    ):
        return response.status, await response.json()


async def test_line_22_eight_megabytes_are_refused_before_they_are_read(place: Place) -> None:
    token = await place.token("ada")
    body = orjson.dumps(tool_call("message_send", {"content": "x" * (8 << 20)}))
    status, answer = await post(place.town, token, body, "message_send")
    assert status == 413
    assert "4,194,304" in answer["error"]["message"]
    assert (await place.call("channel_list", guild=place.id)).status == "done"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"jsonrpc":"2.0"', b'"text"', b"[" * 5_000, b'{"a":' * 2_000],
    ids=["empty", "open", "list", "null", "no utf-8", "half", "text", "deep list", "deep object"],
)
async def test_line_22_broken_json_is_said_to_be_broken(place: Place, body: bytes) -> None:
    status, answer = await post(place.town, await place.token("ada"), body)
    assert status == 400
    assert answer["error"]["message"]


HOSTILE: list[tuple[str, Any]] = [
    ("channel_list", {"guild": 5}),
    ("channel_list", {"guild": None, "more": 1}),
    ("channel_list", {"guild": ["a"]}),
    ("channel_list", {"guild": {"id": 1}}),
    ("channel_list", {"guild": "9" * 500}),
    ("channel_list", {"guild": "-1"}),
    ("channel_list", {"guild": "99999999999999999999"}),
    ("channel_get", {}),
    ("message_list_recent", {"channel": "1" * 18, "limit": 10**30}),
    ("message_list_recent", {"channel": "1" * 18, "limit": "all"}),
    ("message_list_recent", {"channel": "1" * 18, "limit": -1}),
    ("message_send", {"channel": "1" * 18, "content": {"a": 1}}),
    ("message_send", {"channel": "1" * 18, "content": "x", "dry_run": "maybe"}),
    ("message_send", {"channel": "1" * 18, "embeds": [{"color": 1e99}]}),
    ("message_send", {"channel": "1" * 18, "files": [{"name": "a", "data": "%%%"}]}),
    ("channel_create", {"guild": "1" * 18, "name": "x", "overwrites": [{"role": "a", "allow": ["fly"]}]}),
    ("operation_write", {"name": "operation_write", "arguments": {"name": "operation_write"}}),
    ("operation_read", {"name": "../../etc/passwd"}),
    ("no_such_tool", {}),
    ("x" * 5_000, {}),
    ("", {}),
]


@pytest.mark.parametrize(
    ("name", "arguments"), HOSTILE, ids=[f"{name[:20]}-{number}" for number, (name, _) in enumerate(HOSTILE)]
)
async def test_line_22_wrong_arguments_and_unknown_tools_get_an_answer_to_act_on(
    place: Place, name: str, arguments: Any
) -> None:
    async with aiohttp.ClientSession() as session:
        headers = {
            "Authorization": f"Bearer {await place.token('ada')}",
            "Accept": "application/json, text/event-stream",
            **await initialized(place.town, await place.token("ada")),
        }
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        async with session.post(f"{place.town.url}/mcp", json=body, headers=headers) as response:
            assert response.status == 200
            answer = await response.json()
    if "error" in answer:
        assert answer["error"]["code"] == -32602
        assert answer["error"]["message"]
        return
    told = answer["result"]["structuredContent"]
    assert answer["result"]["isError"] is True
    assert told["status"] == "refused"
    assert told["reason"]
    assert told["step"] in ("validate", "resolve")
    assert "Traceback" not in str(answer)


@pytest.mark.parametrize("escape", [r"\ud800", r"\udc00", r"a\u0000b"])
async def test_line_22_text_that_can_not_be_kept_is_refused(place: Place, escape: str) -> None:
    body = orjson.dumps(tool_call("message_send", {"channel": place.channel("general"), "content": "MARK"}))
    status, answer = await post(
        place.town, await place.token("ada"), body.replace(b"MARK", escape.encode()), "message_send"
    )
    assert status == 400
    assert "Unicode" in answer["error"]["message"]
    assert await place.history("general") == []
