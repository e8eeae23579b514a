"""The roles of a road's guild as Discord has them, and changes by hand that have arrived."""

from __future__ import annotations

from typing import Any

from operations.base import Outcome
from tests.app import until
from tests.operations.discord.road import Road


def changes(outcome: Outcome) -> dict[str, tuple[Any, Any]]:
    """Before and after, by field."""
    assert outcome.preview is not None, outcome
    return {change.field: (change.before, change.after) for change in outcome.preview.changes}


async def guild(road: Road) -> dict[str, Any]:
    seen = await road.sandbox.control("world", guild=road.guild_id)
    found: dict[str, Any] = seen["guilds"][0]
    return found


async def roles(road: Road) -> dict[str, dict[str, Any]]:
    return {role["name"]: role for role in (await guild(road))["roles"]}


async def order(road: Road) -> list[str]:
    """Highest first."""
    return [role["name"] for role in (await guild(road))["roles"]]


async def held(road: Road, member: str) -> set[str]:
    seen = await guild(road)
    names = {role["id"]: role["name"] for role in seen["roles"]}
    (found,) = (each for each in seen["members"] if each["name"] == member)
    return {names[role_id] for role_id in found["roles"]}


async def by_hand(road: Road, method: str, path: str, body: Any = None) -> Any:
    """As the owner does it in Discord."""
    answer = await road.sandbox.control("as_user", user=road.guild["owner_id"], method=method, path=path, body=body)
    return answer["result"]


async def make_role(road: Road, name: str, permissions: int = 0) -> str:
    """A role at the bottom, once the bot has heard of it; its id."""
    made = await by_hand(
        road, "POST", f"/guilds/{road.guild_id}/roles", {"name": name, "permissions": str(permissions)}
    )
    role_id: str = made["id"]
    await arrived(road, lambda: cached(road).get_role(int(role_id)), "the role")
    road.guild["roles"][name] = role_id
    return role_id


def cached(road: Road) -> Any:
    found = road.core.state.source.cached(road.guild_id)
    assert found is not None
    return found


async def arrived(road: Road, condition: Any, what: str) -> None:
    await until(condition, f"{what} arrives")
