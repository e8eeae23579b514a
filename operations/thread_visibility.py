"""Who sees a thread: discord.py's own check ignores who is in a private one, so Discord is asked where it matters."""

from __future__ import annotations

import discord

from operations.failures import DISCORD_FAILED
from operations.guild_state import Channel, GuildView


async def sees(view: GuildView, channel: Channel) -> bool:
    """Whether the requester sees a channel or thread; what is in the cache or known is asked first."""
    if view.sees(channel):
        return True
    if not isinstance(channel, discord.Thread) or not channel.is_private() or view.user_id is None:
        return False
    parent = channel.parent
    if parent is None or not view.sees(parent):
        return False
    try:
        inside = await view.state.learn_thread_membership(channel, view.user_id)
    except DISCORD_FAILED:
        # Any other answer than that of an unknown thread would tell that this one exists.
        return False
    return inside and view.sees(channel)
