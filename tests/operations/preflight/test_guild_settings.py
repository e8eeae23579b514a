from __future__ import annotations

import discord
import pytest

from operations.preflight import guild_settings as rules

KIND = discord.ChannelType
COMMUNITY = ["COMMUNITY"]


@pytest.mark.parametrize(
    ("name", "fits"),
    [("ab", True), ("a", False), (" a ", False), ("x" * 100, True), ("x" * 101, False), (f" {'x' * 100} ", True)],
)
def test_a_guilds_name_has_2_to_100_characters_within_its_blanks(name: str, fits: bool) -> None:
    assert (rules.guild_name_fits(name) is None) is fits


@pytest.mark.parametrize(("length", "fits"), [(0, True), (300, True), (301, False)])
def test_a_description_has_at_most_300_characters(length: int, fits: bool) -> None:
    assert (rules.description_fits("x" * length) is None) is fits


@pytest.mark.parametrize(
    ("seconds", "fits"), [(60, True), (300, True), (3600, True), (0, False), (61, False), (7200, False)]
)
def test_an_afk_timeout_is_one_of_discords(seconds: int, fits: bool) -> None:
    assert (rules.afk_timeout_fits(seconds) is None) is fits


@pytest.mark.parametrize(
    ("locale", "fits"), [("en-US", True), ("de", True), ("en-us", False), ("german", False), ("", False)]
)
def test_a_locale_is_one_of_discords(locale: str, fits: bool) -> None:
    assert (rules.locale_exists(locale) is None) is fits


@pytest.mark.parametrize(
    ("setting", "kind", "fits"),
    [
        ("afk_channel", KIND.voice, True),
        ("afk_channel", KIND.stage_voice, False),
        ("afk_channel", KIND.text, False),
        ("system_channel", KIND.text, True),
        ("system_channel", KIND.voice, False),
        ("rules_channel", KIND.text, True),
        ("rules_channel", KIND.news, False),
        ("public_updates_channel", KIND.forum, False),
    ],
)
def test_a_setting_takes_its_own_kind_of_channel(setting: str, kind: discord.ChannelType, fits: bool) -> None:
    assert (rules.setting_takes_channel(setting, kind) is None) is fits


@pytest.mark.parametrize("setting", sorted(rules.COMMUNITY_SETTINGS))
def test_some_settings_are_of_community_guilds_alone(setting: str) -> None:
    assert rules.community_has_setting(setting, COMMUNITY) is None
    assert rules.community_has_setting(setting, []) is not None
    assert rules.community_has_setting("name", []) is None


def test_a_community_guild_keeps_its_two_channels() -> None:
    assert rules.community_keeps_channel("rules_channel", COMMUNITY) is not None
    assert rules.community_keeps_channel("rules_channel", []) is None
    assert rules.community_keeps_channel("afk_channel", COMMUNITY) is None


@pytest.mark.parametrize(
    ("verification", "content_filter", "features", "certain"),
    [
        ("none", None, COMMUNITY, False),
        ("low", None, COMMUNITY, True),
        (None, "no_role", COMMUNITY, False),
        (None, "all_members", COMMUNITY, True),
        ("none", "disabled", [], True),
    ],
)
def test_a_community_guild_may_be_asked_for_more(
    verification: str | None, content_filter: str | None, features: list[str], certain: bool
) -> None:
    assert (rules.community_may_ask_for_more(verification, content_filter, features) is None) is certain
