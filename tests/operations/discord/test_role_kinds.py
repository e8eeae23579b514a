"""Roles without a guild: who manages them, what they are called."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from operations.discord.role_kinds import called, labelled, managed_by
from policy.model import Target


def role(*, managed: bool = False, **tags: Any) -> discord.Role:
    given: dict[str, Any] = {"id": "2", "name": "R", "permissions": "0", "position": 1, "managed": managed}
    if tags:
        given["tags"] = tags
    guild = cast("discord.Guild", SimpleNamespace(id=1))
    return discord.Role(guild=guild, state=cast("Any", None), data=cast("Any", given))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (role(), None),
        (role(managed=True), "an integration"),
        (role(managed=True, bot_id="5"), "a bot"),
        (role(managed=True, integration_id="5"), "an integration"),
        (role(managed=True, premium_subscriber=None), "boosting"),
        (role(guild_connections=None), "a linked account"),
        (role(managed=True, integration_id="5", subscription_listing_id="7"), "a subscription"),
    ],
)
def test_who_manages_a_role_follows_its_tags(given: discord.Role, expected: str | None) -> None:
    assert managed_by(given) == expected


def test_names_of_roles_are_disarmed() -> None:
    assert called(Target("role", 2, 1, "Mods")) == "@Mods"
    assert called(Target("role", 1, 1, "@everyone")) == "@everyone"
    assert labelled(Target("role", 3, 1, "a`b")) == "role 3 @aˋb"
