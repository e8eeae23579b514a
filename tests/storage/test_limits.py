from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from policy.model import OperationClass, Tier
from storage.limits import LimitState, RateLimits, Rates
from storage.read_limit import ReadLimit
from tests import databases
from tests.storage.conftest import Eventually
from tests.storage.cut_line import REDIS, CutLine

RATES = Rates(
    reads_a_caller=6, reads_a_guild=8, writes_a_caller=6, writes_a_guild=8, destroys_a_caller=2, destroys_a_guild=4
)
NOWHERE = "redis://:hunter2@127.0.0.1:1/0"
START = 1_800_000_000.0  # a whole minute


def hitter(
    limits: RateLimits, operation_class: OperationClass = OperationClass.WRITE, tier: Tier = Tier.WRITE
) -> Callable[[str, int | None], Awaitable[float]]:
    async def hit(caller: str, guild_id: int | None) -> float:
        return await limits.hit(caller=caller, guild_id=guild_id, operation_class=operation_class, tier=tier)

    return hit


async def allowed(hit: Callable[[str, int | None], Awaitable[float]], caller: str, guild_id: int | None = 1) -> int:
    """How many hits in a row pass, up to twenty."""
    for count in range(20):
        wait = await hit(caller, guild_id)
        if wait:
            assert 0 < wait <= 60
            return count
    return 20


async def test_writes_are_limited_by_caller_and_by_guild() -> None:
    async with RateLimits.open(None, rates=RATES) as limits:
        hit = hitter(limits)
        assert limits.state is LimitState.MEMORY
        assert await allowed(hit, "a") == 6
        assert await allowed(hit, "b") == 2
        assert await allowed(hit, "b", guild_id=2) == 4
        assert await allowed(hit, "c", guild_id=None) == 6


async def test_destroying_calls_have_a_limit_of_their_own_and_raised_writes_count_there() -> None:
    async with RateLimits.open(None, rates=RATES) as limits:
        assert await allowed(hitter(limits, OperationClass.DESTROY, Tier.RISKY), "a") == 2
        assert await allowed(hitter(limits, OperationClass.WRITE, Tier.RISKY), "a") == 0
        assert await allowed(hitter(limits), "a") == 6


async def test_a_peek_says_what_a_hit_would_and_counts_nothing() -> None:
    async with RateLimits.open(None, rates=RATES) as limits:
        write, read = OperationClass.WRITE, OperationClass.READ
        for _ in range(10):
            assert await limits.peek(caller="a", guild_id=1, operation_class=write, tier=Tier.WRITE) == 0
        assert await allowed(hitter(limits), "a") == 6
        assert await limits.peek(caller="a", guild_id=1, operation_class=write, tier=Tier.WRITE) > 0
        assert await limits.peek(caller="a", guild_id=1, operation_class=read, tier=Tier.READ) == 0


async def test_a_refused_call_uses_up_nothing() -> None:
    async with RateLimits.open(None, rates=RATES) as limits:
        hit = hitter(limits)
        await allowed(hit, "a")
        await allowed(hit, "b")
        for _ in range(5):
            assert await hit("c", 1) > 0
        assert await allowed(hit, "c", guild_id=2) == 6


async def test_reads_are_limited_by_caller_and_by_guild_without_waiting() -> None:
    async with RateLimits.open(None, rates=RATES, clock=lambda: START) as limits:
        assert [limits.hit_read("a", 1) > 0 for _ in range(7)] == [False] * 6 + [True]
        assert [limits.hit_read("b", 1) > 0 for _ in range(3)] == [False] * 2 + [True]
        assert limits.hit_read("b", 2) == 0
        assert limits.hit_read("c", None) == 0
        hit = hitter(limits, OperationClass.READ, Tier.READ)
        assert await hit("a", 2) > 0


