"""One gateway socket: framing, compression, and the ways in which it can fail."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Callable
from typing import Any

import orjson
import zstandard
from aiohttp import web

# A client that doesn't read is cut, as Discord does; the session can be resumed.
MAX_QUEUED_FRAMES = 20_000

Encoder = Callable[[bytes], bytes]


def _zlib_stream() -> Encoder:
    compressor = zlib.compressobj()
    return lambda frame: compressor.compress(frame) + compressor.flush(zlib.Z_SYNC_FLUSH)


def _zstd_stream() -> Encoder:
    compressor = zstandard.ZstdCompressor().compressobj()
    return lambda frame: compressor.compress(frame) + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)


_ENCODERS: dict[str, Callable[[], Encoder]] = {"zlib-stream": _zlib_stream, "zstd-stream": _zstd_stream}


class Connection:
    """Frames out in order, by a task of its own. `run` ends when the socket is closed.

    While paused, nothing is sent and nothing is answered: to the client, a half-open socket.
    """

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, compression: str | None) -> None:
        self._request = request
        self._socket = socket
        make_encoder = _ENCODERS.get(compression or "")
        self._encode = make_encoder() if make_encoder else None
        self._frames: asyncio.Queue[bytes | int] = asyncio.Queue()
        self._flowing = asyncio.Event()
        self._flowing.set()

    @property
    def paused(self) -> bool:
        return not self._flowing.is_set()

    def send(self, frame: bytes) -> None:
        if self._frames.qsize() >= MAX_QUEUED_FRAMES:
            self.abort()
            return
        self._frames.put_nowait(frame)

    def send_op(self, op: int, data: Any = None) -> None:
        self.send(orjson.dumps({"op": op, "d": data, "s": None, "t": None}))

    def close(self, code: int) -> None:
        """Close with this code, after what is queued."""
        self._frames.put_nowait(code)

    def abort(self) -> None:
        """Reset the TCP connection: no close frame, no goodbye."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def pause(self) -> None:
        self._flowing.clear()

    def resume(self) -> None:
        self._flowing.set()

    async def run(self) -> None:
        with contextlib.suppress(ConnectionError):  # the client left; its own reader says so
            while True:
                frame = await self._frames.get()
                await self._flowing.wait()
                if isinstance(frame, int):
                    await self._socket.close(code=frame)
                    return
                if self._encode is None:
                    await self._socket.send_str(frame.decode())
                else:
                    await self._socket.send_bytes(self._encode(frame))
