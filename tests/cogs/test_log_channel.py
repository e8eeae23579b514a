"""The log channel over the wire: each effect, refusal and decision once, and nothing that its readers can't see."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from operations.base import Status
from operations.plans import Asking, PersonProof
from policy.bursts import BURSTS
from policy.model import Face, PauseCause
from policy.rules import ClassRules
from tests.app import Place, answer_of, until
from tests.cogs.approving import asked, card_of
from tests.cogs.approving import told as told_on_card
from tests.cogs.logs import keeps_log, logged, messages, presses_log, told_of, up_to_date
from tests.cogs.slashing import presses, uses

pytestmark = pytest.mark.asyncio(loop_scope="session")

CANARY = "canary-7f3a in a private place"


async def test_an_effect_is_told_with_its_facts_and_pings_nobody(place: Place) -> None:
    await keeps_log(place)
    await place.sent("ada", content=f"<@{place.member('nina')}> @everyone {CANARY}", ping=[place.member("nina")])
    entry = await told_of(place, "Done")
    assert entry.title == "Done: Send a message"
    client = place.granted["ada"]
    assert entry.lines[:3] == [
        f"**By** <@{place.member('ada')}> (`{place.member('ada')}`)",
        f"**Through** an MCP client, `{client.id}` `ada`",
        "**Operation** `message_send`, write",
    ]
    assert f"**Target** channel `{place.channel('general')}` `general`" in entry.lines
    assert entry.message["pinged"] == {"everyone": False, "users": [], "roles": []}
    (row,) = await place.audited(operation="message_send", entry="outcome")
    assert entry.call_id == row.call_id
    assert "canary" not in str(await messages(place))


async def test_a_refused_write_is_told_and_a_refused_read_is_no_news(place: Place) -> None:
    await keeps_log(place)
    await place.call("channel_create", "nina", guild=place.id, name="mine", dry_run=False)
    await place.call("ban_list", "nina", guild=place.id)
    entry = await told_of(place, "Refused")
    assert entry.title == "Refused: Channel create"
    assert "**Why** `you_lack_permission` at step discord" in entry.lines
    await up_to_date(place)
    assert [each.title for each in await logged(place)] == ["Refused: Channel create"]


async def test_what_happens_before_a_log_channel_is_set_is_not_told(place: Place) -> None:
    await place.sent("ada")
    await keeps_log(place)
    await place.sent("olive")
    await told_of(place, "Done")
    await up_to_date(place)
    (entry,) = await logged(place)
    assert place.member("olive") in entry.lines[0]


async def test_a_confirmation_a_denial_and_a_cancelled_plan_are_told(place: Place) -> None:
    await keeps_log(place, approvals_channel_id=int(place.channel("general")))
    confirmed = await asked(place, "channel_delete", channel=place.channel("news"))
    card = await card_of(place, confirmed)
    assert await told_on_card(place, "olive", card, "Approve", "news") == "Done."
    entry = await told_of(place, "Done: Channel delete")
    assert entry.call_id == confirmed
    assert f"**Approved by** <@{place.member('olive')}> (`{place.member('olive')}`)" in entry.lines

    denied = await asked(place, "channel_delete", channel=place.channel("lounge"))
    await told_on_card(place, "olive", await card_of(place, denied), "Deny")
    entry = await told_of(place, "Denied")
    assert f"**Denied by** <@{place.member('olive')}> (`{place.member('olive')}`)" in entry.lines

    cancelled = await asked(place, "channel_delete", channel=place.channel("help"))
    await place.call("plan_cancel", plan_id=cancelled)
    assert (await told_of(place, "Cancelled")).call_id == cancelled


async def test_of_a_channel_that_readers_cannot_see_the_id_alone_is_told(place: Place) -> None:
    await keeps_log(place, "general")
    await place.done("message_send", channel=place.channel("vault"), content=CANARY, dry_run=False)
    await place.done("channel_edit", channel=place.channel("vault"), topic=CANARY, dry_run=False, reason=CANARY)
    await told_of(place, "Done: Channel edit", "general")
    text = str(await messages(place, "general"))
    assert "canary" not in text
    assert "vault" not in text
    assert f"channel `{place.channel('vault')}`" in text


async def test_who_reads_the_same_channel_reads_its_name(place: Place) -> None:
    await keeps_log(place, "vault")
    await place.done("channel_edit", channel=place.channel("vault"), topic="gold", dry_run=False)
    entry = await told_of(place, "Done", "vault")
    assert f"**Target** channel `{place.channel('vault')}` `vault`" in entry.lines


async def test_what_a_caller_was_told_does_not_exist_is_not_named(place: Place) -> None:
    await keeps_log(place, "general")
    await place.call("message_send", "nina", channel=place.channel("vault"), content=CANARY, dry_run=False)
    entry = await told_of(place, "Refused", "general")
    assert place.channel("vault") not in str(entry.embed)
    assert "**Why** `unknown` at step resolve" in entry.lines


# ------------------------------------------------------------------- buttons
async def test_details_open_to_those_who_may_see_the_entry(place: Place) -> None:
    await keeps_log(place, "general")
    await place.done("channel_edit", channel=place.channel("vault"), topic="gold", dry_run=False)
    entry = await told_of(place, "Done", "general")
    shown = await presses_log(place, "ada", entry, "see")
    assert entry.call_id in shown.all_text
    for who in ("nina", "marlow"):
        shown = await presses_log(place, who, entry, "see")
        assert "no such call" in shown.all_text, who


async def test_undo_is_a_call_of_the_presser(place: Place) -> None:
    await keeps_log(place, "general")
    await place.done("channel_edit", channel=place.channel("general"), topic="another", dry_run=False)
    entry = await told_of(place, "Done", "general")
    shown = await presses_log(place, "nina", entry, "undo")
    assert "no such call" in shown.all_text
    assert (await place.channels())["general"]["topic"] == "another"

    await presses_log(place, "olive", entry, "undo")
    assert (await place.channels())["general"]["topic"] == "anything goes"
    undone = await place.audited(operation="channel_edit", entry="outcome")
    assert undone[-1].user_id == int(place.member("olive"))
    assert undone[-1].face == Face.SLASH.value


async def test_what_cannot_be_undone_has_no_such_button(place: Place) -> None:
    await keeps_log(place)
    await place.done(
        "reaction_add",
        channel=place.channel("general"),
        message=await place.says("nina", "general", "look"),
        emoji="👍",
        dry_run=False,
    )
    await place.call("channel_create", "nina", guild=place.id, name="mine", dry_run=False)
    entry = await told_of(place, "Refused")
    assert entry.custom_id("undo") is None
    assert entry.custom_id("see") is not None


async def posted_by_hand(place: Place, channel: str, body: dict[str, Any]) -> str:
    """The id of a message of the bot itself that no code of Guildhall sent."""
    path, bot = f"/channels/{channel}/messages", int(place.town.sandbox.bot_id)
    made = await place.town.sandbox.control("as_user", user=bot, method="POST", path=path, body=body)
    message_id: str = made["result"]["id"]
    return message_id


@pytest.mark.parametrize("where", ["another message", "another guild", "made up"])
async def test_copied_ids_count_for_nothing(place: Place, where: str) -> None:
    await keeps_log(place)
    await place.done("channel_edit", channel=place.channel("general"), topic="another", dry_run=False)
    entry = await told_of(place, "Done")
    custom_id, channel = entry.custom_id("undo") or "", place.channel("general")
    embeds: list[dict[str, Any]] = [{"title": entry.title, "footer": {"text": entry.call_id}}]
    if where == "another message":
        embeds = [{"title": "Something else"}]
    elif where == "another guild":
        olive = {"name": "olive", "user": int(place.member("olive"))}
        channel = (await place.town.place("Elsewhere", owner="olive", members=[olive])).channel("general")
    else:
        custom_id = custom_id[:-32] + "0" * 32
    row = {"type": 1, "components": [{"type": 2, "style": 2, "label": "Undo", "custom_id": custom_id}]}
    message = await posted_by_hand(place, channel, {"embeds": embeds, "components": [row]})
    shown = await presses_log(place, "olive", entry, "undo", channel=channel, message=message, custom_id=custom_id)
    assert "does nothing" in shown.text
    assert (await place.channels())["general"]["topic"] == "another"


async def test_what_is_critical_to_undo_asks_once_more(place: Place) -> None:
    await keeps_log(place)
    caller = place.town.core.callers.of_member(place.guild_id, int(place.member("ada")), Face.SLASH)
    assert caller is not None
    asking = Asking(PersonProof("slash"))
    given = {"guild": place.id, "member": place.member("bela"), "dry_run": False}
    outcome = await place.town.core.executor.run("member_ban", given, caller, asking=asking)
    assert outcome.plan is not None
    confirmed = await place.town.core.desk.confirm(outcome.plan.plan_id, caller, PersonProof("slash"))
    assert confirmed.status is Status.DONE
    entry = await told_of(place, "Done: Member ban")
    await place.set_rules(log_channel_id=int(place.channel("mod-room")), tiers={"member_unban": "critical"})
    shown = await presses_log(place, "olive", entry, "undo")
    assert "Confirm" in shown.labels
    assert place.member("bela") in str((await place.world())["guild"]["bans"])
    await presses(place, "olive", shown, "Confirm", "bela")
    assert place.member("bela") not in str((await place.world())["guild"]["bans"])


# ---------------------------------------------------------------------- load
async def test_a_burst_stays_within_few_messages_and_none_is_lost(place: Place) -> None:
    await keeps_log(place)
    people = ("ada", "olive", "marlow")
    count = 34

    async def many(who: str) -> None:
        async with place.client(who) as client:
            for number in range(count):
                arguments = {"channel": place.channel("general"), "content": f"{who} {number}", "dry_run": False}
                assert not answer_of(await client.call_tool("message_send", arguments)).is_error

    await asyncio.gather(*(many(who) for who in people))
    await up_to_date(place)
    entries = await logged(place)
    told = {each.call_id for each in entries if each.title.lstrip("0123456789. ").startswith("Done")}
    summed_up = sum(int(each.title.split()[1]) for each in entries if each.title.startswith("And "))
    assert len(told) + summed_up == count * len(people)
    assert len(await messages(place)) <= 12
    assert all(len(message["embeds"]) <= 10 for message in await messages(place))


# ------------------------------------------------------------------------ lost
async def test_a_log_channel_that_is_gone_is_a_concern_and_goes_on_where_it_is_set_anew(place: Place) -> None:
    core = place.town.core
    await keeps_log(place, "news")
    await place.sent("ada")
    await told_of(place, "Done", "news")
    await place.by_hand("olive", "DELETE", f"/channels/{place.channel('news')}")
    guild = core.state.source.cached(place.guild_id)
    assert guild is not None
    await until(lambda: guild.get_channel(int(place.channel("news"))) is None, "the channel is gone")
    await place.sent("olive")

    async def is_told() -> bool:
        said = await core.log_channels.concern(place.guild_id)
        return said is not None and "is gone" in said

    await until(is_told, "the loss is told")
    await keeps_log(place, "mod-room")
    entry = await told_of(place, "Done")
    assert place.member("olive") in entry.lines[0]
    await up_to_date(place)
    assert len(await logged(place)) == 1
    assert await core.log_channels.concern(place.guild_id) is None


async def test_rights_that_are_taken_are_named(place: Place) -> None:
    await keeps_log(place, "mod-room")
    await place.by_hand(
        "olive",
        "PUT",
        f"/channels/{place.channel('mod-room')}/permissions/{place.role('Guildhall')}",
        {"type": 0, "allow": str(1 << 10), "deny": str(1 << 11)},
    )
    core = place.town.core

    async def is_told() -> bool:
        said = await core.log_channels.concern(place.guild_id)
        return said is not None and "send_messages" in said

    await until(is_told, "the lack is told")


# ---------------------------------------------------------------------- pauses
async def test_a_pause_and_one_by_itself_are_told(place: Place) -> None:
    await keeps_log(place)
    told = await uses(place, "ada", "pause")
    assert "Done" in told.all_text or "until" in told.all_text, told.all_text
    entry = await told_of(place, "Done: Pause a guild")
    assert entry.custom_id("undo") is not None
    await presses_log(place, "olive", entry, "undo")
    await told_of(place, "Done: End a pause")
    await place.sent("ada")


async def test_a_caller_that_is_paused_by_itself_is_told_and_details_say_why(place: Place) -> None:
    await keeps_log(place)
    async with place.client("nina") as client:
        for _ in range(BURSTS[PauseCause.REFUSALS].count):
            await client.call_tool("channel_create", {"guild": place.id, "name": "mine", "dry_run": False})
    entry = await told_of(place, "Paused by itself")
    assert entry.lines[0].startswith(f"**Who** `{place.granted['nina'].id}` `nina`, in the name of")
    shown = await presses_log(place, "ada", entry, "see")
    assert "too many of your writes were refused" in shown.all_text
    await uses(place, "ada", "resume", client=place.granted["nina"].id)
    await told_of(place, "Done: End a pause")


async def test_a_loosened_policy_is_announced_conspicuously(place: Place) -> None:
    await keeps_log(place, rules=ClassRules(write="confirm"))
    caller = place.town.core.callers.of_member(place.guild_id, int(place.member("olive")), Face.SLASH)
    assert caller is not None
    core, by_hand = place.town.core, PersonProof("slash")
    given = {"guild": place.id, "write": "allow", "dry_run": False}
    outcome = await core.executor.run("policy_set", given, caller, asking=Asking(by_hand))
    assert outcome.plan is not None, outcome
    typed = (await core.desk.view(outcome.plan.plan_id, caller)).name_to_type
    done = await core.desk.confirm(outcome.plan.plan_id, caller, PersonProof("slash", typed=typed))
    assert done.status is Status.DONE, done
    entry = await told_of(place, "Policy loosened")
    assert entry.title.startswith("⚠️")
    assert any(line.startswith("**Loosened** write from confirm to allow") for line in entry.lines)
