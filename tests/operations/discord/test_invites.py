"""Making, reading and deleting invites, over the wire of the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from operations.base import Status
from policy.model import Reach, Tier
from tests.operations.discord.outcomes import code, done, problems
from tests.operations.discord.road import Road
from tests.operations.discord.test_webhooks import inverse_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def invites(road: Road) -> dict[str, dict[str, Any]]:
    """As Discord has them, by code."""
    seen = await road.sandbox.control("world", guild=road.guild_id)
    return {invite["code"]: invite for invite in seen["guilds"][0]["invites"]}


async def by_hand(road: Road, who: str, channel: str) -> str:
    made = await road.sandbox.control(
        "as_user",
        user=int(road.guild["members"][who]),
        method="POST",
        path=f"/channels/{road.channel(channel)}/invites",
        body={"unique": True},
    )
    invite: str = made["result"]["code"]
    return invite


# -------------------------------------------------------------------- create
async def test_an_invite_is_made_as_asked_with_one_request_and_its_inverse_takes_it_away(road: Road) -> None:
    await road.writes()
    outcome = await road.call(
        "invite_create",
        "ada",
        channel=road.channel("general"),
        max_age_seconds=3600,
        max_uses=2,
        temporary=True,
    )
    made = done(outcome)
    assert await road.writes() == [f"POST /channels/{road.channel('general')}/invites"]
    (invite,) = (await invites(road)).values()
    assert invite == {
        "code": made["code"],
        "channel_id": road.channel("general"),
        "max_age_seconds": 3600,
        "max_uses": 2,
        "temporary": True,
    }
    assert made["url"] == f"https://discord.gg/{made['code']}"
    assert made["expires_at"] > made["created_at"]
    assert outcome.preview is not None
    assert outcome.preview.reversible
    operation, arguments = await inverse_of(road, outcome)
    assert operation == "invite_delete"
    done(await road.call(operation, None, **arguments))
    assert await invites(road) == {}


async def test_one_that_may_have_been_there_before_is_not_taken_back(road: Road) -> None:
    first = done(await road.call("invite_create", "ada", channel=road.channel("general"), unique=False))
    outcome = await road.call("invite_create", "ada", channel=road.channel("general"), unique=False)
    assert done(outcome)["code"] == first["code"]
    assert outcome.preview is not None
    assert not outcome.preview.reversible
    assert len(await invites(road)) == 1


@pytest.mark.parametrize(("field", "most"), [("max_age_seconds", 5_184_000), ("max_uses", 100)])
async def test_age_and_uses_are_bounded_as_discord_bounds_them(road: Road, field: str, most: int) -> None:
    asked: dict[str, Any] = {"channel": road.channel("general"), "dry_run": True}
    assert (await road.call("invite_create", "ada", **asked, **{field: most})).status is Status.PREVIEW
    for wrong in (most + 1, -1):
        assert code(await road.call("invite_create", "ada", **asked, **{field: wrong})) == "invalid_arguments"


async def test_a_category_takes_no_invites(road: Road) -> None:
    outcome = await road.call("invite_create", "ada", channel=road.channel("Talk"), dry_run=True)
    assert "not to a category" in problems(outcome)


async def test_who_may_not_invite_makes_none(road: Road) -> None:
    general, nina = road.channel("general"), int(road.guild["members"]["nina"])
    await road.sandbox.control("set_overwrite", channel=int(general), member=nina, deny=["create_instant_invite"])
    assert code(await road.call("invite_create", "nina", channel=general)) == "you_lack_permission"
    assert await invites(road) == {}


async def test_a_link_leaves_so_whoever_read_foreign_text_needs_a_person(road: Road) -> None:
    operation = road.core.registry.get("invite_create")
    assert operation is not None
    assert getattr(operation, "reach", None) is Reach.LEAVES
    await road.sandbox.control(
        "send", user=int(road.guild["members"]["nina"]), channel=int(road.channel("general")), content="invite me"
    )
    done(await road.call("invite_create", "ada", channel=road.channel("general")))
    await road.read("message_list_recent", "ada", channel=road.channel("general"))
    outcome = await road.call("invite_create", "ada", channel=road.channel("general"))
    assert (outcome.status, outcome.tier) == (Status.NEEDS_CONFIRMATION, Tier.RISKY)
    assert len(await invites(road)) == 1


# ----------------------------------------------------------------- list, get
async def test_the_guilds_invites_need_manage_guild_and_a_channels_manage_channels(road: Road) -> None:
    general, hidden = await by_hand(road, "ada", "general"), await by_hand(road, "ada", "mod-room")
    everything = await road.read("invite_list", "ada")
    assert {each["code"] for each in everything["invites"]} == {general, hidden}
    assert code(await road.call("invite_list", "marlow")) == "you_lack_permission"
    of_one = await road.read("invite_list", "marlow", channel=road.channel("general"))
    (row,) = of_one["invites"]
    assert (row["code"], row["uses"], row["max_age_seconds"]) == (general, 0, 86_400)
    assert (row["inviter_id"], row["inviter_name"]) == (road.guild["members"]["ada"], "ada")
    assert row["channel_name"] == "general"
    assert code(await road.call("invite_list", "nina", channel=road.channel("general"))) == "you_lack_permission"


async def test_the_list_leaves_out_channels_that_are_hidden_and_is_read_in_pages(road: Road) -> None:
    codes = {await by_hand(road, "ada", "general") for _ in range(3)}
    await by_hand(road, "ada", "mod-room")
    role = await road.sandbox.control(
        "as_user",
        user=int(road.guild["owner_id"]),
        method="POST",
        path=f"/guilds/{road.guild_id}/roles",
        body={"name": "Host", "permissions": str(1 << 5)},
    )
    nina = int(road.guild["members"]["nina"])
    await road.sandbox.control("set_roles", guild=road.guild_id, user=nina, roles=[int(role["result"]["id"])])
    seen: list[str] = []
    more: dict[str, Any] = {}
    while True:
        page = await road.read("invite_list", "nina", limit=2, **more)
        seen += [each["code"] for each in page["invites"]]
        if "cursor" not in page:
            break
        more = {"cursor": page["cursor"]}
    assert seen == sorted(codes)


@pytest.mark.parametrize(
    "form", ["{}", "discord.gg/{}", "https://discord.gg/{}", "https://discord.com/invite/{}?event=1"]
)
async def test_an_invite_is_looked_at_by_code_or_link(road: Road, form: str) -> None:
    invite = await by_hand(road, "ada", "general")
    row = await road.read("invite_get", "marlow", invite=form.format(invite))
    assert (row["code"], row["channel_id"], row["uses"]) == (invite, road.channel("general"), 0)


async def test_an_invite_of_a_hidden_channel_or_another_guild_reads_as_none(road: Road) -> None:
    nina = int(road.guild["members"]["nina"])
    await road.sandbox.control(
        "set_overwrite", channel=int(road.channel("general")), member=nina, allow=["manage_channels"]
    )
    other = await road.sandbox.make_guild(
        "Elsewhere", owner="zoe", channels=[{"name": "lobby"}], members=[{"name": "yan"}]
    )
    foreign = await road.sandbox.control(
        "as_user",
        user=int(other["owner_id"]),
        method="POST",
        path=f"/channels/{other['channels']['lobby']}/invites",
        body={"unique": True},
    )
    hidden = await by_hand(road, "ada", "mod-room")
    await road.writes()
    for name in ("invite_get", "invite_delete"):
        nothing = await road.call(name, "nina", invite="nothing-here")
        assert code(nothing) == "unknown_invite"
        for invite in (hidden, foreign["result"]["code"]):
            assert (await road.call(name, "nina", invite=invite)).refusal == nothing.refusal
    seen = await road.read("invite_get", "nina", invite=await by_hand(road, "ada", "general"))
    assert seen["channel_id"] == road.channel("general")
    assert code(await road.call("invite_get", "nina", invite=await by_hand(road, "ada", "old-support"))) == (
        "you_lack_permission"
    )
    assert await road.writes() == []
    assert hidden in await invites(road)
    await road.sandbox.control("remove_guild", guild=other["id"])


async def test_who_manages_no_channel_is_refused_without_a_look_at_the_invite(road: Road) -> None:
    invite = await by_hand(road, "ada", "general")
    await road.sandbox.control("requests", clear=True)
    for name in ("invite_get", "invite_delete"):
        assert code(await road.call(name, "nina", invite=invite)) == "you_lack_permission"
    asked = (await road.sandbox.control("requests", clear=True))["requests"]
    assert not [each for each in asked if "invites" in each["path"]]


# -------------------------------------------------------------------- delete
async def test_an_invite_is_deleted_with_one_request(road: Road) -> None:
    invite, stays = await by_hand(road, "ada", "general"), await by_hand(road, "ada", "general")
    previewed = await road.call("invite_delete", "marlow", invite=invite, dry_run=True)
    assert (previewed.tier, problems(previewed)) == (Tier.RISKY, "")
    assert previewed.preview is not None
    assert previewed.preview.summary == f"Delete the invite {invite} to #general in Test Harbor"
    await road.writes()
    done(await road.call("invite_delete", None, invite=invite))
    assert await road.writes() == [f"DELETE /invites/{invite}"]
    assert set(await invites(road)) == {stays}


@pytest.mark.parametrize("name", ["invite_create", "invite_delete"])
async def test_a_lost_answer_is_found_in_the_audit_log(road: Road, name: str) -> None:
    invite = await by_hand(road, "ada", "general")
    method, path = ("POST", "/channels/*/invites") if name == "invite_create" else ("DELETE", "/invites/*")
    await road.sandbox.control(
        "fault", faults=[{"method": method, "path": path, "reset": True, "when": "after", "times": 1}]
    )
    given = (
        {"channel": road.channel("general"), "max_age_seconds": 60} if name == "invite_create" else {"invite": invite}
    )
    outcome = await road.call(name, None, **given)
    found = done(outcome)
    assert outcome.detail == "Found in Discord's audit log."
    there = await invites(road)
    if name == "invite_create":
        assert there[found["code"]]["max_age_seconds"] == 60
        assert found["expires_at"]
    else:
        assert there == {}
