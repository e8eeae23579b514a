"""Making, changing and deleting channels, over the wire of the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from operations.base import Outcome, Status, WriteOperation
from policy.model import PlatformRole, Reach, Step, Strength, Tier
from tests.app import until
from tests.operations.discord.outcomes import done
from tests.operations.discord.road import Road

pytestmark = pytest.mark.asyncio(loop_scope="session")


def changes(outcome: Outcome) -> list[tuple[str, Any, Any]]:
    assert outcome.preview is not None, outcome
    return [(change.field, change.before, change.after) for change in outcome.preview.changes]


async def arrived(road: Road, name: str) -> None:
    guild = road.core.state.source.cached(road.guild_id)
    assert guild is not None
    await until(lambda: any(channel.name == name for channel in guild.channels), f"#{name} arrives")


# -------------------------------------------------------------------- create
async def test_a_manager_makes_a_channel_with_one_request_and_the_tagged_reason(road: Road) -> None:
    await road.writes()
    outcome = await road.call(
        "channel_create", "marlow", name="plans", category="Talk", topic="next steps", slowmode_seconds=5
    )
    made = done(outcome)
    assert await road.writes() == [f"POST /guilds/{road.guild_id}/channels"]
    channel = (await road.world())["plans"]
    assert channel["id"] == made["id"]
    assert (channel["topic"], channel["slowmode_seconds"]) == ("next steps", 5)
    assert channel["parent_id"] == road.channel("Talk")
    entry = (await road.sandbox.control("audit_log", guild=road.guild_id))["entries"][0]
    assert entry["reason"].startswith(f"gh:{outcome.call_id}:")
    assert made["inherited"] is True
    assert made["url"] == f"https://discord.com/channels/{road.guild_id}/{made['id']}"


async def test_a_dry_run_says_what_is_inherited_and_makes_nothing(road: Road) -> None:
    await road.writes()
    outcome = await road.call("channel_create", "marlow", name="desk", category="Staff", dry_run=True)
    assert outcome.status is Status.PREVIEW
    assert outcome.tier is Tier.WRITE
    assert ("permissions", None, "inherited from the category Staff (3 overwrites)") in changes(outcome)
    assert outcome.preview is not None
    assert outcome.preview.summary == "Create the text channel #desk in the category Staff in Test Harbor"
    assert outcome.preview.reversible
    assert await road.writes() == []


async def test_who_may_not_manage_channels_makes_none(road: Road) -> None:
    outcome = await road.call("channel_create", "nina", name="mine")
    assert outcome.refusal is not None
    assert outcome.refusal.code == "you_lack_permission"
    assert "mine" not in await road.world()


async def test_what_a_category_takes_away_holds_for_the_making_of_channels_in_it(road: Road) -> None:
    await road.sandbox.control(
        "set_overwrite", channel=road.channel("Talk"), role=road.guild["roles"]["Manager"], deny=["manage_channels"]
    )
    guild = road.core.state.source.cached(road.guild_id)
    assert guild is not None
    await until(lambda: len(guild.categories[0].overwrites) == 1, "the overwrite arrives")
    outcome = await road.call("channel_create", "marlow", name="plans", category="Talk")
    assert outcome.refusal is not None
    assert outcome.refusal.code == "you_lack_permission"


async def test_overwrites_make_a_new_channel_risky(road: Road) -> None:
    await road.writes()
    outcome = await road.call(
        "channel_create",
        "marlow",
        name="quiet",
        overwrites=[{"role": "@everyone", "deny": ["send_messages"]}, {"role": "Member", "allow": ["send_messages"]}],
    )
    assert outcome.status is Status.NEEDS_CONFIRMATION
    assert outcome.tier is Tier.RISKY
    assert outcome.plan is not None
    assert outcome.plan.strength is Strength.TOKEN
    assert await road.writes() == []


async def test_overwrites_are_made_exactly_as_previewed(road: Road) -> None:
    outcome = await road.call(
        "channel_create",
        None,
        name="quiet",
        category=road.channel("Talk"),
        overwrites=[
            {"role": "@everyone", "deny": ["view_channel"]},
            {"role": "Guildhall", "allow": ["view_channel"]},
            {"member": road.guild["members"]["nina"], "allow": ["view_channel", "send_messages"]},
        ],
    )
    done(outcome)
    assert ("permissions", None, "its own, not those of the category") in changes(outcome)
    assert (await road.world())["quiet"]["overwrites"] == [
        {"id": road.guild["id"], "type": "role", "allow": [], "deny": ["view_channel"]},
        {"id": road.guild["roles"]["Guildhall"], "type": "role", "allow": ["view_channel"], "deny": []},
        {
            "id": road.guild["members"]["nina"],
            "type": "member",
            "allow": ["send_messages", "view_channel"],
            "deny": [],
        },
    ]


async def test_nobody_hands_out_by_overwrite_what_he_lacks(road: Road) -> None:
    outcome = await road.call(
        "channel_create",
        "marlow",
        name="power",
        overwrites=[{"role": "Member", "allow": ["ban_members"]}],
    )
    assert outcome.refusal is not None
    assert outcome.refusal.code == "grant_exceeds_rights"


async def test_only_administrators_may_set_manage_roles_on_a_new_channel(road: Road) -> None:
    outcome = await road.call(
        "channel_create", "ada", name="power", overwrites=[{"role": "Member", "allow": ["manage_roles"]}]
    )
    assert outcome.refusal is not None
    # ada is an administrator, the bot is not.
    assert outcome.refusal.code == "bot_lacks_permission"
    assert "administrator" in outcome.refusal.reason


async def test_a_name_that_looks_like_another_never_gets_rights(road: Road) -> None:
    await road.sandbox.control(
        "as_user",
        user=road.guild["owner_id"],
        method="POST",
        path=f"/guilds/{road.guild_id}/roles",
        body={"name": "Mernber"},
    )
    outcome = await road.call(
        "channel_create", "marlow", name="quiet", overwrites=[{"role": "member", "allow": ["send_messages"]}]
    )
    assert outcome.refusal is not None
    assert outcome.refusal.code == "unknown_role"
    nobody = await road.call(
        "channel_create", "marlow", name="quiet", overwrites=[{"role": "nobody", "allow": ["send_messages"]}]
    )
    assert nobody.refusal == outcome.refusal


async def test_that_the_bot_would_not_see_the_new_channel_is_told(road: Road) -> None:
    outcome = await road.call(
        "channel_create",
        "marlow",
        name="hidden",
        overwrites=[{"role": "@everyone", "deny": ["view_channel"]}],
        dry_run=True,
    )
    assert ("seen by me", None, False) in changes(outcome)
    assert outcome.preview is not None
    assert not outcome.preview.reversible


async def test_settings_that_a_kind_lacks_are_problems_before_anything_is_sent(road: Road) -> None:
    outcome = await road.call("channel_create", "marlow", name="stage", type="stage", topic="x", dry_run=True)
    assert outcome.preview is not None
    assert any("topic" in problem for problem in outcome.preview.problems)
    assert any("Community" in problem for problem in outcome.preview.problems)
    category = await road.call("channel_create", "marlow", name="x", type="category", category="Talk")
    assert category.refusal is not None
    assert category.refusal.code == "would_fail"


async def test_a_lost_answer_is_found_again_and_no_channel_is_made_twice(road: Road) -> None:
    await road.sandbox.control(
        "fault",
        faults=[{"method": "POST", "path": "/guilds/*/channels", "when": "after", "reset": True, "times": 1}],
    )
    outcome = await road.call("channel_create", "marlow", name="once")
    made = done(outcome)
    seen = await road.sandbox.control("world", guild=road.guild_id)
    assert [channel["id"] for channel in seen["guilds"][0]["channels"] if channel["name"] == "once"] == [made["id"]]


# ---------------------------------------------------------------------- edit
async def test_an_edit_changes_only_what_differs_and_knows_its_way_back(road: Road) -> None:
    edit: dict[str, Any] = {
        "channel": "general",
        "name": "general",
        "topic": "new topic",
        "slowmode_seconds": 30,
    }
    preview = await road.call("channel_edit", "marlow", **edit, dry_run=True)
    # The present topic is other people's text: its length stands for it.
    assert changes(preview) == [("topic", "14 characters", "new topic"), ("slowmode_seconds", 0, 30)]
    assert preview.preview is not None
    assert preview.preview.inverse is not None
    assert preview.preview.inverse.arguments == {
        "channel": road.channel("general"),
        "guild": road.guild["id"],
        "topic": "anything \u202egoes",
        "slowmode_seconds": 0,
    }
    await road.writes()
    result = done(await road.call("channel_edit", "marlow", **edit))
    assert result["changed"] == ["topic", "slowmode_seconds"]
    assert await road.writes() == [f"PATCH /channels/{road.channel('general')}"]
    channel = (await road.world())["general"]
    assert (channel["topic"], channel["slowmode_seconds"]) == ("new topic", 30)
    back = await road.call("channel_edit", "marlow", **preview.preview.inverse.arguments)
    done(back)
    assert (await road.world())["general"]["topic"] == "anything \u202egoes"


async def test_an_edit_that_changes_nothing_is_a_problem(road: Road) -> None:
    for arguments in ({}, {"name": "general"}, {"category": "Talk"}):
        outcome = await road.call("channel_edit", "marlow", channel="general", **arguments)
        assert outcome.refusal is not None
        assert outcome.refusal.reason == "Nothing would change; give a field with a new value."


async def test_a_channel_moves_with_its_permissions(road: Road) -> None:
    before = (await road.world())["mod-room"]["overwrites"]
    outcome = await road.call("channel_edit", "marlow", channel="mod-room", category="Talk")
    done(outcome)
    channel = (await road.world())["mod-room"]
    assert channel["parent_id"] == road.channel("Talk")
    assert channel["overwrites"] == before
    out = await road.call("channel_edit", "marlow", channel="old-support", leave_category=True)
    assert out.refusal is not None
    guild = road.core.state.source.cached(road.guild_id)
    assert guild is not None
    moved = guild.get_channel(int(road.channel("mod-room")))
    assert moved is not None
    await until(lambda: moved.category_id == int(road.channel("Talk")), "the move arrives")
    done(await road.call("channel_edit", "marlow", channel="mod-room", leave_category=True))
    assert (await road.world())["mod-room"]["parent_id"] is None


async def test_a_move_that_loosens_the_policy_is_for_those_who_may_edit_the_policy(road: Road) -> None:
    await road.set_policy("Staff", destroy="deny")
    move = {"channel": "mod-room", "category": "Talk"}
    for member in ("marlow", "ada"):
        outcome = await road.call("channel_edit", member, **move)
        assert outcome.refusal is not None
        assert (outcome.refusal.step, outcome.refusal.code) == (Step.SCOPE, "role")
        assert "admin" in outcome.refusal.reason
    await road.set_role("ada", PlatformRole.ADMIN)
    allowed = await road.call("channel_edit", "ada", **move)
    assert allowed.status is Status.NEEDS_CONFIRMATION
    assert allowed.tier is Tier.CRITICAL
    assert allowed.plan is not None
    assert allowed.plan.strength is Strength.PERSON


async def test_a_move_to_a_stricter_policy_is_a_plain_write(road: Road) -> None:
    await road.set_policy("Staff", destroy="deny")
    done(await road.call("channel_edit", "marlow", channel="general", category="Staff"))
    assert (await road.world())["general"]["parent_id"] == road.channel("Staff")


async def test_an_edits_fingerprint_follows_the_fields_that_it_changes(road: Road) -> None:
    operation = road.core.registry.get("channel_edit")
    assert isinstance(operation, WriteOperation)
    preview = (await road.call("channel_edit", "marlow", channel="general", topic="new", dry_run=True)).preview
    again = (await road.call("channel_edit", "marlow", channel="general", topic="other", dry_run=True)).preview
    assert preview is not None
    assert again is not None
    assert preview.fingerprint == again.fingerprint != ""
    done(await road.call("channel_edit", "marlow", channel="general", topic="between"))
    guild = road.core.state.source.cached(road.guild_id)
    assert guild is not None
    await until(lambda: any(channel.topic == "between" for channel in guild.text_channels), "the topic arrives")
    later = (await road.call("channel_edit", "marlow", channel="general", topic="new", dry_run=True)).preview
    assert later is not None
    assert later.fingerprint != preview.fingerprint


async def test_threads_are_left_to_their_own_operations(road: Road) -> None:
    made = await road.sandbox.control(
        "as_user",
        user=road.guild["owner_id"],
        method="POST",
        path=f"/channels/{road.channel('general')}/threads",
        body={"name": "side talk", "type": 11, "auto_archive_duration": 1440},
    )
    thread_id = str(made.get("id") or made["result"]["id"])
    guild = road.core.state.source.cached(road.guild_id)
    assert guild is not None
    await until(lambda: guild.get_thread(int(thread_id)), "the thread arrives")
    read = await road.read("channel_get", "nina", channel=thread_id)
    assert read["type"] == "public_thread"
    assert read["thread"]["parent"] == {"id": road.channel("general"), "name": "general"}
    for name, arguments in (("channel_edit", {"name": "x"}), ("channel_delete", {})):
        outcome = await road.call(name, "marlow", channel=thread_id, dry_run=True, **arguments)
        assert outcome.refusal is not None, outcome
        assert outcome.refusal.code == "is_thread"


# -------------------------------------------------------------------- delete
async def test_deleting_a_channel_tells_its_age_and_pins_and_needs_a_person(road: Road) -> None:
    for text in ("one", "two"):
        sent = await road.sandbox.control(
            "send", user=road.guild["owner_id"], channel=road.channel("old-support"), content=text
        )
        message_id = sent.get("id") or sent["message"]["id"]
        await road.sandbox.control(
            "as_user",
            user=road.guild["owner_id"],
            method="PUT",
            path=f"/channels/{road.channel('old-support')}/messages/pins/{message_id}",
        )
    await road.writes()
    outcome = await road.call("channel_delete", "marlow", channel="old-support", dry_run=True)
    assert outcome.status is Status.PREVIEW, outcome
    assert outcome.preview is not None
    assert outcome.preview.summary == "Delete #old-support (0 days old, 2 pinned messages) in Test Harbor"
    assert outcome.tier is Tier.CRITICAL
    assert outcome.plan is not None
    assert outcome.plan.strength is Strength.PERSON
    assert not outcome.preview.reversible
    assert await road.writes() == []


async def test_a_deletion_is_one_request_and_a_lost_answer_is_found_again(road: Road) -> None:
    await road.writes()
    await road.sandbox.control(
        "fault", faults=[{"method": "DELETE", "path": "/channels/*", "when": "after", "reset": True, "times": 1}]
    )
    outcome = await road.call("channel_delete", None, channel=road.channel("old-support"))
    assert done(outcome) == {"id": road.channel("old-support"), "name": "old-support", "type": "text"}
    assert await road.writes() == [f"DELETE /channels/{road.channel('old-support')}"]
    assert "old-support" not in await road.world()


async def test_deleting_a_category_leaves_its_channels_and_counts_those_that_one_sees(road: Road) -> None:
    preview = await road.call("channel_delete", "marlow", channel=road.channel("Talk"), dry_run=True)
    assert preview.preview is not None
    assert "2 channels in it that you see stay, outside of any category" in preview.preview.summary


async def test_a_category_with_a_strict_policy_is_not_deleted_around_it(road: Road) -> None:
    await road.set_policy("Staff", write="confirm")
    outcome = await road.call("channel_delete", "ada", channel=road.channel("Staff"), dry_run=True)
    assert outcome.refusal is not None
    assert (outcome.refusal.step, outcome.refusal.code) == (Step.SCOPE, "role")


# --------------------------------------------------------------------- taint
async def test_who_read_a_narrower_channel_needs_a_person_to_write_into_a_wider_one(road: Road) -> None:
    done_topic = await road.call("channel_edit", None, channel=road.channel("mod-room"), topic="for managers")
    done(done_topic)
    guild = road.core.state.source.cached(road.guild_id)
    assert guild is not None
    await until(lambda: any(each.topic == "for managers" for each in guild.text_channels), "the topic arrives")
    await road.read("channel_get", "marlow", channel="mod-room")
    outcome = await road.call("channel_edit", "marlow", channel="general", topic="told", dry_run=True)
    assert outcome.plan is not None
    assert outcome.plan.strength is Strength.PERSON
    assert road.core.registry.get("channel_edit").reach is Reach.AUDIENCE  # type: ignore[union-attr]
