from __future__ import annotations

import discord
import pytest

from operations.preflight.threads import (
    channel_takes_threads,
    message_has_no_thread,
    message_may_be_unfit,
    private_threads_fit,
    thread_name_fits,
)

KIND = discord.ChannelType


@pytest.mark.parametrize(
    ("name", "fits"), [("a", True), ("x" * 100, True), ("x" * 101, False), ("", False), ("   ", False)]
)
def test_a_threads_name_has_1_to_100_characters(name: str, fits: bool) -> None:
    assert (thread_name_fits(name) is None) is fits


@pytest.mark.parametrize("kind", list(KIND))
def test_only_text_and_announcement_channels_take_threads(kind: discord.ChannelType) -> None:
    problem = channel_takes_threads(kind)
    assert (problem is None) is (kind in (KIND.text, KIND.news))
    if kind in (KIND.forum, KIND.media):
        assert problem is not None
        assert "posts" in problem


def test_private_threads_are_for_text_channels() -> None:
    assert private_threads_fit(KIND.text) is None
    assert private_threads_fit(KIND.news) is not None


def test_a_message_has_one_thread() -> None:
    assert message_has_no_thread(has_thread=False) is None
    assert message_has_no_thread(has_thread=True) is not None


def test_threads_from_system_messages_are_uncertain() -> None:
    assert message_may_be_unfit(discord.MessageType.reply) is None
    assert message_may_be_unfit(discord.MessageType.pins_add) is not None
