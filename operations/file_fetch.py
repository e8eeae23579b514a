"""The one fetcher of files: Discord's CDN only, no redirects, a public address, capped in size and time.

A caller's URL is never followed anywhere else, so that nobody reaches the host's own network through it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from yarl import URL

CDN_HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
MAX_BYTES = 25 * 1024 * 1024
TIMEOUT_SECONDS = 10.0


class FetchRefused(Exception):
    """A file could not be had; the text says why, for the caller."""


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses only; the connection is made to the very address that was checked."""

    def __init__(self) -> None:
        self._inner = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        public = [entry for entry in found if ipaddress.ip_address(entry["host"]).is_global]
        if not public:
            raise OSError(f"{host} has no public address")
        return public

    async def close(self) -> None:
        await self._inner.close()


class FileFetcher:
    """Fetches attachments. ``sandbox_origin`` (http://127.0.0.1:port) is allowed beside the CDN when Discord is
    simulated there.
    """

    def __init__(self, session: aiohttp.ClientSession, sandbox_origin: URL | None) -> None:
        self._session = session
        self._sandbox_origin = sandbox_origin

    @classmethod
    @asynccontextmanager
    async def open(cls, sandbox_origin: URL | None = None) -> AsyncGenerator[FileFetcher]:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        connector = (
            aiohttp.TCPConnector(resolver=PublicResolver()) if sandbox_origin is None else aiohttp.TCPConnector()
        )
        async with aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            # Unpacked nowhere: a few kilobytes could become gigabytes.
            auto_decompress=False,
            headers={"Accept-Encoding": "identity"},
        ) as session:
            yield cls(session, sandbox_origin)

    async def fetch(self, address: str, max_bytes: int = MAX_BYTES) -> bytes:
        """The bytes of a file on Discord's CDN. Raises FetchRefused."""
        url = self._checked(address)
        too_large = FetchRefused(
            f"The file at `url` is larger than the {max_bytes / (1024 * 1024):.3g} MiB that are left to it."
        )
        try:
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status != 200:
                    raise FetchRefused(
                        f"Discord's CDN answered {response.status} for the file; attachment links expire, "
                        "take a fresh one."
                    )
                if response.headers.get("Content-Encoding", "identity") != "identity":
                    raise FetchRefused("Discord's CDN sent the file packed; give it as base64 in `data`.")
                if (response.content_length or 0) > max_bytes:
                    raise too_large
                body = bytearray()
                async for chunk in response.content.iter_chunked(64 * 1024):
                    body += chunk
                    if len(body) > max_bytes:
                        raise too_large
                return bytes(body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise FetchRefused(f"The file could not be fetched ({type(error).__name__}).") from error

    def _checked(self, address: str) -> URL:
        try:
            url = URL(address)
            origin = url.origin() if url.scheme and url.host else None
        except ValueError:
            raise FetchRefused("That is not a URL.") from None
        if self._sandbox_origin is not None and origin == self._sandbox_origin:
            return url
        if url.scheme != "https" or url.host not in CDN_HOSTS or url.port != 443 or url.user or url.password:
            raise FetchRefused(
                "Files come from Discord's CDN only (https://cdn.discordapp.com/…), or as base64 in `data`."
            )
        return url
