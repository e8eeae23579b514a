"""The collector rests while guilds arrive, and what they leave is frozen."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Generator

import pytest

from bot.garbage import THRESHOLDS, GarbagePauses
from operations.events import EventHub, GuildReady


@pytest.fixture(autouse=True)
def _restored() -> Generator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    gc.enable()


async def test_it_is_off_until_the_guilds_are_in_and_then_all_is_frozen() -> None:
    hub = EventHub()
    async with GarbagePauses(hub, quiet_seconds=0.01) as garbage:
        assert not gc.isenabled()
        garbage.session_started()
        for guild_id in range(50):
            hub.publish(GuildReady(guild_id))
        assert not garbage.settled.is_set()
        await asyncio.wait_for(garbage.settled.wait(), 10)
        assert gc.isenabled()
        assert gc.get_threshold() == THRESHOLDS
        assert gc.get_freeze_count() > 0
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


async def test_each_arrival_postpones_it_and_patience_ends_it() -> None:
    hub = EventHub()
    async with GarbagePauses(hub, quiet_seconds=3600, patience_seconds=0.05) as garbage:
        garbage.session_started()
        hub.publish(GuildReady(1))
        await asyncio.wait_for(garbage.settled.wait(), 10)


async def test_a_new_session_frees_what_the_former_one_had_frozen() -> None:
    class Built:
        """Stands for a guild, in a cycle as guilds are."""

        def __init__(self) -> None:
            self.itself = self

    def alive() -> int:
        return sum(isinstance(thing, Built) for thing in gc.get_objects())

    async with GarbagePauses(EventHub(), quiet_seconds=0.01) as garbage:
        guilds = [Built() for _ in range(10)]
        garbage.settle()
        guilds.clear()
        gc.collect()
        garbage.session_started()
        assert not gc.isenabled()
        await asyncio.wait_for(garbage.settled.wait(), 10)
        gc.unfreeze()
        assert alive() == 0


async def test_without_a_gateway_it_is_settled_by_hand() -> None:
    async with GarbagePauses(EventHub()) as garbage:
        garbage.settle()
        assert garbage.settled.is_set()
        assert gc.isenabled()
