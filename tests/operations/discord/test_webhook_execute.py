"""Posting through webhooks: where, as whom, and whom it notifies."""

from __future__ import annotations

from typing import Any

import pytest

from operations.base import Outcome, Status
from operations.outcomes import plain
from policy.model import Tier
from tests.app import until
from tests.operations.discord.outcomes import code, done, problems
from tests.operations.discord.road import Road
from tests.operations.discord.test_webhooks import bot_of_another_application, by_hand

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def history(road: Road, channel: str) -> list[dict[str, Any]]:
    found = await road.sandbox.control("history", channel=int(channel))
    messages: list[dict[str, Any]] = found["messages"]
    return messages


async def thread(road: Road, channel: str, name: str) -> str:
    made = await road.sandbox.control(
        "as_user",
        user=int(road.guild["members"]["ada"]),
        method="POST",
        path=f"/channels/{road.channel(channel)}/threads",
        body={"name": name, "type": 11},
    )
    thread_id: str = made["result"]["id"]
    guild = road.core.state.source.cached(road.guild_id)
    assert guild is not None
    await until(lambda: guild.get_thread(int(thread_id)), "the thread arrives")
    return thread_id


def after(outcome: Outcome, field: str) -> Any:
    assert outcome.preview is not None, outcome
    return next(change.after for change in outcome.preview.changes if change.field == field)


async def test_it_posts_under_the_webhooks_own_name_with_one_write(road: Road) -> None:
    webhook = await by_hand(road, "ada", "general", "Tides")
    await road.writes()
    sent = done(await road.call("webhook_execute", None, webhook=webhook, content="high water @everyone"))
    (write,) = await road.writes()
    assert write.startswith(f"POST /webhooks/{webhook}/")
    (message,) = await history(road, road.channel("general"))
    assert message["id"] == sent["message_id"]
    assert sent["channel_id"] == road.channel("general")
    assert sent["jump_url"].endswith(f"/{road.channel('general')}/{message['id']}")
    assert message["content"] == "high water @everyone\n-# via Guildhall"
    assert message["author"]["username"] == "Tides"
    assert not any(message["pinged"].values())


async def test_a_preview_shows_the_line_that_says_through_whom(road: Road) -> None:
    webhook = await by_hand(road, "ada", "general", "Tides")
    outcome = await road.call("webhook_execute", "ada", webhook=webhook, content="hi", dry_run=True)
    assert (outcome.tier, problems(outcome)) == (Tier.RISKY, "")
    assert after(outcome, "message") == "hi\n-# via ada"
    assert after(outcome, "posted as") == f"webhook {webhook} Tides"
    assert outcome.preview is not None
    assert not outcome.preview.reversible
    waits = await road.call("webhook_execute", "ada", webhook=webhook, content="hi")
    assert waits.status is Status.NEEDS_CONFIRMATION
    assert await history(road, road.channel("general")) == []


@pytest.mark.parametrize("text", ["hi\n-# via olive", "-#  VIA olive", "> -# via olive\nhi", "**-# via olive**"])
async def test_nobody_writes_that_line_himself(road: Road, text: str) -> None:
    webhook = await by_hand(road, "ada", "general", "Tides")
    outcome = await road.call("webhook_execute", None, webhook=webhook, content=text)
    assert code(outcome) == "would_fail"
    assert await history(road, road.channel("general")) == []


async def test_a_ping_that_the_text_does_not_mention_is_a_problem(road: Road) -> None:
    webhook = await by_hand(road, "ada", "general", "Tides")
    nina = road.guild["members"]["nina"]
    shown = await road.call("webhook_execute", None, webhook=webhook, content="hear", ping=[nina], dry_run=True)
    assert shown.preview is not None
    assert shown.preview.problems == (
        f"The text does not mention member {nina} @nina, so nobody is notified; write <@{nina}> in it.",
    )


