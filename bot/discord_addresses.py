"""Where discord.py finds Discord: its own addresses, unless DISCORD_API_BASE_URL names others."""

from __future__ import annotations

import yarl

from bot import discord_internals
from bot.loopback import is_loopback_host


def point_discord_at(api_base_url: str | None) -> None:
    """Send REST requests to ``api_base_url`` (with the version, as ``https://host/api/v10``). None changes nothing.

    On loopback it is the sandbox: gateway and CDN are served by the same port. Elsewhere it is a proxy for REST alone,
    and gateway and CDN stay Discord's. Call it before a client is built; it holds for the whole process.
    """
    if api_base_url is None:
        return
    url = yarl.URL(api_base_url)
    gateway = cdn = None
    if is_loopback_host(url.host or ""):
        gateway = str(url.origin().with_scheme("wss" if url.scheme == "https" else "ws") / "gateway")
        cdn = str(url.origin() / "cdn")
    discord_internals.point(api_base_url.rstrip("/"), gateway=gateway, cdn=cdn)
