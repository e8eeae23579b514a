"""Purging: what was counted goes, and nothing else."""

from __future__ import annotations

import datetime

import discord
import pytest

from operations.base import Status
from operations.outcomes import plain
from policy.model import Strength, Tier
from tests.app import Place
from tests.confirming import asked
from tests.confirming import confirmed as confirmed_plan
from tests.operations.discord.confirming import by_hand, confirmed, history, message_sent, posted, written
from tests.operations.discord.outcomes import code, done, previewed, problems
from tests.operations.discord.road import Road

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def said(road: Road, who: str, count: int, content: str = "by hand") -> list[str]:
    return [await written(road, who, content=content) for _ in range(count)]


async def pinned(road: Road, message_id: str) -> None:
    await by_hand(road, "olive", "PUT", f"/channels/{road.channel('general')}/messages/pins/{message_id}")


def general(road: Road) -> str:
    return road.channel("general")


async def test_a_purge_by_author_and_text_counts_and_deletes_exactly_those(road: Road) -> None:
    spam = await said(road, "nina", 3, "buy GOLD now")
    others = [*await said(road, "nina", 1, "hello"), *await said(road, "ada", 1, "gold is heavy")]
    given = {"channel": general(road), "author": road.guild["members"]["nina"], "contains": "gold"}
    waits = await road.call("message_purge", "marlow", **given, dry_run=False)
    assert (waits.status, waits.tier) == (Status.NEEDS_CONFIRMATION, Tier.CRITICAL)
    assert waits.plan is not None
    assert waits.plan.strength is Strength.PERSON
    shown = previewed(waits)
    nina = road.guild["members"]["nina"]
    assert shown.summary == (
        f"Delete 3 messages by @nina ({nina}) with a text of 4 characters from #general in Test Harbor; "
        "it cannot be undone"
    )
    first = shown.changes[0]
    assert (first.field, first.before, first.after) == (f"messages by {nina} nina", 3, 0)
    assert "GOLD" not in str((shown.summary, shown.changes))
    assert {str(each) for each in shown.effect.ids} == set(spam)
    await road.writes()
    assert done(await confirmed(road, "message_purge", "marlow", **given))["deleted"] == 3
    assert set(await history(road)) == set(others)
    assert await road.writes() == [f"POST /channels/{general(road)}/messages/bulk-delete"]


async def test_what_is_posted_after_the_preview_stays(place: Place) -> None:
    spam = [await place.says("nina", "general", "spam") for _ in range(2)]
    plan = await asked(place, "message_purge", {"channel": place.channel("general"), "contains": "spam"}, "marlow")
    late = await place.says("nina", "general", "more spam")
    outcome = await confirmed_plan(place, plan.plan_id, "marlow")
    assert done(outcome)["deleted"] == 2
    left = {each["id"] for each in await place.history("general")}
    assert late in left
    assert not left & set(spam)


async def test_more_than_a_hundred_go_in_several_requests_with_progress(road: Road) -> None:
    ids = await said(road, "nina", 103)
    await road.writes()
    heard: list[tuple[float, float | None]] = []

    async def progress(done: float, total: float | None = None, message: str | None = None) -> None:
        assert message is not None
        if message.endswith("messages deleted"):
            heard.append((done, total))

    given = {"channel": general(road), "limit": 103, "dry_run": False}
    outcome = await road.core.executor.run("message_purge", given, road.caller(None), progress=progress)
    assert done(outcome)["deleted"] == 103
    assert not set(ids) & set(await history(road))
    assert heard == [(100, 103), (103, 103)]
    assert await road.writes() == [f"POST /channels/{general(road)}/messages/bulk-delete"] * 2


async def test_pinned_messages_and_the_platforms_own_are_kept_and_told(road: Road) -> None:
    keep, gone = await said(road, "nina", 2)
    await pinned(road, keep)
    card, sent = await posted(road), await message_sent(road, "nina")
    shown = previewed(await road.call("message_purge", "marlow", channel=general(road), dry_run=True))
    ids = {str(each) for each in shown.effect.ids}
    assert {gone, sent} <= ids
    assert not {keep, card} & ids
    kept = {change.field: change.before for change in shown.changes if change.field.startswith("kept")}
    assert kept["kept: pinned; include_pinned takes them too"] == 1
    assert kept["kept: posted by me for nobody, such as cards and log entries"] == 1
    more = {"channel": general(road), "include_pinned": True}
    assert keep in {str(each) for each in previewed(await road.call("message_purge", "marlow", **more)).effect.ids}
    done(await confirmed(road, "message_purge", "marlow", channel=general(road)))
    assert {keep, card} <= set(await history(road))


async def test_limit_takes_the_newest_and_since_and_until_bound_it(road: Road) -> None:
    ids = await said(road, "nina", 4)
    shown = previewed(await road.call("message_purge", "marlow", channel=general(road), limit=2))
    assert [str(each) for each in shown.effect.ids] == ids[:1:-1]
    moments = [discord.utils.snowflake_time(int(each)) for each in ids]
    since, until_ = moments[1].isoformat(), moments[3].isoformat()
    bounded = previewed(await road.call("message_purge", "marlow", channel=general(road), since=since, until=until_))
    assert set(map(str, bounded.effect.ids)) <= {*ids[1:3]}
    assert ids[0] not in map(str, bounded.effect.ids)
    long_ago = {"channel": general(road), "until": "2020-01-01T00:00:00Z"}
    empty = await road.call("message_purge", "marlow", **long_ago, dry_run=True)
    assert "No message would be deleted" in problems(empty)
    wrong = await road.call("message_purge", "marlow", channel=general(road), since=until_, until=since)
    assert wrong.status is Status.REFUSED


