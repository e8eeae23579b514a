"""Presses of the buttons, menus and modals under answers to commands, of this or an earlier run of the bot.

A press counts only when its custom id is signed for this guild, on a message of the bot itself, by the person whom it
was made for. What it then does is decided anew, like any call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import discord
import structlog
from discord.ext import commands

from cogs import texts
from cogs.slash.answering import Interaction, say
from cogs.slash.answers import refused
from cogs.slash.button_ids import TEMPLATE, ButtonId, ButtonIds
from operations.errors import Refused
from operations.refusals import DATABASE_DOWN
from storage.outages import DatabaseUnavailable

log = structlog.get_logger(__name__)

Handler = Callable[[Interaction, ButtonId], Awaitable[None]]


class SlashButtonsCog(commands.Cog, name="Slash buttons"):
    """Takes presses to the handlers that are registered for them."""

    def __init__(self, client: commands.AutoShardedBot, ids: ButtonIds) -> None:
        self._client = client
        self._ids = ids
        self._handlers: dict[str, Handler] = {}

    def on(self, press: str, handler: Handler) -> None:
        """``handler`` answers each press of this name, also a modal's that bears it. What it raises is told in words.

        Raises ValueError for a press that has a handler already.
        """
        if press in self._handlers:
            raise ValueError(f"{press} has a handler already")
        self._handlers[press] = handler

    @commands.Cog.listener("on_interaction")
    async def used(self, interaction: Interaction) -> None:
        """Found by the custom id alone: discord.py forgets views and modals at a restart."""
        if interaction.type in (discord.InteractionType.component, discord.InteractionType.modal_submit):
            custom_id = str(cast("Mapping[str, Any]", interaction.data or {}).get("custom_id", ""))
            if TEMPLATE.fullmatch(custom_id) is not None:
                await self.pressed(interaction, custom_id)

    async def pressed(self, interaction: Interaction, custom_id: str) -> None:
        """Does what was asked for; whoever presses always gets words."""
        found = ButtonId.parse(custom_id)
        handler = None if found is None else self._handlers.get(found.press)
        if found is None or handler is None or not self._is_ours(interaction, found):
            log.warning("a press counts for nothing", user_id=interaction.user.id)
            await say(interaction, texts.OLD_BUTTON)
            return
        if found.user_id != interaction.user.id:
            await say(interaction, texts.NOT_YOUR_BUTTON)
            return
        try:
            await handler(interaction, found)
        except Refused as error:
            await say(interaction, refused(error.refusal))
        except DatabaseUnavailable:
            await say(interaction, refused(DATABASE_DOWN))
        except Exception:  # the presser gets an answer whatever happens; the mistake is in the log
            log.exception("a press failed", press=found.press)
            await say(interaction, texts.BROKEN)

    def _is_ours(self, interaction: Interaction, found: ButtonId) -> bool:
        message = interaction.message
        if interaction.guild_id is None or self._client.user is None:
            return False
        if message is None:
            # A modal that a command opened stands on no message.
            stands = interaction.type is discord.InteractionType.modal_submit
        else:
            stands = message.author.id == self._client.user.id
        return stands and self._ids.verify(found, interaction.guild_id)


def chosen(interaction: Interaction) -> str | None:
    """What was chosen in a menu."""
    values = cast("list[str]", cast("Mapping[str, Any]", interaction.data or {}).get("values", []))
    return values[0] if values else None