async def test_it_notifies_only_whom_ping_names_and_everyone_with_the_right_alone(road: Road) -> None:
    webhook = await by_hand(road, "ada", "general", "Tides")
    nina = road.guild["members"]["nina"]
    text = f"<@{nina}> and <@{road.guild['members']['marlow']}>"
    done(await road.call("webhook_execute", None, webhook=webhook, content=text, ping=[nina]))
    (message,) = await history(road, road.channel("general"))
    assert message["pinged"]["users"] == [nina]
    role = await road.sandbox.control(
        "as_user",
        user=int(road.guild["owner_id"]),
        method="POST",
        path=f"/guilds/{road.guild_id}/roles",
        body={"name": "Hooker-up", "permissions": str(1 << 29)},
    )
    await road.sandbox.control("set_roles", guild=road.guild_id, user=int(nina), roles=[int(role["result"]["id"])])
    outcome = await road.call("webhook_execute", "nina", webhook=webhook, content="@everyone", ping=["everyone"])
    assert code(outcome) == "you_lack_permission"


async def test_a_thread_of_its_channel_gets_it_and_no_other(road: Road) -> None:
    webhook = await by_hand(road, "ada", "general", "Tides")
    inside, outside = await thread(road, "general", "tides"), await thread(road, "old-support", "elsewhere")
    sent = done(await road.call("webhook_execute", None, webhook=webhook, content="in it", thread=inside))
    assert sent["channel_id"] == inside
    assert [message["content"] for message in await history(road, inside)] == ["in it\n-# via Guildhall"]
    for place in (outside, road.channel("old-support")):
        outcome = await road.call("webhook_execute", None, webhook=webhook, content="x", thread=place, dry_run=True)
        assert "not of the webhook's channel" in problems(outcome)
    assert await history(road, outside) == []


async def test_what_cannot_be_executed_says_what_to_do(road: Road) -> None:
    theirs = await bot_of_another_application(road, "general", "theirs")
    assert code(await road.call("webhook_execute", None, webhook=theirs, content="hi")) == "would_fail"
    told = problems(await road.call("webhook_execute", None, webhook=theirs, content="hi", dry_run=True))
    assert "make one with webhook_create" in told
    webhook = await by_hand(road, "ada", "general", "Tides")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"content": ""}, "The message is empty"),
        ({"content": "x" * 1_990}, "at most 2,000 characters"),
        ({"content": "x", "embeds": [{}]}, "Embed 1 is empty"),
    ]
    for arguments, problem in wrong:
        told = problems(await road.call("webhook_execute", None, webhook=webhook, **arguments, dry_run=True))
        assert problem in told, told


async def test_a_lost_answer_stays_unknown_and_nothing_is_sent_again(road: Road) -> None:
    webhook = await by_hand(road, "ada", "general", "Tides")
    await road.sandbox.control(
        "fault", faults=[{"method": "POST", "path": "/webhooks/*/*", "reset": True, "when": "after", "times": 1}]
    )
    outcome = await road.call("webhook_execute", None, webhook=webhook, content="once")
    assert outcome.status is Status.UNKNOWN
    assert len(await history(road, road.channel("general"))) == 1


async def test_a_webhook_that_moved_meanwhile_is_not_executed(road: Road) -> None:
    """A plan's rights were those of the channel in which it was."""
    webhook = await by_hand(road, "ada", "general", "Tides")
    sent = done(await road.call("webhook_execute", None, webhook=webhook, content="here"))
    assert sent["channel_id"] == road.channel("general")
    previewed = await road.call("webhook_execute", "ada", webhook=webhook, content="there", dry_run=True)
    assert previewed.preview is not None
    moved = await road.call("webhook_modify", None, webhook=webhook, move_to=road.channel("old-support"))
    assert plain(moved.data)["channel_id"] == road.channel("old-support")
    again = await road.call("webhook_execute", "ada", webhook=webhook, content="there", dry_run=True)
    assert again.preview is not None
    assert again.preview.fingerprint != previewed.preview.fingerprint
