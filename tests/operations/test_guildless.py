"""Codes of invites, and what must not be taken for a webhook's name."""

from __future__ import annotations

import secrets

import pytest
from pydantic import ValidationError

from operations.base import Model
from operations.guildless import invite_code, or_instead
from operations.refs import InviteRef, WebhookRef
from policy.masking import mask
from policy.permissions import Bits


class Named(Model):
    webhook: WebhookRef | None = None
    invite: InviteRef | None = None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("abcDEF12", "abcDEF12"),
        ("my-vanity", "my-vanity"),
        ("discord.gg/abcDEF", "abcDEF"),
        ("https://discord.gg/abcDEF/", "abcDEF"),
        ("http://discord.com/invite/abcDEF?event=12", "abcDEF"),
        ("https://canary.discordapp.com/invite/abcDEF", "abcDEF"),
        ("https://evil.example/abcDEF", None),
        ("https://discord.gg/abc/def", None),
        ("../guilds/1", None),
        ("a", None),
        ("", None),
        ("with blank", None),
    ],
)
def test_an_invite_is_named_by_code_or_link(text: str, code: str | None) -> None:
    assert invite_code(text) == code


def test_a_webhooks_token_is_refused_without_being_repeated() -> None:
    token = secrets.token_urlsafe(51)
    for text in (
        f"https://discord.com/api/webhooks/123456789012345678/{token}",
        f"discord.com/api/v10/webhooks/123456789012345678/{token}",
        f"123456789012345678/{token}",
        token,
    ):
        with pytest.raises(ValidationError, match="its address holds its token"):
            Named(webhook=text)


@pytest.mark.parametrize("name", ["Tide clock", "123456789012345678", "a/b", "x" * 59, "Hafen-Büro"])
def test_ids_and_names_are_taken(name: str) -> None:
    assert Named(webhook=name).webhook == name


def test_who_manages_the_guild_needs_no_right_in_the_channel() -> None:
    channels, guild = int(Bits.manage_channels), int(Bits.manage_guild)
    assert or_instead(channels, channels, guild) == channels
    assert or_instead(guild, channels, guild) == guild
    assert or_instead(int(Bits.administrator), channels, guild) == guild
    assert or_instead(channels, channels, 0) == channels


def test_a_token_by_itself_is_masked_wherever_a_text_is_kept() -> None:
    token = secrets.token_urlsafe(51)
    assert mask(f"123456789012345678/{token}") == "123456789012345678/[token]"
    assert mask(f"the token {token}.") == "the token [token]."
    assert mask("x" * 67) == "x" * 67
