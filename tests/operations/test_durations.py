from __future__ import annotations

import pytest

from operations.durations import spoken


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
