from __future__ import annotations

import pytest

from operations.durations import parsed, spoken


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (60, "1 minute"),
        (600, "10 minutes"),
        (3_661, "1 hour 1 minute 1 second"),
        (90_000, "1 day 1 hour"),
        (2_419_200, "28 days"),
    ],
)
def test_a_length_of_time_is_told_exactly(seconds: int, words: str) -> None:
    assert spoken(seconds) == words


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", 600),
        ("2h", 7_200),
        ("1d12h", 129_600),
        ("1 week", 604_800),
        ("90", 90),
        (" 5 MIN ", 300),
        ("1h 30m", 5_400),
        ("0", 0),
    ],
)
def test_a_length_of_time_is_read_as_people_write_it(text: str, seconds: int) -> None:
    assert parsed(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5m", "1.5h", "m", "5 apples", "٣m", "1h30", "1" * 11, "1" * 11 + "s"])
def test_what_is_no_length_of_time_is_none(text: str) -> None:
    assert parsed(text) is None


@pytest.mark.parametrize("seconds", [1, 61, 3_661, 90_061, 604_800])
def test_what_is_spoken_is_read_again(seconds: int) -> None:
    assert parsed(spoken(seconds)) == seconds
