"""A small Messages API on loopback: what a model says is scripted, the events are those of the documentation.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

Body = dict[str, Any]


@dataclass(frozen=True)
class Says:
    """A text, in pieces as a stream brings it. ``hold``: it stands still after the first piece until that is set."""

    text: str
    stop_reason: str | None = "end_turn"
    hold: asyncio.Event | None = None
    usage: Mapping[str, int] | None = field(default_factory=lambda: {"input_tokens": 100, "output_tokens": 20})


@dataclass(frozen=True)
class Calls:
    """Tool calls, with a text before them where there is one."""

    calls: Sequence[tuple[str, Mapping[str, Any]]]
    text: str = ""
    stop_reason: str | None = "tool_use"


@dataclass(frozen=True)
class Fails:
    """An error response."""

    status: int
    kind: str = "api_error"
    text: str = "scripted"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Breaks:
    """A stream that goes wrong: after ``text``, where there is one."""

    how: Literal["overloaded", "truncated", "malformed", "reset", "hang", "pings", "silent"]
    text: str = ""


@dataclass(frozen=True)
class Raw:
    """The bytes of a stream, or of a document."""

    data: bytes
    content_type: str = "text/event-stream"


Answer = Says | Calls | Fails | Breaks | Raw
Model = Callable[[Body], Answer]


@dataclass(frozen=True)
class Received:
    headers: Mapping[str, str]
    body: Body
    path: str


class MessagesApi:
    """``model`` answers, unless something is scripted: that comes first, in its order."""

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.model: Model | None = None
        self.received: list[Received] = []
        self.open = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        self.script, self.model, self.received = [], None, []

    @property
    def bodies(self) -> list[Body]:
        return [each.body for each in self.received]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body: Body = await request.json()
        self.received.append(Received(dict(request.headers), body, request.path))
        answer = self.script.pop(0) if self.script else self.model(body) if self.model is not None else Says("Well.")
        if isinstance(answer, Fails):
            error = {"type": "error", "error": {"type": answer.kind, "message": answer.text}}
            return web.json_response(error, status=answer.status, headers=dict(answer.headers))
        response = web.StreamResponse()
        response.content_type = answer.content_type if isinstance(answer, Raw) else "text/event-stream"
        self.open += 1
        try:
            await response.prepare(request)
            await self._stream(request, response, answer)
        except ConnectionResetError:
            pass  # the client hung up
        finally:
            self.open -= 1
        return response

    async def _stream(self, request: web.Request, response: web.StreamResponse, answer: Answer) -> None:
        match answer:
            case Raw(data):
                await response.write(data)
            case Breaks():
                await self._broken(request, response, answer)
            case Says() | Calls():
                for event in events_of(answer):
                    await response.write(event)
                    if isinstance(answer, Says) and answer.hold is not None and b"_delta" in event:
                        await answer.hold.wait()
            case Fails():
                raise AssertionError("an error response is no stream")

    async def _broken(self, request: web.Request, response: web.StreamResponse, answer: Breaks) -> None:
        if answer.how != "silent":
            await response.write(event("message_start", message=_message()))
        if answer.text:
            for written in _text_block(0, answer.text)[:-1]:
                await response.write(written)
        match answer.how:
            case "overloaded":
                error = {"type": "overloaded_error", "message": "Overloaded"}
                await response.write(event("error", error=error))
            case "malformed":
                await response.write(b"event: content_block_delta\ndata: {half of\n\n")
            case "reset":
                assert request.transport is not None
                request.transport.abort()
            case "hang" | "silent":
                await asyncio.Event().wait()
            case "pings":
                while True:
                    await response.write(event("ping"))
                    await asyncio.sleep(0.02)
            case "truncated":
                pass


def event(kind: str, **data: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()


def events_of(answer: Says | Calls) -> list[bytes]:
    """The documented order: start, ping, the blocks, the delta with the reason, stop."""
    blocks: list[list[bytes]] = []
    if answer.text:
        blocks.append(_text_block(0, answer.text))
    if isinstance(answer, Calls):
        first = len(blocks)
        blocks += [_call_block(first + n, name, given) for n, (name, given) in enumerate(answer.calls)]
    usage = answer.usage if isinstance(answer, Says) else {"input_tokens": 100, "output_tokens": 30}
    told: dict[str, Any] = {} if usage is None else {"usage": {"output_tokens": usage.get("output_tokens", 0)}}
    return [
        event("message_start", message=_message(usage)),
        event("ping"),
        *(each for block in blocks for each in block),
        event("message_delta", delta={"stop_reason": answer.stop_reason, "stop_sequence": None}, **told),
        event("message_stop"),
    ]


def _message(usage: Mapping[str, int] | None = None) -> Body:
    message: Body = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "scripted"}
    return message if usage is None else {**message, "usage": dict(usage)}


def _text_block(index: int, text: str) -> list[bytes]:
    pieces = [text[at : at + 12] for at in range(0, len(text), 12)]
    return [
        event("content_block_start", index=index, content_block={"type": "text", "text": ""}),
        *(event("content_block_delta", index=index, delta={"type": "text_delta", "text": each}) for each in pieces),
        event("content_block_stop", index=index),
    ]


_COUNT = iter(range(1, 1_000_000_000))


def _call_block(index: int, name: str, given: Mapping[str, Any]) -> list[bytes]:
    written = json.dumps(given)
    half = len(written) // 2
    block: Body = {"type": "tool_use", "id": f"toolu_{next(_COUNT):06}", "name": name, "input": {}}
    parts = [written[:half], written[half:]]
    return [
        event("content_block_start", index=index, content_block=block),
        *(
            event("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": part})
            for part in parts
        ),
        event("content_block_stop", index=index),
    ]


@asynccontextmanager
async def messages_api() -> AsyncGenerator[MessagesApi]:
    api = MessagesApi()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/{path:.*}", api.handle)
    # A handler ends when its client hangs up.
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api.port = runner.addresses[0][1]
    try:
        yield api
    finally:
        await runner.cleanup()
