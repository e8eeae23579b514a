"""/approvals and /confirm: what waits, whose it is, and what is pressed about it."""

from __future__ import annotations

import asyncio

import pytest

from cogs import texts
from storage.calls import CallState
from tests.app import Place, until
from tests.cogs.approving import asked, ran_out, state_of
from tests.cogs.slashing import channel, offered, presses, uses

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def deletion(place: Place, name: str = "news", as_: str = "ada") -> str:
    return await asked(place, "channel_delete", as_, channel=place.channel(name))


async def test_nothing_waits_and_that_is_said(place: Place) -> None:
    assert (await uses(place, "nina", "approvals")).text == texts.APPROVALS_NOTHING


async def test_a_clients_plan_is_shown_to_its_person_and_to_who_may_approve_it_alone(place: Place) -> None:
    await deletion(place)
    mine = await uses(place, "ada", "approvals")
    assert "(yours)" in mine.all_text
    assert "news" in mine.all_text
    assert mine.labels == ["Confirm 1", "Cancel 1", "Details 1"]
    others = await uses(place, "olive", "approvals")
    assert others.labels == ["Confirm 1", "Deny 1", "Details 1"]
    assert (await uses(place, "nina", "approvals")).text == texts.APPROVALS_NOTHING


async def test_a_plan_is_confirmed_from_the_list_by_typing_its_name(place: Place) -> None:
    plan_id = await deletion(place)
    shown = await uses(place, "olive", "approvals")
    done = await presses(place, "olive", shown, "Confirm 1", "news")
    assert done.text.startswith("**Done:**"), done.text
    assert await state_of(place, plan_id, "ada") is CallState.DONE
    assert "news" not in await place.channels()


async def test_a_plan_is_denied_and_taken_back_from_the_list(place: Place) -> None:
    plan_id = await deletion(place)
    shown = await uses(place, "olive", "approvals")
    assert (await presses(place, "olive", shown, "Deny 1")).text == texts.DENIED
    assert await state_of(place, plan_id, "ada") is CallState.DENIED
    other = await deletion(place, "general")
    shown = await uses(place, "ada", "approvals")
    assert (await presses(place, "ada", shown, "Cancel 1")).text == texts.TAKEN_BACK
    assert await state_of(place, other, "ada") is CallState.CANCELLED


async def test_details_are_the_whole_plan(place: Place) -> None:
    plan_id = await deletion(place)
    shown = await uses(place, "olive", "approvals")
    details = await presses(place, "olive", shown, "Details 1")
    assert plan_id in details.text
    assert "news" in details.text


async def test_more_plans_than_a_page_holds_are_turned(place: Place) -> None:
    for name in ("news", "general", "mod-room", "vault", "help"):
        await deletion(place, name)
    first = await uses(place, "ada", "approvals")
    assert "1–4 of 5" in first.text
    assert first.labels[-1] == "Next"
    second = await presses(place, "ada", first, "Next")
    assert "5–5 of 5" in second.text
    assert second.labels == ["Confirm 5", "Cancel 5", "Details 5", "Previous"]


async def test_a_command_that_waits_for_its_press_is_found_again(place: Place) -> None:
    await uses(place, "ada", "channel delete", channel=channel(place, "news"))
    shown = await uses(place, "ada", "approvals")
    assert shown.labels == ["Confirm 1", "Cancel 1", "Details 1"]
    # It is his alone: nobody was asked.
    assert (await uses(place, "olive", "approvals")).text == texts.APPROVALS_NOTHING


async def test_confirm_opens_the_modal_where_a_name_is_asked(place: Place) -> None:
    plan_id = await deletion(place)
    assert await offered(place, "ada", "confirm", "plan", "channel") == [f"channel_delete news ({plan_id})"]
    assert await offered(place, "nina", "confirm", "plan") == []
    opened = await uses(place, "ada", "confirm", plan=plan_id)
    assert opened.raw["kind"] == "modal"
    where = {"user": int(place.member("ada")), "channel": int(opened.channel)}
    raw = await place.town.sandbox.control(
        "modal", **where, interaction=int(opened.raw["interaction"]), values={"name": "news"}, wait=10
    )
    assert raw["message"]["content"].startswith("**Done:**"), raw
    assert raw["ephemeral"]
    told = await uses(place, "ada", "confirm", plan=plan_id)
    assert told.text.startswith("It was done already."), told.text


async def test_confirm_tells_of_expiry(place: Place) -> None:
    plan_id = await deletion(place)
    await ran_out(place, plan_id)
    told = await uses(place, "ada", "confirm", plan=plan_id)
    assert told.raw["kind"] == "modal" or "expired" in told.text.lower(), told.raw


async def test_a_plan_that_one_may_not_know_of_is_like_one_that_is_not(place: Place) -> None:
    plan_id = await deletion(place, "vault")
    hidden = await uses(place, "nina", "confirm", plan=plan_id)
    absent = await uses(place, "nina", "confirm", plan="cl_" + "a" * 17)
    assert hidden.text == absent.text


async def test_with_four_eyes_the_card_is_named_and_no_button_shown(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("mod-room")), four_eyes=True)
    told = await uses(place, "ada", "channel delete", channel=channel(place, "news"))
    assert told.text.startswith("NOT DONE"), told.text
    assert f"https://discord.com/channels/{place.id}/{place.channel('mod-room')}/" in told.text
    assert told.labels == []
    shown = await uses(place, "olive", "approvals")
    assert (await presses(place, "olive", shown, "Confirm 1", "news")).text.startswith("**Done:**")


async def test_two_presses_at_once_have_one_effect(place: Place) -> None:
    told = await uses(place, "ada", "channel delete", channel=channel(place, "news"))
    older = await uses(place, "ada", "channel delete", channel=channel(place, "news"))
    said = await asyncio.gather(
        presses(place, "ada", told, "Confirm", "news"), presses(place, "ada", older, "Confirm", "news")
    )
    assert [each.text.startswith("**Done:**") for each in said].count(True) >= 1
    await until(lambda: gone(place), "the channel is gone")


async def gone(place: Place) -> bool:
    return "news" not in await place.channels()
