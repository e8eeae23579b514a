"""Overwrites of channels: reading, changing and removing them, over the wire of the sandbox."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from operations.base import Outcome
from operations.discord.channel_overwrites import is_of
from policy.model import Step, Strength, Tier
from tests.operations.discord.outcomes import code, done, problems
from tests.operations.discord.road import Road
from tests.operations.discord.role_world import arrived, by_hand, cached, changes

pytestmark = pytest.mark.asyncio(loop_scope="session")

EDIT = "channel_permissions_edit"
DELETE = "channel_permissions_delete"


async def overwrites(road: Road, channel: str) -> dict[str, tuple[list[str], list[str]]]:
    """By the name of the role or member: allowed and denied."""
    names = {each: name for kind in ("roles", "members") for name, each in road.guild[kind].items()}
    found = (await road.world())[channel]["overwrites"]
    return {names[each["id"]]: (each["allow"], each["deny"]) for each in found}


async def known(road: Road, channel: str, subject: str, allow: int, deny: int) -> None:
    """Waits until the bot's own view of an overwrite is this one."""
    channel_id = int(road.channel(channel))

    def holds() -> bool:
        for target, overwrite in cached(road).get_channel(channel_id).overwrites.items():
            if target.id == int(subject):
                return tuple(each.value for each in overwrite.pair()) == (allow, deny)
        return (allow, deny) == (0, 0)

    await arrived(road, holds, "the overwrite")


async def put(road: Road, channel: str, target: str, *, kind: int = 0, allow: int = 0, deny: int = 0) -> None:
    """An overwrite made by the owner's hand."""
    path = f"/channels/{road.channel(channel)}/permissions/{target}"
    await by_hand(road, "PUT", path, {"type": kind, "allow": str(allow), "deny": str(deny)})
    await known(road, channel, target, allow, deny)


async def back(road: Road, outcome: Outcome) -> Outcome:
    assert outcome.preview is not None
    assert outcome.preview.reversible
    assert outcome.preview.inverse is not None
    return await road.call(outcome.preview.inverse.operation, None, **outcome.preview.inverse.arguments)


# ---------------------------------------------------------------------- list
async def test_the_list_names_whom_the_overwrites_are_for(road: Road) -> None:
    await put(road, "general", road.guild["members"]["nina"], kind=1, deny=1 << 11)
    listed = await road.read("channel_permissions_list", "marlow", channel="general")
    assert listed["synced_with_category"] is False
    assert [(row["kind"], row["deny"]) for row in listed["overwrites"]] == [("member", ["send_messages"])]
    staff = await road.read("channel_permissions_list", "marlow", channel="mod-room")
    assert staff["synced_with_category"] is True
    assert {row["name"]: (row["allow"], row["deny"]) for row in staff["overwrites"]} == {
        "@everyone": ([], ["view_channel"]),
        "Manager": (["view_channel"], []),
        "Guildhall": (["view_channel"], []),
    }


async def test_a_hidden_channel_lists_like_none(road: Road) -> None:
    hidden = await road.call("channel_permissions_list", "nina", channel=road.channel("mod-room"))
    unknown = await road.call("channel_permissions_list", "nina", channel="1" * 18)
    assert hidden.refusal == unknown.refusal
    assert code(hidden) == "unknown_channel"


async def test_whether_a_channel_follows_a_hidden_category_is_not_told(road: Road) -> None:
    await put(road, "open-desk", road.guild["roles"]["Member"], allow=1 << 28)
    listed = await road.read("channel_permissions_list", "nina", channel="open-desk")
    assert "synced_with_category" not in listed


@pytest.mark.parametrize("permission", [1 << 28, 1 << 4], ids=["manage_roles", "manage_channels"])
async def test_overwrites_are_for_those_who_may_manage_them_in_both_reads(road: Road, permission: int) -> None:
    await put(road, "general", road.guild["members"]["marlow"], kind=1, deny=1 << 11)
    refused = await road.call("channel_permissions_list", "nina", channel=road.channel("general"))
    assert code(refused) == "you_lack_permission"
    assert "overwrites" not in await road.read("channel_get", "nina", channel=road.channel("general"))
    await put(road, "general", road.guild["roles"]["Member"], allow=permission)
    listed = await road.read("channel_permissions_list", "nina", channel=road.channel("general"))
    told = await road.read("channel_get", "nina", channel=road.channel("general"))
    assert listed["overwrites"] == told["overwrites"]
    assert len(listed["overwrites"]) == 2


