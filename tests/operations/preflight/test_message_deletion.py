from __future__ import annotations

import datetime

import discord
import pytest

from operations.preflight.message_deletion import bulk_fits, is_too_old, message_is_deletable

NOW = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC)


def made(ago: datetime.timedelta, number: int = 0) -> int:
    """An id of that age."""
    return discord.utils.time_snowflake(NOW - ago) + number


FRESH = [made(datetime.timedelta(days=1), number) for number in range(101)]


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (FRESH[:2], None),
        (FRESH[:100], None),
        (FRESH[:1], "At least 2"),
        (FRESH, "At most 100"),
        ([FRESH[0], FRESH[1], FRESH[0]], f"Message {FRESH[0]} is given twice"),
        ([FRESH[0], made(datetime.timedelta(days=15))], "older than 14 days"),
        ([], "At least 2"),
    ],
    ids=["two", "a hundred", "one", "too many", "twice", "old", "none"],
)
def test_a_bulk_has_2_to_100_distinct_young_messages(ids: list[int], said: str | None) -> None:
    found = list(bulk_fits(ids, NOW))
    assert (found == []) if said is None else any(said in problem for problem in found)


@pytest.mark.parametrize(
    ("age", "old"),
    [
        (datetime.timedelta(days=14), False),
        (datetime.timedelta(days=14, milliseconds=1), True),
        (datetime.timedelta(days=13, hours=23), False),
        (datetime.timedelta(seconds=-5), False),
    ],
)
def test_two_weeks_are_the_limit(age: datetime.timedelta, old: bool) -> None:
    assert is_too_old(made(age), NOW) is old


def test_many_old_messages_are_counted() -> None:
    ids = [made(datetime.timedelta(days=20), number) for number in range(8)]
    [problem] = bulk_fits(ids, NOW)
    assert "and 3 more are older" in problem


def test_system_messages_of_some_kinds_stay() -> None:
    kinds = discord.MessageType
    for kind in (kinds.default, kinds.reply, kinds.pins_add, kinds.new_member, kinds.thread_created):
        assert message_is_deletable(kind) is None
    for kind in (kinds.thread_starter_message, kinds.channel_name_change, kinds.call, kinds.recipient_add):
        assert message_is_deletable(kind) is not None
