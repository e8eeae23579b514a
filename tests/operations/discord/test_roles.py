"""Reading roles, over the wire of the sandbox."""

from __future__ import annotations

import pytest

from policy.permissions import Bits
from tests.app import until
from tests.operations.discord.outcomes import code
from tests.operations.discord.road import Road
from tests.operations.discord.role_world import cached, make_role

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_list_is_lean_and_highest_first(road: Road) -> None:
    listed = await road.read("role_list", "nina")
    assert [(row["name"], row["position"]) for row in listed["roles"]] == [
        ("Guildhall", 4),
        ("Admin", 3),
        ("Manager", 2),
        ("Member", 1),
        ("@everyone", 0),
    ]
    rows = {row["name"]: row for row in listed["roles"]}
    # The simulation gives the bot's role no tags.
    assert rows["Guildhall"]["managed_by"] == "an integration"
    assert rows["Admin"]["dangerous"] == ["administrator"]
    assert rows["Manager"]["dangerous"] == ["manage_channels", "manage_messages", "manage_roles"]
    assert set(rows["Member"]) == {"id", "name", "position"}


async def test_the_list_is_made_once_until_a_role_changes(road: Road) -> None:
    operation = road.core.registry.get("role_list")
    assert operation is not None
    first = await road.call("role_list", "nina")
    second = await road.call("role_list", "ada")
    assert first.data is second.data
    await make_role(road, "Fresh")
    await until(lambda: cached(road).get_role(int(road.guild["roles"]["Fresh"])), "the role arrives")
    assert "Fresh" in {row["name"] for row in (await road.read("role_list", "nina"))["roles"]}


async def test_a_role_tells_its_permissions_and_its_holders(road: Road) -> None:
    role = await road.read("role_get", "nina", role="Manager")
    assert role["permissions"] == ["manage_channels", "manage_messages", "manage_roles"]
    assert role["position"] == 2
    assert "member_count" not in role, "not all members are known yet"
    await cached(road).chunk()
    assert (await road.read("role_get", "nina", role="Manager"))["member_count"] == 1
    everyone = await road.read("role_get", "nina", role="@everyone")
    assert everyone["id"] == str(road.guild_id)
    assert everyone["position"] == 0


async def test_administrator_stands_for_all_permissions(road: Road) -> None:
    await make_role(road, "Boss", int(Bits.administrator | Bits.connect))
    role = await road.read("role_get", "nina", role="Boss")
    assert role["permissions"] == ["administrator"]


async def test_an_unknown_role_says_how_to_find_the_right_one(road: Road) -> None:
    outcome = await road.call("role_get", "nina", role="nobody")
    assert code(outcome) == "unknown_role"
    assert outcome.refusal is not None
    assert "role_list" in outcome.refusal.remedy
