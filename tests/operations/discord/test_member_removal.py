"""Kicking, banning and unbanning, over the wire of the sandbox."""

from __future__ import annotations

import discord
import pytest

from operations.base import Status
from policy.model import Strength, Tier
from tests.operations.discord.confirming import inverse
from tests.operations.discord.crew import bans, heard, members, moderation_entries, observed, stranger, undone
from tests.operations.discord.outcomes import code, done, previewed
from tests.operations.discord.road import Road
from tests.samples import UNKNOWN_ID

pytestmark = pytest.mark.asyncio(loop_scope="session")

KICK, BAN, UNBAN = 20, 22, 23


# ---------------------------------------------------------------------- kick
async def test_a_kick_is_one_request_with_the_tagged_reason(crew: Road) -> None:
    nina = crew.guild["members"]["nina"]
    await crew.writes()
    outcome = await crew.call("member_kick", None, member=nina, reason="spam")
    assert done(outcome) == {"id": nina, "username": "nina"}
    assert await crew.writes() == [f"DELETE /guilds/{crew.guild_id}/members/{nina}"]
    assert "nina" not in await members(crew)
    assert nina not in await bans(crew)
    entry = (await moderation_entries(crew))[0]
    assert (entry["action_type"], entry["target_id"]) == (KICK, nina)
    assert entry["reason"].startswith(f"gh:{outcome.call_id}:")
    assert entry["reason"].endswith("spam")


async def test_a_kick_shows_who_goes_waits_for_a_person_and_changes_nothing(crew: Road) -> None:
    await crew.writes()
    outcome = await crew.call("member_kick", "mike", member="nina")
    assert (outcome.status, outcome.tier) == (Status.NEEDS_CONFIRMATION, Tier.CRITICAL)
    assert outcome.plan is not None
    assert outcome.plan.strength is Strength.PERSON
    preview = previewed(outcome)
    nina = crew.guild["members"]["nina"]
    assert preview.summary == (
        f"Kick @nina ({nina}) from Crew Harbor: account 0 days old, here for 0 days, roles: Member"
    )
    assert [(change.field, change.before, change.after) for change in preview.changes] == [
        ("member", True, False),
        ("roles", ["Member"], []),
    ]
    assert not preview.reversible
    assert preview.inverse is None
    # The card that asks a person is posted, and nothing else is done.
    assert [write for write in await crew.writes() if not write.startswith("POST ")] == []
    assert "nina" in await members(crew)


@pytest.mark.parametrize("operation", ["member_kick", "member_ban"])
async def test_neither_the_owner_nor_the_bot_nor_anybody_higher_is_removed(crew: Road, operation: str) -> None:
    expected = {
        "olive": "owner",
        "Guildhall": "bot_itself",
        "ada": "your_rank",
        "cora": "your_rank",
        "mike": "your_rank",
    }
    ids = {**crew.guild["members"], "Guildhall": str(crew.core.state.source.bot_user_id)}
    for name, wanted in expected.items():
        outcome = await crew.call(operation, "mike", member=ids[name])
        assert code(outcome) == wanted, name
        assert outcome.refusal is not None
        assert outcome.refusal.remedy
    assert set(expected) <= set(await members(crew)) | {"Guildhall"}


@pytest.mark.parametrize("operation", ["member_kick", "member_ban", "member_timeout", "member_edit"])
async def test_whom_the_bot_does_not_outrank_is_left_alone_by_the_owner_too(crew: Road, operation: str) -> None:
    roles = [{"id": crew.guild["roles"]["Guildhall"], "position": 1}]
    await crew.sandbox.control(
        "as_user", user=crew.guild["owner_id"], method="PATCH", path=f"/guilds/{crew.guild_id}/roles", body=roles
    )
    await heard(crew, lambda guild: guild.me.top_role < guild.roles[-1], "the bot's role stands lower")
    more = {"member_timeout": {"duration_seconds": 60}, "member_edit": {"nickname": "x"}}.get(operation, {})
    for caller in ("olive", None):
        outcome = await crew.call(operation, caller, member=crew.guild["members"]["cora"], **more)
        assert code(outcome) == "bot_rank"


