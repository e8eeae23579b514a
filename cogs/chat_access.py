"""``/allow-chat`` and ``/disallow-chat``: where the agent answers; without a channel, the one they are used in."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from cogs.slash.autocomplete import Autocompletes
from cogs.slash.faces import SlashFace
from cogs.slash.running import SlashRunner
from cogs.slash.synthesis import command_of
from operations.registry import Registry

# Whom Discord shows them; the workspace's roles decide at each use.
SEEN_BY = discord.Permissions(manage_guild=True)
FACES = (
    SlashFace("allow-chat", "chat_channel_allow", here=True),
    SlashFace("disallow-chat", "chat_channel_disallow", here=True),
)


def chat_access_commands(
    registry: Registry, runner: SlashRunner, offers: Autocompletes
) -> list[app_commands.Command[Any, ..., Any]]:
    """Both commands."""
    found = [(face, registry.get(face.operation)) for face in FACES]
    return [command_of(face, operation, runner, offers, SEEN_BY) for face, operation in found if operation is not None]
