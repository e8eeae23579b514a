"""Deleting messages: one, or several at once."""

from __future__ import annotations

import discord
import pytest

from operations.base import Status
from policy.model import Strength, Tier
from tests.operations.discord.confirming import confirmed, history, logged, message_sent, posted, written
from tests.operations.discord.outcomes import done, previewed, refused
from tests.operations.discord.road import Road
from tests.operations.discord.role_world import arrived, by_hand, cached
from tests.samples import UNKNOWN_ID

pytestmark = pytest.mark.asyncio(loop_scope="session")


# ------------------------------------------------------------------- message_delete
async def test_ones_own_message_is_deleted_without_any_permission(road: Road) -> None:
    message_id = await message_sent(road, "nina")
    await road.writes()
    result = done(await confirmed(road, "message_delete", "nina", channel=road.channel("general"), message=message_id))
    assert result == {"message_id": message_id, "channel_id": road.channel("general")}
    assert await history(road) == []
    assert await road.writes() == [f"DELETE /channels/{road.channel('general')}/messages/{message_id}"]


async def test_a_message_of_another_needs_manage_messages_and_is_logged_with_the_tag(road: Road) -> None:
    message_id = await written(road, "nina")
    asked = {"channel": road.channel("general"), "message": message_id}
    refusal = refused(await road.call("message_delete", "nina", **asked))
    assert refusal.code == "you_lack_permission"
    assert "manage_messages" in refusal.reason
    assert "manage_messages" in refusal.remedy
    outcome = await confirmed(road, "message_delete", "marlow", **asked)
    done(outcome)
    assert await history(road) == []
    entry = await logged(road)
    assert entry["action_type"] == discord.AuditLogAction.message_delete.value
    assert entry["reason"].startswith(f"gh:{outcome.call_id}:")


async def overwritten(road: Road, role: str, *, deny: int) -> None:
    """A role's overwrite at #general, as the bot knows it."""
    general = int(road.channel("general"))
    role_id = road.guild["roles"][role]
    await by_hand(
        road, "PUT", f"/channels/{general}/permissions/{role_id}", {"type": 0, "allow": "0", "deny": str(deny)}
    )

    def holds() -> bool:
        overwrites = cached(road).get_channel(general).overwrites.items()
        return any(each.id == int(role_id) and overwrite.pair()[1].value == deny for each, overwrite in overwrites)

    await arrived(road, holds, "the overwrite")


async def test_the_bot_needs_manage_messages_for_messages_of_others_alone(road: Road) -> None:
    mine, theirs = await message_sent(road, "nina"), await written(road, "nina")
    await overwritten(road, "Guildhall", deny=1 << 13)
    general = road.channel("general")
    shown = previewed(await road.call("message_delete", "marlow", channel=general, message=theirs, dry_run=True))
    assert shown.problems == (
        "I lack manage_messages at #general, and others wrote that message; give it to my role there.",
    )
    refusal = refused(await road.call("message_delete", "marlow", channel=general, message=theirs, dry_run=False))
    assert refusal.code == "would_fail"
    waits = await road.call("message_delete", "marlow", channel=general, message=mine, dry_run=False)
    assert waits.status is Status.NEEDS_CONFIRMATION
    assert waits.preview is not None
    assert (waits.preview.problems, waits.preview.effect.by_bot) == ((), True)
    # By its own author's hand Discord takes it, without that permission.
    path = f"/channels/{general}/messages/{mine}"
    await road.sandbox.control("as_user", user=int(road.sandbox.bot_id), method="DELETE", path=path)
    assert await history(road) == [theirs]


async def test_who_may_not_read_the_history_deletes_by_id_and_is_told_nothing_of_the_message(road: Road) -> None:
    """Discord asks for manage_messages alone."""
    ids = [await written(road, "nina") for _ in range(3)]
    await overwritten(road, "Manager", deny=1 << 16)
    general = road.channel("general")
    one = previewed(await road.call("message_delete", "marlow", channel=general, message=ids[0], dry_run=True))
    many = previewed(await road.call("message_bulk_delete", "marlow", channel=general, messages=ids[1:], dry_run=True))
    assert one.problems == many.problems == ()
    assert "nina" not in str((one.summary, one.changes, many.summary, many.changes))
    assert [change.before for change in (*one.changes, *many.changes)] == [True] * 3
    done(await confirmed(road, "message_delete", "marlow", channel=general, message=ids[0]))
    assert set(await history(road)) == set(ids[1:])


async def test_what_was_sent_for_another_member_is_deleted_by_who_manages_messages_alone(road: Road) -> None:
    message_id = await message_sent(road, "nina")
    asked = {"channel": road.channel("general"), "message": message_id}
    for member, code in (("olive", None), ("marlow", None)):
        shown = await road.call("message_delete", member, **asked, dry_run=True)
        assert (shown.refusal.code if shown.refusal else None) == code
    other = await message_sent(road, "marlow")
    refusal = refused(await road.call("message_delete", "nina", channel=road.channel("general"), message=other))
    assert refusal.code == "you_lack_permission"
    assert set(await history(road)) == {message_id, other}


