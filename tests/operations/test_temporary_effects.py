"""Bans for a time end by themselves: when they shall, once, and only what they were."""

from __future__ import annotations

import time
from typing import Any

import pytest

from operations.base import Outcome, Status
from operations.outcomes import plain
from operations.plans import Asking, PersonProof
from operations.temporary_effects import TemporaryEffects
from policy.model import CallerKind, Face
from policy.system import OPERATIONS, Deed
from storage import temporary_effects
from storage.tables import TemporaryEffect
from tests.app import Place

pytestmark = pytest.mark.asyncio(loop_scope="session")

DAY = 86_400


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.shift = 0.0

    def __call__(self) -> float:
        return time.time() + self.shift

    def passes(self, seconds: float) -> None:
        self.shift += seconds


def engine(place: Place, clock: Clock, executor_id: str = "px_test") -> TemporaryEffects:
    """Of its own, so that its clock can be moved; the app's own finds nothing due before that."""
    core = place.town.core
    return TemporaryEffects(
        database=core.database,
        facts=core.facts,
        state=core.state,
        doer=core.executor,
        callers=core.callers,
        executor_id=executor_id,
        is_active=lambda: True,
        clock=clock,
    )


async def by(place: Place, name: str, who: str = "ada", **given: Any) -> Outcome:
    """As a slash command of a member, pressed through where it is critical."""
    core = place.town.core
    caller = core.callers.of_member(place.guild_id, int(place.member(who)), Face.SLASH)
    assert caller is not None
    asking = Asking(proof=PersonProof("slash"))
    outcome = await core.executor.run(name, {"guild": place.id, **given}, caller, asking=asking)
    if outcome.status is Status.NEEDS_CONFIRMATION:
        assert outcome.plan is not None
        outcome = await core.desk.confirm(outcome.plan.plan_id, caller, PersonProof("slash"))
    return outcome


async def banned(place: Place, who: str = "nina", **given: Any) -> Outcome:
    arguments: dict[str, Any] = {"member": place.member(who), "duration_seconds": DAY} | given
    outcome = await by(place, "member_ban", **arguments)
    assert outcome.status is Status.DONE, outcome
    return outcome


async def bans(place: Place) -> set[str]:
    seen = await place.town.sandbox.control("world", guild=place.guild_id)
    return {ban["id"] for ban in seen["guilds"][0]["bans"]}


async def unbans(place: Place) -> list[str]:
    """The reasons of all unbans, newest first."""
    entries = (await place.town.sandbox.control("audit_log", guild=place.guild_id))["entries"]
    return [entry["reason"] for entry in entries if entry["action_type"] == 23]


async def rows(place: Place) -> list[TemporaryEffect]:
    from sqlmodel import col, select

    wanted = select(TemporaryEffect).where(col(TemporaryEffect.installation_id) == place.installation_id)
    async with place.town.core.database.read() as session:
        return list((await session.scalars(wanted.order_by(col(TemporaryEffect.created_at)))).all())


async def states(place: Place) -> list[str]:
    return [row.state for row in await rows(place)]


async def test_a_ban_for_a_time_ends_once_when_its_time_has_come(place: Place) -> None:
    nina, clock = place.member("nina"), Clock()
    outcome = await banned(place, reason="spam")
    result = plain(outcome.data)
    [row] = await rows(place)
    assert result["ends_at"]
    assert abs(row.ends_at - time.time() - DAY) < 30
    ends = engine(place, clock)
    await ends.once()
    assert await bans(place) == {nina}
    clock.passes(DAY + 1)
    await ends.once()
    await ends.once()
    assert await bans(place) == set()
    assert await states(place) == ["ended"]
    [reason] = await unbans(place)
    assert reason.startswith("gh:cl_")
    assert reason.endswith(f"system system:end_temporary_ban: The temporary ban of {outcome.call_id} has ended")
    [intent, settled] = await place.audited(operation="member_unban")
    assert (intent.caller_kind, intent.user_id, settled.status) == (CallerKind.SYSTEM, None, "done")
    listed = await place.done("case_list", "ada", guild=place.id, member=nina)
    assert [case["kind"] for case in listed["cases"]] == ["unban", "ban"]
    assert listed["cases"][1]["expires_at"] == result["ends_at"]


