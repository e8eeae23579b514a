"""discord.py's addresses, changed for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord_addresses import point_discord_at


@contextlib.contextmanager
def discord_at(api_base_url: str) -> Generator[None]:
    before = (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, Asset.BASE)
    point_discord_at(api_base_url)
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before[0], before[1]
        setattr(Asset, "BASE", before[2])  # noqa: B010 - declared as a literal