@pytest.mark.parametrize(
    ("operation", "permission"),
    [("member_kick", "kick_members"), ("member_ban", "ban_members"), ("member_unban", "ban_members")],
)
async def test_who_lacks_the_right_is_refused_before_anything_is_asked_of_discord(
    crew: Road, operation: str, permission: str
) -> None:
    # For what is risky the requester himself is looked up anew.
    own = f"/guilds/{crew.guild_id}/members/{crew.guild['members']['nina']}"
    for named in (crew.guild["members"]["ned"], "ned", UNKNOWN_ID):
        await crew.sandbox.control("requests", clear=True)
        outcome = await crew.call(operation, "nina", member=named)
        assert outcome.refusal is not None
        assert outcome.refusal.code == "you_lack_permission"
        assert permission in outcome.refusal.reason
        asked = (await crew.sandbox.control("requests"))["requests"]
        assert {request["path"].split("/api/v10")[-1] for request in asked} <= {own}


async def test_a_kicked_members_plan_no_longer_holds_when_he_left_or_came_back(crew: Road) -> None:
    preview = previewed(await crew.call("member_kick", "mike", member="nina", dry_run=True))
    assert await observed(crew, "member_kick", preview) == preview.fingerprint
    await crew.sandbox.control("leave", guild=crew.guild_id, user=crew.guild["members"]["nina"])
    assert await observed(crew, "member_kick", preview) != preview.fingerprint


async def test_a_lost_answer_to_a_kick_is_found_in_discords_audit_log(crew: Road) -> None:
    await crew.sandbox.control(
        "fault",
        faults=[{"method": "DELETE", "path": "/guilds/*/members/*", "when": "after", "reset": True, "times": 1}],
    )
    outcome = await crew.call("member_kick", None, member=crew.guild["members"]["nina"])
    assert done(outcome)["username"] == "nina"
    assert outcome.detail == "Found in Discord's audit log."


# ----------------------------------------------------------------------- ban
async def test_a_ban_removes_a_member_and_his_recent_messages_with_one_request(crew: Road) -> None:
    nina, general = crew.guild["members"]["nina"], crew.channel("general")
    for who in ("nina", "ned"):
        await crew.sandbox.control("send", user=crew.guild["members"][who], channel=general, content=f"by {who}")
    await crew.writes()
    outcome = await crew.call("member_ban", None, member=nina, delete_message_seconds=3600, reason="raid")
    assert done(outcome) == {"id": nina, "username": "nina", "deleted_message_seconds": 3600}
    assert await crew.writes() == [f"PUT /guilds/{crew.guild_id}/bans/{nina}"]
    assert "nina" not in await members(crew)
    assert (await bans(crew))[nina] is not None
    left = (await crew.sandbox.control("history", channel=general))["messages"]
    assert [message["content"] for message in left] == ["by ned"]
    entry = (await moderation_entries(crew))[0]
    assert (entry["action_type"], entry["target_id"]) == (BAN, nina)
    assert entry["reason"].startswith(f"gh:{outcome.call_id}:")


async def test_a_ban_deletes_no_message_unless_it_is_told_to(crew: Road) -> None:
    general = crew.channel("general")
    await crew.sandbox.control("send", user=crew.guild["members"]["nina"], channel=general, content="kept")
    done(await crew.call("member_ban", None, member=crew.guild["members"]["nina"]))
    assert len((await crew.sandbox.control("history", channel=general))["messages"]) == 1


@pytest.mark.parametrize(("seconds", "fits"), [(0, True), (604_800, True), (604_801, False), (-1, False)])
async def test_messages_are_deleted_of_seven_days_at_most(crew: Road, seconds: int, fits: bool) -> None:
    outcome = await crew.call("member_ban", "mike", member="nina", delete_message_seconds=seconds, dry_run=True)
    assert (outcome.status is Status.PREVIEW) is fits