async def test_the_preview_says_when_it_ends(place: Place) -> None:
    outcome = await by(place, "member_ban", member=place.member("nina"), duration_seconds=DAY, dry_run=True)
    assert outcome.preview is not None
    assert f"Ban @nina ({place.member('nina')}) from Harbor for 1 day, until about 2" in outcome.preview.summary
    changes = {change.field: (change.before, change.after) for change in outcome.preview.changes}
    assert changes["banned until"] == (None, "1 day from then on")
    wrong: list[dict[str, Any]] = [
        {"duration_seconds": 59},
        {"duration_seconds": 10**9},
        {"until": "2020-01-01T00:00:00Z"},
        {"until": "2999-01-01T00:00:00Z"},
        {"duration_seconds": DAY, "until": "2027-01-01T00:00:00Z"},
    ]
    for given in wrong:
        refused = await by(place, "member_ban", member=place.member("nina"), **given)
        assert refused.status is Status.REFUSED, given
    assert await bans(place) == set()


@pytest.mark.parametrize("way", ["by hand", "member_unban", "audit_revert"])
async def test_a_ban_that_somebody_ends_before_needs_no_end_any_more(place: Place, way: str) -> None:
    nina, clock = place.member("nina"), Clock()
    outcome = await banned(place)
    if way == "by hand":
        await place.by_hand("olive", "DELETE", f"/guilds/{place.id}/bans/{nina}")
    elif way == "member_unban":
        assert (await by(place, "member_unban", member=nina)).status is Status.DONE
    else:
        assert (await by(place, "audit_revert", call=outcome.call_id)).status is Status.DONE
    clock.passes(DAY + 1)
    await engine(place, clock).once()
    assert await states(place) == ["gone"]
    assert len(await unbans(place)) == 1


async def test_a_later_ban_by_hand_is_not_ended(place: Place) -> None:
    nina, clock = place.member("nina"), Clock()
    await banned(place)
    await place.by_hand("olive", "DELETE", f"/guilds/{place.id}/bans/{nina}")
    await place.by_hand("olive", "PUT", f"/guilds/{place.id}/bans/{nina}", {})
    clock.passes(DAY + 1)
    await engine(place, clock).once()
    assert await bans(place) == {nina}
    assert await states(place) == ["gone"]


async def test_a_longer_a_shorter_and_a_ban_for_good_replace_the_end(place: Place) -> None:
    nina, clock = place.member("nina"), Clock()
    await banned(place)
    await place.town.requests()
    longer = await banned(place, duration_seconds=3 * DAY)
    assert longer.preview is not None
    assert longer.preview.summary.startswith(f"Keep @nina ({nina}) banned from Harbor for 3 days, until about 2")
    assert [each for each in await place.town.requests() if each["method"] == "PUT"] == [], "the ban is there already"
    clock.passes(DAY + 1)
    await engine(place, clock).once()
    assert await bans(place) == {nina}
    assert await states(place) == ["gone", "waiting"]
    undone = await by(place, "audit_revert", call=longer.call_id)
    assert undone.status is Status.DONE, undone
    assert abs((await rows(place))[-1].ends_at - time.time() - DAY) < 60, "it ends when the first one would have"
    for_good = await by(place, "member_ban", member=nina)
    assert for_good.status is Status.DONE, for_good
    clock.passes(9 * DAY)
    await engine(place, clock).once()
    assert await bans(place) == {nina}
    assert set(await states(place)) == {"gone"}
    again = await by(place, "member_ban", member=nina)
    assert again.refusal is not None
    assert "banned already" in again.refusal.reason


async def test_a_ban_by_hand_gets_an_end(place: Place) -> None:
    nina, clock = place.member("nina"), Clock()
    await place.by_hand("olive", "PUT", f"/guilds/{place.id}/bans/{nina}", {})
    await banned(place)
    clock.passes(DAY + 1)
    await engine(place, clock).once()
    assert await bans(place) == set()
    assert await states(place) == ["ended"]


async def test_two_processes_end_it_once(place: Place) -> None:
    import asyncio

    clock = Clock()
    await banned(place)
    clock.passes(DAY + 1)
    await asyncio.gather(*(engine(place, clock, f"px_{number}").once() for number in range(4)))
    assert len(await unbans(place)) == 1
    assert await states(place) == ["ended"]


