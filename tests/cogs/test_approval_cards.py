"""Cards as they stand in Discord: posted once, pinging nobody, brought up to date."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from cogs.approval_cards import CLOSED, PlanCards
from cogs.approval_places import CardPlaces
from cogs.custom_ids import CustomIds
from operations import call_ids
from operations.base import Change
from operations.plans import CardPlace, PlanView
from policy.model import Tier
from storage.calls import CallState
from tests.app import Place, until
from tests.cogs.test_approval_places import plan_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def mended(place: Place) -> AsyncGenerator[Place]:
    """Faults end with the test."""
    yield place
    await place.town.sandbox.control("reset")


def cards_of(place: Place) -> PlanCards:
    core = place.town.core
    return PlanCards(core.client, CardPlaces(core.state, core.facts), CustomIds(core.database.keyring))


def a_plan(place: Place, channel: str = "general", **changed: Any) -> PlanView:
    return plan_of(place, channel, **{"plan_id": call_ids.new_call_id(), "reason": "the reason"} | changed)


def risky(place: Place, **changed: Any) -> PlanView:
    return a_plan(place, "general", **{"tier": Tier.RISKY, "name_to_type": None, **changed})


async def posted(cards: PlanCards, plan: PlanView) -> PlanView:
    where = await cards.post(plan)
    assert where is not None
    return replace(plan, card=where)


async def direct_messages(place: Place, who: str) -> str:
    """The channel between the bot and a person."""
    seen = await place.town.sandbox.control("world")
    (found,) = [dm["id"] for dm in seen["direct_messages"] if dm["user"] == place.member(who)]
    channel_id: str = found
    return channel_id


def labels(message: dict[str, Any]) -> list[list[str]]:
    return [[button["label"] for button in row["components"]] for row in message["components"]]


async def test_a_card_in_the_approvals_channel_pings_nobody(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    plan = await posted(cards_of(place), a_plan(place, "news"))
    (message,) = await place.history("general")
    assert plan.card == CardPlace(place.guild_id, int(place.channel("general")), int(message["id"]))
    assert message["pinged"] == {"everyone": False, "users": [], "roles": []}
    assert message["embeds"][0]["title"] == "Approval needed: Channel delete"
    assert labels(message) == [["Approve", "Deny", "Details"]]


async def test_a_card_in_direct_messages_stands_there(place: Place) -> None:
    plan = await posted(cards_of(place), a_plan(place, "vault"))
    channel_id = await direct_messages(place, "ada")
    (message,) = await place.history(channel_id)
    assert plan.card == CardPlace(None, int(channel_id), int(message["id"]))
    assert "vault" in str(message["embeds"])


async def test_a_card_that_is_posted_again_stands_there_once(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    plan = a_plan(place)
    first = await cards_of(place).post(plan)
    assert first is not None
    assert await cards_of(place).post(plan) == first
    assert len(await place.history("general")) == 1


@pytest.mark.parametrize("fault", [{"status": 502}, {"reset": True}], ids=["502", "a reset"])
async def test_a_card_whose_answer_is_lost_stands_there_once(mended: Place, fault: dict[str, Any]) -> None:
    await mended.set_rules(approvals_channel_id=int(mended.channel("general")))
    lost = {"method": "POST", "path": "*/messages", "when": "after", "times": 1, **fault}
    await mended.town.sandbox.control("fault", faults=[lost])
    plan = await posted(cards_of(mended), a_plan(mended))
    (message,) = await mended.history("general")
    assert plan.card is not None
    assert plan.card.message_id == int(message["id"])


async def test_somebody_who_takes_no_direct_messages_is_told_what_to_do(mended: Place) -> None:
    cards, plan = cards_of(mended), a_plan(mended)
    assert await cards.reachable(plan) is None
    refuses = {"method": "POST", "path": "*/messages", "status": 403, "code": 50007, "times": 1}
    await mended.town.sandbox.control("fault", faults=[refuses])
    assert await cards.post(plan) is None
    assert await cards.reachable(plan) == CLOSED


async def test_what_discord_refuses_is_not_raised(mended: Place) -> None:
    await mended.set_rules(approvals_channel_id=int(mended.channel("general")))
    cards = cards_of(mended)
    plan = await posted(cards, a_plan(mended))
    faults = [{"method": method, "path": "*/messages*", "status": 403, "code": 50013} for method in ("POST", "PATCH")]
    await mended.town.sandbox.control("fault", faults=faults)
    assert await cards.post(a_plan(mended)) is None
    await cards.settle(replace(plan, state=CallState.DONE))
    await mended.town.sandbox.control("reset")
    await mended.by_hand("olive", "DELETE", f"/channels/{mended.channel('general')}/messages/{plan.card.message_id}")  # pyright: ignore[reportOptionalMemberAccess]
    await cards.settle(replace(plan, state=CallState.DONE))


async def test_a_settled_card_has_no_buttons_and_says_what_became_of_it(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    cards = cards_of(place)
    plan = await posted(cards, a_plan(place))
    await cards.settle(replace(plan, state=CallState.DENIED, confirmed_by=int(place.member("olive"))))
    (message,) = await place.history("general")
    assert message["components"] == []
    (embed,) = message["embeds"]
    assert embed["title"] == "Denied: Channel delete"
    assert embed["fields"][-1]["value"].startswith(f"Denied by <@{place.member('olive')}>.")
    assert message["pinged"] == {"everyone": False, "users": [], "roles": []}


async def test_a_card_keeps_what_it_showed_of_a_channel_that_is_gone_since(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    cards = cards_of(place)
    plan = await posted(cards, a_plan(place, "news"))
    await place.by_hand("olive", "DELETE", f"/channels/{place.channel('news')}")
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None
    await until(lambda: guild.get_channel(int(place.channel("news"))) is None, "the channel is gone")
    await cards.settle(replace(plan, state=CallState.DONE))
    (message,) = await place.history("general")
    assert {field["name"] for field in message["embeds"][0]["fields"]} >= {"Targets", "Outcome"}


async def test_a_canary_of_a_hidden_channel_is_not_on_a_card_where_others_read(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    cards = cards_of(place)
    changes = (Change(target="canary", field="topic", before="canary", after="canary"),)
    plan = a_plan(place, "mod-room", summary="canary", reason="canary", changes=changes, name_to_type="canary")
    plan = await posted(cards, plan)
    await cards.settle(replace(plan, state=CallState.FAILED, detail="canary"))
    (message,) = await place.history("general")
    assert "canary" not in str(message)
    assert "mod-room" not in str(message)
    assert place.channel("mod-room") in str(message["embeds"])


async def test_risky_plans_of_one_requester_share_a_card(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    cards = cards_of(place)
    first, second, other = risky(place, summary="first"), risky(place, summary="second"), risky(place, who="marlow")
    critical = a_plan(place)
    first, second = await posted(cards, first), await posted(cards, second)
    other, critical = await posted(cards, replace(other, client_id="mc_2")), await posted(cards, critical)
    assert first.card == second.card
    assert len({first.card, other.card, critical.card}) == 3
    message = (await place.history("general"))[0]
    assert [embed["title"] for embed in message["embeds"]] == [
        "1. Approval needed: Channel delete",
        "2. Approval needed: Channel delete",
    ]
    assert labels(message) == [
        ["Approve 1", "Deny 1", "Details 1", "Approve all 2"],
        ["Approve 2", "Deny 2", "Details 2"],
    ]
    assert message["pinged"] == {"everyone": False, "users": [], "roles": []}


async def test_on_a_shared_card_each_plan_is_settled_by_itself(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    cards = cards_of(place)
    plans = [await posted(cards, risky(place, summary=f"plan {number}")) for number in range(3)]
    await cards.settle(replace(plans[0], state=CallState.DONE))
    (message,) = await place.history("general")
    assert [embed["title"].split(":")[0] for embed in message["embeds"]] == [
        "1. Done",
        "2. Approval needed",
        "3. Approval needed",
    ]
    assert labels(message)[0] == ["Approve 2", "Deny 2", "Details 2", "Approve all 2"]

    # After a restart the message alone says what it holds.
    await cards_of(place).settle(replace(plans[1], state=CallState.EXPIRED))
    (message,) = await place.history("general")
    assert labels(message) == [["Approve 3", "Deny 3", "Details 3"]]
    assert [embed["title"].split(":")[0] for embed in message["embeds"]][1:] == ["2. Expired", "3. Approval needed"]


async def test_a_card_takes_five_plans_and_a_settled_one_no_more(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    cards = cards_of(place)
    plans = [await posted(cards, risky(place, summary="s" * 2000)) for _ in range(6)]
    assert len({plan.card for plan in plans[:5]}) == 1
    assert plans[5].card != plans[0].card
    await cards.settle(replace(plans[5], state=CallState.DONE))
    assert (await posted(cards, risky(place))).card not in {plan.card for plan in plans}