async def test_a_members_ban_says_what_an_unban_would_not_bring_back(crew: Road) -> None:
    outcome = await crew.call("member_ban", "mike", member="nina", delete_message_seconds=86_400, dry_run=True)
    preview = previewed(outcome)
    nina = crew.guild["members"]["nina"]
    assert preview.summary == (
        f"Ban @nina ({nina}) from Crew Harbor and delete their messages of the last 1 day: "
        "account 0 days old, here for 0 days, roles: Member; "
        "an unban does not bring back the membership with its roles and the deleted messages"
    )
    assert not preview.reversible
    assert (await inverse(crew, "member_ban", member=nina)).operation == "member_unban"
    assert preview.unknowns == ()
    assert [(change.field, change.before, change.after) for change in preview.changes] == [
        ("banned", False, True),
        ("member", True, False),
        ("roles", ["Member"], []),
        ("messages of the last 1 day", "kept", "deleted"),
    ]


async def test_somebody_outside_is_banned_by_id_and_his_ban_is_wholly_undone(crew: Road) -> None:
    user_id = await stranger(crew)
    before = await crew.sandbox.control("world", guild=crew.guild_id)
    for named in (user_id, f"<@{user_id}>"):
        preview = previewed(await crew.call("member_ban", "mike", member=named, dry_run=True))
        assert preview.reversible
        assert "no member" in preview.summary
        assert [change.field for change in preview.changes] == ["banned"]
    outcome = await crew.call("member_ban", None, member=user_id)
    done(outcome)
    assert user_id in await bans(crew)
    done(await undone(crew, outcome))
    assert (await crew.sandbox.control("world", guild=crew.guild_id))["guilds"] == before["guilds"]


async def test_nobody_outside_is_banned_by_name_and_nobody_is_unknown(crew: Road) -> None:
    await stranger(crew, "wanderer")
    by_name = await crew.call("member_ban", "mike", member="wanderer")
    no_name = await crew.call("member_ban", "mike", member="nobody-at-all")
    no_id = await crew.call("member_ban", "mike", member=UNKNOWN_ID)
    assert {code(each) for each in (by_name, no_name, no_id)} == {"unknown_user"}


async def test_who_is_banned_already_is_not_banned_again(crew: Road) -> None:
    user_id = await stranger(crew)
    await crew.sandbox.control("ban", guild=crew.guild_id, user=int(user_id))
    preview = previewed(await crew.call("member_ban", "mike", member=user_id, dry_run=True))
    assert preview.problems == ("Nothing would change; @stranger is banned already.",)


async def test_a_bans_plan_holds_though_the_member_leaves_and_not_when_another_bans_him(crew: Road) -> None:
    nina = crew.guild["members"]["nina"]
    preview = previewed(await crew.call("member_ban", "mike", member="nina", dry_run=True))
    await crew.sandbox.control("leave", guild=crew.guild_id, user=nina)
    assert await observed(crew, "member_ban", preview) == preview.fingerprint
    await crew.sandbox.control("ban", guild=crew.guild_id, user=nina)
    assert await observed(crew, "member_ban", preview) != preview.fingerprint


async def test_the_name_of_a_member_that_another_looks_like_bans_nobody(crew: Road) -> None:
    added = await crew.sandbox.control("add_member", guild=crew.guild_id, name="nlna")
    await heard(crew, lambda guild: guild.get_member(int(added["id"])), "nlna arrives")
    guild = crew.core.state.source.cached(crew.guild_id)
    assert guild is not None
    await guild.chunk()
    outcome = await crew.call("member_ban", "mike", member="nina")
    assert code(outcome).startswith("look_alike")
    by_nick = await crew.call("member_ban", "mike", member="Neddy")
    assert code(by_nick) == "unknown_user"


async def test_a_lost_answer_to_a_ban_is_found_in_discords_audit_log(crew: Road) -> None:
    await crew.sandbox.control(
        "fault", faults=[{"method": "PUT", "path": "/guilds/*/bans/*", "when": "after", "reset": True, "times": 1}]
    )
    outcome = await crew.call("member_ban", None, member=crew.guild["members"]["nina"])
    done(outcome)
    assert outcome.detail == "Found in Discord's audit log."