async def test_what_discord_refuses_is_tried_again_later_and_said_to_be_late(place: Place) -> None:
    clock = Clock()
    await banned(place)
    clock.passes(DAY + 1)
    path = f"/guilds/{place.id}/bans/*"
    await place.town.sandbox.control("fault", faults=[{"method": "DELETE", "path": path, "status": 403, "code": 50013}])
    ends = engine(place, clock)
    await ends.once()
    await ends.once()
    assert await states(place) == ["waiting"]
    rejected = await place.audited(operation="member_unban", entry="outcome")
    assert [row.status for row in rejected] == ["failed"], "not at every look"
    await place.town.sandbox.control("fault", faults=[])
    await ends.once()
    assert await states(place) == ["waiting"]
    clock.passes(7_200)
    await ends.once()
    assert await states(place) == ["ended"]
    [reason] = await unbans(place)
    assert reason.endswith("has ended; 2 hours late, for it could not be ended in time")


async def test_a_guild_that_cannot_be_asked_now_is_asked_later(place: Place) -> None:
    clock = Clock()
    await banned(place)
    clock.passes(DAY + 1)
    path = f"/guilds/{place.id}/bans/*"
    await place.town.sandbox.control("fault", faults=[{"method": "GET", "path": path, "status": 503}])
    ends = engine(place, clock)
    await ends.once()
    assert await states(place) == ["waiting"]
    await place.town.sandbox.control("fault", faults=[])
    clock.passes(60)
    await ends.once()
    assert await states(place) == ["ended"]


async def test_a_lost_answer_is_settled_with_its_call(place: Place) -> None:
    clock = Clock()
    await banned(place)
    clock.passes(DAY + 1)
    path = f"/guilds/{place.id}/bans/*"
    lost = {"method": "DELETE", "path": path, "reset": True, "when": "after", "times": 1}
    await place.town.sandbox.control("fault", faults=[lost])
    await engine(place, clock).once()
    assert await states(place) == ["ended"]
    assert len(await unbans(place)) == 1


async def test_a_policy_that_denies_such_calls_holds_no_promised_end(place: Place) -> None:
    clock = Clock()
    await banned(place)
    await place.set_rules(rules={"destroy": "deny", "write": "deny"}, four_eyes=True)
    clock.passes(DAY + 1)
    await engine(place, clock).once()
    assert await states(place) == ["ended"]


async def test_a_guild_that_is_installed_no_more_is_left_alone(place: Place) -> None:
    from storage import installations

    clock = Clock()
    await banned(place)
    effects = await rows(place)
    async with place.town.core.database.unit_of_work() as session:
        await installations.remove(session, place.guild_id, time.time())
    clock.passes(DAY + 1)
    await place.town.core.facts.load()
    await engine(place, clock).once()
    async with place.town.core.database.read() as session:
        row = await session.get(TemporaryEffect, effects[0].id)
    assert row is not None
    assert row.state == "gone"
    assert place.member("nina") in await bans(place)


async def test_the_system_can_do_nothing_else(place: Place) -> None:
    core = place.town.core
    installation = core.facts.snapshot.installations[place.guild_id]
    caller = core.callers.of_system(installation, Deed.END_TEMPORARY_BAN)
    for operation in core.registry:
        if operation.name in OPERATIONS[Deed.END_TEMPORARY_BAN]:
            continue
        outcome = await core.executor.run(operation.name, {}, caller)
        assert outcome.status is Status.REFUSED, operation.name
    refused = await core.executor.run("member_kick", {"member": place.member("nina"), "guild": place.id}, caller)
    assert refused.refusal is not None
    assert refused.refusal.code == "no_deed"
    member = core.callers.of_member(place.guild_id, int(place.member("ada")), Face.SLASH)
    assert member is not None
    with pytest.raises(ValueError, match="only the system"):
        await core.executor.run_deed("member_unban", {}, member, call_id="cl_aaaaaaaaaaaaaaaaa")


async def test_settled_rows_are_erased_after_a_month(place: Place) -> None:
    clock = Clock()
    await banned(place)
    clock.passes(DAY + 1)
    await engine(place, clock).once()
    database = place.town.core.database
    async with database.unit_of_work() as session:
        await temporary_effects.erase_settled(session, clock() - 30 * DAY)
    assert await states(place) == ["ended"]
    async with database.unit_of_work() as session:
        await temporary_effects.erase_settled(session, clock() + 1)
    assert await states(place) == []
