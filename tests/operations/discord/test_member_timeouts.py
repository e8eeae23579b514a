"""Timeouts and their early end, over the wire of the sandbox."""

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest

from operations.base import Status
from policy.model import Strength, Tier
from tests.operations.discord.confirming import inverse
from tests.operations.discord.crew import heard_of, members, moderation_entries, observed, undone
from tests.operations.discord.outcomes import code, done, previewed
from tests.operations.discord.road import Road
from tests.samples import UNKNOWN_ID

pytestmark = pytest.mark.asyncio(loop_scope="session")

MEMBER_UPDATE = 24
DAYS_28 = 28 * 86_400


async def end_of(crew: Road, name: str) -> datetime.datetime | None:
    """When the timeout ends that Discord has of a member."""
    until = (await members(crew))[name]["timed_out_until"]
    return None if until is None else datetime.datetime.fromisoformat(until)


async def timed_out(crew: Road, name: str = "nina", seconds: float = 3600) -> datetime.datetime:
    """Times a member out by hand; when it ends, once the bot has heard of it."""
    user = int(crew.guild["members"][name])
    await crew.sandbox.control("timeout", guild=crew.guild_id, user=user, seconds=seconds)
    end = await end_of(crew, name)
    assert end is not None
    await heard_of(crew, name, lambda member: member.timed_out_until == end, "the timeout arrives")
    return end


# ------------------------------------------------------------------- timeout
async def test_a_timeout_is_one_request_from_its_execution_on(crew: Road) -> None:
    nina = crew.guild["members"]["nina"]
    await crew.writes()
    before = int(time.time())
    outcome = await crew.call("member_timeout", None, member=nina, duration_seconds=600, reason="calm down")
    result = done(outcome)
    assert await crew.writes() == [f"PATCH /guilds/{crew.guild_id}/members/{nina}"]
    end = await end_of(crew, "nina")
    assert end is not None
    assert before + 600 <= end.timestamp() <= time.time() + 600
    assert result == {"id": nina, "username": "nina", "timed_out_until": end.strftime("%Y-%m-%dT%H:%M:%SZ")}
    entry = (await moderation_entries(crew))[0]
    assert (entry["action_type"], entry["target_id"]) == (MEMBER_UPDATE, nina)
    assert entry["reason"].startswith(f"gh:{outcome.call_id}:")


async def test_a_timeout_is_risky_tells_its_length_and_changes_nothing_before(crew: Road) -> None:
    await crew.writes()
    outcome = await crew.call("member_timeout", "mike", member="nina", duration_seconds=90_000)
    assert (outcome.status, outcome.tier) == (Status.NEEDS_CONFIRMATION, Tier.RISKY)
    assert outcome.plan is not None
    assert outcome.plan.strength is Strength.TOKEN
    preview = previewed(outcome)
    nina = crew.guild["members"]["nina"]
    assert preview.summary == (
        f"Time out @nina ({nina}) for 1 day 1 hour in Crew Harbor: account 0 days old, here for 0 days, roles: Member"
    )
    (change,) = preview.changes
    assert (change.field, change.before, change.after) == ("timed_out_until", None, "1 day 1 hour from then on")
    undo = await inverse(crew, "member_timeout", member=nina, duration_seconds=90_000)
    assert undo.operation == "member_timeout_remove"
    assert preview.reversible
    assert await crew.writes() == []
    assert await end_of(crew, "nina") is None


@pytest.mark.parametrize(("seconds", "fits"), [(1, True), (DAYS_28, True), (DAYS_28 + 1, False), (0, False)])
async def test_a_timeout_lasts_a_second_to_28_days(crew: Road, seconds: int, fits: bool) -> None:
    outcome = await crew.call("member_timeout", None, member=crew.guild["members"]["nina"], duration_seconds=seconds)
    assert (outcome.status is Status.DONE) is fits, outcome
    assert (await end_of(crew, "nina") is not None) is fits


@pytest.mark.parametrize(
    ("ahead_seconds", "problem"),
    [
        (60, None),
        (DAYS_28 - 60, None),
        (DAYS_28 + 60, "A timeout ends at most 28 days from now."),
        (-60, "That time has passed; a timeout ends in the future."),
    ],
)
async def test_a_timeout_until_a_moment_has_the_same_bounds(
    crew: Road, ahead_seconds: int, problem: str | None
) -> None:
    until = datetime.datetime.fromtimestamp(int(time.time()) + ahead_seconds, datetime.UTC).isoformat()
    named = {"member": crew.guild["members"]["nina"], "until": until}
    preview = previewed(await crew.call("member_timeout", "mike", **named, dry_run=True))
    assert preview.problems == (() if problem is None else (problem,))
    outcome = await crew.call("member_timeout", None, **named)
    assert (outcome.status is Status.DONE) is (problem is None)
    end = await end_of(crew, "nina")
    assert (end and end.isoformat()) == (until if problem is None else None)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"duration_seconds": 60, "until": "2030-01-01T00:00:00Z"},
        {"until": "2030-01-01T00:00:00"},
        {"until": "soon"},
    ],
)
async def test_a_timeout_has_one_end_with_a_time_zone(crew: Road, given: dict[str, Any]) -> None:
    outcome = await crew.call("member_timeout", "mike", member="nina", **given)
    assert outcome.status is Status.REFUSED
    assert outcome.refusal is not None
    assert outcome.refusal.step.value == "validate"


