"""Shards identify as fast as Discord allows, and no faster."""

from __future__ import annotations

from bot.identify_pace import IdentifyPace


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def _turns(max_concurrency: int, shards: list[int]) -> list[float]:
    clock, times = Clock(), list[float]()
    pace = IdentifyPace(max_concurrency, clock=clock, sleep=clock.sleep)
    for shard_id in shards:
        await pace.turn(shard_id)
        times.append(clock.now)
    return times


async def test_one_bucket_lets_one_shard_identify_in_five_seconds() -> None:
    assert await _turns(1, [0, 1, 2]) == [0, 5, 10]


async def test_shards_of_different_buckets_do_not_wait_for_each_other() -> None:
    assert await _turns(2, [0, 1, 2, 3]) == [0, 0, 5, 5]


async def test_a_shard_that_identifies_again_waits_for_its_own_bucket() -> None:
    assert await _turns(16, [0, 0, 1]) == [0, 5, 5]
