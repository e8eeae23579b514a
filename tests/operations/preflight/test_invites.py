from __future__ import annotations

import discord
import pytest

from operations.preflight.invites import (
    channel_takes_invites,
    guild_has_room_for_invites,
    invite_is_not_vanity,
    invites_are_paused,
)

Kind = discord.ChannelType


@pytest.mark.parametrize(
    ("kind", "takes"),
    [(Kind.text, True), (Kind.voice, True), (Kind.forum, True), (Kind.category, False), (Kind.public_thread, False)],
)
def test_an_invite_leads_to_a_channel(kind: discord.ChannelType, takes: bool) -> None:
    assert (channel_takes_invites(kind) is None) is takes


def test_a_guild_has_room_for_a_thousand() -> None:
    assert guild_has_room_for_invites(999) is None
    assert guild_has_room_for_invites(1_000) is not None


def test_paused_invites_are_told() -> None:
    assert invites_are_paused(["COMMUNITY"]) == ""
    assert "paused" in invites_are_paused(["INVITES_DISABLED"])


def test_the_vanity_address_is_not_an_invite() -> None:
    assert invite_is_not_vanity("abc", None) is None
    assert invite_is_not_vanity("abc", "abd") is None
    assert invite_is_not_vanity("abc", "abc") is not None
