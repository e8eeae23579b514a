"""A caller's file address is followed to Discord's CDN and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aiohttp import web
from yarl import URL

from operations.file_fetch import FetchRefused, FileFetcher, PublicResolver
from tests.app import Place

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Canary:
    """Listens on this machine, and remembers every connection."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0

    def heard(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.close()


@pytest_asyncio.fixture(loop_scope="session")
async def canary() -> AsyncGenerator[Canary]:
    listening = Canary()
    server = await asyncio.start_server(listening.heard, "127.0.0.1", 0)
    listening.port = server.sockets[0].getsockname()[1]
    yield listening
    server.close()
    await server.wait_closed()


ADDRESSES = [
    "http://127.0.0.1:{port}/x",
    "https://127.0.0.1:{port}/x",
    "https://localhost:{port}/x",
    "https://[::1]:{port}/x",
    "https://[::ffff:127.0.0.1]:{port}/x",
    "https://2130706433:{port}/x",
    "https://0x7f000001:{port}/x",
    "https://0177.0.0.1:{port}/x",
    "https://127.1:{port}/x",
    "https://0.0.0.0:{port}/x",
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1/x",
    "https://metadata.google.internal/x",
    "https://cdn.discordapp.com@127.0.0.1:{port}/x",
    "https://127.0.0.1:{port}#@cdn.discordapp.com/x",
    "https://127.0.0.1:{port}\\@cdn.discordapp.com/x",
    "https://user:password@cdn.discordapp.com/x",
    "https://cdn.discordapp.com:{port}/x",
    "https://cdn.discordapp.com.127.0.0.1.nip.io:{port}/x",
    "https://cdn.discordapp.com.example.org/x",
    "https://evilcdn.discordapp.com/x",
    "https://cdn.discordapp.com./x",
    "https://cdn.discordаpp.com/x",  # Cyrillic
    "https://discord.com/api/v10/users/@me",
    "http://cdn.discordapp.com/x",
    "//127.0.0.1:{port}/x",
    "/x",
    "x",
    "",
    "https://",
    "file:///etc/passwd",
    "ftp://cdn.discordapp.com/x",
    "gopher://127.0.0.1:{port}/x",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "https://[/x",
]


async def test_line_24_no_other_address_is_followed(canary: Canary) -> None:
    async with FileFetcher.open() as fetcher:
        for address in ADDRESSES:
            with pytest.raises(FetchRefused) as refused:
                await fetcher.fetch(address.format(port=canary.port))
            assert str(refused.value), address
    assert canary.connections == 0


async def test_line_24_a_name_that_leads_into_the_own_network_is_not_connected_to() -> None:
    """However it came to do so: what is connected to is the very address that was looked at."""
    resolver = PublicResolver()
    try:
        for name in ("localhost", "127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"):
            with pytest.raises(OSError, match="no public address"):
                await resolver.resolve(name, 443)
    finally:
        await resolver.close()


@asynccontextmanager
async def origin(handler: object) -> AsyncGenerator[URL]:
    """Stands for the CDN."""
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)  # pyright: ignore[reportArgumentType]
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield URL(f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()


async def test_line_24_a_redirect_is_not_followed(canary: Canary) -> None:
    async def redirecting(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"http://127.0.0.1:{canary.port}/x"})

    async with origin(redirecting) as url, FileFetcher.open(url) as fetcher:
        with pytest.raises(FetchRefused, match="302"):
            await fetcher.fetch(str(url / "file"))
    assert canary.connections == 0


@pytest.mark.parametrize("declared", [True, False])
async def test_line_24_a_file_that_is_too_large_is_given_up(declared: bool) -> None:
    sent = 0

    async def large(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Length": str(64 << 20)} if declared else {})
        await response.prepare(request)
        try:
            for _ in range(64):
                await response.write(bytes(1 << 20))
                sent += 1 << 20
        except ConnectionError:
            pass
        return response

    async with origin(large) as url, FileFetcher.open(url) as fetcher:
        with pytest.raises(FetchRefused, match="larger"):
            await fetcher.fetch(str(url / "file"), 2 << 20)
    assert sent < 32 << 20


async def test_line_24_no_call_makes_the_bot_follow_an_address(place: Place, canary: Canary) -> None:
    for address in ADDRESSES:
        answer = await place.call(
            "message_send",
            channel=place.channel("general"),
            content="look",
            files=[{"name": "a.txt", "url": address.format(port=canary.port)}],
            dry_run=False,
        )
        assert answer.status == "refused", (address, answer)
    assert canary.connections == 0
    assert await place.history("general") == []
