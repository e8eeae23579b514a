"""A guild to moderate in: from the highest role down ada administers, cora and mike moderate, nina and ned are members;
olive owns it."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import discord

from operations.base import Context, Outcome, Preview, WriteOperation
from tests.app import until
from tests.operations.discord.road import Road

MODERATION = ["kick_members", "ban_members", "moderate_members", "manage_nicknames"]
CREW: dict[str, Any] = {
    "owner": "olive",
    "roles": [
        {"name": "Admin", "permissions": ["administrator"]},
        {"name": "Captain", "permissions": MODERATION},
        {"name": "Mate", "permissions": MODERATION},
        {"name": "Member"},
    ],
    "members": [
        {"name": "ada", "roles": ["Admin"]},
        {"name": "cora", "roles": ["Captain"]},
        {"name": "mike", "roles": ["Mate"]},
        {"name": "nina", "roles": ["Member"]},
        {"name": "ned", "roles": ["Member"], "nick": "Neddy", "global_name": "Edward"},
    ],
    "channels": [{"name": "general"}],
}


async def members(road: Road) -> dict[str, dict[str, Any]]:
    """The members as Discord has them, by username."""
    seen = await road.sandbox.control("world", guild=road.guild_id)
    return {member["name"]: member for member in seen["guilds"][0]["members"]}


async def bans(road: Road) -> dict[str, str | None]:
    """The reasons, by user id."""
    seen = await road.sandbox.control("world", guild=road.guild_id)
    return {ban["id"]: ban["reason"] for ban in seen["guilds"][0]["bans"]}


async def heard(road: Road, condition: Callable[[discord.Guild], object], what: str) -> None:
    """Waits until the gateway has told the bot."""
    guild = road.core.state.source.cached(road.guild_id)
    assert guild is not None
    await until(lambda: condition(guild), what)


async def heard_of(road: Road, name: str, condition: Callable[[discord.Member], object], what: str) -> None:
    """The same of one member."""
    user_id = int(road.guild["members"][name])

    def holds(guild: discord.Guild) -> object:
        member = guild.get_member(user_id)
        return member is not None and condition(member)

    await heard(road, holds, what)


async def stranger(road: Road, name: str = "stranger") -> str:
    """Somebody who has an account and has left the guild; the id."""
    added = await road.sandbox.control("add_member", guild=road.guild_id, name=name)
    await road.sandbox.control("leave", guild=road.guild_id, user=int(added["id"]))
    user_id: str = added["id"]
    await heard(road, lambda guild: guild.get_member(int(user_id)) is None, f"{name} has left")
    return user_id


async def moderation_entries(road: Road) -> list[dict[str, Any]]:
    """Discord's audit log, newest first."""
    entries: list[dict[str, Any]] = (await road.sandbox.control("audit_log", guild=road.guild_id))["entries"]
    return entries


async def undone(road: Road, outcome: Outcome) -> Outcome:
    """Executes the inverse of what was done, as the system."""
    assert outcome.preview is not None
    inverse = outcome.preview.inverse
    assert inverse is not None
    return await road.call(inverse.operation, None, **inverse.arguments)


async def observed(road: Road, name: str, preview: Preview[Any]) -> str:
    """The fingerprint now, of what a preview would do."""
    found = road.core.registry.get(name)
    assert isinstance(found, WriteOperation)
    operation = cast("WriteOperation[Any, Any, Any]", found)
    view = await road.core.state.view(road.guild_id, None)
    assert view is not None
    # What operations about members ask for.
    services: Any = SimpleNamespace(database=road.core.database, facts=road.core.facts)
    ctx = Context("cl_test", road.caller(None), time.time(), services, view)
    return await operation.observe(ctx, preview.effect)
