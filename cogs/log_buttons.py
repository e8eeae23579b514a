"""Presses of the buttons under what a log channel was told, of this or an earlier run of the bot.

A press counts only when its custom id is signed for this guild and stands on the bot's own message about that very
call. What the presser then sees or undoes is decided anew, as his own call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import discord
import structlog
from discord.ext import commands

from cogs import texts
from cogs.log_ids import TEMPLATE, LogId, LogIds, LogPress
from cogs.slash.answering import Interaction, say
from cogs.slash.running import SlashRunner

log = structlog.get_logger(__name__)


class LogButtonsCog(commands.Cog, name="Log channel"):
    def __init__(self, client: commands.AutoShardedBot, runner: SlashRunner, ids: LogIds) -> None:
        self._client = client
        self._runner = runner
        self._ids = ids

    @commands.Cog.listener("on_interaction")
    async def pressed(self, interaction: Interaction) -> None:
        """Found by the custom id alone: discord.py forgets views at a restart."""
        if interaction.type is not discord.InteractionType.component:
            return
        custom_id = str(cast("Mapping[str, Any]", interaction.data or {}).get("custom_id", ""))
        if TEMPLATE.fullmatch(custom_id) is None:
            return
        found = LogId.parse(custom_id)
        if found is None or not self._is_ours(interaction, found):
            log.warning("a press counts for nothing", user_id=interaction.user.id)
            await say(interaction, texts.NOT_THIS_LOG)
            return
        match found.press:
            case LogPress.DETAILS:
                await self._runner.run(interaction, "audit_get", {"call": found.call_id})
            case LogPress.UNDO:
                await self._runner.run(interaction, "audit_revert", {"call": found.call_id})

    def _is_ours(self, interaction: Interaction, found: LogId) -> bool:
        message, user = interaction.message, self._client.user
        if message is None or user is None or interaction.guild_id is None:
            return False
        if message.author.id != user.id or message.webhook_id is not None:
            return False
        if found.call_id not in {embed.footer.text for embed in message.embeds}:
            return False
        return self._ids.verify(found, interaction.guild_id)
