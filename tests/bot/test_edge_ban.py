"""Refused requests are counted over ten minutes, and calling stops before Discord's edge bans the address."""

from __future__ import annotations

import pytest

from bot.edge_ban import EdgeBan, EdgeBanState
from operations.ledger import SendRefused

VIA = {"Via": "1.1 google"}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("status", [401, 403, 429])
def test_what_the_edge_counts_is_counted(status: int) -> None:
    ban = EdgeBan(limit=2, clock=Clock())
    ban.record(status, VIA)
    assert ban.state() == EdgeBanState(1, 2, False, 0.0)
    ban.check()


@pytest.mark.parametrize("status", [200, 204, 400, 404, 500, 502])
def test_other_answers_are_not_counted(status: int) -> None:
    ban = EdgeBan(limit=1, clock=Clock())
    ban.record(status, VIA)
    assert ban.state().invalid_answers == 0


def test_a_limit_that_is_shared_with_others_is_not_counted() -> None:
    ban = EdgeBan(limit=1, clock=Clock())
    ban.record(429, {**VIA, "X-RateLimit-Scope": "shared"})
    assert ban.state().invalid_answers == 0


def test_at_the_limit_calls_stop_until_the_oldest_is_ten_minutes_old() -> None:
    clock = Clock()
    ban = EdgeBan(limit=3, clock=clock)
    for _ in range(3):
        ban.record(403, VIA)
        clock.now += 100
    with pytest.raises(SendRefused, match="try again in 300 seconds"):
        ban.check()
    assert ban.state().retry_after_seconds == 300
    clock.now += 300
    ban.check()
    assert ban.state().invalid_answers == 2


def test_a_ban_by_the_edge_is_told_from_a_rate_limit_and_lasts_as_long_as_it_says() -> None:
    clock = Clock()
    ban = EdgeBan(clock=clock)
    ban.record(429, {"Retry-After": "120"})
    with pytest.raises(SendRefused, match="banned this address for now; try again in 120 seconds"):
        ban.check()
    assert ban.state().is_banned
    clock.now += 120
    ban.check()
    assert not ban.state().is_banned


@pytest.mark.parametrize("retry_after", [{}, {"Retry-After": "soon"}])
def test_a_ban_that_does_not_say_how_long_lasts_a_minute(retry_after: dict[str, str]) -> None:
    ban = EdgeBan(clock=Clock())
    ban.record(429, retry_after)
    assert ban.state().retry_after_seconds == 60
