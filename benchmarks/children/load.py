"""Asks an HTTP server over several connections, each with one request at a time, and times the answers.

It ends by itself when its seconds are over.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from benchmarks.children.answering import Line, options, run

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
PATIENCE_SECONDS = 20.0


class Asker(asyncio.Protocol):
    """One connection. ``per_second`` 0: the next request goes as soon as the answer is there."""

    def __init__(self, request: bytes, until: float, per_second: float, latencies: list[float]) -> None:
        self._request = request
        self._until = until
        self._pause = 1.0 / per_second if per_second else 0.0
        self._latencies = latencies
        self._received = bytearray()
        self._needed = 0
        self._asked_at = 0.0
        self._transport: asyncio.Transport | None = None
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self.loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._needed:
            end = self._received.find(_HEAD_END)
            if end < 0:
                return
            head = bytes(self._received[:end]).lower()
            at = head.find(_LENGTH)
            if not head.startswith(b"http/1.1 200") or at < 0:
                self._fail(bytes(self._received[:400]))
                return
            self._needed = end + len(_HEAD_END) + int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
        if len(self._received) < self._needed:
            return
        if b'"isError":true' in self._received or b'"error":{' in self._received[:400]:
            self._fail(bytes(self._received[-600:]))
            return
        now = time.perf_counter()
        self._latencies.append(now - self._asked_at)
        self._received.clear()
        self._needed = 0
        if now >= self._until:
            self._end()
        elif self._pause:
            self.loop.call_later(max(0.0, self._pause - (now - self._asked_at)), self._ask)
        else:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    def _ask(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._asked_at = time.perf_counter()
            self._transport.write(self._request)

    def _end(self) -> None:
        self.done.set_result(None)
        if self._transport is not None:
            self._transport.close()

    def _fail(self, received: bytes) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(f"no good answer: {received!r}"))
        if self._transport is not None:
            self._transport.close()


def request_bytes(port: int, headers: dict[str, str], body: bytes) -> bytes:
    lines = ["POST /mcp HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + _HEAD_END + body


async def main() -> None:
    line, given = Line(), options()
    latencies: list[float] = []
    loop = asyncio.get_running_loop()
    seconds: float = given["seconds"]
    began_at = time.perf_counter()
    askers: list[Asker] = []
    for body in given["bodies"]:
        request = request_bytes(given["port"], given["headers"], body.encode())

        def made(request: bytes = request) -> Asker:
            return Asker(request, began_at + seconds, given.get("per_second", 0.0), latencies)

        _, asker = await loop.create_connection(made, "127.0.0.1", given["port"])
        askers.append(asker)
    async with asyncio.timeout(seconds + PATIENCE_SECONDS):
        await asyncio.gather(*(asker.done for asker in askers))
    spent = time.perf_counter() - began_at
    result: dict[str, Any] = {"latencies": latencies, "seconds": spent, "calls": len(latencies)}
    line.say(**result)


if __name__ == "__main__":
    run(main())