@pytest.mark.parametrize(
    ("target_id", "extra", "ours"),
    [(5, discord.Object(7), True), (5, None, True), (5, discord.Object(8), False), (6, discord.Object(7), False)],
)
async def test_an_audit_entry_is_about_an_overwrite_unless_it_says_otherwise(
    target_id: int, extra: discord.Object | None, ours: bool
) -> None:
    entry = cast("discord.AuditLogEntry", SimpleNamespace(target=discord.Object(target_id), extra=extra))
    assert is_of(entry, 5, 7) is ours


async def test_a_thread_has_the_permissions_of_its_parent(road: Road) -> None:
    path, body = f"/channels/{road.channel('general')}/threads", {"name": "side", "type": 11}
    thread_id: str = (await by_hand(road, "POST", path, body))["id"]
    await arrived(road, lambda: cached(road).get_thread(int(thread_id)), "the thread")
    for name, more in (("channel_permissions_list", {}), (EDIT, {"role": "Member", "deny": ["connect"]})):
        outcome = await road.call(name, "ada", channel=thread_id, **more)
        assert code(outcome) == "is_thread"


# ---------------------------------------------------------------------- edit
async def test_an_edit_leaves_what_it_does_not_name_and_goes_back(road: Road) -> None:
    member = road.guild["roles"]["Member"]
    await put(road, "general", member, allow=1 << 20, deny=1 << 11 | 1 << 14)
    before = await road.world()
    edit: dict[str, Any] = {
        "channel": "general",
        "role": "Member",
        "allow": ["send_messages"],
        "deny": ["attach_files"],
        "clear": ["embed_links"],
    }
    preview = await road.call(EDIT, "ada", **edit, dry_run=True)
    assert preview.tier is Tier.RISKY
    assert preview.plan is not None
    assert preview.plan.strength is Strength.TOKEN
    assert preview.preview is not None
    assert preview.preview.summary == (
        "Change what @Member may do in #general of Test Harbor: "
        "allow send_messages; deny attach_files; clear embed_links"
    )
    assert changes(preview)[f"overwrite of role {member} @Member"] == (
        {"allow": ["connect"], "deny": ["send_messages", "embed_links"]},
        {"allow": ["send_messages", "connect"], "deny": ["attach_files"]},
    )
    assert await road.world() == before
    await road.writes()
    outcome = await road.call(EDIT, None, **edit)
    assert done(outcome)["deny"] == ["attach_files"]
    assert await road.writes() == [f"PUT /channels/{road.channel('general')}/permissions/{member}"]
    assert (await overwrites(road, "general"))["Member"] == (["connect", "send_messages"], ["attach_files"])
    entry = (await road.sandbox.control("audit_log", guild=road.guild_id))["entries"][0]
    assert entry["reason"].startswith(f"gh:{outcome.call_id}:")
    await known(road, "general", member, 1 << 20 | 1 << 11, 1 << 15)
    done(await back(road, outcome))
    assert await road.world() == before


async def test_a_first_overwrite_is_undone_by_its_removal(road: Road) -> None:
    nina, before = road.guild["members"]["nina"], await road.world()
    outcome = await road.call(EDIT, None, channel="general", member="nina", deny=["send_messages"])
    done(outcome)
    assert await overwrites(road, "general") == {"nina": ([], ["send_messages"])}
    await known(road, "general", nina, 0, 1 << 11)
    undone = await back(road, outcome)
    assert undone.operation == DELETE
    done(undone)
    assert await road.world() == before
    await known(road, "general", nina, 0, 0)
    done(await back(road, undone))
    assert await overwrites(road, "general") == {"nina": ([], ["send_messages"])}


async def test_an_edit_that_changes_nothing_is_a_problem(road: Road) -> None:
    everyone = {"channel": road.channel("mod-room"), "role": "@everyone"}
    for lists in ({}, {"deny": ["view_channel"]}, {"clear": ["send_messages"]}):
        assert "Nothing would change" in problems(await road.call(EDIT, "ada", **everyone, **lists, dry_run=True))
    absent = await road.call(DELETE, "ada", channel="mod-room", role="Member", dry_run=True)
    assert problems(absent) == "Nothing would change; @Member has no overwrite there."


