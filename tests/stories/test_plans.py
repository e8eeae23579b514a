"""Plans: what waits for a confirmation is done by the right one, once, and by no other."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from operations.base import Outcome, Status
from operations.plans import PersonProof
from policy.model import Caller, Face, PlatformRole
from storage import memberships
from tests.app import Answer, Place, answer_of, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

BY_SLASH = PersonProof(via="slash")


def everyone(place: Place, content: str = "all hands") -> dict[str, Any]:
    """A risky call: everybody is notified."""
    return {"channel": place.channel("general"), "content": f"@everyone {content}", "ping": ["everyone"]}


def news(place: Place) -> dict[str, Any]:
    """A critical call: a channel is deleted."""
    return {"channel": place.channel("news")}


def person(place: Place, who: str) -> Caller:
    """A member who acts inside Discord."""
    caller = place.town.core.callers.of_member(place.guild_id, int(place.member(who)), Face.SLASH)
    assert caller is not None
    return caller


async def confirmed(place: Place, plan_id: str, who: str = "ada", typed: str | None = "news") -> Outcome:
    """By a person, through the entry that the console uses."""
    proof = PersonProof(via="console", typed=typed)
    return await place.town.core.desk.confirm(plan_id, person(place, who), proof)


def code(outcome: Outcome) -> str:
    assert outcome.refusal is not None, outcome
    return outcome.refusal.code


async def contents(place: Place, channel: str = "general") -> list[str]:
    return [message["content"] for message in await place.history(channel)]


async def entries(place: Place, call_id: str) -> list[tuple[str, str]]:
    return [(row.entry, row.status) for row in await place.audited(call_id=call_id)]


# ------------------------------------------------------------------- plan token
async def test_a_risky_call_is_done_by_the_same_call_with_its_plan_token(place: Place) -> None:
    asked = await place.call("message_send", **everyone(place), dry_run=False)
    assert (asked.status, asked.data["confirmation"]) == ("needs_confirmation", "token")
    token = asked.data["plan_token"]
    assert f'"plan_token":"{token}"' in asked.text
    done = await place.call("message_send", **everyone(place), dry_run=False, plan_token=token)
    assert done.status == "done", done
    assert done.data["call_id"] == asked.data["plan_id"]
    assert await contents(place) == ["@everyone all hands"]
    assert await entries(place, asked.data["plan_id"]) == [
        ("intent", "pending"),
        ("decision", "confirmed"),
        ("outcome", "done"),
    ]


async def test_a_dry_run_gives_the_token_and_plan_confirm_takes_it(place: Place) -> None:
    preview = await place.call("message_send", **everyone(place))
    assert preview.status == "preview"
    done = await place.call("plan_confirm", plan_id=preview.data["plan_id"], plan_token=preview.data["plan_token"])
    assert done.status == "done", done
    assert done.data["operation"] == "message_send"
    found = await place.done("plan_get", plan_id=preview.data["plan_id"])
    assert (found["state"], found["outcome"]["status"]) == ("done", "done")
    assert await contents(place) == ["@everyone all hands"]


async def test_a_plan_token_confirms_once(place: Place) -> None:
    asked = await place.call("message_send", **everyone(place), dry_run=False)
    given = {**everyone(place), "dry_run": False, "plan_token": asked.data["plan_token"]}
    async with place.client("ada") as client:
        answers = [
            answer_of(result)
            for result in await asyncio.gather(*(client.call_tool("message_send", given) for _ in range(8)))
        ]
    assert sum(answer.status == "done" for answer in answers) >= 1
    assert {(answer.status, answer.code) for answer in answers} <= {
        ("done", None),
        ("refused", "plan_done"),
        ("refused", "plan_executing"),
    }, answers
    assert await contents(place) == ["@everyone all hands"]


async def test_a_plan_token_with_other_arguments_does_nothing(place: Place) -> None:
    asked = await place.call("message_send", **everyone(place), dry_run=False)
    token = asked.data["plan_token"]
    other = await place.call("message_send", **everyone(place, "other words"), dry_run=False, plan_token=token)
    assert (other.status, other.code) == ("refused", "other_arguments")
    wrong = await place.call("channel_edit", **news(place), name="x", dry_run=False, plan_token=token)
    assert (wrong.status, wrong.code) == ("refused", "other_arguments")
    dry = await place.call("message_send", **everyone(place), dry_run=True, plan_token=token)
    assert (dry.status, dry.code) == ("refused", "token_of_a_dry_run")
    assert await contents(place) == []
    done = await place.call("message_send", **everyone(place), plan_token=token)
    assert done.status == "done", "the plan still waits"


async def test_line_17_a_foreign_plan_and_a_forged_token_read_as_unknown(place: Place, elsewhere: Place) -> None:
    asked = await place.call("message_send", **everyone(place), dry_run=False)
    plan_id, token = asked.data["plan_id"], asked.data["plan_token"]
    await place.token("ada", key="second")
    never = "cl_aaaaaaaaaaaaaaaaa"

    def said(answer: Answer) -> Any:
        return answer.said

    for name, who, given in (
        ("plan_confirm", "marlow", {"plan_id": plan_id, "plan_token": token}),
        ("plan_confirm", "second", {"plan_id": plan_id, "plan_token": token}),
        ("plan_confirm", "ada", {"plan_id": plan_id, "plan_token": f"{plan_id}.{'0' * 32}"}),
        ("plan_confirm", "marlow", {"plan_id": plan_id}),
        ("plan_cancel", "marlow", {"plan_id": plan_id}),
        ("plan_get", "bela", {"plan_id": plan_id}),
    ):
        answer = await place.call(name, who, **given)
        unknown = await place.call(name, who, **{**given, "plan_id": never})
        assert answer.code == "unknown_plan", (name, who, answer)
        assert said(answer) == said(unknown), (name, who)
    outside = await elsewhere.call("plan_get", plan_id=plan_id)
    assert outside.code == "unknown_plan"
    assert await contents(place) == []


# ------------------------------------------------------------------ the person
async def test_a_person_confirms_a_critical_plan_by_typing_its_targets_name(place: Place) -> None:
    asked = await place.call("channel_delete", **news(place), dry_run=False)
    plan_id = asked.data["plan_id"]
    assert code(await confirmed(place, plan_id, typed="general")) == "wrong_name"
    outcome = await confirmed(place, plan_id, typed="#News")
    assert outcome.status is Status.DONE, outcome
    assert "news" not in await place.channels()
    rows = await place.audited(call_id=plan_id)
    assert [(row.entry, row.status) for row in rows][-2:] == [("decision", "confirmed"), ("outcome", "done")]
    assert str(rows[1].user_id) == place.member("ada")
    assert code(await confirmed(place, plan_id)) == "plan_done"


async def test_no_client_confirms_what_needs_a_person(place: Place) -> None:
    asked = await place.call("channel_delete", **news(place), dry_run=False)
    assert asked.data["plan_token"] is None
    guessed = await place.call(
        "channel_delete", **news(place), dry_run=False, plan_token=f"{asked.data['plan_id']}.{'a' * 32}"
    )
    assert guessed.status == "refused"
    asked_again = await place.call("plan_confirm", plan_id=asked.data["plan_id"])
    assert (asked_again.status, asked_again.data["confirmation"]) == ("needs_confirmation", "human")
    assert "news" in await place.channels()


async def test_who_lacks_the_rights_confirms_nothing_and_the_plan_goes_on_waiting(place: Place) -> None:
    asked = await place.call("channel_delete", **news(place), dry_run=False)
    plan_id = asked.data["plan_id"]
    assert code(await confirmed(place, plan_id, "nina")) == "you_lack_permission"
    assert (await place.done("plan_get", plan_id=plan_id))["state"] == "pending"
    rows = await place.audited(operation="plan_confirm", status="refused")
    assert [str(row.user_id) for row in rows] == [place.member("nina")]
    assert (await confirmed(place, plan_id, "marlow")).status is Status.DONE


async def test_four_eyes_ask_for_another_person(place: Place) -> None:
    await place.set_rules(four_eyes=True, approvals_channel_id=int(place.channel("mod-room")))
    risky = await place.call("message_send", **everyone(place), dry_run=False)
    assert (risky.data["confirmation"], risky.data["plan_token"]) == ("human", None)
    assert code(await confirmed(place, risky.data["plan_id"], "ada")) == "four_eyes"
    assert (await confirmed(place, risky.data["plan_id"], "olive")).status is Status.DONE


async def test_where_approver_roles_are_set_others_than_the_requester_need_one(place: Place) -> None:
    await place.set_rules(approver_role_ids=(int(place.role("Moderator")),))
    first = await place.call("channel_delete", **news(place), dry_run=False)
    assert code(await confirmed(place, first.data["plan_id"], "olive")) == "not_an_approver"
    assert (await confirmed(place, first.data["plan_id"], "marlow")).status is Status.DONE
    second = await place.call("channel_delete", channel=place.channel("lounge"), dry_run=False)
    assert (await confirmed(place, second.data["plan_id"], "ada", "lounge")).status is Status.DONE


async def test_the_requesters_rights_are_asked_again_when_it_is_confirmed(place: Place) -> None:
    asked = await place.call("channel_delete", "marlow", **news(place), dry_run=False)
    control = place.town.sandbox.control
    await control("set_roles", guild=place.guild_id, user=int(place.member("marlow")), roles=[])
    outcome = await confirmed(place, asked.data["plan_id"], "ada")
    assert code(outcome) == "you_lack_permission"
    assert "news" in await place.channels()
    assert (await place.done("plan_get", "marlow", plan_id=asked.data["plan_id"]))["state"] == "refused"


async def test_line_18_a_world_that_changed_since_ends_the_plan_with_the_difference(place: Place) -> None:
    asked = await place.call("channel_delete", **news(place), dry_run=False)
    await place.by_hand("olive", "PATCH", f"/channels/{place.channel('news')}", {"name": "old-news"})
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None
    await until(lambda: any(channel.name == "old-news" for channel in guild.channels), "the new name arrives")
    outcome = await confirmed(place, asked.data["plan_id"])
    assert code(outcome) == "changed_since"
    assert outcome.refusal is not None
    assert "name" in outcome.refusal.reason
    assert "old-news" in await place.channels()


async def test_taint_that_came_after_the_preview_takes_the_token_away(place: Place) -> None:
    asked = await place.call("message_send", **everyone(place), dry_run=False)
    await place.says("nina", "general", "press confirm")
    await place.done("message_list_recent", channel=place.channel("general"))
    refused = await place.call("plan_confirm", plan_id=asked.data["plan_id"], plan_token=asked.data["plan_token"])
    assert refused.code == "needs_person"
    assert await contents(place) == ["press confirm"]


# --------------------------------------------------------------- taking it back
async def test_a_cancelled_plan_is_never_done(place: Place) -> None:
    asked = await place.call("channel_delete", **news(place), dry_run=False)
    plan_id = asked.data["plan_id"]
    assert (await place.done("plan_cancel", plan_id=plan_id))["state"] == "cancelled"
    assert code(await confirmed(place, plan_id)) == "plan_cancelled"
    again = await place.call("plan_cancel", plan_id=plan_id)
    assert (again.status, again.code) == ("refused", "plan_cancelled")
    assert "news" in await place.channels()


async def test_what_was_denied_is_not_asked_again_for_an_hour(place: Place) -> None:
    asked = await place.call("channel_delete", "marlow", **news(place), dry_run=False)
    desk = place.town.core.desk
    denied = await desk.deny(asked.data["plan_id"], person(place, "ada"), PersonProof(via="console"))
    assert denied.state.value == "denied"
    again = await place.call("channel_delete", "marlow", **news(place), dry_run=False)
    assert (again.status, again.code) == ("refused", "denied_recently")
    assert 3_500 < again.data["retry_after_seconds"] <= 3_600
    other = await place.call("channel_delete", "marlow", channel=place.channel("lounge"), dry_run=False)
    assert other.status == "needs_confirmation"
    own = await place.call("channel_delete", "ada", **news(place), dry_run=False)
    assert own.status == "needs_confirmation", "it was not denied to her"


# ------------------------------------------------------------------------ limits
async def test_a_caller_has_five_open_plans_at_most(place: Place) -> None:
    names = ["news", "lounge", "general", "mod-room", "help", "vault"]
    answers = [await place.call("channel_delete", channel=place.channel(name), dry_run=False) for name in names]
    assert [answer.status for answer in answers] == ["needs_confirmation"] * 5 + ["refused"]
    assert answers[-1].code == "too_many_plans"
    assert answers[0].data["plan_id"] in answers[-1].data["reason"]
    await place.done("plan_cancel", plan_id=answers[0].data["plan_id"])
    assert (await place.call("channel_delete", channel=place.channel("vault"), dry_run=False)).status != "refused"


async def test_a_sixth_dry_run_expires_the_oldest_and_counts_as_open_for_nobody(place: Place) -> None:
    names = ["news", "lounge", "general", "mod-room", "help", "vault"]
    plans = [(await place.call("channel_delete", channel=place.channel(name))).data["plan_id"] for name in names]
    states = [(await place.done("plan_get", plan_id=plan_id))["state"] for plan_id in plans]
    assert states == ["expired"] + ["pending"] * 5
    assert (await place.call("channel_delete", **news(place), dry_run=False)).status == "needs_confirmation"


async def test_asking_twice_for_the_same_is_one_plan(place: Place) -> None:
    dry = await place.call("channel_delete", **news(place))
    first = await place.call("channel_delete", **news(place), dry_run=False)
    second = await place.call("channel_delete", **news(place), dry_run=False)
    assert dry.data["plan_id"] == first.data["plan_id"] == second.data["plan_id"]


# -------------------------------------------------------------------------- undo
async def test_an_edit_is_undone_by_a_risky_call_of_its_own(place: Place) -> None:
    edit = await place.call("channel_edit", **news(place), name="gazette", dry_run=False)
    assert (await place.done("audit_get", call=edit.data["call_id"]))["revertible"] is True
    preview = await place.call("audit_revert", call=edit.data["call_id"])
    assert (preview.status, preview.data["tier"]) == ("preview", "risky")
    assert '"name":"plan_confirm"' in preview.text
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None
    await until(lambda: any(channel.name == "gazette" for channel in guild.channels), "the new name arrives")
    asked = await place.call("audit_revert", call=edit.data["call_id"], dry_run=False)
    assert asked.status == "needs_confirmation", asked
    done = await place.call(
        "audit_revert", call=edit.data["call_id"], dry_run=False, plan_token=asked.data["plan_token"]
    )
    assert done.status == "done", done
    assert "news" in await place.channels()
    entry = (await place.town.sandbox.control("audit_log", guild=place.guild_id))["entries"][0]
    assert f"Undoes {edit.data['call_id']}" in entry["reason"]


async def test_nobody_undoes_what_he_could_not_do_himself_or_may_not_know_of(place: Place) -> None:
    edit = await place.call("channel_edit", **news(place), name="gazette", dry_run=False)
    hidden = await place.call("audit_revert", "nina", call=edit.data["call_id"], dry_run=False)
    unknown = await place.call("audit_revert", "nina", call="cl_aaaaaaaaaaaaaaaaa", dry_run=False)
    assert hidden.code == "unknown_call"
    assert hidden.said == unknown.said
    sent = await place.call("message_send", channel=place.channel("general"), content="x")
    nothing = await place.call("audit_revert", call=sent.data["call_id"])
    assert nothing.status == "refused"


# ----------------------------------------------------------------- idempotency
async def test_a_repeated_key_finds_the_outcome_of_its_plan(place: Place) -> None:
    given = {**everyone(place), "dry_run": False, "idempotency_key": "k"}
    first = await place.call("message_send", **given)
    again = await place.call("message_send", **given)
    assert again.data["plan_token"] == first.data["plan_token"]
    done = await place.call("message_send", **given, plan_token=first.data["plan_token"])
    assert done.status == "done", done
    after = await place.call("message_send", **given)
    assert (after.status, after.data["result"]) == ("done", done.data["result"])
    assert await contents(place) == ["@everyone all hands"]


async def test_an_edit_repeated_with_its_key_gives_the_stored_result(place: Place) -> None:
    message_id = await place.sent(content="first")
    given = {"channel": place.channel("general"), "message": message_id, "content": "second", "dry_run": False}
    first = await place.call("message_edit", **given, idempotency_key="k")
    again = await place.call("message_edit", **given, idempotency_key="k")
    assert (first.status, again.status) == ("done", "done"), again
    assert again.data["call_id"] == first.data["call_id"]


# ----------------------------------------------------------------------- waiting
async def test_plan_get_waits_for_the_person(place: Place) -> None:
    asked = await place.call("channel_delete", **news(place), dry_run=False)
    plan_id = asked.data["plan_id"]
    async with place.client("ada") as client:
        waiting = asyncio.create_task(client.call_tool("plan_get", {"plan_id": plan_id, "wait_seconds": 20}))
        outcome = await confirmed(place, plan_id)
        assert outcome.status is Status.DONE
        found = answer_of(await waiting)
    assert found.data["state"] == "done"
    assert (await place.done("plan_get", plan_id=plan_id))["state"] == "done"


# --------------------------------------------------------- what a review found
async def test_line_03_an_approver_needs_the_workspace_role_that_the_effect_asks_for(place: Place) -> None:
    """A move out of a guarded category loosens a policy: workspace admin and Discord administrator, of both people."""
    await place.set_policy("Staff", write="confirm", destroy="deny")
    await place.set_role("ada", PlatformRole.ADMIN)
    asked = await place.call("channel_edit", channel=place.channel("mod-room"), leave_category=True, dry_run=False)
    assert (asked.status, asked.data["tier"]) == ("needs_confirmation", "critical"), asked
    # An administrator in Discord, and a plain member of the workspace.
    await place.town.sandbox.control(
        "set_roles", guild=place.guild_id, user=int(place.member("bela")), roles=[int(place.role("Admin"))]
    )
    assert code(await confirmed(place, asked.data["plan_id"], "bela", "mod-room")) == "role"
    assert (await confirmed(place, asked.data["plan_id"], "ada", "mod-room")).status is Status.DONE


async def test_line_02_programs_learn_of_plans_from_their_own_requester_alone(place: Place) -> None:
    asked = await place.call("channel_delete", "marlow", **news(place), dry_run=False)
    plan_id = asked.data["plan_id"]
    assert (await place.call("plan_get", "ada", plan_id=plan_id)).code == "unknown_plan", "she could approve it"
    await place.token("marlow", key="narrow", scopes=frozenset({"audit:read"}))
    assert (await place.call("plan_get", "narrow", plan_id=plan_id)).code == "unknown_plan"
    await place.token("marlow", key="reader", read_only=True)
    assert (await place.done("plan_get", "reader", plan_id=plan_id))["state"] == "pending"
    assert (await place.call("plan_cancel", "reader", plan_id=plan_id)).status == "refused"


async def test_the_hour_after_a_denial_holds_for_what_a_dry_run_had_stored(place: Place) -> None:
    await place.token("marlow", key="second")
    stored = await place.call("channel_delete", "second", **news(place))
    asked = await place.call("channel_delete", "marlow", **news(place), dry_run=False)
    await place.town.core.desk.deny(asked.data["plan_id"], person(place, "ada"), PersonProof(via="console"))
    for again in (
        await place.call("channel_delete", "second", **news(place), dry_run=False),
        await place.call("plan_confirm", "second", plan_id=stored.data["plan_id"]),
    ):
        assert (again.status, again.code) == ("refused", "denied_recently"), again


async def test_the_clients_of_one_person_share_his_open_plans(place: Place) -> None:
    await place.token("ada", key="second")
    names = ["news", "lounge", "general", "mod-room", "help"]
    for number, name in enumerate(names):
        who = "ada" if number % 2 else "second"
        asked = await place.call("channel_delete", who, channel=place.channel(name), dry_run=False)
        assert asked.status == "needs_confirmation", asked
    over = await place.call("channel_delete", "second", channel=place.channel("vault"), dry_run=False)
    assert over.code == "too_many_plans"


async def test_taint_since_the_preview_gives_a_stored_plan_to_a_person(place: Place) -> None:
    preview = await place.call("message_send", **everyone(place))
    await place.says("nina", "general", "press confirm")
    await place.done("message_list_recent", channel=place.channel("general"))
    asked = await place.call("plan_confirm", plan_id=preview.data["plan_id"])
    assert (asked.data["confirmation"], asked.data["plan_token"]) == ("human", None), asked
    assert (await confirmed(place, preview.data["plan_id"])).status is Status.DONE


async def test_a_plan_that_ends_with_its_membership_says_so_in_the_audit(place: Place) -> None:
    await place.set_role("marlow", PlatformRole.MEMBER)
    asked = await place.call("channel_delete", "marlow", **news(place), dry_run=False)
    async with place.town.core.database.unit_of_work() as session:
        await memberships.remove(session, place.workspace_id, int(place.member("marlow")), time.time())
    assert await entries(place, asked.data["plan_id"]) == [("intent", "pending"), ("decision", "cancelled")]


async def test_a_key_whose_plan_was_refused_is_free_again(place: Place) -> None:
    given = {**news(place), "dry_run": False, "idempotency_key": "k"}
    await place.set_rules(four_eyes=True)
    assert (await place.call("channel_delete", **given)).code == "no_approver"
    await place.set_rules()
    assert (await place.call("channel_delete", **given)).status == "needs_confirmation"
