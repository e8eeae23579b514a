"""Making, reading, changing and deleting webhooks, over the wire of the sandbox."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from operations.base import Outcome, Status
from policy.model import Tier
from storage import calls
from tests.operations.discord.outcomes import code, done, problems
from tests.operations.discord.road import Road
from tests.samples import UNKNOWN_ID

pytestmark = pytest.mark.asyncio(loop_scope="session")

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 16).decode()


async def webhooks(road: Road) -> dict[str, dict[str, Any]]:
    """As Discord has them, by name."""
    seen = await road.sandbox.control("world", guild=road.guild_id)
    return {webhook["name"]: webhook for webhook in seen["guilds"][0]["webhooks"]}


async def by_hand(road: Road, who: str, channel: str, name: str) -> str:
    made = await road.sandbox.control(
        "as_user",
        user=int(road.guild["members"][who]),
        method="POST",
        path=f"/channels/{road.channel(channel)}/webhooks",
        body={"name": name},
    )
    webhook_id: str = made["result"]["id"]
    return webhook_id


async def bot_of_another_application(road: Road, channel: str, name: str) -> str:
    """A webhook that another bot made."""
    other = await road.sandbox.control(
        "add_member", guild=road.guild_id, name="Rival", bot=True, roles=[int(road.guild["roles"]["Admin"])]
    )
    made = await road.sandbox.control(
        "as_user",
        user=int(other["id"]),
        method="POST",
        path=f"/channels/{road.channel(channel)}/webhooks",
        body={"name": name},
    )
    webhook_id: str = made["result"]["id"]
    return webhook_id


async def inverse_of(road: Road, outcome: Outcome) -> tuple[str, dict[str, Any]]:

    async with road.core.database.read() as session:
        record = await calls.get(session, road.core.database.keyring, outcome.call_id)
    assert record is not None
    assert record.inverse is not None

    inverse = orjson.loads(record.inverse)
    return inverse["operation"], inverse["arguments"]


# -------------------------------------------------------------------- create
async def test_a_webhook_is_made_with_one_request_and_the_tagged_reason(road: Road) -> None:
    await road.writes()
    outcome = await road.call("webhook_create", None, channel=road.channel("general"), name=" Tides ", avatar=PIXEL)
    made = done(outcome)
    assert await road.writes() == [f"POST /channels/{road.channel('general')}/webhooks"]
    webhook = (await webhooks(road))["Tides"]
    assert made == {"id": webhook["id"], "name": "Tides", "channel_id": road.channel("general")}
    assert webhook["avatar"]
    entry = (await road.sandbox.control("audit_log", guild=road.guild_id))["entries"][0]
    assert entry["reason"].startswith(f"gh:{outcome.call_id}:")


async def test_making_one_is_risky_and_a_dry_run_makes_none(road: Road) -> None:
    await road.writes()
    asked = {"channel": road.channel("general"), "name": "Tides"}
    previewed = await road.call("webhook_create", "ada", **asked, dry_run=True)
    assert (previewed.status, previewed.tier, problems(previewed)) == (Status.PREVIEW, Tier.RISKY, "")
    assert previewed.preview is not None
    assert previewed.preview.summary == "Create the webhook Tides in #general in Test Harbor"
    assert (await road.call("webhook_create", "ada", **asked)).status is Status.NEEDS_CONFIRMATION
    assert await road.writes() == []


async def test_the_inverse_of_making_one_takes_it_away(road: Road) -> None:
    outcome = await road.call("webhook_create", None, channel=road.channel("general"), name="Tides")
    operation, arguments = await inverse_of(road, outcome)
    assert operation == "webhook_delete"
    done(await road.call(operation, None, **arguments))
    assert await webhooks(road) == {}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"name": "my Clyde"}, '"clyde"'),
        ({"name": "DISCORD news"}, '"discord"'),
        ({"name": "   "}, "1 to 80 characters"),
        ({"name": "x", "avatar": "bm90IGEgcGljdHVyZQ=="}, "PNG, JPEG, GIF or WebP"),
        ({"name": "x", "avatar": "%%%"}, "PNG, JPEG, GIF or WebP"),
        ({"name": "x", "channel": "Talk"}, ""),
    ],
)
async def test_what_discord_would_refuse_is_told_before(road: Road, arguments: dict[str, Any], problem: str) -> None:
    asked = {"channel": road.channel("general"), **arguments}
    if asked["channel"] == "Talk":
        asked["channel"], problem = road.channel("Talk"), "A category has no webhooks"
    await road.writes()
    assert problem in problems(await road.call("webhook_create", None, **asked, dry_run=True))
    assert code(await road.call("webhook_create", None, **asked)) == "would_fail"
    assert await road.writes() == []


async def test_the_sixteenth_webhook_of_a_channel_is_refused_before_discord_does(road: Road) -> None:
    for number in range(15):
        await by_hand(road, "ada", "general", f"hook {number}")
    asked = {"channel": road.channel("general"), "name": "one more"}
    assert "already has 15 webhooks" in problems(await road.call("webhook_create", None, **asked, dry_run=True))
    moving = await by_hand(road, "ada", "old-support", "moving")
    moved = await road.call("webhook_modify", None, webhook=moving, move_to=road.channel("general"), dry_run=True)
    assert "already has 15 webhooks" in problems(moved)


async def test_who_may_not_manage_webhooks_is_refused_and_causes_no_request_about_them(road: Road) -> None:
    webhook = await by_hand(road, "ada", "general", "Tides")
    await road.sandbox.control("requests", clear=True)
    for name, arguments in (
        ("webhook_create", {"channel": road.channel("general"), "name": "x"}),
        ("webhook_list", {"channel": road.channel("general")}),
        ("webhook_list", {}),
        ("webhook_get", {"webhook": webhook}),
        ("webhook_get", {"webhook": "Tides", "channel": road.channel("general")}),
        ("webhook_modify", {"webhook": webhook, "name": "mine"}),
        ("webhook_delete", {"webhook": webhook}),
        ("webhook_execute", {"webhook": webhook, "content": "hi"}),
    ):
        outcome = await road.call(name, "nina", **arguments)
        assert code(outcome) == "you_lack_permission", (name, outcome)
        assert outcome.refusal is not None
        assert outcome.refusal.remedy
    asked = (await road.sandbox.control("requests", clear=True))["requests"]
    assert not [each for each in asked if "webhooks" in each["path"]]


# ----------------------------------------------------------------- list, get
async def test_the_list_has_what_both_may_manage_and_no_token(road: Road) -> None:
    await road.call("webhook_create", None, channel=road.channel("general"), name="ours")
    await by_hand(road, "ada", "old-support", "by hand")
    await by_hand(road, "ada", "mod-room", "staff only")
    other = await bot_of_another_application(road, "general", "theirs")
    listed = await road.read("webhook_list", "ada")
    assert {each["name"]: each["executable"] for each in listed["webhooks"]} == {
        "ours": True,
        "by hand": True,
        "staff only": True,
        "theirs": False,
    }
    in_channel = await road.read("webhook_list", "ada", channel=road.channel("old-support"))
    assert [each["name"] for each in in_channel["webhooks"]] == ["by hand"]
    one = await road.read("webhook_get", "ada", webhook=other)
    assert "only it can execute it" in one["why_not"]
    assert "token" not in str(listed) + str(one)


async def test_a_list_is_read_in_pages(road: Road) -> None:
    for number in range(5):
        await by_hand(road, "ada", "general", f"hook {number}")
    seen: list[str] = []
    more: dict[str, Any] = {}
    while True:
        page = await road.read("webhook_list", "ada", limit=2, **more)
        seen += [each["name"] for each in page["webhooks"]]
        if "cursor" not in page:
            break
        more = {"cursor": page["cursor"]}
    assert seen == [f"hook {number}" for number in range(5)]


async def test_a_webhook_is_found_by_its_name_in_a_channel_and_never_by_that_of_two(road: Road) -> None:
    webhook = await by_hand(road, "ada", "general", "Tides")
    general = road.channel("general")
    assert (await road.read("webhook_get", "ada", webhook="Tides", channel=general))["id"] == webhook
    assert (await road.read("webhook_get", "ada", webhook="tides", channel=general))["id"] == webhook
    assert code(await road.call("webhook_get", "ada", webhook="Tides")) == "channel_missing"
    assert code(await road.call("webhook_get", "ada", webhook=webhook, channel="old-support")) == "unknown_webhook"
    await by_hand(road, "ada", "general", "Tіdes")  # Cyrillic
    assert code(await road.call("webhook_delete", "ada", webhook="Tides", channel=general)) == "look_alike_webhook"
    await by_hand(road, "ada", "general", "Tides")
    assert code(await road.call("webhook_get", "ada", webhook="Tides", channel=general)) == "ambiguous_webhook"


async def test_a_webhook_of_a_hidden_channel_reads_as_none(road: Road) -> None:
    await road.sandbox.control(
        "set_roles",
        guild=road.guild_id,
        user=int(road.guild["members"]["nina"]),
        roles=[int((await manager_of_webhooks(road))["id"])],
    )
    hidden = await by_hand(road, "ada", "mod-room", "hidden")
    for name, more in (("webhook_get", {}), ("webhook_delete", {}), ("webhook_execute", {"content": "hi"})):
        found = await road.call(name, "nina", webhook=hidden, **more)
        nothing = await road.call(name, "nina", webhook=UNKNOWN_ID, **more)
        assert code(found) == "unknown_webhook"
        assert found.refusal == nothing.refusal
    assert (await road.read("webhook_list", "nina"))["webhooks"] == []
    assert "hidden" in await webhooks(road)


async def manager_of_webhooks(road: Road) -> dict[str, Any]:
    made = await road.sandbox.control(
        "as_user",
        user=int(road.guild["owner_id"]),
        method="POST",
        path=f"/guilds/{road.guild_id}/roles",
        body={"name": "Hooker-up", "permissions": str(1 << 29)},
    )
    result: dict[str, Any] = made["result"]
    return result


# -------------------------------------------------------------------- modify
async def test_a_webhook_is_renamed_and_moved_in_one_request_and_back_again(road: Road) -> None:
    await by_hand(road, "ada", "general", "Tides")
    before = await webhooks(road)
    await road.writes()
    outcome = await road.call(
        "webhook_modify",
        None,
        webhook="Tides",
        channel=road.channel("general"),
        name="Ebb",
        move_to=road.channel("old-support"),
    )
    assert done(outcome)["changed"] == ["name", "channel"]
    assert await road.writes() == [f"PATCH /webhooks/{before['Tides']['id']}"]
    assert (await webhooks(road))["Ebb"]["channel_id"] == road.channel("old-support")
    operation, arguments = await inverse_of(road, outcome)
    done(await road.call(operation, None, **arguments))
    assert await webhooks(road) == before


async def test_moving_asks_for_the_rights_of_both_channels(road: Road) -> None:
    role = await manager_of_webhooks(road)
    nina = int(road.guild["members"]["nina"])
    await road.sandbox.control("set_roles", guild=road.guild_id, user=nina, roles=[int(role["id"])])
    await road.sandbox.control(
        "set_overwrite", channel=int(road.channel("old-support")), member=nina, deny=["manage_webhooks"]
    )
    webhook = await by_hand(road, "ada", "general", "Tides")
    refused = await road.call("webhook_modify", "nina", webhook=webhook, move_to=road.channel("old-support"))
    assert code(refused) == "you_lack_permission"
    there = await by_hand(road, "ada", "old-support", "There")
    assert code(await road.call("webhook_get", "nina", webhook=there)) == "you_lack_permission"
    assert [each["name"] for each in (await road.read("webhook_list", "nina"))["webhooks"]] == ["Tides"]


async def test_a_picture_comes_back_only_where_there_was_none(road: Road) -> None:
    webhook = await by_hand(road, "ada", "general", "Tides")
    first = await road.call("webhook_modify", None, webhook=webhook, avatar=PIXEL, dry_run=True)
    assert first.preview is not None
    assert first.preview.reversible
    outcome = await road.call("webhook_modify", None, webhook=webhook, avatar=PIXEL)
    assert done(outcome)["changed"] == ["avatar"]
    assert (await webhooks(road))["Tides"]["avatar"]
    replacing = await road.call("webhook_modify", None, webhook=webhook, remove_avatar=True, dry_run=True)
    assert replacing.preview is not None
    assert not replacing.preview.reversible
    operation, arguments = await inverse_of(road, outcome)
    done(await road.call(operation, None, **arguments))
    assert (await webhooks(road))["Tides"]["avatar"] is None


async def test_where_nothing_would_change_that_is_said(road: Road) -> None:
    webhook = await by_hand(road, "ada", "general", "Tides")
    same = await road.call(
        "webhook_modify",
        None,
        webhook=webhook,
        name="Tides",
        move_to=road.channel("general"),
        remove_avatar=True,
        dry_run=True,
    )
    assert "Nothing would change" in problems(same)


# -------------------------------------------------------------------- delete
async def test_a_webhook_is_deleted_with_one_request(road: Road) -> None:
    webhook = await by_hand(road, "ada", "general", "Tides")
    previewed = await road.call("webhook_delete", "ada", webhook=webhook, dry_run=True)
    assert previewed.preview is not None
    assert (previewed.tier, previewed.preview.reversible) == (Tier.CRITICAL, False)
    assert previewed.preview.summary == "Delete the webhook Tides of #general in Test Harbor"
    await road.writes()
    assert done(await road.call("webhook_delete", None, webhook=webhook))["name"] == "Tides"
    assert await road.writes() == [f"DELETE /webhooks/{webhook}"]
    assert await webhooks(road) == {}


@pytest.mark.parametrize(
    ("name", "method", "path"),
    [
        ("webhook_create", "POST", "/channels/*/webhooks"),
        ("webhook_modify", "PATCH", "/webhooks/*"),
        ("webhook_delete", "DELETE", "/webhooks/*"),
    ],
)
async def test_a_lost_answer_is_found_in_the_audit_log(road: Road, name: str, method: str, path: str) -> None:
    webhook = await by_hand(road, "ada", "general", "Tides")
    await road.sandbox.control(
        "fault", faults=[{"method": method, "path": path, "reset": True, "when": "after", "times": 1}]
    )
    arguments: dict[str, Any] = {"webhook": webhook}
    if name == "webhook_create":
        arguments = {"channel": road.channel("general")}
    outcome = await road.call(name, None, **arguments, **({} if name == "webhook_delete" else {"name": "Ebb"}))
    found = done(outcome)
    assert outcome.detail == "Found in Discord's audit log."
    assert found["channel_id"] == road.channel("general")
    assert found["name"] == ("Tides" if name == "webhook_delete" else "Ebb")
    assert ("Ebb" in await webhooks(road)) is (name != "webhook_delete")