async def test_what_is_older_than_two_weeks_goes_one_by_one_and_only_when_asked_for(road: Road) -> None:
    long_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=15)
    who, where = int(road.guild["members"]["nina"]), int(road.channel("old-support"))
    for index in range(26):
        at = (long_ago + datetime.timedelta(seconds=index)).isoformat()
        await road.sandbox.control("send", user=who, channel=where, content="long ago", at=at)
    young = [await written(road, "nina", "old-support") for _ in range(2)]
    shown = previewed(await road.call("message_purge", "marlow", channel=str(where), dry_run=True))
    assert {str(each) for each in shown.effect.ids} == set(young)
    assert shown.changes[-1].field == "kept: older than 14 days; include_old takes some of them too"
    assert shown.changes[-1].before == 26
    given = {"channel": str(where), "include_old": True}
    both = previewed(await road.call("message_purge", "marlow", **given, dry_run=True))
    assert len(both.effect.ids) == 27, "two young ones, and as many old ones as go at a time"
    assert both.changes[-1].field == "kept: older than 14 days, beyond the 25 that go at a time"
    await road.writes()
    assert done(await confirmed(road, "message_purge", "marlow", **given))["deleted"] == 27
    sent = [each for each in await road.writes() if f"/channels/{where}/" in each]
    assert [each.split("/")[-1] for each in sent[:1]] == ["bulk-delete"]
    assert len(sent) == 26
    assert len(set(sent)) == 26, "each is deleted by one request"
    assert len(await history(road, "old-support")) == 1


async def test_who_may_not_read_or_delete_there_learns_of_nothing(road: Road) -> None:
    await said(road, "ada", 2)
    assert code(await road.call("message_purge", "nina", channel=general(road))) == "you_lack_permission"
    await written(road, "ada", "mod-room")
    hidden = await road.call("message_purge", "nina", channel=road.channel("mod-room"))
    unknown = await road.call("message_purge", "nina", channel="1000000000000000001")
    assert hidden.refusal == unknown.refusal


async def test_a_message_edited_meanwhile_refuses_and_one_that_is_gone_does_not(place: Place) -> None:
    edited, gone, left = [await place.says("nina", "general", "spam") for _ in range(3)]
    given = {"channel": place.channel("general"), "author": place.member("nina")}
    path = f"/channels/{place.channel('general')}/messages"
    plan = await asked(place, "message_purge", given, "marlow")
    await place.by_hand("nina", "DELETE", f"{path}/{gone}")
    await place.by_hand("nina", "PATCH", f"{path}/{edited}", {"content": "no spam at all"})
    outcome = await confirmed_plan(place, plan.plan_id, "marlow")
    assert code(outcome) == "changed_since"
    assert outcome.refusal is not None
    assert outcome.refusal.reason == "What the preview showed has changed since: messages."
    assert {edited, left} <= {each["id"] for each in await place.history("general")}
    again = await asked(place, "message_purge", given, "marlow")
    await place.by_hand("nina", "DELETE", f"{path}/{left}")
    assert done(await confirmed_plan(place, again.plan_id, "marlow"))["deleted"] == 2
    assert not {edited, gone, left} & {each["id"] for each in await place.history("general")}


async def test_what_is_refused_after_a_part_is_told_with_what_is_left(road: Road) -> None:
    ids = await said(road, "nina", 101)
    path = f"/channels/{general(road)}/messages/{ids[0]}"
    await road.sandbox.control("fault", faults=[{"method": "DELETE", "path": path, "status": 403, "code": 50013}])
    outcome = await road.call("message_purge", None, channel=general(road), limit=101, dry_run=False)
    assert outcome.status is Status.UNKNOWN
    assert "100 of 101 messages are deleted, 1 are not. Then: A part of it took effect" in outcome.detail
    assert outcome.error_code == 50013
    assert plain(outcome.data) == {"channel_id": general(road), "deleted": 100, "left_ids": [ids[0]], "case": 1}
    assert await history(road) == [ids[0]]
    row = await road.read("audit_get", "ada", call=outcome.call_id)
    assert row["call"]["status"] == "unknown"


async def test_a_lost_answer_is_found_by_looking_what_is_left(road: Road) -> None:
    await said(road, "nina", 3)
    path = f"/channels/{general(road)}/messages/bulk-delete"
    await road.sandbox.control(
        "fault", faults=[{"method": "POST", "path": path, "reset": True, "when": "after", "times": 1}]
    )
    outcome = await road.call("message_purge", None, channel=general(road), dry_run=False)
    assert done(outcome)["deleted"] >= 3
    assert (await road.writes()).count(f"POST {path}") == 1


async def test_one_case_stands_for_the_whole_purge(road: Road) -> None:
    await said(road, "nina", 2)
    nina = road.guild["members"]["nina"]
    outcome = await confirmed(road, "message_purge", "marlow", channel=general(road), author=nina, reason="spam")
    number = done(outcome)["case"]
    case = (await road.read("case_get", "ada", case=number))["case"]
    assert (case["kind"], case["member"]["id"], case["channel_id"]) == ("purge", nina, general(road))
