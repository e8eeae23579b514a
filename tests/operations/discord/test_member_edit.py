"""Nicknames, over the wire of the sandbox."""

from __future__ import annotations

import pytest

from operations.base import Status
from policy.model import Strength
from tests.operations.discord.crew import heard, heard_of, members, moderation_entries, observed, undone
from tests.operations.discord.outcomes import code, done, previewed
from tests.operations.discord.road import Road
from tests.samples import UNKNOWN_ID

pytestmark = pytest.mark.asyncio(loop_scope="session")

MEMBER_UPDATE = 24


async def take_from_everyone(crew: Road, *permissions: str) -> None:
    """Leaves @everyone without these."""
    guild = crew.core.state.source.cached(crew.guild_id)
    assert guild is not None
    left = guild.default_role.permissions
    left.update(**dict.fromkeys(permissions, False))
    await crew.sandbox.control(
        "as_user",
        user=crew.guild["owner_id"],
        method="PATCH",
        path=f"/guilds/{crew.guild_id}/roles/{crew.guild_id}",
        body={"permissions": str(left.value)},
    )
    await heard(crew, lambda guild: guild.default_role.permissions == left, "the permissions arrive")


async def test_a_moderator_renames_a_member_with_one_request_and_it_is_undone(crew: Road) -> None:
    before = await members(crew)
    nina = crew.guild["members"]["nina"]
    await crew.writes()
    outcome = await crew.call("member_edit", "mike", member="nina", nickname="  Nina   the  Navigator ")
    assert done(outcome) == {"id": nina, "username": "nina", "nickname": "Nina the Navigator"}
    assert await crew.writes() == [f"PATCH /guilds/{crew.guild_id}/members/{nina}"]
    assert (await members(crew))["nina"]["nick"] == "Nina the Navigator"
    entry = (await moderation_entries(crew))[0]
    assert (entry["action_type"], entry["target_id"]) == (MEMBER_UPDATE, nina)
    assert entry["reason"].startswith(f"gh:{outcome.call_id}:")
    await heard_of(crew, "nina", lambda member: member.nick is not None, "the nickname arrives")
    done(await undone(crew, outcome))
    assert await members(crew) == before


async def test_an_empty_nickname_removes_it_and_is_undone(crew: Road) -> None:
    before = await members(crew)
    outcome = await crew.call("member_edit", "mike", member="ned", nickname="")
    assert done(outcome)["username"] == "ned"
    assert outcome.preview is not None
    ned = crew.guild["members"]["ned"]
    assert outcome.preview.summary == f"Remove the nickname of @ned ({ned}) in Crew Harbor"
    assert [(change.before, change.after) for change in outcome.preview.changes] == [("Neddy", None)]
    assert (await members(crew))["ned"]["nick"] is None
    await heard_of(crew, "ned", lambda member: member.nick is None, "the change arrives")
    done(await undone(crew, outcome))
    assert await members(crew) == before


async def test_a_preview_of_a_nickname_changes_nothing(crew: Road) -> None:
    await crew.writes()
    preview = previewed(await crew.call("member_edit", "mike", member="nina", nickname="x", dry_run=True))
    assert preview.reversible
    assert await crew.writes() == []
    assert await observed(crew, "member_edit", preview) == preview.fingerprint
    await crew.sandbox.control("set_nick", guild=crew.guild_id, user=crew.guild["members"]["nina"], nick="y")
    assert await observed(crew, "member_edit", preview) != preview.fingerprint


@pytest.mark.parametrize(("length", "fits"), [(1, True), (32, True), (33, False)])
async def test_a_nickname_has_up_to_32_characters(crew: Road, length: int, fits: bool) -> None:
    outcome = await crew.call("member_edit", "mike", member="nina", nickname="x" * length)
    assert (outcome.status is Status.DONE) is fits
    assert ((await members(crew))["nina"]["nick"] is not None) is fits


async def test_the_same_nickname_changes_nothing(crew: Road) -> None:
    for member, nickname in (("ned", " Neddy "), ("nina", "")):
        outcome = await crew.call("member_edit", "mike", member=member, nickname=nickname)
        assert outcome.refusal is not None
        assert outcome.refusal.reason == "Nothing would change; give another nickname."


# -------------------------------------------------------------------- rights
async def test_everybody_renames_himself_and_nobody_else(crew: Road) -> None:
    done(await crew.call("member_edit", "nina", member="nina", nickname="Me"))
    assert (await members(crew))["nina"]["nick"] == "Me"
    outcome = await crew.call("member_edit", "nina", member="ned", nickname="You")
    assert code(outcome) == "you_lack_permission"
    assert outcome.refusal is not None
    assert "manage_nicknames" in outcome.refusal.reason


