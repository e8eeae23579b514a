"""discord.py's addresses change only when told to, and the gateway follows on loopback alone."""

from __future__ import annotations

import pytest
import yarl
from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord_addresses import point_discord_at
from tests.bot.addresses import discord_at


def _addresses() -> tuple[str, str, str]:
    return Route.BASE, str(DiscordWebSocket.DEFAULT_GATEWAY), Asset.BASE


OWN = ("https://discord.com/api/v10", "wss://gateway.discord.gg/", "https://cdn.discordapp.com")


@pytest.fixture(autouse=True)
def addresses_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's running product has changed them for its whole session; afterwards they are as it left them."""
    monkeypatch.setattr(Route, "BASE", OWN[0])
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(OWN[1]))
    monkeypatch.setattr(Asset, "BASE", OWN[2])


def test_nothing_changes_when_it_is_unset() -> None:
    point_discord_at(None)
    assert _addresses() == OWN


def test_on_loopback_all_three_are_the_sandbox() -> None:
    with discord_at("http://127.0.0.1:8790/api/v10"):
        base = "127.0.0.1:8790"
        assert _addresses() == (f"http://{base}/api/v10", f"ws://{base}/gateway", f"http://{base}/cdn")
    assert _addresses() == OWN


def test_elsewhere_it_is_a_proxy_for_rest_alone() -> None:
    with discord_at("https://proxy.example.org/discord/api/v10"):
        assert _addresses() == ("https://proxy.example.org/discord/api/v10", *OWN[1:])
