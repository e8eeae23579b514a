"""The button that lets the assistant answer in a channel, under its one reply to somebody who may manage the guild.

It belongs to nobody: what it does is done as whoever presses it, and decided anew then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import discord
import structlog
from discord.ext import commands

from cogs.agent import texts
from cogs.slash.answering import Interaction, row, say
from cogs.slash.running import SlashRunner
from storage.crypto import Keyring

log = structlog.get_logger(__name__)

PURPOSE = "enable chat"
MAC_LENGTH = 32
TEMPLATE = re.compile(r"gc:(?P<channel>[0-9]{1,20}):(?P<mac>[0-9a-f]{32})")


class EnableIds:
    """Signs and verifies: a channel of a guild, where the button is pressed."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def make(self, guild_id: int, channel_id: int) -> str:
        return f"gc:{channel_id}:{self._keyring.mac(PURPOSE, f'{guild_id}:{channel_id}', length=MAC_LENGTH)}"

    def channel_id(self, custom_id: str, guild_id: int) -> int | None:
        """None for what is not ours, or was made for another guild."""
        found = TEMPLATE.fullmatch(custom_id)
        if found is None or not self._keyring.verify(PURPOSE, f"{guild_id}:{found['channel']}", found["mac"]):
            return None
        return int(found["channel"])

    def view(self, guild_id: int, channel_id: int) -> discord.ui.View:
        style = discord.ButtonStyle.primary
        return row(discord.ui.Button(label=texts.ENABLE, style=style, custom_id=self.make(guild_id, channel_id)))


class EnableCog(commands.Cog, name="Enable the agent"):
    def __init__(self, client: commands.AutoShardedBot, runner: SlashRunner, ids: EnableIds) -> None:
        self._client = client
        self._runner = runner
        self._ids = ids

    @commands.Cog.listener("on_interaction")
    async def pressed(self, interaction: Interaction) -> None:
        """Found by the custom id alone: discord.py forgets views at a restart."""
        if interaction.type is not discord.InteractionType.component:
            return
        custom_id = str(cast("Mapping[str, Any]", interaction.data or {}).get("custom_id", ""))
        if not custom_id.startswith("gc:"):
            return
        message, user = interaction.message, self._client.user
        is_ours = message is not None and user is not None and message.author.id == user.id and not message.webhook_id
        channel_id = self._ids.channel_id(custom_id, interaction.guild_id or 0) if is_ours else None
        if channel_id is None:
            log.warning("a press counts for nothing", user_id=interaction.user.id)
            await say(interaction, texts.NOT_THIS_BUTTON)
            return
        await self._runner.run(interaction, "chat_channel_allow", {"channel": str(channel_id)})