@pytest.mark.parametrize("member", ["marlow", "ada", "nina"])
async def test_what_the_bot_posted_for_nobody_is_deleted_by_nobody(road: Road, member: str) -> None:
    card, other = await posted(road), await written(road, "nina")
    general = road.channel("general")
    await road.writes()
    for dry_run in (True, False):
        for name, more in (
            ("message_delete", {"message": card}),
            ("message_bulk_delete", {"messages": [card, other]}),
        ):
            refusal = refused(await road.call(name, member, channel=general, **more, dry_run=dry_run))
            if member == "nina":
                assert refusal.code == "you_lack_permission"
            else:
                assert refusal.code == "platform_post"
                assert refusal.remedy
    assert set(await history(road)) == {card, other}
    assert await road.writes() == []


async def test_a_preview_tells_author_length_and_time_but_never_the_text(road: Road) -> None:
    message_id = await written(road, "nina", content="my secret plan")
    outcome = await road.call(
        "message_delete", "marlow", channel=road.channel("general"), message=message_id, dry_run=True
    )
    shown = previewed(outcome)
    assert outcome.tier is Tier.RISKY
    assert shown.summary == (
        "Delete the message of @nina (14 characters) from #general in Test Harbor; it cannot be undone"
    )
    [change] = shown.changes
    assert change.target == f"message {message_id} in #general"
    assert change.after is False
    assert change.before["characters"] == 14
    assert change.before["author"] == f"{road.guild['members']['nina']} nina"
    assert change.before["sent_at"]
    assert "secret" not in str(shown)
    assert not shown.reversible
    assert shown.inverse is None
    assert await history(road) == [message_id]


async def test_an_own_message_elsewhere_waives_nothing(road: Road) -> None:
    """The id of one's own message together with a channel that it is not in."""
    mine = await message_sent(road, "nina")
    for channel in ("old-support", "lounge"):
        refusal = refused(await road.call("message_delete", "nina", channel=road.channel(channel), message=mine))
        assert refusal.code == "unknown_message"
    assert await history(road) == [mine]


async def test_an_unknown_and_a_hidden_message_are_the_same(road: Road) -> None:
    hidden = await written(road, "marlow", "mod-room")
    general = road.channel("general")
    answers = [
        refused(await road.call("message_delete", "olive", channel=general, message=message_id))
        for message_id in (hidden, UNKNOWN_ID)
    ]
    assert answers[0] == answers[1]
    assert answers[0].code == "unknown_message"
    by_link = [
        refused(
            await road.call(
                "message_delete",
                "nina",
                message=f"https://discord.com/channels/{road.guild_id}/{channel}/{message_id}",
            )
        )
        for channel, message_id in ((road.channel("mod-room"), hidden), (UNKNOWN_ID, UNKNOWN_ID))
    ]
    assert by_link[0] == by_link[1]


async def test_a_message_that_was_edited_since_is_another_state(road: Road) -> None:
    """A confirmation compares what was seen with what is there."""
    message_id = await message_sent(road, "nina", content="harmless")
    asked = {"channel": road.channel("general"), "message": message_id}
    shown = [previewed(await road.call("message_delete", "marlow", **asked, dry_run=True)) for _ in range(2)]
    done(await road.call("message_edit", "nina", **asked, content="a confession", dry_run=False))
    after = previewed(await road.call("message_delete", "marlow", **asked, dry_run=True))
    assert shown[0].fingerprint == shown[1].fingerprint != after.fingerprint


async def test_a_lost_answer_is_found_by_the_message_being_gone(road: Road) -> None:
    message_id = await written(road, "nina")
    path = f"/channels/{road.channel('general')}/messages/{message_id}"
    fault = {"method": "DELETE", "path": path, "reset": True, "when": "after", "times": 1}
    await road.sandbox.control("fault", faults=[fault])
    done(await road.call("message_delete", None, channel=road.channel("general"), message=message_id, dry_run=False))
    assert await history(road) == []


# -------------------------------------------------------------- message_bulk_delete
async def test_several_messages_go_in_one_request_and_no_other_goes(road: Road) -> None:
    ids = [await written(road, "nina", content=f"number {number}") for number in range(5)]
    await road.writes()
    general = road.channel("general")
    result = done(
        await road.call("message_bulk_delete", None, channel=general, messages=[ids[3], ids[0], ids[2]], dry_run=False)
    )
    assert result == {"channel_id": general, "message_ids": [ids[0], ids[2], ids[3]]}
    assert set(await history(road)) == {ids[1], ids[4]}
    assert await road.writes() == [f"POST /channels/{general}/messages/bulk-delete"]
    assert (await logged(road))["action_type"] == discord.AuditLogAction.message_bulk_delete.value


