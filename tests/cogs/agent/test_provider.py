"""Requests as each endpoint takes them, and answers as servers of all makes write them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic

from cogs.agent.messages import Answered, Event, Provider, ProviderError, Request, TextDelta, Trouble, Usage
from cogs.agent.provider import MessagesProvider, Patience, normal_url, retry_after
from tests.messages_api import Calls, Fails, MessagesApi, Raw, Says, events_of, messages_api

TOOLS: list[dict[str, Any]] = [{"name": "look", "description": "Look.", "input_schema": {"type": "object"}}]
ASKED = Request("a-model", "You help.", TOOLS, [{"role": "user", "content": [{"type": "text", "text": "hi"}]}], 100)


@pytest_asyncio.fixture
async def api() -> AsyncGenerator[MessagesApi]:
    async with messages_api() as api:
        yield api


@pytest_asyncio.fixture
async def provider(api: MessagesApi) -> AsyncGenerator[MessagesProvider]:
    async with MessagesProvider.open("a key", api.url) as provider:
        yield provider


async def heard(provider: Provider, request: Request = ASKED) -> tuple[list[Event], Answered]:
    events = [event async for event in provider.stream(request)]
    answered = events[-1]
    assert isinstance(answered, Answered)
    return events, answered


def stream(*events: dict[str, Any], line: str = "\n", named: bool = True) -> Raw:
    written = [
        (f"event: {event['type']}{line}" if named else "") + f"data: {json.dumps(event)}{line}{line}"
        for event in events
    ]
    return Raw("".join(written).encode())


START = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
HELLO = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
STOP = {"type": "message_stop"}


async def test_a_compatible_server_is_asked_with_nothing_but_the_basics(
    api: MessagesApi, provider: MessagesProvider
) -> None:
    api.script = [Says("Hello.")]
    await heard(provider)
    (received,) = api.received
    headers = {name.lower(): value for name, value in received.headers.items()}
    assert received.path == "/v1/messages"
    assert headers["anthropic-version"] == "2023-06-01"
    assert headers["x-api-key"] == "a key"
    assert "authorization" not in headers
    assert "anthropic-beta" not in headers
    assert received.body.keys() == {"model", "max_tokens", "messages", "system", "stream", "tools"}
    assert not provider.searches_tools


async def test_the_official_endpoint_is_asked_to_cache_and_to_search_tools(api: MessagesApi) -> None:
    api.script = [Says("Hello.")]
    async with AsyncAnthropic(api_key="a key", base_url=api.url, max_retries=0) as client:
        provider = MessagesProvider(client, "a key", "official", Patience())
        assert provider.searches_tools
        await heard(provider)
    (received,) = api.received
    assert received.body["cache_control"] == {"type": "ephemeral"}
    assert received.headers["Authorization"] == "Bearer a key"


async def test_an_answer_comes_as_deltas_and_as_a_whole(api: MessagesApi, provider: MessagesProvider) -> None:
    api.script = [Calls([("look", {"at": "the sea"}), ("look", {})], "I look.")]
    events, answered = await heard(provider)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "I look."
    assert answered.stop_reason == "tool_use"
    assert [(use.name, use.arguments) for use in answered.uses] == [("look", {"at": "the sea"}), ("look", {})]
    assert answered.usage == Usage(100, 30)
    assert [block["type"] for block in answered.content] == ["text", "tool_use", "tool_use"]


@pytest.mark.parametrize(
    "told",
    [
        stream(START, HELLO, END, STOP, line="\r\n"),
        stream(START, HELLO, END, STOP, named=False),
        stream(START, HELLO, END),
        stream(HELLO, END, STOP),
        stream({"type": "new_event", "of": "next year"}, START, HELLO, {"type": "ping"}, END, STOP),
        stream({**START, "index": None}, {"type": "content_block_delta", "delta": HELLO["delta"]}, END, STOP),
        Raw(b": keep-alive\n\n" + stream(START, HELLO, END).data + b"data: [DONE]\n\n"),
        Raw(
            json.dumps(
                {"type": "message", "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"}
            ).encode(),
            "application/json",
        ),
    ],
    ids=["crlf", "unnamed", "no stop", "no start", "unknown events", "no index", "done mark", "in one piece"],
)
async def test_answers_of_servers_that_others_wrote_are_understood(
    api: MessagesApi, provider: MessagesProvider, told: Raw
) -> None:
    api.script = [told]
    events, answered = await heard(provider)
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Hello"]
    assert (answered.text, answered.stop_reason, answered.usage) == ("Hello", "end_turn", None)


async def test_thinking_and_blocks_of_the_servers_own_are_kept_as_they_came(
    api: MessagesApi, provider: MessagesProvider
) -> None:
    server_use: dict[str, Any] = {
        "type": "server_tool_use",
        "id": "srv_1",
        "name": "tool_search_tool_bm25",
        "input": {},
    }
    found: dict[str, Any] = {
        "type": "tool_search_tool_result",
        "tool_use_id": "srv_1",
        "content": {"type": "x", "tool_references": []},
    }
    api.script = [
        stream(
            {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "sig"}},
            {"type": "content_block_start", "index": 1, "content_block": server_use},
            {
                "type": "content_block_delta",
                "index": 1,
                "delta": {"type": "input_json_delta", "partial_json": '{"q":1}'},
            },
            {"type": "content_block_start", "index": 2, "content_block": found},
            END,
            STOP,
        )
    ]
    events, answered = await heard(provider)
    assert len(events) == 1
    thinking, use, result = answered.content
    assert thinking == {"type": "thinking", "thinking": "Hm.", "signature": "sig"}
    assert use == {**server_use, "input": {"q": 1}}
    assert result == found
    assert answered.uses == ()


async def test_calls_without_an_id_or_with_broken_arguments_are_told_apart(
    api: MessagesApi, provider: MessagesProvider
) -> None:
    api.script = [
        stream(
            {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "name": "look"}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"at'}},
            {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "name": "look"}},
            {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
        )
    ]
    _, answered = await heard(provider)
    assert [use.arguments for use in answered.uses] == [None, {}]
    assert len({use.id for use in answered.uses}) == 2


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (Fails(529, "overloaded_error"), Trouble.OVERLOADED),
        (Fails(503), Trouble.OVERLOADED),
        (Fails(429, "rate_limit_error"), Trouble.RATE_LIMITED),
        (Fails(403), Trouble.UNAUTHORISED),
        (Fails(400, "invalid_request_error", "maximum context length is 8"), Trouble.TOO_LONG),
        (Fails(422), Trouble.REJECTED),
        (Fails(302, headers={"location": "http://127.0.0.1:1/"}), Trouble.REJECTED),
        (Raw(b"data: {", "text/event-stream"), Trouble.TRUNCATED),
        (Raw(b"data: {\n\n", "text/event-stream"), Trouble.MALFORMED),
        (Raw(b"data: 7\n\n", "text/event-stream"), Trouble.MALFORMED),
        (Raw(b"data: \xff\xfe\n\n", "text/event-stream"), Trouble.MALFORMED),
        (Raw(b"<html>", "application/json"), Trouble.MALFORMED),
        (Raw(b'{"error": {"type": "overloaded_error"}}', "application/json"), Trouble.OVERLOADED),
    ],
)
async def test_every_failure_is_of_a_known_kind(
    api: MessagesApi, provider: MessagesProvider, answer: Fails | Raw, trouble: Trouble
) -> None:
    api.script = [answer]
    with pytest.raises(ProviderError) as raised:
        await heard(provider)
    assert raised.value.trouble is trouble


async def test_a_server_that_is_not_there_is_out_of_reach() -> None:
    async with MessagesProvider.open("a key", "http://127.0.0.1:1") as provider:
        with pytest.raises(ProviderError) as raised:
            await heard(provider)
    assert raised.value.trouble is Trouble.UNREACHABLE


async def test_a_request_without_tools_keeps_them_and_forbids_their_use(
    api: MessagesApi, provider: MessagesProvider
) -> None:
    api.script = [Says("Hello.")]
    await heard(provider, Request("m", "s", TOOLS, ASKED.messages, 10, tools_allowed=False))
    assert api.bodies[0]["tools"] == TOOLS
    assert api.bodies[0]["tool_choice"] == {"type": "none"}


@pytest.mark.parametrize(
    "url",
    ["https://host.example", "https://host.example/v1", "https://host.example/v1/messages", "https://host.example/"],
)
def test_an_address_with_or_without_its_path_is_the_same(url: str) -> None:
    assert normal_url(url) == "https://host.example"


def test_when_to_come_back_is_read_in_seconds_milliseconds_and_dates() -> None:
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after-ms": "250", "retry-after": "7"}) == 0.25
    assert retry_after({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, now=20) == 40
    assert retry_after({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, now=90) == 0
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({"retry-after": "inf"}) is None
    assert retry_after({}) is None


def test_the_scripted_events_are_in_the_documented_order() -> None:
    kinds = [event.split(b"\n")[0].removeprefix(b"event: ").decode() for event in events_of(Says("Hi."))]
    assert kinds == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