async def test_an_overwrite_is_for_one_and_a_permission_goes_one_way(road: Road) -> None:
    for arguments in (
        {},
        {"role": "Member", "member": "nina"},
        {"role": "Member", "allow": ["connect"], "clear": ["connect"]},
    ):
        assert code(await road.call(EDIT, "ada", channel="general", **arguments)) == "invalid_arguments"
    assert code(await road.call(DELETE, "ada", channel="general")) == "invalid_arguments"


async def test_leaving_the_permissions_of_the_category_is_told(road: Road) -> None:
    outcome = await road.call(EDIT, "marlow", channel="mod-room", role="Member", allow=["view_channel"], dry_run=True)
    assert changes(outcome)["synced with its category"] == (True, False)


async def test_channels_in_sync_follow_their_category(road: Road) -> None:
    assert (await overwrites(road, "open-desk")) == {}
    asked: dict[str, Any] = {"channel": road.channel("Staff"), "role": "Member", "allow": ["view_channel"]}
    preview = await road.call(EDIT, "marlow", **asked, dry_run=True)
    mod_room = f"channel {road.channel('mod-room')} #mod-room"
    assert changes(preview)["synced channels that follow, of those that you see"] == (None, [mod_room])
    done(await road.call(EDIT, None, **asked))
    for channel in ("Staff", "mod-room"):
        assert (await overwrites(road, channel))["Member"] == (["view_channel"], [])
    assert (await overwrites(road, "open-desk")) == {}


async def test_a_policy_on_a_channel_that_would_follow_guards_it_too(road: Road) -> None:
    await road.set_policy("mod-room", destroy="deny")
    asked: dict[str, Any] = {"channel": road.channel("Staff"), "role": "Member", "allow": ["view_channel"]}
    outcome = await road.call(EDIT, "ada", **asked, dry_run=True)
    assert outcome.refusal is not None
    assert outcome.refusal.step is Step.CHANNEL


async def test_who_would_lose_sight_of_the_channel_is_told(road: Road) -> None:
    me = await road.call(EDIT, "ada", channel="general", role="@everyone", deny=["view_channel"], dry_run=True)
    assert changes(me)["seen by me"] == (True, False)
    assert "seen by you" not in changes(me), "ada is an administrator"
    assert me.preview is not None
    assert not me.preview.reversible
    you = await road.call(EDIT, "marlow", channel="general", role="Manager", deny=["view_channel"], dry_run=True)
    assert changes(you)["seen by you"] == (True, False)
    assert you.preview is not None
    assert you.preview.reversible
    removed = await road.call(DELETE, "marlow", channel="mod-room", role="Manager", dry_run=True)
    assert changes(removed)["seen by you"] == (True, False)


# -------------------------------------------------------------------- rights
async def test_who_may_not_manage_roles_in_the_channel_changes_nothing(road: Road) -> None:
    outcome = await road.call(EDIT, "nina", channel="general", role="Member", deny=["connect"], dry_run=True)
    assert code(outcome) == "you_lack_permission"
    manager = road.guild["roles"]["Manager"]
    await put(road, "general", manager, deny=1 << 28)
    here = await road.call(EDIT, "marlow", channel="general", role="Member", deny=["connect"], dry_run=True)
    assert code(here) == "you_lack_permission"
    hidden = await road.call(EDIT, "nina", channel=road.channel("mod-room"), role="Member", deny=["connect"])
    unknown = await road.call(EDIT, "nina", channel="1" * 18, role="Member", deny=["connect"])
    assert hidden.refusal == unknown.refusal


async def test_nobody_hands_out_or_takes_away_what_he_lacks(road: Road) -> None:
    for way in ("allow", "deny"):
        outcome = await road.call(EDIT, "marlow", channel="general", role="Member", **{way: ["ban_members"]})
        assert code(outcome) == "you_lack_permission"
    await put(road, "general", road.guild["roles"]["Member"], deny=1 << 2)
    for name, more in ((EDIT, {"clear": ["ban_members"]}), (DELETE, {})):
        outcome = await road.call(name, "marlow", channel="general", role="Member", **more, dry_run=True)
        assert code(outcome) == "you_lack_permission"
    by_bot = await road.call(EDIT, "ada", channel="general", role="Member", allow=["administrator"], dry_run=True)
    assert code(by_bot) == "bot_lacks_permission"


