"""What Discord deletes or edits is so here, whether its event came or not."""

from __future__ import annotations

from typing import Any

import pytest

from bot.lost_messages import LostMessages
from operations.base import Status
from policy.permissions import Bits
from storage import calls, sent_messages
from storage.call_messages import MessagePlace
from storage.calls import CallRecord
from tests.app import Place, until
from tests.confirming import asked, confirmed

pytestmark = pytest.mark.asyncio(loop_scope="session")
WORDS = "seven lighthouses"


async def record(place: Place, call_id: str) -> CallRecord:
    database = place.town.core.database
    async with database.read() as session:
        found = await calls.get(session, database.keyring, call_id)
    assert found is not None
    return found


async def says_nothing(place: Place, call_id: str) -> bool:
    found = await record(place, call_id)
    return not any((found.reason, found.effect, found.preview, found.inverse, found.result, found.detail))


async def sends(place: Place, **more: Any) -> tuple[str, str]:
    """A message through Guildhall: its call's id, and its own."""
    arguments = {"channel": place.channel("general"), "content": WORDS, "dry_run": False} | more
    answer = await place.call("message_send", "ada", **arguments)
    assert answer.status == "done", answer
    assert WORDS in (await record(place, answer.data["call_id"])).effect
    return answer.data["call_id"], answer.data["result"]["message_id"]


async def deletes(place: Place, message_id: str) -> None:
    await place.by_hand("olive", "DELETE", f"/channels/{place.channel('general')}/messages/{message_id}")


async def test_a_message_that_is_deleted_by_hand_is_erased_here(place: Place) -> None:
    call_id, message_id = await sends(place)
    other, _ = await sends(place)
    await deletes(place, message_id)
    await until(lambda: says_nothing(place, call_id), "the call says nothing any more")
    assert WORDS in (await record(place, other)).effect
    async with place.town.core.database.read() as session:
        known = await sent_messages.sent(session, [int(message_id)], installation_id=place.installation_id)
    assert known == frozenset()


async def test_messages_that_are_deleted_in_bulk_are_erased_here(place: Place) -> None:
    sent = [await sends(place) for _ in range(3)]
    ids = [message_id for _, message_id in sent]
    path = f"/channels/{place.channel('general')}/messages/bulk-delete"
    await place.by_hand("olive", "POST", path, {"messages": ids})
    for call_id, _ in sent:
        await until(lambda call_id=call_id: says_nothing(place, call_id), "the call says nothing any more")


async def test_a_deleted_channel_takes_what_was_said_there_with_it(place: Place) -> None:
    call_id, _ = await sends(place, channel=place.channel("news"))
    await place.by_hand("olive", "DELETE", f"/channels/{place.channel('news')}")
    await until(lambda: says_nothing(place, call_id), "the call says nothing any more")


async def test_a_deleted_thread_does_so_too(place: Place) -> None:
    thread = await place.thread("ada", "general", "lighthouses")
    call_id, _ = await sends(place, channel=thread)
    await place.by_hand("olive", "DELETE", f"/channels/{thread}")
    await until(lambda: says_nothing(place, call_id), "the call says nothing any more")


async def test_an_edit_leaves_nothing_of_the_earlier_text_but_what_undoes_it(place: Place) -> None:
    call_id, message_id = await sends(place)
    anew = "eight lighthouses"
    edit = await place.call(
        "message_edit", "ada", channel=place.channel("general"), message=message_id, content=anew, dry_run=False
    )
    assert edit.status == "done"

    async def earlier_is_gone() -> bool:
        found = await record(place, call_id)
        return not (found.effect or found.preview)

    await until(earlier_is_gone, "the earlier text goes")
    kept = await record(place, edit.data["call_id"])
    assert anew in kept.effect
    assert WORDS in (kept.inverse or "")
    await deletes(place, message_id)
    await until(lambda: says_nothing(place, edit.data["call_id"]), "with the message all of it goes")


async def test_what_was_posted_through_a_webhook_is_erased_with_its_message(place: Place) -> None:
    given = {"channel": place.channel("general"), "name": "Ours"}
    made = await confirmed(place, (await asked(place, "webhook_create", given)).plan_id)
    assert made.status is Status.DONE, made
    posting = {"channel": place.channel("general"), "webhook": "Ours", "content": WORDS}
    plan = await asked(place, "webhook_execute", posting)
    outcome = await confirmed(place, plan.plan_id)
    assert outcome.status is Status.DONE, outcome
    assert WORDS in (await record(place, plan.plan_id)).effect
    posted = next(each for each in await place.history("general") if WORDS in each["content"])
    await deletes(place, posted["id"])
    await until(lambda: says_nothing(place, plan.plan_id), "the call says nothing any more")


async def test_what_happened_during_an_outage_is_found_by_looking(place: Place) -> None:
    call_id, message_id = await sends(place)
    stays, _ = await sends(place)
    in_thread = await place.thread("ada", "general", "lighthouses")
    threaded, _ = await sends(place, channel=in_thread)
    control, ready = place.town.sandbox.control, place.town.core.client.readiness
    await control("guild_outage", guild=place.guild_id, available=False)
    await until(lambda: not ready.is_ready(place.guild_id), "the outage")
    await deletes(place, message_id)
    await place.by_hand("olive", "DELETE", f"/channels/{in_thread}")
    assert WORDS in (await record(place, call_id)).effect
    await control("guild_outage", guild=place.guild_id, available=True)
    for gone in (call_id, threaded):
        await until(lambda gone=gone: says_nothing(place, gone), "the look after the outage")
    assert WORDS in (await record(place, stays)).effect


async def test_where_the_bot_may_not_read_nothing_is_taken_for_deleted(place: Place) -> None:
    """Discord then answers with an empty list, as if nothing had ever been said."""
    channel, source = int(place.channel("general")), place.town.core.state.source
    held = [MessagePlace(channel, 10**18)]
    lost = LostMessages(source, reads_texts=True)
    assert [found.deleted async for found in lost.look(place.guild_id, held)] == [frozenset({10**18})]
    await place.by_hand(
        "olive",
        "PUT",
        f"/channels/{channel}/permissions/{source.bot_user_id}",
        {"type": 1, "allow": "0", "deny": str(int(Bits.read_message_history))},
    )
    guild = source.cached(place.guild_id)
    assert guild is not None
    me, general = guild.me, guild.get_channel(channel)
    assert general is not None
    await until(lambda: not general.permissions_for(me).read_message_history, "the bot may not read")
    assert [found async for found in lost.look(place.guild_id, held)] == []
