"""Files come from Discord's CDN and from nowhere else, whatever a caller writes."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from operations.file_fetch import FetchRefused, FileFetcher, PublicResolver

SHORT = aiohttp.ClientTimeout(total=0.2)


class Canary:
    """A listening host that must never hear of anybody. ``port``: where it listens."""

    def __init__(self) -> None:
        self.connections = 0
        self.port = 0

    @classmethod
    @asynccontextmanager
    async def listening(cls) -> AsyncGenerator[Canary]:
        canary = cls()

        async def heard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            canary.connections += 1
            writer.close()

        server = await asyncio.start_server(heard, "127.0.0.1", 0)
        async with server:
            canary.port = server.sockets[0].getsockname()[1]
            yield canary


ADDRESSES = [
    "http://127.0.0.1:{port}/a.png",
    "https://127.0.0.1:{port}/a.png",
    "https://localhost:{port}/a.png",
    "https://0.0.0.0:{port}/",
    "https://[::1]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://2130706433:{port}/",
    "https://0x7f000001:{port}/",
    "https://0177.0.0.1:{port}/",
    "https://127.1:{port}/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[fd00:ec2::254]/latest/meta-data/",
    "http://cdn.discordapp.com/attachments/1/2/a.png",
    "https://cdn.discordapp.com:{port}/attachments/1/2/a.png",
    "https://cdn.discordapp.com@127.0.0.1:{port}/a.png",
    "https://user:secret@cdn.discordapp.com/a.png",
    "https://user@cdn.discordapp.com/a.png",
    "https://127.0.0.1:{port}/?https://cdn.discordapp.com/a.png",
    "https://127.0.0.1:{port}#@cdn.discordapp.com/",
    "https://127.0.0.1:{port}\\@cdn.discordapp.com/",
    "https://cdn.discordapp.com.localhost:{port}/",
    "https://cdn.discordapp.com./a.png",
    "https://evil.example/cdn.discordapp.com/a.png",
    "https://xcdn.discordapp.com/a.png",
    "https://discord.com/api/v10/users/@me",
    "file:///etc/passwd",
    "ftp://cdn.discordapp.com/a.png",
    "gopher://127.0.0.1:{port}/",
    "data:text/plain,hello",
    "//127.0.0.1:{port}/a.png",
    "/etc/passwd",
    "cdn.discordapp.com/a.png",
    "https://",
    "https:///a.png",
    "https://cdn.discordapp.com:99999/",
    "https://[::1",
    "",
    "\x00",
]


@pytest.mark.parametrize("in_sandbox", [False, True], ids=["production", "sandbox"])
@pytest.mark.parametrize("address", ADDRESSES)
async def test_no_address_but_the_cdns_is_ever_asked(address: str, in_sandbox: bool) -> None:
    async with Canary.listening() as canary:
        # Another port than the canary's: a sandbox widens the list by its own origin only.
        origin = URL(f"http://127.0.0.1:{canary.port + 1 if canary.port < 65_535 else 1}") if in_sandbox else None
        async with FileFetcher.open(origin) as files:
            with pytest.raises(FetchRefused) as refused:
                await files.fetch(address.format(port=canary.port))
        assert str(refused.value)
        assert "secret" not in str(refused.value)
        assert canary.connections == 0


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
async def test_a_name_that_leads_inside_is_not_connected_to(host: str) -> None:
    """As when somebody's DNS gives a CDN's name a private address: what is connected to is what was checked."""
    resolver = PublicResolver()
    with pytest.raises(OSError, match="no public address"):
        await resolver.resolve(host, 443, socket.AF_UNSPEC)
    await resolver.close()


@asynccontextmanager
async def cdn(
    handler: Handler, timeout: aiohttp.ClientTimeout | None = None
) -> AsyncGenerator[tuple[FileFetcher, str]]:
    """A CDN of the sandbox's that answers so, and a fetcher that may ask it."""
    app = web.Application()
    app.router.add_get("/{name}", handler)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    origin = URL(f"http://127.0.0.1:{port}")
    try:
        if timeout is None:
            async with FileFetcher.open(origin) as files:
                yield files, str(origin)
        else:
            async with aiohttp.ClientSession(timeout=timeout) as session:
                yield FileFetcher(session, origin), str(origin)
    finally:
        await runner.cleanup()


async def test_a_file_arrives_as_its_bytes() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=b"\x89PNG" + request.match_info["name"].encode())

    async with cdn(answer) as (files, base):
        assert await files.fetch(f"{base}/a.png?ex=1&is=2") == b"\x89PNGa.png"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    async with Canary.listening() as canary:

        async def answer(request: web.Request) -> web.Response:
            return web.Response(status=status, headers={"Location": f"http://127.0.0.1:{canary.port}/secret"})

        async with cdn(answer) as (files, base):
            with pytest.raises(FetchRefused, match=f"answered {status}"):
                await files.fetch(f"{base}/a.png")
        assert canary.connections == 0


@pytest.mark.parametrize("status", [204, 206, 400, 403, 404, 500])
async def test_an_expired_or_missing_file_says_to_take_a_fresh_link(status: int) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with cdn(answer) as (files, base):
        with pytest.raises(FetchRefused, match="take a fresh one"):
            await files.fetch(f"{base}/a.png")


async def test_a_file_of_just_the_size_is_taken_and_one_byte_more_is_not() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * int(request.match_info["name"]))

    async with cdn(answer) as (files, base):
        assert len(await files.fetch(f"{base}/1000", 1_000)) == 1_000
        with pytest.raises(FetchRefused, match="larger than"):
            await files.fetch(f"{base}/1001", 1_000)
        with pytest.raises(FetchRefused, match="larger than"):
            await files.fetch(f"{base}/1", 0)


async def test_a_file_that_does_not_tell_its_length_is_cut_off() -> None:
    sent = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)
            sent += 65_536

    async with cdn(answer) as (files, base):
        with pytest.raises(FetchRefused, match="larger than"):
            await files.fetch(f"{base}/endless", 1_000_000)
    # What was under way in the sockets' buffers is the rest.
    assert sent < 30_000_000


async def test_a_packed_file_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\x00" * 50_000_000)

    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with cdn(answer) as (files, base):
        with pytest.raises(FetchRefused, match="packed"):
            await files.fetch(f"{base}/bomb.png")


async def test_a_file_that_takes_too_long_is_given_up() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x")
        await asyncio.Event().wait()
        return response

    async with cdn(answer, SHORT) as (files, base):
        with pytest.raises(FetchRefused, match="could not be fetched"):
            await files.fetch(f"{base}/slow")


async def test_a_connection_that_breaks_is_told_without_the_address() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with cdn(answer) as (files, base):
        with pytest.raises(FetchRefused) as refused:
            await files.fetch(f"{base}/a.png?hm=secret")
    assert "secret" not in str(refused.value)
    assert base not in str(refused.value)


async def test_no_cookie_is_kept_from_one_file_to_the_next() -> None:
    cookies: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        cookies.append(request.headers.get("Cookie", ""))
        return web.Response(body=b"x", headers={"Set-Cookie": "who=me"})

    async with cdn(answer) as (files, base):
        await files.fetch(f"{base}/a")
        await files.fetch(f"{base}/b")
    assert cookies == ["", ""]
