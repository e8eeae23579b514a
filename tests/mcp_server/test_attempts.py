from __future__ import annotations

import pytest

from mcp_server.attempts import FailedAttempts
from tests.mcp_server.served import Clock


def test_attempts_run_out_and_come_back_with_time() -> None:
    clock = Clock(0.0)
    attempts = FailedAttempts(per_minute=3, clock=clock)
    assert [attempts.record("192.0.2.1") for _ in range(3)] == [0, 0, 0]
    assert attempts.record("192.0.2.1") == pytest.approx(20)
    clock.now += 10
    assert attempts.record("192.0.2.1") == pytest.approx(10)
    clock.now += 10
    assert attempts.record("192.0.2.1") == 0
    assert attempts.record("192.0.2.1") > 0


def test_each_address_has_its_own_and_ipv6_counts_by_subscriber() -> None:
    attempts = FailedAttempts(per_minute=1, clock=Clock(0.0))
    assert attempts.record("192.0.2.1") == 0
    assert attempts.record("192.0.2.2") == 0
    assert attempts.record("::ffff:192.0.2.1") > 0
    assert attempts.record("2001:db8::1") == 0
    assert attempts.record("2001:db8::2") > 0
    assert attempts.record("2001:db8:0:1::1") == 0
    assert attempts.record("fe80::1%eth0") == 0


def test_memory_is_bounded() -> None:
    attempts = FailedAttempts(per_minute=1, addresses=10, clock=Clock(0.0))
    for number in range(100):
        attempts.record(f"192.0.2.{number}")
    assert len(attempts) == 10
    assert attempts.record("192.0.2.99") > 0
    assert attempts.record("192.0.2.0") == 0


@pytest.mark.parametrize("address", [None, "", "not an address"])
def test_what_has_no_address_shares_one(address: str | None) -> None:
    attempts = FailedAttempts(per_minute=1, clock=Clock(0.0))
    attempts.record("")
    assert attempts.record(address) > 0


@pytest.mark.parametrize("numbers", [(0, 1), (1, 0)])
def test_numbers_below_one_are_refused(numbers: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        FailedAttempts(per_minute=numbers[0], addresses=numbers[1])
