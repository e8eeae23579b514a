"""Commands of people: run at once, previewed, confirmed by one press, refused in words."""

from __future__ import annotations

import pytest

from cogs import texts
from tests.app import Place
from tests.cogs.slashing import channel, presses, role, user, uses

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_write_is_done_and_told_in_words(place: Place) -> None:
    told = await uses(place, "ada", "channel create", name="pottery", topic="clay")
    assert told.text.startswith("**Done:** channel create"), told.text
    assert "pottery" in told.text
    assert "{" not in told.text
    made = (await place.channels())["pottery"]
    assert made["topic"] == "clay"
    assert told.labels == ["Undo"]


async def test_a_preview_begins_with_not_done_and_does_nothing(place: Place) -> None:
    told = await uses(place, "ada", "channel create", name="pottery", preview=True)
    assert told.text.startswith("NOT DONE"), told.text
    assert "pottery" in told.text
    assert "pottery" not in await place.channels()


async def test_a_risky_command_is_done_at_once_since_its_member_named_it(place: Place) -> None:
    told = await uses(place, "marlow", "role assign", member=user(place, "nina"), role=role(place, "Member"))
    assert told.text.startswith("**Not done.**"), told.text
    told = await uses(place, "ada", "role assign", member=user(place, "nina"), role=role(place, "Moderator"))
    assert told.text.startswith("**Done:**"), told.text


async def test_what_is_critical_waits_for_one_press_and_the_typed_name(place: Place) -> None:
    told = await uses(place, "ada", "channel delete", channel=channel(place, "news"))
    assert told.text.startswith("NOT DONE"), told.text
    assert told.labels == ["Confirm", "Cancel"]
    assert "news" in await place.channels()
    wrong = await presses(place, "ada", told, "Confirm", "olds")
    assert wrong.text.startswith("**Not done.**"), wrong.text
    assert wrong.labels == ["Confirm", "Cancel"]
    done = await presses(place, "ada", wrong, "Confirm", "news")
    assert done.text.startswith("**Done:**"), done.text
    assert "news" not in await place.channels()


async def test_a_cancelled_plan_does_nothing_and_its_old_button_says_so(place: Place) -> None:
    told = await uses(place, "ada", "channel delete", channel=channel(place, "news"))
    # The same again is the same plan: its buttons stand in two answers.
    older = await uses(place, "ada", "channel delete", channel=channel(place, "news"))
    assert (await presses(place, "ada", told, "Cancel")).text == texts.TAKEN_BACK
    again = await presses(place, "ada", older, "Confirm")
    assert again.text.startswith("It was taken back."), again.text
    assert "news" in await place.channels()


async def test_undo_takes_one_press(place: Place) -> None:
    told = await uses(place, "ada", "channel create", name="pottery")
    undone = await presses(place, "ada", told, "Undo")
    # Deleting a channel is critical, also where it undoes something.
    assert undone.text.startswith("NOT DONE"), undone.text
    assert (await presses(place, "ada", undone, "Confirm", "pottery")).text.startswith("**Done:**")
    assert "pottery" not in await place.channels()
