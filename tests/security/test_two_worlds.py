"""Line 11: worlds that differ only in what the requester can't see read alike, byte for byte, by every operation."""

from __future__ import annotations

from typing import Any

import pytest

from tests import samples
from tests.app import Town, answer_of
from tests.security.curtain import CURTAINED, READS, anonymous, answered, answers, hide, named, questions

pytestmark = pytest.mark.asyncio(loop_scope="session")

REQUESTERS = ("nina", "marlow")
# It shows what the requester's own calls came to; the answers to these are in it, so it has a world to itself.
RECORD = "audit_list"


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {question: (before[question], after[question]) for question in before if before[question] != after[question]}


@pytest.mark.parametrize("who", REQUESTERS)
async def test_line_11_every_read_is_the_same_before_and_behind_the_curtain(town: Town, who: str) -> None:
    place = await town.place("Curtain", **CURTAINED)
    known = await samples.things(place)
    asked = [each for each in questions(place, known) if each[0] != RECORD]
    await answers(place, who, asked)  # what he has read taints him, and whoami says so
    before = await answers(place, who, asked)
    assert differences(before, await answers(place, who, asked)) == {}, "reads differ in any world"
    hidden = await hide(place)
    assert differences(before, await answers(place, who, asked)) == {}

    oracles: list[str] = []
    async with place.client(who) as client:
        for name, given, nothing in named(known, hidden):
            found = answer_of(await client.call_tool(name, given)).said
            unknown = answer_of(await client.call_tool(name, nothing)).said
            if anonymous(found, given, nothing) != anonymous(unknown, given, nothing):
                oracles.append(f"{name} {given}: {found}, and of nothing: {unknown}")
    assert oracles == []


@pytest.mark.parametrize("who", REQUESTERS)
async def test_line_11_the_record_of_calls_is_the_same_before_and_behind_the_curtain(town: Town, who: str) -> None:
    place = await town.place("Curtain", **CURTAINED)
    known = await samples.things(place)
    asked = await answered(place, who, [each for each in questions(place, known) if each[0] == RECORD])
    assert len(asked) > 5
    before = await answers(place, who, asked)
    await hide(place)
    assert differences(before, await answers(place, who, asked)) == {}


async def test_the_sweep_would_see_a_difference(town: Town) -> None:
    """Else it proves nothing: for who sees behind the curtain, the worlds differ."""
    place = await town.place("Curtain", **CURTAINED)
    known = await samples.things(place)
    asked = questions(place, known)
    before = await answers(place, "ada", asked)
    await hide(place)
    differing = {question.split()[0] for question in differences(before, await answers(place, "ada", asked))}
    assert {"channel_list", RECORD} <= differing <= {operation.name for operation in READS}
