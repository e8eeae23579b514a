"""Readiness follows sessions and sockets; whoever waits is woken."""

from __future__ import annotations

import asyncio

from bot.readiness import Readiness

A, B = 1 << 22, 2 << 22  # with two shards: A on shard 1, B on shard 0


def _two_shards(open_shards: set[int]) -> Readiness:
    readiness = Readiness(open_shards.__contains__)
    readiness.session_started(0, 2, [B])
    readiness.session_started(1, 2, [A])
    return readiness


def test_before_the_first_session_nothing_is_ready_and_nothing_is_absent() -> None:
    readiness = Readiness(lambda shard_id: True)
    assert not readiness.is_ready(A)
    assert not readiness.is_absent(A)
    assert readiness.shard_of(A) is None
    assert readiness.guild_ids() == frozenset()


def test_a_guild_is_ready_after_its_own_arrival_alone() -> None:
    readiness = _two_shards({0, 1})
    readiness.guild_arrived(A)
    assert readiness.is_ready(A)
    assert not readiness.is_ready(B)
    assert readiness.guild_ids() == {A, B}
    assert readiness.awaited() == 1


def test_a_closed_socket_counts_before_anybody_announces_it() -> None:
    open_shards = {0, 1}
    readiness = _two_shards(open_shards)
    readiness.guild_arrived(A)
    open_shards.discard(1)
    assert not readiness.is_ready(A)
    assert not readiness.is_absent(A)
    assert readiness.connected_shards() == (1, 2)


def test_an_open_socket_without_a_session_is_not_enough() -> None:
    readiness = _two_shards({0, 1})
    readiness.guild_arrived(A)
    readiness.shard_closed(1)
    assert not readiness.is_ready(A)
    readiness.session_resumed(1)
    assert readiness.is_ready(A)


def test_a_new_session_empties_its_own_shard_only() -> None:
    readiness = _two_shards({0, 1})
    readiness.guild_arrived(A)
    readiness.guild_arrived(B)
    assert readiness.session_started(1, 2, [A]) == frozenset()
    assert not readiness.is_ready(A)
    assert readiness.is_ready(B)


def test_a_new_session_tells_which_guilds_were_left_meanwhile() -> None:
    readiness = _two_shards({0, 1})
    readiness.guild_arrived(A)
    assert readiness.session_started(1, 2, []) == {A}
    assert readiness.is_absent(A)
    assert A not in readiness.guild_ids()


def test_an_outage_keeps_the_guild_and_leaving_does_not() -> None:
    readiness = _two_shards({0, 1})
    for guild_id in (A, B):
        readiness.guild_arrived(guild_id)
    readiness.guild_unavailable(A)
    readiness.guild_left(B)
    assert (readiness.is_ready(A), readiness.is_absent(A)) == (False, False)
    assert (readiness.is_ready(B), readiness.is_absent(B)) == (False, True)


def test_a_guild_joined_later_is_known() -> None:
    readiness = _two_shards({0, 1})
    joined = 4 << 22
    assert readiness.is_absent(joined)
    readiness.guild_arrived(joined)
    assert readiness.is_ready(joined)
    assert joined in readiness.guild_ids()


async def test_all_who_wait_are_woken_by_the_arrival() -> None:
    readiness = _two_shards({0, 1})
    waiting = [asyncio.create_task(readiness.wait(A, 10)) for _ in range(3)]
    await asyncio.sleep(0)
    readiness.guild_arrived(A)
    assert await asyncio.gather(*waiting) == [True, True, True]


async def test_a_wait_outlasts_a_new_session_and_ends_with_the_resumed_one() -> None:
    readiness = Readiness(lambda shard_id: True)
    waiting = asyncio.create_task(readiness.wait(A, 10))
    await asyncio.sleep(0)
    readiness.session_started(1, 2, [A])
    await asyncio.sleep(0)
    readiness.shard_closed(1)
    readiness.guild_arrived(A)
    await asyncio.sleep(0)
    assert not waiting.done()
    readiness.session_resumed(1)
    assert await waiting


async def test_a_wait_for_a_guild_that_the_bot_is_not_in_ends_at_once() -> None:
    readiness = Readiness(lambda shard_id: True)
    waiting = asyncio.create_task(readiness.wait(A, 3600))
    await asyncio.sleep(0)
    readiness.session_started(1, 2, [])
    assert not await waiting


async def test_a_wait_that_is_cancelled_leaves_nothing_behind() -> None:
    readiness = _two_shards({0, 1})
    waiting = asyncio.create_task(readiness.wait(A, 10))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    readiness.guild_arrived(A)
    assert await readiness.wait(A, 0)
    assert not await readiness.wait(B, 0)
