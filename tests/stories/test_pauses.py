"""A guild is paused: nothing is written, whoever asks, reading goes on, and who may ends it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from operations.base import Outcome, Status
from operations.pauses import held
from operations.plans import Asking, PersonProof
from policy.bursts import BURSTS
from policy.model import Face, PauseCause
from policy.rules import ClassRules
from storage import pauses
from storage.calls import CallState
from tests.app import Place, answer_of, until
from tests.cogs.approving import asked, card_of, settled_card

pytestmark = pytest.mark.asyncio(loop_scope="session")
BY_HAND = Asking(PersonProof("slash"))


async def by_slash(place: Place, who: str, name: str, **arguments: Any) -> Outcome:
    """As somebody who names operation and arguments himself in Discord."""
    core = place.town.core
    caller = core.callers.of_member(place.guild_id, int(place.member(who)), Face.SLASH)
    assert caller is not None
    return await core.executor.run(name, {"guild": place.id, **arguments}, caller, asking=BY_HAND)


async def pause(place: Place, who: str = "ada", **arguments: Any) -> Outcome:
    outcome = await by_slash(place, who, "guild_pause", **arguments)
    assert outcome.status is Status.DONE, outcome
    return outcome


async def test_writes_are_refused_at_once_and_reads_go_on(place: Place) -> None:
    await pause(place, minutes=30)
    answer = await place.call("message_send", channel=place.channel("general"), content="hello", dry_run=False)
    assert (answer.status, answer.code) == ("refused", "paused")
    assert "/resume" in answer.text
    assert await place.history("general") == []
    assert not (await place.call("channel_list", guild=place.id)).is_error

    assert (await by_slash(place, "olive", "guild_resume")).status is Status.DONE
    await place.sent("ada")


async def test_a_moderator_without_manage_guild_neither_pauses_nor_resumes(place: Place) -> None:
    for name in ("guild_pause", "guild_resume"):
        outcome = await by_slash(place, "marlow", name)
        assert outcome.refusal is not None
        assert "manage_guild" in outcome.refusal.reason


async def test_plans_that_wait_are_cancelled_and_their_cards_say_so(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("mod-room")))
    plan_id = await asked(place, "channel_delete", channel=place.channel("news"))
    await card_of(place, plan_id, "mod-room")

    outcome = await pause(place)

    assert await state_of_own(place, plan_id) is CallState.CANCELLED
    assert plan_id in str(outcome.data)
    card = await settled_card(place, plan_id, "mod-room")
    assert "The guild was paused." in card.outcome()
    assert card.labels == []
    assert "news" in await place.channels()


async def state_of_own(place: Place, plan_id: str) -> CallState:
    caller = place.town.core.callers.from_token(await place.token("ada"))
    assert caller is not None
    return (await place.town.core.desk.view(plan_id, caller)).state


async def test_a_plan_of_before_is_not_confirmed_while_its_guild_is_paused_and_can_be_taken_back(place: Place) -> None:
    plan_id = await asked(place, "channel_delete", channel=place.channel("news"))
    async with place.town.core.database.unit_of_work() as session:
        # As by a process that was told of the plan a moment later than of the pause.
        await pauses.pause_guild(session, place.installation_id, until=None, by=None, now=time.time())
    caller = place.town.core.callers.of_member(place.guild_id, int(place.member("olive")), Face.SLASH)
    assert caller is not None
    outcome = await place.town.core.desk.confirm(plan_id, caller, PersonProof("console", typed="news"))
    assert outcome.refusal is not None
    assert outcome.refusal.code == "paused"
    assert await state_of_own(place, plan_id) is CallState.PENDING
    assert "news" in await place.channels()
    assert not (await place.call("plan_cancel", plan_id=plan_id)).is_error


async def test_a_pause_ends_by_itself(place: Place) -> None:
    now = time.time()
    async with place.town.core.database.unit_of_work() as session:
        await pauses.pause_guild(session, place.installation_id, until=now + 0.5, by=None, now=now)
    answer = await place.call("message_send", channel=place.channel("general"), content="early", dry_run=False)
    assert answer.code == "paused"
    await until(lambda: time.time() > now + 0.5, "it has run out")
    await place.sent("ada")


async def test_undoing_a_pause_resumes(place: Place) -> None:
    outcome = await pause(place)
    assert (await by_slash(place, "ada", "audit_revert", call=outcome.call_id)).status is Status.DONE
    await place.sent("ada")


async def test_what_acts_by_itself_hears_that_it_is_held(place: Place, elsewhere: Place) -> None:
    facts = place.town.core.facts
    assert held(facts, place.guild_id) is None
    await pause(place, minutes=5)
    said = held(facts, place.guild_id)
    assert said is not None
    assert "paused in this guild" in said.reason
    assert held(facts, elsewhere.guild_id) is None


# ---------------------------------------------------------------- by itself
async def burst(place: Place, who: str, *, count: int) -> list[str | None]:
    """Refused writes of somebody's client, one after the other."""
    codes: list[str | None] = []
    async with place.client(who) as client:
        for _ in range(count):
            arguments = {"guild": place.id, "name": "mine", "dry_run": False}
            codes.append(answer_of(await client.call_tool("channel_create", arguments)).code)
    return codes