async def test_a_right_in_the_category_or_over_the_channels_roles_is_enough(road: Road) -> None:
    """ "Only permissions your bot has in the guild or parent channel …, unless … a MANAGE_ROLES overwrite"."""
    manager, marlow = road.guild["roles"]["Manager"], road.guild["members"]["marlow"]
    asked: dict[str, Any] = {"channel": "general", "role": "Member", "deny": ["move_members"], "dry_run": True}
    assert code(await road.call(EDIT, "marlow", **asked)) == "you_lack_permission"
    await put(road, "Talk", manager, allow=1 << 24)
    assert problems(await road.call(EDIT, "marlow", **asked)) == ""
    await put(road, "general", marlow, kind=1, allow=1 << 28)
    asked["deny"] = ["mute_members"]
    assert problems(await road.call(EDIT, "marlow", **asked)) == ""


async def test_overwrites_know_no_rank(road: Road) -> None:
    for subject in ({"role": "Admin"}, {"member": "olive"}, {"role": "Guildhall"}):
        outcome = await road.call(EDIT, "marlow", channel="general", **subject, deny=["connect"], dry_run=True)
        assert problems(outcome) == ""


# -------------------------------------------------------------------- delete
async def test_a_removal_is_one_request_and_goes_back(road: Road) -> None:
    before, manager = await overwrites(road, "mod-room"), road.guild["roles"]["Manager"]
    await road.writes()
    outcome = await road.call(DELETE, None, channel=road.channel("mod-room"), role="Manager")
    assert done(outcome)["allow"] == []
    assert await road.writes() == [f"DELETE /channels/{road.channel('mod-room')}/permissions/{manager}"]
    assert await overwrites(road, "mod-room") == {name: each for name, each in before.items() if name != "Manager"}
    await known(road, "mod-room", manager, 0, 0)
    done(await back(road, outcome))
    assert await overwrites(road, "mod-room") == before


async def test_the_removal_of_an_overwrite_that_does_nothing_has_no_way_back(road: Road) -> None:
    await put(road, "general", road.guild["roles"]["Member"])
    outcome = await road.call(DELETE, "ada", channel="general", role="Member", dry_run=True)
    assert problems(outcome) == ""
    assert outcome.preview is not None
    assert (outcome.preview.reversible, outcome.preview.inverse) == (False, None)


# ---------------------------------------------------------------- reconciling
@pytest.mark.parametrize("existed", [False, True])
async def test_a_lost_answer_is_found_whether_the_log_says_create_or_update(road: Road, existed: bool) -> None:
    if existed:
        await put(road, "general", road.guild["roles"]["Member"], deny=1 << 20)
    await road.sandbox.control(
        "fault",
        faults=[{"method": "PUT", "path": "/channels/*/permissions/*", "when": "after", "reset": True, "times": 1}],
    )
    outcome = await road.call(EDIT, None, channel="general", role="Member", deny=["send_messages"])
    done(outcome)
    assert outcome.detail == "Found in Discord's audit log."


async def test_a_lost_answer_of_a_removal_is_found_too(road: Road) -> None:
    await road.sandbox.control(
        "fault",
        faults=[{"method": "DELETE", "path": "/channels/*/permissions/*", "when": "after", "reset": True, "times": 1}],
    )
    outcome = await road.call(DELETE, None, channel=road.channel("mod-room"), role="Manager")
    done(outcome)
    assert outcome.detail == "Found in Discord's audit log."


async def test_an_overwrite_that_changed_meanwhile_is_seen(road: Road) -> None:
    asked: dict[str, Any] = {"channel": "general", "role": "Member", "deny": ["send_messages"], "dry_run": True}
    first = (await road.call(EDIT, "ada", **asked)).preview
    await put(road, "general", road.guild["roles"]["Member"], allow=1 << 20)
    second = (await road.call(EDIT, "ada", **asked)).preview
    assert first is not None
    assert second is not None
    assert first.fingerprint != second.fingerprint