async def test_a_bulk_deletion_waits_for_a_person_and_tells_of_each_message(road: Road) -> None:
    ids = [await written(road, who, content="secret words") for who in ("nina", "ada")]
    outcome = await road.call(
        "message_bulk_delete", "marlow", channel=road.channel("general"), messages=ids, dry_run=True
    )
    shown = previewed(outcome)
    assert outcome.tier is Tier.CRITICAL
    assert outcome.plan is not None
    assert outcome.plan.strength is Strength.PERSON
    assert shown.summary == "Delete 2 messages by 2 authors from #general in Test Harbor; it cannot be undone"
    assert [change.target for change in shown.changes] == [f"message {each} in #general" for each in ids]
    assert [change.before["characters"] for change in shown.changes] == [12, 12]
    assert "secret" not in str(shown)
    assert shown.effect.message_ids == tuple(int(each) for each in ids)
    assert set(await history(road)) == set(ids)


async def test_messages_are_named_by_jump_links_into_one_channel(road: Road) -> None:
    ids = [await written(road, "nina") for _ in range(2)]
    general = road.channel("general")
    links = [f"https://discord.com/channels/{road.guild_id}/{general}/{each}" for each in ids]
    for messages in (links, [ids[0], links[1]], [links[0], ids[1]]):
        shown = previewed(await road.call("message_bulk_delete", "marlow", messages=messages, dry_run=True))
        assert shown.effect.message_ids == tuple(int(each) for each in ids)
        assert shown.effect.channel.id == int(general)


async def test_a_message_of_another_channel_is_unknown(road: Road) -> None:
    here, there = await written(road, "nina"), await written(road, "nina", "old-support")
    general, other = road.channel("general"), road.channel("old-support")
    link = f"https://discord.com/channels/{road.guild_id}/{other}/{there}"
    nowhere = f"https://discord.com/channels/{road.guild_id}/{UNKNOWN_ID}/{UNKNOWN_ID}"
    answers = [
        refused(await road.call("message_bulk_delete", "marlow", channel=general, messages=[here, each]))
        for each in (there, UNKNOWN_ID, link, nowhere)
    ]
    assert {answer.code for answer in answers} == {"unknown_message"}
    assert len(set(answers)) == 1
    here_link = f"https://discord.com/channels/{road.guild_id}/{general}/{here}"
    mixed = refused(await road.call("message_bulk_delete", "marlow", messages=[here_link, link]))
    assert mixed == answers[0]
    assert await history(road) == [here]


async def test_messages_without_a_channel_ask_for_one(road: Road) -> None:
    refusal = refused(
        await road.call("message_bulk_delete", "marlow", guild=str(road.guild_id), messages=[UNKNOWN_ID, "5" * 18])
    )
    assert refusal.code == "channel_missing"


async def test_one_message_or_one_twice_is_no_bulk(road: Road) -> None:
    one, two = await written(road, "nina"), await written(road, "nina")
    general = road.channel("general")
    for messages, said in (([one], "At least 2"), ([one, one], "given twice"), ([one, two, two], "given twice")):
        shown = previewed(
            await road.call("message_bulk_delete", "marlow", channel=general, messages=messages, dry_run=True)
        )
        assert any(said in problem for problem in shown.problems), shown.problems
        refusal = refused(
            await road.call("message_bulk_delete", "marlow", channel=general, messages=messages, dry_run=False)
        )
        assert refusal.code == "would_fail"
    assert set(await history(road)) == {one, two}


async def test_who_manages_no_messages_deletes_not_even_his_own_in_bulk(road: Road) -> None:
    ids = [await message_sent(road, "nina") for _ in range(2)]
    refusal = refused(await road.call("message_bulk_delete", "nina", channel=road.channel("general"), messages=ids))
    assert refusal.code == "you_lack_permission"
    assert set(await history(road)) == set(ids)


async def test_messages_far_apart_are_all_looked_at(road: Road) -> None:
    oldest = await written(road, "nina", content="first")
    for number in range(3):
        await written(road, "ada", content=f"between {number}")
    newest = await written(road, "nina", content="last")
    shown = previewed(
        await road.call(
            "message_bulk_delete", "marlow", channel=road.channel("general"), messages=[newest, oldest], dry_run=True
        )
    )
    assert [change.before["characters"] for change in shown.changes] == [5, 4]
    assert shown.summary.startswith("Delete 2 messages by @nina")


async def test_a_lost_answer_of_a_bulk_is_found_by_all_being_gone(road: Road) -> None:
    ids = [await written(road, "nina") for _ in range(2)]
    path = f"/channels/{road.channel('general')}/messages/bulk-delete"
    fault = {"method": "POST", "path": path, "status": 502, "when": "after", "times": 1}
    await road.sandbox.control("fault", faults=[fault])
    done(await road.call("message_bulk_delete", None, channel=road.channel("general"), messages=ids, dry_run=False))
    assert await history(road) == []
