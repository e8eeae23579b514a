"""Reading server-sent events as a client."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from aiohttp import ClientResponse


async def event_data(response: ClientResponse) -> AsyncGenerator[bytes, None]:
    """Give the data of each event. aiohttp's own line reader refuses lines above 128 KiB, and results are longer."""
    pieces: list[bytes] = []
    data: list[bytes] = []
    async for chunk in response.content.iter_any():
        first, *rest = chunk.split(b"\n")
        pieces.append(first)
        for following in rest:
            line = b"".join(pieces).rstrip(b"\r")
            pieces = [following]
            if line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" "))
            elif not line and data:
                yield b"\n".join(data)
                data = []
