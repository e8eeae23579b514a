"""Where a card goes, and what it may say there."""

from __future__ import annotations

from typing import Any

import pytest

from cogs.approval_places import CardPlaces, Destination, Unreachable
from operations.plans import PlanView
from policy.model import Target
from policy.permissions import Bits
from policy.taint import Source
from tests.app import Place, until
from tests.cogs.plan_views import plan_view

pytestmark = pytest.mark.asyncio(loop_scope="session")


def plan_of(place: Place, channel: str = "general", who: str = "ada", **changed: Any) -> PlanView:
    given: dict[str, Any] = {
        "guild_id": place.guild_id,
        "installation_id": place.installation_id,
        "requester_id": int(place.member(who)),
        "targets": (Target("channel", int(place.channel(channel)), place.guild_id, channel),),
    }
    return plan_view(**given | changed)


async def found(place: Place, plan: PlanView) -> Destination | Unreachable:
    return await CardPlaces(place.town.core.state, place.town.core.facts).of(plan)


async def destination(place: Place, plan: PlanView) -> Destination:
    there = await found(place, plan)
    assert isinstance(there, Destination), there
    return there


async def remedy(place: Place, plan: PlanView) -> str:
    there = await found(place, plan)
    assert isinstance(there, Unreachable), there
    return there.remedy


async def test_with_nothing_set_up_the_card_goes_to_the_requester(place: Place) -> None:
    there = await destination(place, plan_of(place, "vault"))
    assert (there.channel_id, there.user_id, there.discreet) == (None, int(place.member("ada")), False)


async def test_an_approvals_channel_goes_before_the_channel_of_the_request(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("mod-room")))
    there = await destination(place, plan_of(place, origin_channel_id=int(place.channel("general"))))
    assert (there.channel_id, there.user_id) == (int(place.channel("mod-room")), None)


async def test_without_one_the_card_goes_to_the_channel_of_the_request(place: Place) -> None:
    there = await destination(place, plan_of(place, origin_channel_id=int(place.channel("general"))))
    assert (there.channel_id, there.user_id) == (int(place.channel("general")), None)


async def test_nobody_stands_behind_an_operator_so_there_must_be_a_channel(place: Place) -> None:
    plan = plan_of(place, requester_id=None)
    assert "guildhall policy set" in await remedy(place, plan)
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    assert (await destination(place, plan)).channel_id == int(place.channel("general"))


async def test_a_second_person_cannot_be_reached_by_writing_to_the_first(place: Place) -> None:
    await place.set_rules(four_eyes=True)
    assert "four_eyes" in await remedy(place, plan_of(place))
    await place.set_rules(four_eyes=True, approvals_channel_id=int(place.channel("mod-room")))
    assert (await destination(place, plan_of(place))).channel_id == int(place.channel("mod-room"))


async def test_an_approvals_channel_that_is_gone_is_told_instead_of_gone_around(place: Place) -> None:
    await place.set_rules(approvals_channel_id=1)
    assert "does not exist" in await remedy(place, plan_of(place))
    await place.set_rules(approvals_channel_id=int(place.channel("help")))
    assert "not one that messages are sent to" in await remedy(place, plan_of(place))


@pytest.mark.parametrize("lacking", ["view_channel", "send_messages", "embed_links"])
async def test_what_the_bot_lacks_in_the_channel_is_named(place: Place, lacking: str) -> None:
    await place.by_hand(
        "olive",
        "PUT",
        f"/channels/{place.channel('general')}/permissions/{place.town.sandbox.bot_id}",
        {"type": 1, "allow": "0", "deny": str(int(Bits[lacking]))},
    )
    await place.set_rules(approvals_channel_id=int(place.channel("general")))

    async def closed() -> bool:
        return isinstance(await found(place, plan_of(place)), Unreachable)

    await until(closed, "the bot hears of it")
    assert lacking in await remedy(place, plan_of(place))


SECRETS: dict[str, dict[str, Any]] = {
    "a channel that only staff sees": {"channel": "mod-room"},
    "one that only administrators see": {"channel": "vault"},
    "a category that only staff sees": {"channel": "Staff"},
}


@pytest.mark.parametrize("case", SECRETS)
async def test_what_not_everybody_there_can_see_is_not_named_in_a_channel(place: Place, case: str) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    assert (await destination(place, plan_of(place, **SECRETS[case]))).discreet
    assert not (await destination(place, plan_of(place, "news"))).discreet


async def test_text_read_elsewhere_is_named_only_to_those_who_can_read_it_there(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    for source, discreet in (
        (Source(place.guild_id, int(place.channel("mod-room"))), True),
        (Source(place.guild_id, int(place.channel("news"))), False),
        (Source(place.guild_id, None, int(Bits.view_audit_log)), True),
        (Source(1, None), True),
    ):
        there = await destination(place, plan_of(place, sources=frozenset({source})))
        assert there.discreet is discreet, source
    await place.set_rules(approvals_channel_id=int(place.channel("mod-room")))
    of_staff = frozenset({Source(place.guild_id, int(place.channel("mod-room")))})
    assert not (await destination(place, plan_of(place, "mod-room", sources=of_staff))).discreet


async def test_an_object_that_members_may_not_know_of_is_not_named_in_a_channel(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    banned = (Target("ban", 1, place.guild_id, "who was banned"),)
    assert (await destination(place, plan_of(place, targets=banned))).discreet


async def test_a_guild_that_the_bot_has_left_is_out_of_reach(place: Place) -> None:
    assert "no longer in this guild" in await remedy(place, plan_of(place, guild_id=1))
