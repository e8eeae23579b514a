from __future__ import annotations

import pytest

from operations.preflight.reactions import (
    custom_emoji_id,
    emoji_is_available,
    emoji_is_for,
    is_unicode_emoji,
    message_has_room,
    thread_takes_reactions,
)


@pytest.mark.parametrize(
    "text",
    ["👍", "👍🏽", "❤️", "❤", "🏳️‍🌈", "👨‍👩‍👧", "🇩🇪", "1️⃣", "#⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "✅", "⭐", "🫡", "©️", "‼️", "↩️", "🀄", "🅰️", "㊗️"],
)
def test_one_emoji_of_unicode_is_one(text: str) -> None:
    assert is_unicode_emoji(text)


@pytest.mark.parametrize(
    "text", ["", "a", "ok", ":+1:", "👍👍", "👍 ", "1", "🇩", "\u200d", "👍\u200d", "ä", "漢", "😀x", "\ufe0f"]
)
def test_what_is_no_single_emoji_is_none(text: str) -> None:
    assert not is_unicode_emoji(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<:party:123456789012345678>", 123456789012345678),
        ("<a:party:123456789012345678>", 123456789012345678),
        ("party:123456789012345678", 123456789012345678),
        ("123456789012345678", 123456789012345678),
        ("party", None),
        ("<@123456789012345678>", None),
        ("12345", None),
    ],
)
def test_a_custom_emoji_is_named_by_its_id(text: str, found: int | None) -> None:
    assert custom_emoji_id(text) == found


@pytest.mark.parametrize(
    ("count", "is_new", "fits"), [(19, True, True), (20, True, False), (20, False, True), (0, True, True)]
)
def test_a_message_has_room_for_20_different_reactions(count: int, is_new: bool, fits: bool) -> None:
    assert (message_has_room(count, is_new=is_new) is None) is fits


def test_an_archived_thread_takes_none() -> None:
    assert thread_takes_reactions(archived=False) is None
    assert thread_takes_reactions(archived=True) is not None


def test_an_emoji_that_is_kept_for_roles_is_for_those_who_have_one() -> None:
    assert emoji_is_for((), (), "I") is None
    assert emoji_is_for((1, 2), (2, 3), "You") is None
    problem = emoji_is_for((1, 2), (3,), "You")
    assert problem is not None
    assert problem.startswith("You may not use")


def test_an_emoji_that_was_lost_with_boosts_is_not_available() -> None:
    assert emoji_is_available(available=True) is None
    assert emoji_is_available(available=False) is not None