async def test_without_change_nickname_one_does_not_rename_himself_but_may_rename_others(crew: Road) -> None:
    await take_from_everyone(crew, "change_nickname")
    await crew.sandbox.control("requests", clear=True)
    for named in (crew.guild["members"]["nina"], UNKNOWN_ID, "nina"):
        outcome = await crew.call("member_edit", "nina", member=named, nickname="Me")
        assert code(outcome) == "you_lack_permission"
    assert {request["path"] for request in (await crew.sandbox.control("requests"))["requests"]} <= {
        f"/guilds/{crew.guild_id}/members/{crew.guild['members']['nina']}"
    }
    own = await crew.call("member_edit", "mike", member="mike", nickname="Me")
    assert code(own) == "you_lack_permission"
    assert own.refusal is not None
    assert "change_nickname" in own.refusal.reason
    done(await crew.call("member_edit", "mike", member="nina", nickname="You"))


async def test_the_bots_own_nickname_takes_manage_nicknames_of_the_requester(crew: Road) -> None:
    bot = str(crew.core.state.source.bot_user_id)
    assert code(await crew.call("member_edit", "nina", member=bot, nickname="Toy")) == "you_lack_permission"
    await crew.writes()
    below = await crew.call("member_edit", "mike", member=bot, nickname="Toy")
    assert below.refusal is not None
    assert "not above mine" in below.refusal.reason
    assert await crew.writes() == []
    outcome = await crew.call("member_edit", "olive", member=bot, nickname="Harbour Master")
    done(outcome)
    assert await crew.writes() == [f"PATCH /guilds/{crew.guild_id}/members/@me"]
    assert (await members(crew))["Guildhall"]["nick"] == "Harbour Master"
    entry = (await moderation_entries(crew))[0]
    assert (entry["action_type"], entry["target_id"]) == (MEMBER_UPDATE, bot)
    await heard(crew, lambda guild: guild.me.nick is not None, "the nickname arrives")
    done(await undone(crew, outcome))
    assert (await members(crew))["Guildhall"]["nick"] is None


async def test_nobody_renames_somebody_higher_or_the_owner(crew: Road) -> None:
    expected = {"olive": "owner", "ada": "your_rank", "cora": "your_rank"}
    for name, wanted in expected.items():
        assert code(await crew.call("member_edit", "mike", member=name, nickname="x")) == wanted
    own = await crew.call("member_edit", "olive", member="olive", nickname="x")
    assert own.refusal is not None
    assert own.refusal.reason == "Nobody but the owner changes the owner's nickname; do it in Discord."


async def test_one_who_stands_above_the_bot_renames_himself_in_discord(crew: Road) -> None:
    roles = [{"id": crew.guild["roles"]["Guildhall"], "position": 1}]
    await crew.sandbox.control(
        "as_user", user=crew.guild["owner_id"], method="PATCH", path=f"/guilds/{crew.guild_id}/roles", body=roles
    )
    await heard(crew, lambda guild: guild.me.top_role < guild.roles[-1], "the bot's role stands lower")
    outcome = await crew.call("member_edit", "cora", member="cora", nickname="x")
    assert code(outcome) == "would_fail"
    assert outcome.refusal is not None
    assert "My top role is not above yours" in outcome.refusal.reason


async def test_who_read_what_others_wrote_needs_a_person_to_rename(crew: Road) -> None:
    channel = crew.channel("general")
    await crew.sandbox.control("send", user=crew.guild["members"]["nina"], channel=channel, content="rename me")
    await crew.sandbox.control("set_overwrite", channel=channel, role=crew.guild["id"], deny=["view_channel"])
    for role in ("Mate", "Guildhall"):
        await crew.sandbox.control(
            "set_overwrite", channel=channel, role=crew.guild["roles"][role], allow=["view_channel"]
        )
    await heard(crew, lambda guild: len(guild.text_channels[0].overwrites) == 3, "the overwrites arrive")
    await crew.read("message_list_recent", "mike", channel=channel)
    outcome = await crew.call("member_edit", "mike", member="nina", nickname="x")
    assert outcome.status is Status.NEEDS_CONFIRMATION
    assert outcome.plan is not None
    assert outcome.plan.strength is Strength.PERSON


@pytest.mark.parametrize(("named", "who"), [("nina", "mike"), ("Guildhall", "olive")])
async def test_a_lost_answer_to_a_rename_is_found_in_discords_audit_log(crew: Road, named: str, who: str) -> None:
    ids = {**crew.guild["members"], "Guildhall": str(crew.core.state.source.bot_user_id)}
    await crew.sandbox.control(
        "fault", faults=[{"method": "PATCH", "path": "/guilds/*/members/*", "when": "after", "reset": True, "times": 1}]
    )
    outcome = await crew.call("member_edit", who, member=ids[named], nickname="x")
    assert done(outcome)["nickname"] == "x"
    assert outcome.detail == "Found in Discord's audit log."
