"""Calls that wait for a proof, and what a preview told."""

from __future__ import annotations

from typing import Any

from operations.base import Inverse, Outcome, Status
from tests.operations.discord.outcomes import done, previewed
from tests.operations.discord.road import Road


async def confirmed(road: Road, name: str, member: str, /, **arguments: Any) -> Outcome:
    """A call that every step lets pass for this member and that waits for a proof, then done as the system does it."""
    waits = await road.call(name, member, **arguments, dry_run=False)
    assert waits.status is Status.NEEDS_CONFIRMATION, waits
    return await road.call(name, None, **arguments, dry_run=False)


async def inverse(road: Road, name: str, /, **arguments: Any) -> Inverse:
    """What would undo it. A stored plan keeps that in its row, so the preview of a call that needs none is asked."""
    found = previewed(await road.call(name, None, **arguments, dry_run=True)).inverse
    assert found is not None
    return found


async def message_sent(road: Road, member: str, channel: str = "general", content: str = "through Guildhall") -> str:
    """A message that Guildhall sends for this member; its id."""
    outcome = await road.call("message_send", member, channel=road.channel(channel), content=content, dry_run=False)
    message_id: str = done(outcome)["message_id"]
    return message_id


async def written(road: Road, member: str, channel: str = "general", content: str = "by hand") -> str:
    sent = await road.sandbox.control(
        "send", user=int(road.guild["members"][member]), channel=int(road.channel(channel)), content=content
    )
    message_id: str = sent["id"]
    return message_id


async def posted(road: Road, channel: str = "general") -> str:
    """What the bot posts for nobody: a card, an alert, a log entry."""
    path = f"/channels/{road.channel(channel)}/messages"
    made = await road.sandbox.control(
        "as_user", user=int(road.sandbox.bot_id), method="POST", path=path, body={"content": "a card"}
    )
    message_id: str = made["result"]["id"]
    return message_id


async def history(road: Road, channel: str = "general") -> list[str]:
    """Ids of the messages there."""
    channel_id = int(road.guild["channels"].get(channel, channel))
    found = await road.sandbox.control("history", channel=channel_id)
    return [each["id"] for each in found["messages"]]


async def logged(road: Road) -> dict[str, Any]:
    """The latest entry of Discord's audit log."""
    entries = (await road.sandbox.control("audit_log", guild=road.guild_id))["entries"]
    latest: dict[str, Any] = entries[0]
    return latest


async def by_hand(road: Road, member: str, method: str, path: str, body: Any = None) -> Any:
    """Any REST route, as a member does it in Discord."""
    made = await road.sandbox.control(
        "as_user", user=int(road.guild["members"][member]), method=method, path=path, body=body
    )
    return made["result"]
