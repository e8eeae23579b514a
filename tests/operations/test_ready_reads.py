"""Reads that are answered at once: the same as by the long way, only while all that decided them holds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from operations.base import Encoded, Outcome, Status
from operations.read_counts import ReadCounts
from operations.ready_reads import Unbroken
from policy.model import Caller
from tests.app import Place, until
from tests.operations.calls import caller_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

PEOPLE = ("ada", "nina", "marlow", "nina", "ada", "marlow", "bela")
READS = ("channel_list", "role_list")


def at_once(place: Place, name: str, caller: Any, **arguments: Any) -> Outcome | None:
    return place.town.core.executor.run_at_once(name, {"guild": place.id, **arguments}, caller)


async def by_the_long_way(place: Place, name: str, caller: Any) -> Outcome:
    """``replace`` makes a caller that no answer is ready for."""
    return await place.town.core.executor.run(name, {"guild": place.id}, replace(caller))


async def made_ready(place: Place, name: str, who: str) -> Any:
    """A caller whose read is answered at once: the first call only looks the person up."""
    caller = await caller_of(place, who)
    await readied(place, name, caller)
    return caller


async def readied(place: Place, name: str, caller: Caller) -> Outcome:
    """Its answer at once, asked for again where the place's own making changed something meanwhile."""
    found: list[Outcome] = []

    async def is_ready() -> bool:
        ready = at_once(place, name, caller)
        if ready is None:
            await place.town.core.executor.run(name, {"guild": place.id}, caller)
            return False
        found.append(ready)
        return True

    await until(is_ready, f"{name} is ready")
    return found[0]


@pytest.mark.parametrize("name", READS)
async def test_interleaved_callers_get_at_once_what_the_long_way_gives_them(place: Place, name: str) -> None:
    for who in PEOPLE:
        await place.token(who)  # each new one makes all of them be looked up anew
    callers = {who: await made_ready(place, name, who) for who in PEOPLE}
    for who in PEOPLE:
        ready, fresh = await readied(place, name, callers[who]), await by_the_long_way(place, name, callers[who])
        assert isinstance(ready.data, Encoded)
        assert ready.data == fresh.data, who
        assert (ready.status, ready.operation, ready.kind) == (fresh.status, fresh.operation, fresh.kind)
        assert ready.call_id != fresh.call_id


async def test_nothing_else_is_answered_at_once(place: Place) -> None:
    caller = await made_ready(place, "channel_list", "ada")
    assert at_once(place, "channel_list", replace(caller)) is None
    assert at_once(place, "channel_list", caller, more=1) is None
    assert at_once(place, "role_list", caller) is None
    assert at_once(place, "guild_get", caller) is None
    assert at_once(place, "made_up", caller) is None
    executor = place.town.core.executor
    assert executor.run_at_once("channel_list", {}, caller) is None
    assert executor.run_at_once("channel_list", {"guild": "Harbor"}, caller) is None
    assert executor.run_at_once("channel_list", {"guild": 5}, caller) is None


async def changed(place: Place, who: str, change: Callable[[], Awaitable[object]]) -> Outcome:
    """The long way's answer, once the change has arrived: from that moment on, nothing older is given at once."""
    caller = await made_ready(place, "channel_list", who)
    before = await by_the_long_way(place, "channel_list", caller)
    await change()

    async def other() -> bool:
        ready, now = at_once(place, "channel_list", caller), await by_the_long_way(place, "channel_list", caller)
        if now.status is Status.DONE and now.data == before.data:
            return False
        assert ready is None or ready.data == now.data or ready.data == before.data
        again = at_once(place, "channel_list", caller)
        assert again is None or (now.status is Status.DONE and again.data == now.data)
        return True

    await until(other, "the change arrives")
    return await place.town.core.executor.run("channel_list", {"guild": place.id}, caller)


async def test_a_role_taken_away_ends_it(place: Place) -> None:
    marlow = int(place.member("marlow"))
    control = place.town.sandbox.control
    told = await changed(place, "marlow", lambda: control("set_roles", guild=place.guild_id, user=marlow, roles=[]))
    assert told.status is Status.DONE


async def test_an_overwrite_ends_it(place: Place) -> None:
    marlow, news = int(place.member("marlow")), int(place.channel("news"))
    control = place.town.sandbox.control
    await changed(place, "marlow", lambda: control("set_overwrite", channel=news, member=marlow, deny=["view_channel"]))


async def test_a_member_who_left_is_refused(place: Place) -> None:
    nina = int(place.member("nina"))
    control = place.town.sandbox.control
    told = await changed(place, "nina", lambda: control("kick", guild=place.guild_id, user=nina))
    assert told.status is Status.REFUSED


async def test_a_policy_that_denies_reading_ends_it_at_once(place: Place) -> None:
    caller = await made_ready(place, "channel_list", "ada")
    await place.set_rules(rules={"read": "deny"})
    assert at_once(place, "channel_list", caller) is None
    assert (await by_the_long_way(place, "channel_list", caller)).status is Status.REFUSED


async def test_a_revoked_token_ends_it_at_once(place: Place) -> None:
    caller = await made_ready(place, "channel_list", "nina")
    await place.revoke("nina")
    assert at_once(place, "channel_list", caller) is None


async def test_it_counts_for_the_limit_and_for_the_audit(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = await made_ready(place, "channel_list", "ada")
    core = place.town.core
    counted: list[tuple[str, str]] = []
    hits: list[tuple[str, int | None]] = []
    waits = [0.0, 2.5]

    def hit_read(caller: str, guild_id: int | None) -> float:
        hits.append((caller, guild_id))
        return waits[len(hits) - 1]

    monkeypatch.setattr(core.limits, "hit_read", hit_read)

    def count(_: ReadCounts, who: Caller, operation: str) -> None:
        counted.append((who.client_id, operation))

    monkeypatch.setattr(ReadCounts, "count", count)
    assert at_once(place, "channel_list", caller) is not None
    # Whoever calls too often is refused by the long way, which says so.
    assert at_once(place, "channel_list", caller) is None
    assert hits == [(caller.identity, place.guild_id)] * 2
    assert counted == [(caller.client_id, "channel_list")]


async def test_what_has_been_unbroken_ends_with_the_first_pause() -> None:
    unbroken = Unbroken()

    async def no_pause() -> None:
        assert unbroken.holds

    await no_pause()
    await asyncio.sleep(0)
    assert not unbroken.holds
