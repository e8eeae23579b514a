"""Who has read whose text, for an hour."""

from __future__ import annotations

from typing import Any

from operations.taints import REFRESH_SECONDS, SWEEP_SECONDS, Taints
from policy.model import Caller, CallerKind, Face
from policy.taint import TAINT_SECONDS, Source
from storage.taints import Holder

CHANNEL = Source(1, 10)
OTHER = Source(1, 11)
GATE = Source(1, None, 128)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def caller(client: str = "mc_1", user: int | None = 5, workspace: str | None = "ws_1", **more: Any) -> Caller:
    return Caller(CallerKind.TOKEN, Face.MCP, client, workspace, user_id=user, **more)


def test_a_mark_holds_for_an_hour_and_every_further_reading_renews_it() -> None:
    clock = Clock()
    taints = Taints(clock)
    taints.mark(caller(), [CHANNEL, GATE])
    assert taints.sources(caller()) == {CHANNEL, GATE}
    clock.now += TAINT_SECONDS - 1
    taints.mark(caller(), [CHANNEL])
    assert taints.sources(caller()) == {CHANNEL, GATE}
    clock.now += 2
    assert taints.sources(caller()) == {CHANNEL}
    clock.now += TAINT_SECONDS
    assert taints.sources(caller()) == frozenset()


def test_it_sticks_to_the_person_and_the_workspace_whatever_the_token() -> None:
    taints = Taints(Clock())
    taints.mark(caller("mc_1"), [CHANNEL])
    assert taints.sources(caller("mc_2")) == {CHANNEL}
    assert taints.sources(caller(user=6)) == frozenset()
    assert taints.sources(caller(workspace="ws_2")) == frozenset()


def test_nobody_and_no_workspace_hold_no_marks() -> None:
    taints = Taints(Clock())
    for nobody in (caller(user=None), caller(workspace=None)):
        taints.mark(nobody, [CHANNEL])
        assert taints.sources(nobody) == frozenset()
    assert taints.take_unsaved() == {}


def test_the_store_hears_of_a_source_once_and_again_after_a_while() -> None:
    clock = Clock()
    taints = Taints(clock)
    holder = Holder("ws_1", 5, "")
    taints.mark(caller(), [CHANNEL])
    assert taints.take_unsaved() == {holder: {CHANNEL}}
    clock.now += REFRESH_SECONDS - 1
    taints.mark(caller(), [CHANNEL, OTHER])
    assert taints.take_unsaved() == {holder: {OTHER}}
    clock.now += 1
    taints.mark(caller(), [CHANNEL])
    assert taints.take_unsaved() == {holder: {CHANNEL}}
    assert taints.take_unsaved() == {}


def test_what_could_not_be_written_is_put_back_beside_what_came_meanwhile() -> None:
    taints = Taints(Clock())
    taints.mark(caller(), [CHANNEL])
    taken = taints.take_unsaved()
    taints.mark(caller(), [OTHER])
    taints.put_back(taken)
    assert taints.take_unsaved() == {Holder("ws_1", 5, ""): {CHANNEL, OTHER}}


def test_marks_of_before_a_restart_hold_until_they_would_have_ended() -> None:
    clock = Clock()
    taints = Taints(clock)
    taints.load({Holder("ws_1", 5, ""): {CHANNEL: clock.now + 60}, Holder("ws_1", None, "x"): {OTHER: clock.now + 60}})
    assert taints.sources(caller()) == {CHANNEL}
    clock.now += 61
    assert taints.sources(caller()) == frozenset()


def test_callers_who_never_come_back_are_forgotten() -> None:
    clock = Clock()
    taints = Taints(clock)
    for user in range(1, 501):
        taints.mark(caller(user=user), [CHANNEL, OTHER])
    taints.take_unsaved()
    clock.now += TAINT_SECONDS + SWEEP_SECONDS
    taints.take_unsaved()
    kept = vars(taints)
    assert not kept["_marks"]
    assert not kept["_saved"]
