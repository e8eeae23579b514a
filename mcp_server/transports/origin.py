"""Host and Origin checks: what keeps a web page from talking to a server on the user's own machine (DNS rebinding)."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web
from mcp.types import INVALID_REQUEST

from mcp_server.transports.replies import RefusalError

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class OriginPolicy:
    """Which `Host` and `Origin` headers are served.

    `allowed_hosts` are host names without ports: a rebinding page can choose the port, never the name.
    `allowed_origins` are ``scheme://host[:port]`` as a browser sends them. Loopback hosts are always served; loopback
    origins only with `loopback_origins`.
    """

    allowed_hosts: frozenset[str] = frozenset()
    allowed_origins: frozenset[str] = frozenset()
    loopback_origins: bool = True

    @classmethod
    def from_public_url(cls, public_url: str, more_origins: Iterable[str] = ()) -> OriginPolicy:
        """Serve the host of `public_url`, and pages from its origin and from `more_origins`.

        Raises:
            ValueError: one of them is no http or https URL.
        """
        origin = _origin(public_url)
        if origin is None:
            raise ValueError(f"{public_url!r} is not an http or https URL")
        host = urlsplit(origin).hostname or ""
        allowed = {origin}
        for more in more_origins:
            normal = _origin(more)
            if normal is None:
                raise ValueError(f"{more!r} is not an http or https origin")
            allowed.add(normal)
        return cls(frozenset({host}), frozenset(allowed), loopback_origins=host in LOOPBACK_HOSTS)

    def check(self, request: web.Request) -> None:
        """Let the request pass.

        Raises:
            RefusalError: 421 for a host that isn't served, 403 for a page from an origin that isn't allowed.
        """
        host = request.headers.get("Host")
        if host is None or not self._serves(_hostname(host)):
            raise RefusalError(
                421, INVALID_REQUEST, f"This server is not known as {host!r}. Use the address it was set up with."
            )
        origin = request.headers.get("Origin")
        if origin is not None and not self._allows(origin):
            raise RefusalError(403, INVALID_REQUEST, f"Pages from {origin!r} may not call this server.")

    def refusal(self, request: web.Request) -> web.Response | None:
        """Give the response that refuses the request, or None: the same check for other handlers."""
        try:
            self.check(request)
        except RefusalError as refused:
            return refused.response()
        return None

    def _serves(self, hostname: str | None) -> bool:
        return hostname is not None and (hostname in LOOPBACK_HOSTS or hostname in self.allowed_hosts)

    def _allows(self, origin: str) -> bool:
        normal = _origin(origin)
        if normal is None:
            return False
        if self.loopback_origins and urlsplit(normal).hostname in LOOPBACK_HOSTS:
            return True
        return normal in self.allowed_origins


@functools.lru_cache(maxsize=256)
def _hostname(host: str) -> str | None:
    """Give the name in a `Host` header, lower case and without port, or None when it is malformed."""
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname if parts.netloc == host and "@" not in host else None
    except ValueError:
        return None


@functools.lru_cache(maxsize=256)
def _origin(url: str) -> str | None:
    """Give ``scheme://host[:port]`` of `url` as a browser writes it, or None when it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}")
