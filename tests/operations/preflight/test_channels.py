from __future__ import annotations

import discord
import pytest

from operations.preflight.channels import (
    archive_duration_fits,
    bitrate_fits,
    category_has_room,
    channel_is_deletable,
    guild_has_room,
    kind_change_is_supported,
    kind_is_allowed,
    kind_may_be_unavailable,
    name_fits,
    parent_is_category_here,
    position_fits,
    setting_applies,
    slowmode_fits,
    tags_fit,
    topic_fits,
    user_limit_fits,
)
from tests.operations.payloads import MessageWorld

Kind = discord.ChannelType


@pytest.mark.parametrize(
    ("name", "fits"), [("a", True), ("x" * 100, True), ("x" * 101, False), ("", False), (" ", False)]
)
def test_a_name_has_1_to_100_characters(name: str, fits: bool) -> None:
    assert (name_fits(name) is None) is fits


@pytest.mark.parametrize(
    ("kind", "length", "fits"),
    [(Kind.text, 1024, True), (Kind.text, 1025, False), (Kind.forum, 4096, True), (Kind.media, 4097, False)],
)
def test_a_topic_is_longer_in_forums(kind: discord.ChannelType, length: int, fits: bool) -> None:
    assert (topic_fits("x" * length, kind) is None) is fits


@pytest.mark.parametrize(
    ("setting", "kind", "applies"),
    [
        ("topic", Kind.text, True),
        ("topic", Kind.voice, False),
        ("nsfw", Kind.category, False),
        ("nsfw", Kind.voice, True),
        ("slowmode", Kind.news, False),
        ("slowmode", Kind.stage_voice, True),
        ("bitrate", Kind.text, False),
        ("user_limit", Kind.stage_voice, True),
        ("parent", Kind.category, False),
        ("tags", Kind.forum, True),
        ("tags", Kind.text, False),
        ("default_auto_archive_duration", Kind.news, True),
        ("default_auto_archive_duration", Kind.voice, False),
    ],
)
def test_each_kind_has_its_settings(setting: str, kind: discord.ChannelType, applies: bool) -> None:
    assert (setting_applies(setting, kind) is None) is applies


def test_a_setting_that_does_not_apply_is_named_with_the_kind() -> None:
    assert setting_applies("user_limit", Kind.text) == "A text channel has no user limit; leave it out."


@pytest.mark.parametrize(("seconds", "fits"), [(0, True), (21_600, True), (21_601, False), (-1, False)])
def test_slowmode_goes_up_to_six_hours(seconds: int, fits: bool) -> None:
    assert (slowmode_fits(seconds) is None) is fits


@pytest.mark.parametrize(
    ("rate", "kind", "tier", "features", "fits"),
    [
        (8_000, Kind.voice, 0, (), True),
        (7_999, Kind.voice, 0, (), False),
        (96_000, Kind.voice, 0, (), True),
        (96_001, Kind.voice, 0, (), False),
        (128_000, Kind.voice, 1, (), True),
        (256_001, Kind.voice, 2, (), False),
        (384_000, Kind.voice, 3, (), True),
        (384_000, Kind.voice, 0, ("VIP_REGIONS",), True),
        (64_000, Kind.stage_voice, 3, (), True),
        (64_001, Kind.stage_voice, 3, (), False),
    ],
)
def test_boosts_set_the_bitrate(
    rate: int, kind: discord.ChannelType, tier: int, features: tuple[str, ...], fits: bool
) -> None:
    assert (bitrate_fits(rate, kind, tier, features) is None) is fits


@pytest.mark.parametrize(
    ("limit", "kind", "fits"),
    [
        (0, Kind.voice, True),
        (99, Kind.voice, True),
        (100, Kind.voice, False),
        (10_000, Kind.stage_voice, True),
        (-1, Kind.voice, False),
    ],
)
def test_a_stage_takes_more_people_than_a_voice_channel(limit: int, kind: discord.ChannelType, fits: bool) -> None:
    assert (user_limit_fits(limit, kind) is None) is fits


