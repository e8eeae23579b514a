from __future__ import annotations

import pytest

from operations.preflight.members import (
    MAX_TIMEOUT_SECONDS,
    bot_reaches_nickname,
    nickname_fits,
    nickname_may_differ,
    outside_bans_may_be_exhausted,
    requester_outranks_bot,
    target_is_not_administrator,
    timeout_has_a_length,
    trimmed,
)
from policy.permissions import bits


@pytest.mark.parametrize(
    ("seconds", "fits"),
    [(1, True), (MAX_TIMEOUT_SECONDS, True), (MAX_TIMEOUT_SECONDS + 1, False), (0.5, False), (0, False), (-60, False)],
)
def test_a_timeout_ends_within_28_days(seconds: float, fits: bool) -> None:
    assert (timeout_has_a_length(seconds) is None) is fits


def test_administrators_are_not_timed_out() -> None:
    assert target_is_not_administrator(bits("moderate_members", "manage_guild"), "mike") is None
    assert target_is_not_administrator(bits("administrator"), "ada") == (
        "@ada is an administrator, whom Discord lets nobody time out; take that role away first."
    )


@pytest.mark.parametrize(("nickname", "fits"), [("", True), ("x", True), ("é" * 32, True), ("x" * 33, False)])
def test_a_nickname_has_up_to_32_characters(nickname: str, fits: bool) -> None:
    assert (nickname_fits(nickname) is None) is fits


@pytest.mark.parametrize(
    ("given", "sent"), [("Nina", "Nina"), ("  Nina \t the\u2003Great ", "Nina the Great"), ("   ", ""), ("", "")]
)
def test_a_nickname_is_trimmed_as_discord_does(given: str, sent: str) -> None:
    assert trimmed(given) == sent


def test_what_shows_as_nothing_may_be_dropped_from_a_nickname() -> None:
    assert nickname_may_differ("Nina é 😀") is None
    assert nickname_may_differ("Ni\u200bna") == "Discord may drop characters of the nickname that show as nothing."


@pytest.mark.parametrize(("target_rank", "reached"), [(9, True), (10, False), (11, False)])
def test_the_bot_renames_whoever_stands_below_it(target_rank: int, reached: bool) -> None:
    assert (bot_reaches_nickname(10, target_rank, is_owner=False) is None) is reached


def test_nobody_renames_the_owner() -> None:
    problem = bot_reaches_nickname(10, 1, is_owner=True)
    assert problem is not None
    assert "owner" in problem


@pytest.mark.parametrize(("rank", "may"), [(9, False), (10, False), (11, True)])
def test_who_renames_the_bot_stands_above_it(rank: int, may: bool) -> None:
    assert (requester_outranks_bot(rank, 10) is None) is may
    assert requester_outranks_bot(rank, 10, is_itself=True) is None


def test_bans_of_people_outside_are_limited_by_a_number_that_nobody_knows() -> None:
    assert outside_bans_may_be_exhausted(is_member=True) is None
    assert outside_bans_may_be_exhausted(is_member=False) is not None