async def test_neither_administrators_nor_owner_nor_bot_nor_anybody_higher_are_timed_out(crew: Road) -> None:
    ids = {**crew.guild["members"], "Guildhall": str(crew.core.state.source.bot_user_id)}
    expected = {"olive": "owner", "Guildhall": "bot_itself", "cora": "your_rank", "mike": "your_rank"}
    for name, wanted in expected.items():
        outcome = await crew.call("member_timeout", "mike", member=ids[name], duration_seconds=60)
        assert code(outcome) == wanted, name
    # The owner outranks the administrator, and so does the bot; Discord refuses all the same.
    for caller in ("olive", None):
        outcome = await crew.call("member_timeout", caller, member=ids["ada"], duration_seconds=60)
        assert code(outcome) == "would_fail"
        assert outcome.refusal is not None
        assert outcome.refusal.reason == (
            "@ada is an administrator, whom Discord lets nobody time out; take that role away first."
        )
    assert {name for name, member in (await members(crew)).items() if member["timed_out_until"]} == set()


@pytest.mark.parametrize("operation", ["member_timeout", "member_timeout_remove"])
async def test_who_lacks_the_right_is_refused_whoever_is_named(crew: Road, operation: str) -> None:
    more = {"duration_seconds": 60} if operation == "member_timeout" else {}
    for named in (crew.guild["members"]["ned"], UNKNOWN_ID, "ned"):
        outcome = await crew.call(operation, "nina", member=named, **more)
        assert code(outcome) == "you_lack_permission"
        assert outcome.refusal is not None
        assert "moderate_members" in outcome.refusal.reason


async def test_a_timeout_that_replaces_a_running_one_gives_it_back(crew: Road) -> None:
    end = await timed_out(crew)
    before = await members(crew)
    outcome = await crew.call("member_timeout", None, member=crew.guild["members"]["nina"], duration_seconds=86_400)
    done(outcome)
    assert outcome.preview is not None
    assert f"instead of until {end.strftime('%Y-%m-%dT%H:%M:%SZ')}" in outcome.preview.summary
    assert outcome.preview.inverse is not None
    assert outcome.preview.inverse.operation == "member_timeout"
    assert await end_of(crew, "nina") != end
    done(await undone(crew, outcome))
    assert await members(crew) == before


async def test_a_timeout_is_undone_by_its_end(crew: Road) -> None:
    before = await members(crew)
    outcome = await crew.call("member_timeout", None, member=crew.guild["members"]["nina"], duration_seconds=600)
    done(outcome)
    await heard_of(crew, "nina", lambda member: member.is_timed_out(), "the timeout arrives")
    done(await undone(crew, outcome))
    assert await members(crew) == before


async def test_a_timeouts_plan_rests_on_the_timeout_that_runs(crew: Road) -> None:
    preview = previewed(await crew.call("member_timeout", "mike", member="nina", duration_seconds=60, dry_run=True))
    assert await observed(crew, "member_timeout", preview) == preview.fingerprint
    await timed_out(crew)
    assert await observed(crew, "member_timeout", preview) != preview.fingerprint


async def test_a_lost_answer_to_a_timeout_is_found_in_discords_audit_log(crew: Road) -> None:
    await crew.sandbox.control(
        "fault", faults=[{"method": "PATCH", "path": "/guilds/*/members/*", "when": "after", "reset": True, "times": 1}]
    )
    outcome = await crew.call("member_timeout", None, member=crew.guild["members"]["nina"], duration_seconds=60)
    end = await end_of(crew, "nina")
    assert end is not None
    assert done(outcome)["timed_out_until"] == end.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert outcome.detail == "Found in Discord's audit log."


# -------------------------------------------------------------------- remove
async def test_a_moderator_ends_a_timeout_with_one_request_and_may_take_that_back(crew: Road) -> None:
    await timed_out(crew)
    before = await members(crew)
    nina = crew.guild["members"]["nina"]
    await crew.writes()
    outcome = await crew.call("member_timeout_remove", "mike", member="nina")
    assert done(outcome) == {"id": nina, "username": "nina"}
    assert outcome.tier is Tier.WRITE
    assert await crew.writes() == [f"PATCH /guilds/{crew.guild_id}/members/{nina}"]
    assert await end_of(crew, "nina") is None
    entry = (await moderation_entries(crew))[0]
    assert (entry["action_type"], entry["target_id"]) == (MEMBER_UPDATE, nina)
    await heard_of(crew, "nina", lambda member: not member.is_timed_out(), "its end arrives")
    done(await undone(crew, outcome))
    assert await members(crew) == before


async def test_where_no_timeout_runs_there_is_none_to_end(crew: Road) -> None:
    outcome = await crew.call("member_timeout_remove", "mike", member="nina")
    assert outcome.refusal is not None
    assert outcome.refusal.reason == "Nothing would change; @nina is not timed out."


async def test_nobody_ends_the_timeout_of_somebody_higher(crew: Road) -> None:
    await timed_out(crew, "cora")
    assert code(await crew.call("member_timeout_remove", "mike", member="cora")) == "your_rank"
    assert await end_of(crew, "cora") is not None


async def test_a_lost_answer_to_its_end_is_found_in_discords_audit_log(crew: Road) -> None:
    await timed_out(crew)
    await crew.sandbox.control(
        "fault", faults=[{"method": "PATCH", "path": "/guilds/*/members/*", "when": "after", "reset": True, "times": 1}]
    )
    outcome = await crew.call("member_timeout_remove", "mike", member="nina")
    done(outcome)
    assert outcome.detail == "Found in Discord's audit log."
