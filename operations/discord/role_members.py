"""Who holds a role, where that is known without asking for everybody."""

from __future__ import annotations

import discord

from operations.guild_state import GuildView


def holder_count(view: GuildView, role: discord.Role) -> int | None:
    """How many members hold a role; None where not all members are known, or not known to be current."""
    guild = view.discord
    if not guild.chunked or not view.state.source.members_are_current(guild.id):
        return None
    return len(role.members)
