"""The wire between an instance and a server: it can be cut, or go dead without a word, and be mended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Cable:
    """Forwards TCP connections. ``port``: where the near end is plugged in."""

    def __init__(self, far_host: str, far_port: int) -> None:
        self.port = 0
        self._far = (far_host, far_port)
        self._passes = asyncio.Event()
        self._passes.set()
        self._is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()

    @classmethod
    @asynccontextmanager
    async def to(cls, host: str, port: int) -> AsyncGenerator[Cable]:
        cable = cls(host, port)
        server = await asyncio.start_server(cable._serve, "127.0.0.1", 0)
        cable.port = server.sockets[0].getsockname()[1]
        try:
            yield cable
        finally:
            cable.mend()
            cable.cut()
            server.close()
            await server.wait_closed()

    def cut(self) -> None:
        """Every connection is reset, and new ones are at once."""
        self._is_cut = True
        for writer in tuple(self._writers):
            writer.transport.abort()

    def go_dead(self) -> None:
        """Connections stay, and new ones are taken; nothing passes any more."""
        self._passes.clear()

    def mend(self) -> None:
        self._is_cut = False
        self._passes.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._passes.wait()
            if self._is_cut:
                writer.transport.abort()
                return
            far_reader, far_writer = await asyncio.open_connection(*self._far)
            self._writers.add(far_writer)
            try:
                there = asyncio.create_task(self._pass_on(reader, far_writer))
                back = asyncio.create_task(self._pass_on(far_reader, writer))
                await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
                for task in (there, back):
                    task.cancel()
                await asyncio.gather(there, back, return_exceptions=True)
            finally:
                self._writers.discard(far_writer)
                far_writer.transport.abort()
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                await self._passes.wait()
                writer.write(data)
                await writer.drain()
