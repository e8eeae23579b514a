"""A line to a server that can be cut: what a restart of the server looks like to its clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

POSTGRESQL = ("127.0.0.1", 5432)
REDIS = ("127.0.0.1", 6379)


class CutLine:
    """Forwards a local port to a server until it is cut."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._address = server
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @classmethod
    @asynccontextmanager
    async def open(cls, server: tuple[str, int]) -> AsyncGenerator[CutLine]:
        line = cls(server)
        await line.restore()
        try:
            yield line
        finally:
            await line.cut()

    async def restore(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Ends all connections; new ones are refused."""
        if self._server is None:
            return
        self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        remote_reader, remote_writer = await asyncio.open_connection(*self._address)
        self._writers |= {writer, remote_writer}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, remote_writer))
                group.create_task(_pump(remote_reader, writer))
        finally:
            self._writers -= {writer, remote_writer}
            writer.transport.abort()
            remote_writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.transport.abort()