def test_the_sliding_minute_lets_reads_through_as_old_ones_leave() -> None:
    limit = ReadLimit(10)
    assert all(limit.hit("a", START + 59) == 0 for _ in range(10))
    wait = limit.hit("a", START + 59)
    assert wait > 1
    assert limit.hit("a", START + 59 + wait - 0.01) > 0
    assert limit.hit("a", START + 59 + wait + 0.01) == 0
    # Halfway through the next minute half of the old ones still count.
    assert sum(limit.hit("a", START + 90) == 0 for _ in range(10)) == 4
    assert sum(limit.hit("a", START + 300) == 0 for _ in range(12)) == 10


def test_the_wait_that_is_told_is_enough() -> None:
    for filled in (1, 5, 10):
        for moment in (0.0, 17.3, 59.9):
            limit = ReadLimit(10)
            for _ in range(filled):
                limit.hit("a", START + moment)
            now = START + 60 + moment / 2
            while not (wait := limit.hit("a", now)):
                pass
            assert limit.peek("a", now + wait + 0.001) == 0


async def test_redis_adds_up_the_writes_of_two_processes(redis_prefix: str) -> None:
    async with (
        RateLimits.open(databases.REDIS_URL, rates=RATES, prefix=redis_prefix) as first,
        RateLimits.open(databases.REDIS_URL, rates=RATES, prefix=redis_prefix) as second,
    ):
        assert (first.state, second.state) == (LimitState.REDIS, LimitState.REDIS)
        for _ in range(3):
            assert await hitter(first)("a", 1) == 0
            assert await hitter(second)("a", 1) == 0
        assert await hitter(first)("a", 1) > 0
        assert await hitter(second)("a", 1) > 0
        assert await allowed(hitter(second), "b") == 2


async def test_redis_adds_up_the_reads_of_two_processes(redis_prefix: str, eventually: Eventually) -> None:
    async with (
        RateLimits.open(databases.REDIS_URL, rates=RATES, prefix=redis_prefix, clock=lambda: START) as first,
        RateLimits.open(databases.REDIS_URL, rates=RATES, prefix=redis_prefix, clock=lambda: START) as second,
    ):
        for _ in range(4):
            assert first.hit_read("a", None) == 0
        assert second.hit_read("a", None) == 0

        async def second_is_full() -> bool:
            # Each process learns the sum with its own next hits: at most six in all pass.
            return second.hit_read("a", None) > 0

        await eventually(second_is_full)


async def test_without_redis_half_as_much_passes_and_the_state_says_so() -> None:
    async with RateLimits.open(NOWHERE, rates=RATES) as limits:
        assert limits.state == "local (Redis is down)"
        assert await allowed(hitter(limits), "a") == 3
        assert await allowed(hitter(limits, OperationClass.DESTROY, Tier.RISKY), "a") == 1
        assert [limits.hit_read("r", None) > 0 for _ in range(4)] == [False] * 3 + [True]


async def test_redis_that_goes_is_noticed_and_that_comes_back_too(redis_prefix: str, eventually: Eventually) -> None:
    async with CutLine.open(REDIS) as line:
        url = f"redis://127.0.0.1:{line.port}/0"
        async with RateLimits.open(url, rates=RATES, prefix=redis_prefix) as limits:
            assert limits.state is LimitState.REDIS
            await line.cut()
            assert await allowed(hitter(limits), "a") == 3
            assert limits.state is LimitState.LOCAL
            await line.restore()

            async def up() -> bool:
                return limits.state is LimitState.REDIS

            await eventually(up)
            assert await allowed(hitter(limits), "a") == 6


@pytest.mark.parametrize("url", ["http://:hunter2@host", "redis://:hunter2@host:port/0", "hunter2"])
async def test_a_wrong_url_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="REDIS_URL") as raised:
        async with RateLimits.open(url):
            pass
    assert "hunter2" not in str(raised.value)


async def test_limits_of_callers_hold_under_concurrency() -> None:
    async with RateLimits.open(None, rates=RATES) as limits:
        waits = await asyncio.gather(*(hitter(limits)("a", None) for _ in range(30)))
    assert waits.count(0.0) == 6
