"""Line 16, for every write: the answer to the request that its effect takes is lost, before and after the effect."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest
import pytest_asyncio

from operations import settlement as settlement_module
from operations.base import Operation, Reconcile, Status, WriteOperation
from tests import samples
from tests.app import Place
from tests.confirming import Waiting, entries_of, ready

pytestmark = pytest.mark.asyncio(loop_scope="session")

# What may take a moment in the world, and must not in a sweep: seconds between looks at Discord's audit log, and how
# long an answer that never comes is waited for.
PAUSES_SECONDS = (0.02, 0.05)
PATIENCE_SECONDS = 0.5
FAULTS: dict[str, dict[str, Any]] = {
    "reset": {"reset": True},
    "502": {"status": 502},
    "503": {"status": 503},
    "hang": {"hang": 4 * PATIENCE_SECONDS},
}
METHODS = ("POST", "PUT", "PATCH", "DELETE")
HOW_OFTEN = {"once": 1, "for good": None}
Route = tuple[str, str]
# One effect that takes several requests: when the answer to the first is lost, the others are not sent any more, and
# what of it stands is told.
IN_SEVERAL_REQUESTS = frozenset({"channel_lock", "channel_unlock"})

# Each write once in the usual run, the faults by turns; all of them where faults are all that is asked for. Of what
# never took effect the usual run sees a reset alone: discord.py waits a second before it repeats what got a 5xx.
KINDS = [(fault, how_often) for fault in FAULTS for how_often in HOW_OFTEN]
CASES = [
    pytest.param(
        operation, *case, id="-".join((operation.name, *case)), marks=() if case == usual else pytest.mark.storm
    )
    for number, operation in enumerate(samples.GUILD_WRITES)
    for usual in [("reset", *KINDS[number % len(KINDS)])]
    for case in dict.fromkeys([usual, *((fault, fault, how_often) for fault, how_often in KINDS)])
]


@pytest_asyncio.fixture(loop_scope="session")
async def quick(place: Place, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Place]:
    """Faults end with the test."""
    monkeypatch.setattr(place.town.core.recovery._settlement, "_pauses", PAUSES_SECONDS)
    yield place
    await place.town.sandbox.control("reset")


async def struck(write: Waiting, routes: list[Route], monkeypatch: pytest.MonkeyPatch, **fault: Any) -> Any:
    """Carries a write out while a fault strikes these routes."""
    town = write.place.town
    await town.sandbox.control("fault", faults=[{"method": method, "path": path, **fault} for method, path in routes])
    with monkeypatch.context() as patch:
        if "hang" in fault:
            patch.setattr(settlement_module, "EXECUTE_TIMEOUT_SECONDS", PATIENCE_SECONDS)
        outcome = await write.carried_out()
    await town.sandbox.control("fault", faults=[])
    return outcome


@pytest.mark.parametrize(("operation", "before", "after", "how_often"), CASES)
async def test_line_16_a_lost_answer_on_the_route_of_a_write_never_doubles_it_and_is_told_as_it_is(
    quick: Place, monkeypatch: pytest.MonkeyPatch, operation: type[Operation], before: str, after: str, how_often: str
) -> None:
    town = quick.town
    write = cast("type[WriteOperation[Any, Any, Any]]", operation)
    arguments = samples.sample(operation, await samples.things(quick))
    world = await quick.world()

    # Never took effect. What it was about to ask of Discord is its route.
    waiting = await ready(quick, operation.name, arguments)
    await town.requests()
    await town.effects()
    everything = [(method, "*") for method in METHODS]
    outcome = await struck(waiting, everything, monkeypatch, **FAULTS[before])
    sent = [(each["method"], each["path"]) for each in await town.requests() if each["method"] in METHODS]
    route = sent[0]
    assert outcome.status is Status.UNKNOWN, outcome
    assert route not in [(each["method"], each["path"]) for each in await town.effects()]
    if write.reconcile is not Reconcile.NONCE:
        assert sent.count(route) == 1, "nothing is sent again"
    assert await quick.world() == world
    moved = [("decision", "confirmed")] if waiting.plan_id is not None else []
    start = ("intent", "executing") if waiting.plan_id is None else ("intent", "pending")
    assert await entries_of(quick, outcome.call_id) == [start, *moved, ("outcome", "unknown")]

    # Took effect, and nobody was told.
    waiting = await ready(quick, operation.name, arguments)
    await town.requests()
    await town.effects()
    outcome = await struck(waiting, [route], monkeypatch, **FAULTS[after], when="after", times=HOW_OFTEN[how_often])
    effects = [each for each in await town.effects() if (each["method"], each["path"]) == route]
    assert len([each for each in effects if not each["duplicate_nonce"]]) == 1, effects
    is_found = write.reconcile in (Reconcile.AUDIT_LOG, Reconcile.READ_BACK)
    is_found = is_found or (write.reconcile is Reconcile.NONCE and HOW_OFTEN[how_often] is not None)
    is_whole = operation.name not in IN_SEVERAL_REQUESTS
    expected = Status.DONE if is_found and is_whole else Status.UNKNOWN
    assert outcome.status is expected, outcome
    assert is_whole or outcome.detail.startswith("1 of "), outcome
    assert await entries_of(quick, outcome.call_id) == [start, *moved, ("outcome", expected.value)]
