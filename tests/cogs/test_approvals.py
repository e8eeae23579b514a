"""From a client's request to a person's press: the world is changed once, by whoever may, and the card says so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from operations.callers import Callers
from operations.plans import CardPlace, PersonProof
from policy.model import Face
from storage.calls import CallState
from tests.app import Place
from tests.cogs.approving import Card, asked, card_for, card_of, presses, ran_out, settled_card, state_of, told

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def deletion(place: Place, channel: str = "news", as_: str = "ada") -> str:
    return await asked(place, "channel_delete", as_, channel=place.channel(channel))


async def risky(place: Place, name: str, as_: str = "ada") -> str:
    """A risky call of a tainted caller: the other half of what a person confirms."""
    overwrites: list[dict[str, Any]] = [{"role": place.role("Member"), "deny": ["view_channel"]}]
    await place.says("nina", "general", "something to read")
    await place.done("message_list_recent", as_, channel=place.channel("general"))
    return await asked(place, "channel_create", as_, guild=place.id, name=name, overwrites=overwrites)


async def test_a_critical_call_is_done_once_somebody_types_the_name_on_the_card(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("mod-room")))
    plan_id = await deletion(place)
    assert "news" in await place.channels()
    card = await card_of(place, plan_id, "mod-room")
    assert card.message["pinged"] == {"everyone": False, "users": [], "roles": []}

    assert await told(place, "olive", card, "Approve", "news") == "Done."

    assert "news" not in await place.channels()
    card = await settled_card(place, plan_id, "mod-room")
    assert (card.titles, card.labels) == (["Done: Channel delete"], [])
    assert f"Approved by <@{place.member('olive')}>." in card.outcome()
    entries = [(row.entry, row.status) for row in await place.audited(call_id=plan_id)]
    assert ("intent", "pending") in entries or entries[0][0] == "intent"
    assert entries[-1] == ("outcome", "done")


async def test_a_wrong_name_leaves_the_plan_pending(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("mod-room")))
    plan_id = await deletion(place)
    card = await card_of(place, plan_id, "mod-room")
    said = await told(place, "olive", card, "Approve", "general")
    assert said != "Done."
    assert "news" in await place.channels()
    assert await state_of(place, plan_id) is CallState.PENDING
    assert await told(place, "olive", card, "Approve", "news") == "Done."


async def test_the_requester_approves_in_his_direct_messages(place: Place) -> None:
    plan_id = await deletion(place)
    card = await card_for(place, plan_id)
    assert await told(place, "ada", card, "Approve", "news") == "Done."
    assert "news" not in await place.channels()
    assert (await settled_card(place, plan_id, card.channel)).labels == []


async def test_a_member_without_the_rights_is_refused_and_the_plan_waits(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    plan_id = await deletion(place)
    card = await card_of(place, plan_id)
    for label in ("Approve", "Deny", "Details"):
        said = await told(place, "nina", card, label)
        assert "You lack manage_channels" in said or "not open to you" in said
    assert await state_of(place, plan_id) is CallState.PENDING
    assert (await card_of(place, plan_id)).labels == [["Approve", "Deny", "Details"]]
    assert "news" in await place.channels()


async def test_four_eyes_asks_for_another_person(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("mod-room")), four_eyes=True)
    plan_id = await deletion(place)
    card = await card_of(place, plan_id, "mod-room")
    said = await told(place, "ada", card, "Approve", "news")
    assert "Done" not in said
    assert await state_of(place, plan_id) is CallState.PENDING
    assert await told(place, "olive", card, "Approve", "news") == "Done."
    assert "news" not in await place.channels()


async def test_with_four_eyes_and_no_channel_the_call_is_refused_with_how_to_set_one(place: Place) -> None:
    await place.set_rules(four_eyes=True)
    answer = await place.call("channel_delete", channel=place.channel("news"), dry_run=False)
    assert answer.status == "refused", answer
    assert "guildhall policy set" in answer.text


async def test_a_denied_plan_is_not_done_and_cannot_be_asked_for_again_at_once(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("mod-room")))
    plan_id = await deletion(place)
    card = await card_of(place, plan_id, "mod-room")
    assert (await told(place, "olive", card, "Deny")).startswith("Denied.")
    card = await settled_card(place, plan_id, "mod-room")
    assert (card.titles, card.labels) == (["Denied: Channel delete"], [])
    assert f"<@{place.member('olive')}>" in card.outcome()
    assert "news" in await place.channels()
    again = await place.call("channel_delete", channel=place.channel("news"), dry_run=False)
    assert again.status == "refused", again


async def test_two_presses_at_once_have_one_effect(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("mod-room")))
    plan_id = await risky(place, "made-once")
    card = await card_of(place, plan_id, "mod-room")
    said = await asyncio.gather(*(told(place, who, card, "Approve") for who in ("olive", "ada", "olive", "ada")))
    # Who came second is told what became of it, or that it is under way.
    assert "Done." in said
    world = await place.town.sandbox.control("world", guild=place.guild_id)
    assert [each["name"] for each in world["guilds"][0]["channels"]].count("made-once") == 1


async def test_risky_plans_of_one_requester_are_approved_by_one_press(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("mod-room")))
    first, second = await risky(place, "one"), await risky(place, "two")
    card = await card_of(place, first, "mod-room")
    assert card == await card_of(place, second, "mod-room")
    said = await told(place, "olive", card, "Approve all 2")
    assert said.count("Done.") == 2
    assert {"one", "two"} <= set(await place.channels())
    await settled_card(place, second, "mod-room")
    card = await settled_card(place, first, "mod-room")
    assert (card.titles, card.labels) == (["1. Done: Channel create", "2. Done: Channel create"], [])


async def test_approve_all_covers_only_what_stood_there_when_it_was_made(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("mod-room")))
    first, _ = await risky(place, "one"), await risky(place, "two")
    before = await card_of(place, first, "mod-room")
    await risky(place, "three")
    now = await card_of(place, first, "mod-room")
    assert before.custom_id("Approve all 2") != now.custom_id("Approve all 3")


async def test_the_details_are_the_full_text_for_whoever_may_see_it(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    plan_id = await deletion(place, "mod-room")
    card = await card_of(place, plan_id)
    assert "mod-room" not in str(card.message)
    assert "mod-room" in await told(place, "olive", card, "Details")
    for label in ("Approve", "Deny", "Details"):
        assert "mod-room" not in await told(place, "nina", card, label)
    assert await state_of(place, plan_id) is CallState.PENDING


async def test_a_long_text_comes_as_a_file(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    long = "@everyone " + "x" * 1900
    await place.says("nina", "general", "something to read")
    await place.done("message_list_recent", "ada", channel=place.channel("general"))
    plan_id = await asked(place, "message_send", channel=place.channel("general"), content=long, ping=["everyone"])
    card = await card_of(place, plan_id)
    answer = await presses(place, "olive", card, "Details")
    assert answer["ephemeral"]
    assert answer["message"]["content"].endswith("characters)\n```")


async def test_a_plan_that_its_requester_takes_back_says_so_on_its_card(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("mod-room")))
    plan_id = await deletion(place)
    card: Card = await card_of(place, plan_id, "mod-room")
    core = place.town.core
    caller = Callers(core.facts).of_member(place.guild_id, int(place.member("ada")), Face.SLASH)
    assert caller is not None
    await core.desk.cancel(plan_id, caller)
    settled = await settled_card(place, plan_id, "mod-room")
    assert (settled.titles, settled.labels) == (["Cancelled: Channel delete"], [])
    said = await place.town.sandbox.control("history", channel=int(card.channel))
    assert len(said["messages"]) == 1


async def test_an_expired_plan_is_not_done_and_its_card_says_so(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("mod-room")))
    plan_id = await deletion(place)
    card = await card_of(place, plan_id, "mod-room")
    await ran_out(place, plan_id)
    assert "expired" in await told(place, "olive", card, "Deny")
    settled = await settled_card(place, plan_id, "mod-room")
    assert (settled.titles, settled.labels) == (["Expired: Channel delete"], [])
    assert settled.outcome().startswith("Nobody approved it in time; nothing was done.")
    assert "news" in await place.channels()


async def test_the_name_to_type_is_told_to_nobody_who_may_not_approve(place: Place) -> None:
    """Whatever he sends: a modal can be answered by one whose rights were not known when it opened."""
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    plan_id = await deletion(place, "mod-room")
    card = await card_of(place, plan_id)
    core = place.town.core
    caller = Callers(core.facts).of_member(place.guild_id, int(place.member("nina")), Face.SLASH)
    assert caller is not None
    pressed = CardPlace(place.guild_id, int(card.channel), int(card.id))
    outcome = await core.desk.confirm(plan_id, caller, PersonProof("card", pressed, "wrong"))
    assert outcome.refusal is not None
    assert "mod-room" not in str(outcome.refusal)
    assert await state_of(place, plan_id) is CallState.PENDING


async def test_what_an_approver_lacks_is_audited_and_leaves_the_card_as_it_is(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    plan_id = await risky(place, "made")
    card = await card_of(place, plan_id)
    assert "You lack manage_channels" in await told(place, "nina", card, "Approve")
    assert "made" not in await place.channels()
    rows = await place.audited(user_id=int(place.member("nina")))
    assert rows[-1].status == "refused"
    assert (await card_of(place, plan_id)).message == card.message