# --------------------------------------------------------------------- unban
async def test_an_unban_takes_an_id_a_mention_or_the_exact_username(crew: Road) -> None:
    user_id = await stranger(crew, "rowdy")
    for named in (user_id, f"<@{user_id}>", "rowdy", "@rowdy"):
        await crew.sandbox.control("ban", guild=crew.guild_id, user=int(user_id))
        await crew.writes()
        outcome = await crew.call("member_unban", None, member=named)
        assert done(outcome) == {"id": user_id, "username": "rowdy"}
        assert await crew.writes() == [f"DELETE /guilds/{crew.guild_id}/bans/{user_id}"]
        assert await bans(crew) == {}
    entry = (await moderation_entries(crew))[0]
    assert (entry["action_type"], entry["target_id"]) == (UNBAN, user_id)


async def test_an_unban_is_risky_and_undone_by_a_ban(crew: Road) -> None:
    user_id = await stranger(crew)
    await crew.sandbox.control("ban", guild=crew.guild_id, user=int(user_id))
    preview = previewed(await crew.call("member_unban", "mike", member=user_id))
    assert preview.reversible
    assert preview.summary == f"Unban @stranger ({user_id}) in Crew Harbor: account 0 days old"
    assert await observed(crew, "member_unban", preview) == preview.fingerprint
    outcome = await crew.call("member_unban", None, member=user_id)
    done(outcome)
    assert await observed(crew, "member_unban", preview) != preview.fingerprint
    done(await undone(crew, outcome))
    assert list(await bans(crew)) == [user_id]


async def test_who_is_not_banned_reads_as_who_does_not_exist(crew: Road) -> None:
    nina = crew.guild["members"]["nina"]
    outcomes = [await crew.call("member_unban", "mike", member=named) for named in (nina, UNKNOWN_ID, "nobody")]
    refusals = [outcome.refusal for outcome in outcomes]
    assert refusals[0] == refusals[1] == refusals[2]
    assert code(outcomes[0]) == "unknown_ban"


async def test_a_banned_name_with_a_look_alike_unbans_nobody(crew: Road) -> None:
    for name in ("raider", "rаider"):  # the second one with a Cyrillic letter
        await crew.sandbox.control("ban", guild=crew.guild_id, user=int(await stranger(crew, name)))
    outcome = await crew.call("member_unban", "mike", member="raider")
    assert code(outcome) == "look_alike_ban"
    assert len(await bans(crew)) == 2


async def test_a_lost_answer_to_an_unban_is_found_in_discords_audit_log(crew: Road) -> None:
    user_id = await stranger(crew)
    await crew.sandbox.control("ban", guild=crew.guild_id, user=int(user_id))
    await crew.sandbox.control(
        "fault", faults=[{"method": "DELETE", "path": "/guilds/*/bans/*", "when": "after", "reset": True, "times": 1}]
    )
    outcome = await crew.call("member_unban", None, member=user_id)
    done(outcome)
    assert outcome.detail == "Found in Discord's audit log."


async def test_only_kick_and_ban_are_confirmed_by_one_click(crew: Road) -> None:
    clicked = {operation.name for operation in crew.core.registry if getattr(operation, "one_click", False)}
    assert clicked == {"member_kick", "member_ban"}


async def test_the_owners_two_factor_authentication_is_told_as_unknown(crew: Road) -> None:
    guild = crew.core.state.source.cached(crew.guild_id)
    assert guild is not None
    # The simulated Discord has no such setting.
    guild.mfa_level = discord.MFALevel.require_2fa
    preview = previewed(await crew.call("member_kick", "mike", member="nina", dry_run=True))
    assert "two-factor authentication for kick_members" in preview.unknowns[0]


async def test_a_name_that_only_discord_knows_is_looked_up_and_ranked(crew: Road) -> None:
    """Most members are in no cache: nothing is decided of one who was not asked for."""
    guild = crew.core.state.source.cached(crew.guild_id)
    assert guild is not None
    assert guild.get_member(int(crew.guild["members"]["cora"])) is None
    outcome = await crew.call("member_ban", "mike", member="cora")
    assert code(outcome) == "your_rank"
