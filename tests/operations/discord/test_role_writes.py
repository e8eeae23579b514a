"""Making, changing, moving, giving and deleting roles, over the wire of the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from operations.base import Outcome, WriteOperation
from policy.model import Strength, Tier
from policy.permissions import Bits
from tests.app import until
from tests.operations.discord.outcomes import code, done, problems
from tests.operations.discord.road import Road
from tests.operations.discord.role_world import arrived, by_hand, cached, changes, guild, held, make_role, order, roles

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def inverse(road: Road, outcome: Outcome) -> Outcome:
    """Executes what the preview gives as the way back."""
    preview = outcome.preview
    assert preview is not None
    assert preview.reversible
    operation: Any = road.core.registry.get(outcome.operation)
    back = operation.inverse_of(preview.effect, outcome.data) or preview.inverse
    assert back is not None
    return await road.call(back.operation, None, **back.arguments)


async def last_entry(road: Road) -> dict[str, Any]:
    entries: list[dict[str, Any]] = (await road.sandbox.control("audit_log", guild=road.guild_id))["entries"]
    return entries[0]


# -------------------------------------------------------------------- create
async def test_a_role_is_made_with_one_request_and_the_tagged_reason_and_can_be_undone(road: Road) -> None:
    before = await guild(road)
    await road.writes()
    outcome = await road.call(
        "role_create", "marlow", name="Helpers", permissions=["send_messages"], color="#1abc9c", hoist=True
    )
    made = done(outcome)
    assert await road.writes() == [f"POST /guilds/{road.guild_id}/roles"]
    role = (await roles(road))["Helpers"]
    assert role["id"] == made["id"]
    assert (role["permissions"], role["color"], role["hoist"], role["mentionable"]) == (
        ["send_messages"],
        0x1ABC9C,
        True,
        False,
    )
    assert (await last_entry(road))["reason"].startswith(f"gh:{outcome.call_id}:")
    await arrived(road, lambda: cached(road).get_role(int(made["id"])), "the role")
    done(await inverse(road, outcome))
    names = [role["name"] for role in before["roles"]]
    assert await order(road) == names


async def test_a_dangerous_permission_makes_it_risky(road: Road) -> None:
    plain = await road.call("role_create", "ada", name="Plain", permissions=["connect"], dry_run=True)
    assert plain.tier is Tier.WRITE
    outcome = await road.call("role_create", "ada", name="Mods", permissions=["manage_messages"], dry_run=True)
    assert outcome.tier is Tier.RISKY
    assert outcome.plan is not None
    assert outcome.plan.strength is Strength.TOKEN
    assert outcome.preview is not None
    assert outcome.preview.summary == "Create the role @Mods with manage_messages in Test Harbor"
    assert "Mods" not in await roles(road)


async def test_nobody_makes_a_role_with_what_he_or_the_bot_lacks(road: Road) -> None:
    by_member = await road.call("role_create", "nina", name="Mine", dry_run=True)
    assert code(by_member) == "you_lack_permission"
    by_marlow = await road.call("role_create", "marlow", name="Power", permissions=["ban_members"], dry_run=True)
    assert code(by_marlow) == "grant_exceeds_rights"
    by_bot = await road.call("role_create", "ada", name="Power", permissions=["administrator"], dry_run=True)
    assert code(by_bot) == "grant_exceeds_rights"
    assert by_bot.refusal is not None
    assert by_bot.refusal.reason.startswith("I lack administrator")


async def test_a_lost_answer_is_found_again_and_no_role_is_made_twice(road: Road) -> None:
    await road.sandbox.control(
        "fault", faults=[{"method": "POST", "path": "/guilds/*/roles", "when": "after", "reset": True, "times": 1}]
    )
    made = done(await road.call("role_create", "marlow", name="Once"))
    found = [role["id"] for role in (await guild(road))["roles"] if role["name"] == "Once"]
    assert found == [made["id"]]


async def test_a_full_guild_takes_no_role(road: Road) -> None:
    for number in range(250 - len(await order(road))):
        await by_hand(road, "POST", f"/guilds/{road.guild_id}/roles", {"name": f"r{number}"})
    await until(lambda: len(cached(road).roles) == 250, "the roles arrive")
    outcome = await road.call("role_create", "marlow", name="One more", dry_run=True)
    assert "250 of 250 roles" in problems(outcome)


# -------------------------------------------------------------------- modify
async def test_a_change_sets_only_what_differs_and_knows_its_way_back(road: Road) -> None:
    before = await guild(road)
    change: dict[str, Any] = {
        "role": "Member",
        "name": "Crew",
        "color": "#ff0000",
        "hoist": False,
        "grant": ["send_messages", "connect"],
    }
    preview = await road.call("role_modify", "ada", **change, dry_run=True)
    assert preview.tier is Tier.RISKY
    assert changes(preview) == {
        "name": ("Member", "Crew"),
        "color": ("#000000", "#ff0000"),
        "permissions granted": ([], ["send_messages", "connect"]),
    }
    assert await guild(road) == before
    await road.writes()
    outcome = await road.call("role_modify", None, **change)
    assert done(outcome)["changed"] == ["name", "color", "permissions"]
    role_id = road.guild["roles"]["Member"]
    assert await road.writes() == [f"PATCH /guilds/{road.guild_id}/roles/{role_id}"]
    role = (await roles(road))["Crew"]
    assert (role["permissions"], role["color"]) == (["connect", "send_messages"], 0xFF0000)
    await arrived(road, lambda: cached(road).get_role(int(role_id)).name == "Crew", "the change")
    done(await inverse(road, outcome))
    assert await guild(road) == before


async def test_a_change_that_changes_nothing_is_a_problem(road: Road) -> None:
    for arguments in ({}, {"name": "Member"}, {"revoke": ["ban_members"]}, {"color": "#000000"}):
        outcome = await road.call("role_modify", "marlow", role="Member", **arguments, dry_run=True)
        assert "Nothing would change" in problems(outcome)


async def test_who_changes_a_role_stands_above_it_and_holds_what_changes(road: Road) -> None:
    own = await road.call("role_modify", "marlow", role="Manager", name="x", dry_run=True)
    assert code(own) == "your_rank"
    higher = await road.call("role_modify", "marlow", role="Admin", name="x", dry_run=True)
    assert code(higher) == "your_rank"
    bots = await road.call("role_modify", "ada", role="Guildhall", name="x", dry_run=True)
    assert code(bots) == "bot_rank"
    granted = await road.call("role_modify", "marlow", role="Member", grant=["kick_members"], dry_run=True)
    assert code(granted) == "grant_exceeds_rights"
    await make_role(road, "Kickers", int(Bits.kick_members))
    revoked = await road.call("role_modify", "marlow", role="Kickers", revoke=["kick_members"], dry_run=True)
    assert code(revoked) == "grant_exceeds_rights"
    renamed = await road.call("role_modify", "marlow", role="Kickers", name="Boots", dry_run=True)
    assert problems(renamed) == ""


async def test_permissions_of_a_role_that_carries_what_the_bot_lacks_are_not_set(road: Road) -> None:
    await make_role(road, "Rulers", int(Bits.administrator))
    outcome = await road.call("role_modify", "olive", role="Rulers", grant=["send_messages"], dry_run=True)
    assert "administrator, which I lack" in problems(outcome)


async def test_everyone_takes_permissions_and_nothing_else(road: Road) -> None:
    named = await road.call("role_modify", "ada", role="@everyone", name="all", hoist=True, dry_run=True)
    assert "leave out name, hoist" in problems(named)
    outcome = await road.call("role_modify", None, role="@everyone", revoke=["send_messages"])
    done(outcome)
    assert "send_messages" not in (await roles(road))["@everyone"]["permissions"]


async def test_a_plan_for_a_role_that_changed_meanwhile_is_seen_to_be_old(road: Road) -> None:
    operation = road.core.registry.get("role_assign")
    assert isinstance(operation, WriteOperation)
    asked: dict[str, Any] = {"role": "Member", "member": road.guild["members"]["marlow"], "dry_run": True}
    first = (await road.call("role_assign", "ada", **asked)).preview
    role_id = road.guild["roles"]["Member"]
    body = {"permissions": str(int(Bits.manage_messages))}
    await by_hand(road, "PATCH", f"/guilds/{road.guild_id}/roles/{role_id}", body)
    await arrived(road, lambda: cached(road).get_role(int(role_id)).permissions.manage_messages, "the change")
    second = (await road.call("role_assign", "ada", **asked)).preview
    assert first is not None
    assert second is not None
    assert first.effect == second.effect
    assert first.fingerprint != second.fingerprint


# -------------------------------------------------------------------- delete
async def test_deleting_a_role_tells_who_holds_it_and_where_it_is_named(road: Road) -> None:
    unknown = await road.call("role_delete", "ada", role="Member", dry_run=True)
    assert unknown.preview is not None
    assert unknown.preview.summary == "Delete @Member in Test Harbor", "not all members are known yet"
    await cached(road).chunk()
    preview = await road.call("role_delete", "ada", role="Manager", dry_run=True)
    assert preview.preview is not None
    assert preview.preview.summary == (
        "Delete @Manager (held by 1 member, named in the permissions of 2 channels that you see) in Test Harbor"
    )
    assert preview.tier is Tier.CRITICAL
    assert preview.plan is not None
    assert preview.plan.strength is Strength.PERSON
    hidden = await road.call("role_delete", "olive", role="Member", dry_run=True)
    assert hidden.preview is not None
    assert hidden.preview.summary == "Delete @Member (held by 1 member) in Test Harbor"


async def test_a_deletion_is_one_request_and_a_lost_answer_is_found_again(road: Road) -> None:
    role_id = road.guild["roles"]["Member"]
    await road.writes()
    await road.sandbox.control(
        "fault", faults=[{"method": "DELETE", "path": "/guilds/*/roles/*", "when": "after", "reset": True, "times": 1}]
    )
    assert done(await road.call("role_delete", None, role=role_id)) == {"id": role_id, "name": "Member"}
    assert await road.writes() == [f"DELETE /guilds/{road.guild_id}/roles/{role_id}"]
    assert "Member" not in await roles(road)


async def test_everyone_and_the_bots_own_role_are_not_deleted(road: Road) -> None:
    everyone = await road.call("role_delete", "ada", role="@everyone", dry_run=True)
    assert "every member has it" in problems(everyone)
    own = await road.call("role_delete", "olive", role="Guildhall", dry_run=True)
    assert code(own) == "bot_rank"
    assert code(await road.call("role_delete", "marlow", role="Admin", dry_run=True)) == "your_rank"
    assert code(await road.call("role_delete", "nina", role="Member", dry_run=True)) == "you_lack_permission"


# ------------------------------------------------------------------- reorder
async def test_a_role_moves_with_one_request_and_back(road: Road) -> None:
    await make_role(road, "Low")
    await make_role(road, "Lower")
    before = await order(road)
    assert before == ["Guildhall", "Admin", "Manager", "Member", "Low", "Lower", "@everyone"]
    preview = await road.call("role_reorder", "ada", role="Lower", above="Member", dry_run=True)
    assert preview.preview is not None
    assert preview.preview.summary == ("Move @Lower up to position 3 in Test Harbor; 2 other roles make room")
    assert await order(road) == before
    await road.writes()
    outcome = await road.call("role_reorder", None, role="Lower", above="Member")
    result = done(outcome)
    assert [(role["name"], role["position"]) for role in result["roles"]] == [("Lower", 3), ("Member", 2), ("Low", 1)]
    assert await road.writes() == [f"PATCH /guilds/{road.guild_id}/roles"]
    assert await order(road) == ["Guildhall", "Admin", "Manager", "Lower", "Member", "Low", "@everyone"]
    lower = int(road.guild["roles"]["Lower"])
    await arrived(road, lambda: cached(road).get_role(lower).position == 3, "the move")
    done(await inverse(road, outcome))
    assert await order(road) == before


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"below": "Manager"}, ["Manager", "Low", "Member"]),
        ({"position": 2}, ["Manager", "Low", "Member"]),
        ({"above": "Manager"}, ["Low", "Manager", "Member"]),
    ],
)
async def test_a_place_is_named_by_a_neighbour_or_by_its_number(
    road: Road, where: dict[str, Any], expected: list[str]
) -> None:
    await make_role(road, "Low")
    done(await road.call("role_reorder", None, role="Low", **where))
    assert await order(road) == ["Guildhall", "Admin", *expected, "@everyone"]


async def test_a_role_never_moves_to_or_above_the_top_role_of_bot_or_requester(road: Road) -> None:
    for where in ({"above": "Manager"}, {"position": 2}, {"below": "Admin"}):
        outcome = await road.call("role_reorder", "marlow", role="Member", **where, dry_run=True)
        assert code(outcome) == "your_rank"
    assert code(await road.call("role_reorder", "olive", role="Admin", above="Guildhall", dry_run=True)) == "bot_rank"
    assert code(await road.call("role_reorder", "marlow", role="Admin", position=1, dry_run=True)) == "your_rank"
    assert code(await road.call("role_reorder", "nina", role="Member", position=1, dry_run=True)) == (
        "you_lack_permission"
    )


async def test_places_that_there_are_not_are_problems(road: Road) -> None:
    for where, said in (
        ({"position": 9}, "from 1 (lowest) to 4"),
        ({"position": 0}, "from 1 (lowest) to 4"),
        ({"below": "@everyone"}, "Nothing stands below @everyone"),
        ({"above": "@everyone"}, "Nothing would change"),
        ({"above": "Member"}, "Nothing would change"),
        ({"position": 1}, "Nothing would change"),
    ):
        outcome = await road.call("role_reorder", "ada", role="Member", **where, dry_run=True)
        assert said in problems(outcome), where
    everyone = await road.call("role_reorder", "ada", role="@everyone", position=1, dry_run=True)
    assert "always the lowest" in problems(everyone)
    for arguments in ({}, {"above": "Member", "position": 1}):
        assert code(await road.call("role_reorder", "ada", role="Member", **arguments)) == "invalid_arguments"


async def test_a_lost_answer_of_a_move_is_read_back(road: Road) -> None:
    await make_role(road, "Low")
    await road.sandbox.control(
        "fault", faults=[{"method": "PATCH", "path": "/guilds/*/roles", "when": "after", "reset": True, "times": 1}]
    )
    outcome = await road.call("role_reorder", None, role="Low", above="Member")
    done(outcome)
    assert outcome.detail == "Found by looking at it again."
    assert (await order(road))[3:5] == ["Low", "Member"]


async def test_a_move_rests_on_the_order_that_it_changes(road: Road) -> None:
    await make_role(road, "Low")
    asked: dict[str, Any] = {"role": "Low", "above": "Member", "dry_run": True}
    first = (await road.call("role_reorder", "ada", **asked)).preview
    await make_role(road, "Lower")
    await until(lambda: cached(road).get_role(int(road.guild["roles"]["Low"])).position == 2, "the shift arrives")
    operation = road.core.registry.get("role_reorder")
    assert isinstance(operation, WriteOperation)
    second = (await road.call("role_reorder", "ada", **asked)).preview
    assert first is not None
    assert second is not None
    assert first.fingerprint != second.fingerprint


# ------------------------------------------------------------ assign, remove
async def test_a_role_is_given_and_taken_with_one_request_each(road: Road) -> None:
    nina, role_id = road.guild["members"]["nina"], road.guild["roles"]["Manager"]
    preview = await road.call("role_assign", "ada", member=nina, role="Manager", dry_run=True)
    assert preview.tier is Tier.RISKY
    assert changes(preview) == {
        "has @Manager": (False, True),
        "dangerous permissions through it": (None, ["manage_channels", "manage_messages", "manage_roles"]),
    }
    assert await held(road, "nina") == {"Member"}
    await road.writes()
    outcome = await road.call("role_assign", None, member="nina", role="Manager")
    assert done(outcome) == {
        "member_id": nina,
        "member_name": "nina",
        "role_id": role_id,
        "role_name": "Manager",
    }
    assert await road.writes() == [f"PUT /guilds/{road.guild_id}/members/{nina}/roles/{role_id}"]
    assert await held(road, "nina") == {"Member", "Manager"}
    assert (await last_entry(road))["reason"].startswith(f"gh:{outcome.call_id}:")
    await arrived(road, lambda: len(cached(road).get_member(int(nina)).roles) == 3, "the role")
    back = await inverse(road, outcome)
    assert back.operation == "role_remove"
    done(back)
    assert await road.writes() == [f"DELETE /guilds/{road.guild_id}/members/{nina}/roles/{role_id}"]
    assert await held(road, "nina") == {"Member"}
    await arrived(road, lambda: len(cached(road).get_member(int(nina)).roles) == 2, "the change")
    done(await inverse(road, back))
    assert await held(road, "nina") == {"Member", "Manager"}


async def test_only_the_role_counts_not_where_the_member_stands(road: Road) -> None:
    """marlow stands below ada and the owner; the role that he gives them stands below him."""
    for member in ("ada", "olive"):
        outcome = await road.call("role_assign", "marlow", member=member, role="Member", dry_run=True)
        assert problems(outcome) == ""


async def test_nobody_gives_or_takes_a_role_that_is_not_below_his_own(road: Road) -> None:
    for name, member in (("role_assign", "nina"), ("role_remove", "ada")):
        outcome = await road.call(name, "marlow", member=member, role="Admin", dry_run=True)
        assert code(outcome) == "your_rank"
    own = await road.call("role_assign", "marlow", member="nina", role="Manager", dry_run=True)
    assert code(own) == "your_rank"
    await make_role(road, "Peak")
    positions = [{"id": road.guild["roles"]["Peak"], "position": 9}]
    await by_hand(road, "PATCH", f"/guilds/{road.guild_id}/roles", positions)
    await arrived(road, lambda: cached(road).get_role(int(road.guild["roles"]["Peak"])).position == 9, "the move")
    bot = await road.call("role_assign", "olive", member="nina", role="Peak", dry_run=True)
    assert code(bot) == "bot_rank"


async def test_who_lacks_manage_roles_causes_no_request(road: Road) -> None:
    await road.sandbox.control("requests", clear=True)
    outcome = await road.call("role_assign", "nina", member="1" * 18, role="Member", dry_run=True)
    assert code(outcome) == "you_lack_permission"
    log = (await road.sandbox.control("requests", clear=True))["requests"]
    assert not [each for each in log if "1" * 18 in each["path"]]


async def test_what_a_member_has_or_lacks_already_and_managed_roles_are_problems(road: Road) -> None:
    has = await road.call("role_assign", "ada", member="nina", role="Member", dry_run=True)
    assert problems(has) == "Nothing would change; @nina has @Member."
    lacks = await road.call("role_remove", "ada", member="marlow", role="Member", dry_run=True)
    assert problems(lacks) == "Nothing would change; @marlow does not have @Member."
    for name in ("role_assign", "role_remove"):
        everyone = await road.call(name, "ada", member="nina", role="@everyone", dry_run=True)
        assert problems(everyone) == "@everyone cannot be given or taken: every member has it."


async def test_a_lost_answer_of_a_gift_is_found_again(road: Road) -> None:
    await road.sandbox.control(
        "fault",
        faults=[{"method": "PUT", "path": "/guilds/*/members/*/roles/*", "when": "after", "reset": True, "times": 1}],
    )
    outcome = await road.call("role_assign", None, member="nina", role="Manager")
    done(outcome)
    assert outcome.detail == "Found in Discord's audit log."
