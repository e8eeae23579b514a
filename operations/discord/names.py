"""Names beside ids in results: what stands for an object in the requester's eyes, and nothing that he does not see."""

from __future__ import annotations

from operations.guild_state import GuildView
from operations.sanitise import sanitise

MAX_NAME = 100


def name(text: str) -> str:
    return sanitise(text, limit=MAX_NAME)


def channel_name(view: GuildView, channel_id: int | None) -> str | None:
    """None for a channel that is gone, or that the requester does not see."""
    channel = None if channel_id is None else view.channel(channel_id)
    return None if channel is None or not view.sees(channel) else name(channel.name)


def member_name(view: GuildView, user_id: int | None) -> str | None:
    """None for whoever is not at hand."""
    member = None if user_id is None else view.state.known_member(view.discord, user_id)
    return None if member is None else name(member.name)


def role_name(view: GuildView, role_id: int) -> str | None:
    role = view.discord.get_role(role_id)
    return None if role is None else name(role.name)
