"""Refused requests are counted over ten minutes, and calling stops before Discord's edge bans the address."""

from __future__ import annotations

import pytest

from bot.edge_ban import EdgeBan, EdgeBanState
from operations.ledger import Ledger, SendRefused

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


def asked_by(caller_id: str, guild_id: int | None) -> Ledger:
    return Ledger("read", "cl_1", caller_id, guild_id)


def test_a_guild_that_has_used_up_its_tenth_is_stopped_alone() -> None:
    clock = Clock()
    ban = EdgeBan(limit=100, clock=clock)
    for number in range(10):
        ban.check(asked_by("new", 1))
        ban.record(403, VIA, asked_by(f"caller {number}", 1))
    with pytest.raises(SendRefused, match=r"10 requests for this guild .* try again in 600 seconds") as refused:
        ban.check(asked_by("new", 1))
    assert refused.value.retry_after_seconds == 600
    for ledger in (asked_by("new", 2), asked_by("caller 1", 2), asked_by("caller 1", None), None):
        ban.check(ledger)
    assert ban.state() == EdgeBanState(10, 100, False, 0.0, (1,), 0)
    clock.now += 600
    ban.check(asked_by("new", 1))
    assert ban.state().stopped_guild_ids == ()


def test_a_caller_that_has_used_up_his_share_is_stopped_everywhere_and_his_guild_goes_on() -> None:
    ban = EdgeBan(limit=100, clock=Clock())
    for guild_id in range(5):
        ban.record(401, VIA, asked_by("ada", guild_id))
    for guild_id in (1, 77, None):
        with pytest.raises(SendRefused, match="5 requests of this caller"):
            ban.check(asked_by("ada", guild_id))
    ban.check(asked_by("bela", 1))
    assert ban.state() == EdgeBanState(5, 100, False, 0.0, (), 1)


def test_all_are_stopped_when_all_together_have_used_up_the_limit() -> None:
    ban = EdgeBan(limit=100, clock=Clock())
    for number in range(100):
        ban.record(403, VIA, asked_by(f"caller {number}", number))
    for ledger in (None, asked_by("new", 1_000)):
        with pytest.raises(SendRefused, match="100 requests within 10 minutes"):
            ban.check(ledger)
    assert ban.state().stopped_guild_ids == ()


def test_the_system_s_own_requests_use_no_share() -> None:
    ban = EdgeBan(limit=100, clock=Clock())
    for _ in range(50):
        ban.record(403, VIA, asked_by("", None))
    ban.check(asked_by("", None))


def test_who_has_not_been_refused_for_ten_minutes_is_forgotten() -> None:
    clock = Clock()
    ban = EdgeBan(limit=20, clock=clock)
    ban.record(403, VIA, asked_by("ada", 1))
    clock.now += 700
    ban.record(403, VIA, asked_by("bela", 2))
    ban.check(asked_by("ada", 1))
    assert ban.state().stopped_callers == 1
