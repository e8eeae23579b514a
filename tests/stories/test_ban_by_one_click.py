"""A spammer in a guild whose one administrator has set nothing up: one request, one click."""

from __future__ import annotations

import pytest

from tests.app import Town
from tests.cogs.approving import asked, card_for, card_of, settled_card, state_of, told

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_spammer_is_banned_by_one_request_and_one_click(town: Town) -> None:
    place = await town.place(members=[{"name": "spammer"}], channels=[{"name": "general"}])
    spammer = place.member("spammer")
    plan_id = await asked(place, "member_ban", "olive", member=spammer, guild=place.id)
    card = await card_for(place, plan_id, "olive")
    shown = str(card.message["embeds"])
    assert spammer in shown
    assert "account made <t:" in shown
    assert "`spammer`" in shown

    assert await told(place, "olive", card, "Approve") == "Done."

    world = (await town.sandbox.control("world", guild=place.guild_id))["guilds"][0]
    assert spammer not in {member["id"] for member in world["members"]}
    log = (await town.sandbox.control("audit_log", guild=place.guild_id))["entries"]
    assert [(entry["action_type"], entry["target_id"]) for entry in log][:1] == [(22, spammer)]
    assert (await settled_card(place, plan_id, card.channel)).titles == ["Done: " + card.titles[0].split(": ")[1]]
    rows = await place.audited(call_id=plan_id)
    assert (rows[-1].entry, rows[-1].status) == ("outcome", "done")


async def test_a_plain_members_click_bans_nobody(town: Town) -> None:
    place = await town.place()
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    plan_id = await asked(place, "member_ban", member=place.member("bela"), guild=place.id)
    card = await card_of(place, plan_id)
    assert "Done" not in await told(place, "nina", card, "Approve")
    assert (await state_of(place, plan_id)).value == "pending"
    log = (await town.sandbox.control("audit_log", guild=place.guild_id))["entries"]
    assert all(entry["action_type"] != 22 for entry in log)
