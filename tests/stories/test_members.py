"""A moderator at work over MCP: she looks for somebody, forgives him, and gives him a better name."""

from __future__ import annotations

import pytest

from tests.app import Place
from tests.samples import banned_user, timed_out_member

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def member(place: Place, user_id: str) -> dict[str, object]:
    """As Discord has him."""
    guild = (await place.world())["guild"]
    found: dict[str, object] = next(each for each in guild["members"] if each["id"] == user_id)
    return found


async def test_a_moderator_finds_forgives_and_renames_a_member(place: Place, elsewhere: Place) -> None:
    tom, before = await timed_out_member(place), await elsewhere.world()
    found = await place.done("member_search", "ada", guild=place.id, query="to")
    assert [row["id"] for row in found["members"]] == [tom]
    assert found["members"][0]["timed_out_until"]

    forgiven = await place.call("member_timeout_remove", "ada", member=tom, guild=place.id, dry_run=False)
    named = await place.call("member_edit", "ada", member=tom, guild=place.id, nickname="Tom II", dry_run=False)
    assert (forgiven.status, named.status) == ("done", "done")
    told = await member(place, tom)
    assert (told["timed_out_until"], told["nick"]) == (None, "Tom II")
    for answer in (forgiven, named):
        rows = await place.audited(call_id=answer.data["call_id"])
        assert [(row.entry, row.status) for row in rows] == [("intent", "executing"), ("outcome", "done")]
    assert await elsewhere.world() == before


async def test_what_removes_people_waits_for_a_person(place: Place) -> None:
    banned, before = await banned_user(place), await place.world()
    listed = await place.done("ban_list", "ada", guild=place.id)
    assert [row["user_id"] for row in listed["bans"]] == [banned]
    nina = place.member("nina")
    for name in ("member_kick", "member_ban"):
        asked = await place.call(name, "ada", guild=place.id, member=nina, dry_run=False)
        assert (asked.status, asked.data["tier"]) == ("needs_confirmation", "critical")
        assert asked.data["confirmation"] == "human"
        assert asked.data["plan_token"] is None
    assert await place.world() == before
