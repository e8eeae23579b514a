from __future__ import annotations

import discord
import pytest

from operations.preflight.guilds import audit_reason_fits, automod_may_block, two_factor_may_be_missing
from policy.permissions import bits


@pytest.mark.parametrize(
    ("header", "fits"), [(None, True), ("", True), ("x" * 512, True), ("ü" * 512, True), ("x" * 513, False)]
)
def test_an_audit_reason_has_at_most_512_characters(header: str | None, fits: bool) -> None:
    assert (audit_reason_fits(header) is None) is fits


def test_two_factor_is_unknown_only_where_the_guild_and_the_permission_ask_for_it() -> None:
    asked, free = discord.MFALevel.require_2fa, discord.MFALevel.disabled
    managing, sending = bits("manage_channels"), bits("send_messages")
    assert two_factor_may_be_missing(free, managing) is None
    assert two_factor_may_be_missing(asked, sending) is None
    assert two_factor_may_be_missing(asked, managing | sending) == (
        "The guild asks for two-factor authentication for manage_channels; "
        "whether the application's owner has it cannot be known."
    )


def test_automod_may_block_where_rules_are_set_up_and_the_bot_is_not_exempt() -> None:
    assert automod_may_block([], 0) is None
    assert automod_may_block(["AUTO_MODERATION"], bits("manage_guild")) is None
    assert automod_may_block(["AUTO_MODERATION"], bits("send_messages")) == "AutoMod may still block the text."
