"""A moderator's commands: one each, and one press where it is critical."""

from __future__ import annotations

import pytest

from tests.app import Place, Town
from tests.cogs.slashing import offered, presses, user, uses
from tests.sandbox_process import ControlError

pytestmark = pytest.mark.asyncio(loop_scope="session")

GUARDS = ["kick_members", "ban_members", "moderate_members", "manage_messages", "view_audit_log", "manage_guild"]


Guarded = dict[str, list[dict[str, object]]]


@pytest.fixture
def guarded() -> Guarded:
    """A guild whose moderators may also kick and ban."""
    return {
        "roles": [
            {"name": "Admin", "permissions": ["administrator"]},
            {"name": "Moderator", "permissions": GUARDS},
            {"name": "Member"},
        ]
    }


async def member(place: Place, who: str) -> dict[str, object] | None:
    world = await place.world()
    found = [each for each in world["guild"]["members"] if each["id"] == place.member(who)]
    return found[0] if found else None


async def test_a_timeout_is_one_command(place: Place) -> None:
    told = await uses(place, "marlow", "timeout", member=user(place, "nina"), duration="2h", reason="spam")
    assert told.text.startswith("**Done:** member timeout"), told.text
    assert "2 hours" in told.text
    nina = await member(place, "nina")
    assert nina is not None
    assert nina["timed_out_until"]
    undone = await presses(place, "marlow", told, "Undo")
    assert undone.text.startswith("**Done:**"), undone.text


async def test_what_is_no_length_of_time_is_told_with_how_to_write_it(place: Place) -> None:
    for duration in ("soon", "40d", "", "0s"):
        if duration:
            told = await uses(place, "marlow", "timeout", member=user(place, "nina"), duration=duration)
            assert "Write it like `10m`" in told.text, told.text
            assert "28 days" in told.text


async def test_a_kick_takes_one_press_and_no_name(town: Town, guarded: Guarded) -> None:
    place = await town.place("Guarded", **guarded)
    told = await uses(place, "marlow", "kick", member=user(place, "nina"), reason="rude")
    assert told.text.startswith("NOT DONE"), told.text
    assert await member(place, "nina") is not None
    done = await presses(place, "marlow", told, "Confirm")
    assert done.text.startswith("**Done:**"), done.text
    assert await member(place, "nina") is None


async def test_a_ban_an_unban_and_whom_the_unban_offers(town: Town, guarded: Guarded) -> None:
    place = await town.place("Guarded", **guarded)
    told = await uses(place, "marlow", "ban", member=user(place, "nina"), delete_messages="1d")
    assert "1 day" in told.text
    assert (await presses(place, "marlow", told, "Confirm")).text.startswith("**Done:**")
    assert await member(place, "nina") is None
    shown = await uses(place, "marlow", "bans")
    assert "nina" in shown.text
    names = await offered(place, "marlow", "unban", "member", "ni")
    assert names == [f"nina ({place.member('nina')})"]
    assert (await uses(place, "marlow", "unban", member=place.member("nina"))).text.startswith("**Done:**")


async def test_a_plain_member_is_not_shown_a_moderators_command_and_refused_where_he_is(place: Place) -> None:
    with pytest.raises(ControlError, match="default-member-permissions"):
        await uses(place, "nina", "timeout", member=user(place, "bela"), duration="2h")
    # What Discord shows to everybody is decided by the road.
    message = await place.says("bela", "general", "mine")
    link = f"https://discord.com/channels/{place.id}/{place.channel('general')}/{message}"
    told = await uses(place, "nina", "message delete", message=link)
    assert told.text.startswith("**Not done.**"), told.text
    assert message in [each["id"] for each in await place.history("general")]