async def test_a_burst_of_refusals_pauses_that_caller_and_nobody_else(place: Place) -> None:
    limit = BURSTS[PauseCause.REFUSALS].count
    codes = await burst(place, "nina", count=limit + 1)
    assert codes[-1] == "paused"
    assert "paused" not in codes[:limit]

    answer = await place.call("message_send", "nina", channel=place.channel("general"), content="hi", dry_run=False)
    assert answer.code == "paused"
    assert "too many of your writes were refused" in answer.text
    await place.sent("bela")
    # She herself, in Discord, is somebody else than her client.
    outcome = await by_slash(place, "nina", "message_send", channel=place.channel("general"), content="by hand")
    assert outcome.status is Status.DONE
    (entry,) = await place.audited(operation="caller_pause")
    assert (entry.caller_kind, entry.code, entry.user_id) == ("system", "refusals", None)
    assert entry.client_id == place.granted["nina"].id

    assert (await by_slash(place, "nina", "guild_resume", member=place.member("nina"))).status is Status.REFUSED
    assert (await by_slash(place, "ada", "guild_resume", member=place.member("nina"))).status is Status.DONE
    answer = await place.call("message_send", "nina", channel=place.channel("general"), content="hi", dry_run=False)
    assert answer.code == "rate_limited", "what everybody who asks so often waits for"


async def test_a_burst_of_what_is_risky_by_hand_pauses_the_member_who_cannot_end_it_himself(place: Place) -> None:
    codes: list[str | None] = []
    for number in range(BURSTS[PauseCause.DESTRUCTIONS].count + 1):
        outcome = await by_slash(
            place, "ada", "member_timeout", member=place.member("bela"), duration_seconds=600 + number * 60
        )
        codes.append(None if outcome.refusal is None else outcome.refusal.code)
    assert codes[0] is None
    assert codes[-1] == "paused", codes
    said = await by_slash(place, "ada", "guild_resume", member=place.member("ada"))
    assert said.refusal is not None
    assert said.refusal.code == "own_pause"
    assert (await by_slash(place, "olive", "guild_resume", member=place.member("ada"))).status is Status.DONE
    assert (await by_slash(place, "olive", "guild_resume", member=place.member("ada"))).status is Status.REFUSED


async def test_what_others_press_on_his_cards_pauses_nobody(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("general")))
    plan_id = await asked(place, "channel_delete", channel=place.channel("news"))
    desk = place.town.core.desk
    for who in ("nina", "bela"):
        caller = place.town.core.callers.of_member(place.guild_id, int(place.member(who)), Face.SLASH)
        assert caller is not None
        for _ in range(BURSTS[PauseCause.REFUSALS].count // 2 + 5):
            await desk.confirm(plan_id, caller, PersonProof("slash", typed="news"))
    await place.sent("ada")
    assert await place.audited(operation="caller_pause") == []


async def test_tightening_goes_on_while_the_guild_is_paused_and_loosening_does_not(place: Place) -> None:
    await place.set_rules(rules=ClassRules(destroy="confirm"))
    await pause(place)
    tightened = await by_slash(place, "olive", "policy_set", destroy="deny")
    assert tightened.status is Status.DONE, tightened
    loosened = await by_slash(place, "olive", "policy_set", destroy="allow")
    assert loosened.refusal is not None
    assert loosened.refusal.code == "paused"
    await place.token("nina")
    revoked = await by_slash(place, "olive", "token_revoke", client=place.granted["nina"].id)
    assert revoked.status is Status.DONE, revoked
