"""Line 15: whoever installs a guild anew finds nothing of the installation before."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from operations.base import Operation, Status
from operations.outcomes import encode
from policy.model import Caller, Face
from storage import installations
from tests import samples
from tests.app import Place, Town
from tests.confirming import person

pytestmark = pytest.mark.asyncio(loop_scope="session")
NOTED, TOKEN = "noted by those before", "token of those before"
# What they answer is Guildhall's own. All others speak of Discord, whose audit log names our calls for good.
OURS = frozenset({"audit", "administration", "meta"})


async def does(place: Place, name: str, **arguments: Any) -> str:
    outcome = await place.town.core.executor.run(name, {**arguments, "dry_run": False}, person(place, "ada"))
    assert outcome.status is Status.DONE, outcome
    return outcome.call_id


async def filled(town: Town) -> tuple[Place, samples.Things, set[str]]:
    """A guild with calls, cases, policies, tokens; and the ids of its calls."""
    place = await town.place("Handed over")
    known = await samples.things(place)
    await place.token("ada", name=TOKEN)
    await place.set_policy("news", write="deny")
    await does(place, "member_note", guild=place.id, member=place.member("nina"), text=NOTED)
    await does(place, "member_warn", guild=place.id, member=place.member("nina"), reason=NOTED)
    return place, known, {row.call_id for row in await place.audited()}


async def moved(town: Town, place: Place) -> Place:
    """The bot was removed, and the guild claimed into another workspace."""
    async with town.core.database.unit_of_work() as session:
        assert await installations.remove(session, place.guild_id, time.time()) is not None
    return await town.settled(place.guild)


async def read(town: Town, operation: type[Operation], given: Mapping[str, Any], caller: Caller) -> str:
    outcome = await town.core.executor.run(operation.name, dict(given), caller)
    if outcome.status is not Status.DONE or outcome.data is None:
        # What is not there, or not for this caller, tells nothing either.
        assert outcome.refusal is not None, outcome
        return orjson.dumps([outcome.refusal.reason, outcome.refusal.remedy]).decode()
    return encode(outcome.data).decode()


async def test_every_read_of_a_guild_that_was_installed_anew_is_empty(town: Town) -> None:
    place, known, call_ids = await filled(town)
    assert call_ids
    again = await moved(town, place)
    assert again.workspace_id != place.workspace_id
    callers = [person(again, who) for who in ("ada", "olive", "nina")]
    asked = 0
    for operation in samples.READS:
        given = samples.sample(operation, known)
        for caller in callers:
            said = await read(town, operation, given, caller)
            asked += 1
            for word in (NOTED, TOKEN, place.workspace_id):
                assert word not in said, (operation.name, said)
            if operation.toolset in OURS:
                assert not [call_id for call_id in call_ids if call_id in said], (operation.name, said)
    assert asked == len(samples.READS) * len(callers) > 50


async def test_it_is_so_in_the_same_workspace_too(town: Town) -> None:
    place, known, call_ids = await filled(town)
    async with town.core.database.unit_of_work() as session:
        await installations.remove(session, place.guild_id, time.time())
    again = await town.settled(place.guild, workspace_id=place.workspace_id)
    for operation in samples.READS:
        if operation.toolset not in OURS or operation.name == "my_data_get":
            # What is still kept of somebody he is told, until it is purged.
            continue
        said = await read(town, operation, samples.sample(operation, known), person(again, "ada"))
        assert NOTED not in said, operation.name
        assert not [call_id for call_id in call_ids if call_id in said], (operation.name, said)


async def test_what_those_before_were_given_is_dead(town: Town) -> None:
    place, known, _ = await filled(town)
    await moved(town, place)
    for name, given in (("channel_get", {"channel": known.channel}), ("audit_list", {"guild": place.id})):
        answer = await place.call(name, "ada", **given)
        assert answer.is_error, answer
    assert person(place, "ada").face is Face.CONSOLE