@pytest.mark.parametrize(("minutes", "fits"), [(60, True), (1440, True), (4320, True), (10080, True), (61, False)])
def test_threads_archive_after_one_of_four_durations(minutes: int, fits: bool) -> None:
    assert (archive_duration_fits(minutes) is None) is fits


def test_a_position_is_not_negative() -> None:
    assert position_fits(0) is None
    assert position_fits(-1) is not None


@pytest.mark.parametrize(
    ("names", "problems"),
    [
        ([f"tag {number}" for number in range(20)], 0),
        ([f"tag {number}" for number in range(21)], 1),
        (["x" * 20], 0),
        (["x" * 21], 1),
        ([""], 1),
        (["a", "a "], 1),
    ],
)
def test_a_forum_has_twenty_short_distinct_tags(names: list[str], problems: int) -> None:
    assert len(list(tags_fit(names))) == problems


@pytest.mark.parametrize(
    ("kind", "features", "allowed"),
    [
        (Kind.text, (), True),
        (Kind.category, (), True),
        (Kind.forum, (), True),
        (Kind.media, (), True),
        (Kind.news, (), False),
        (Kind.news, ("NEWS",), True),
        (Kind.news, ("COMMUNITY",), True),
        (Kind.stage_voice, (), False),
        (Kind.stage_voice, ("COMMUNITY",), True),
        (Kind.public_thread, (), False),
        (Kind.private, (), False),
    ],
)
def test_some_kinds_need_a_community_guild(kind: discord.ChannelType, features: tuple[str, ...], allowed: bool) -> None:
    assert (kind_is_allowed(kind, features) is None) is allowed


def test_whether_media_channels_are_offered_is_not_known() -> None:
    assert kind_may_be_unavailable(Kind.media) is not None
    assert kind_may_be_unavailable(Kind.forum) is None


@pytest.mark.parametrize(
    ("before", "after", "features", "community", "supported"),
    [
        (Kind.text, Kind.text, (), False, True),
        (Kind.text, Kind.news, ("NEWS",), False, True),
        (Kind.news, Kind.text, ("NEWS",), False, True),
        (Kind.text, Kind.news, (), False, False),
        (Kind.text, Kind.news, ("NEWS",), True, False),
        (Kind.text, Kind.voice, ("NEWS",), False, False),
    ],
)
def test_only_text_and_announcement_channels_turn_into_each_other(
    before: discord.ChannelType,
    after: discord.ChannelType,
    features: tuple[str, ...],
    community: bool,
    supported: bool,
) -> None:
    assert (kind_change_is_supported(before, after, features, is_community_channel=community) is None) is supported


@pytest.mark.parametrize(("count", "room"), [(0, True), (499, True), (500, False)])
def test_a_guild_has_500_channels(count: int, room: bool) -> None:
    assert (guild_has_room(count) is None) is room


@pytest.mark.parametrize(("count", "room"), [(49, True), (50, False)])
def test_a_category_has_50_channels(count: int, room: bool) -> None:
    assert (category_has_room(count) is None) is room


async def test_a_parent_is_a_category_of_the_same_guild() -> None:
    world = MessageWorld()
    state = world.state
    category = discord.CategoryChannel(
        state=state,
        guild=world.guild,
        data={
            "id": "9",
            "guild_id": "100",
            "type": 4,
            "name": "c",
            "position": 0,
            "permission_overwrites": [],
            "parent_id": None,
            "nsfw": False,
        },
    )
    assert parent_is_category_here(category, world.guild.id) is None
    assert parent_is_category_here(category, world.guild.id + 1) is not None
    assert parent_is_category_here(world.any_channel, world.guild.id) is not None


@pytest.mark.parametrize(
    ("channel_id", "features", "deletable"),
    [(1, ("COMMUNITY",), False), (2, ("COMMUNITY",), False), (3, ("COMMUNITY",), True), (1, (), True)],
)
def test_a_community_guild_keeps_its_rules_and_updates_channels(
    channel_id: int, features: tuple[str, ...], deletable: bool
) -> None:
    assert (channel_is_deletable(channel_id, features, 1, 2) is None) is deletable
