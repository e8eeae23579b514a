"""Answers to interactions: always seen by the one who asked alone, pinging nobody, and never missing."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import discord
import structlog

from operations.failures import DISCORD_FAILED, refusal_of

log = structlog.get_logger(__name__)

Interaction = discord.Interaction[Any]
NOBODY = discord.AllowedMentions.none()
LIMIT = 2000
"""https://discord.com/developers/docs/resources/message#create-message-jsonform-params"""


@dataclass(frozen=True, slots=True)
class Answer:
    """``file``: name and text of what did not fit, or what was asked for. ``buttons``: a view that discord.py need not
    remember.
    """

    text: str = ""
    embeds: tuple[discord.Embed, ...] = ()
    buttons: discord.ui.View | None = None
    file: tuple[str, str | bytes] | None = None


async def deferred(interaction: Interaction, *, in_place: bool = False) -> bool:
    """Tells Discord, which waits 3 seconds, that an answer will come. False: it came too late; do nothing.

    ``in_place``: the answer will replace the message whose button was pressed.
    """
    if interaction.response.is_done():
        return True
    try:
        if in_place:
            await interaction.response.defer()
        else:
            await interaction.response.defer(ephemeral=True, thinking=True)
    except DISCORD_FAILED as error:
        # He is told by Discord that it failed: nothing must happen behind that.
        log.info("an interaction came too late", user_id=interaction.user.id, reason=refusal_of(error).reason)
        return False
    return True


async def answer(interaction: Interaction, said: Answer) -> None:
    """Gives the answer that was promised, in the place of the promise or of what was said meanwhile."""
    files: list[discord.File] = []
    if said.file is not None:
        name, content = said.file
        files = [discord.File(io.BytesIO(content.encode() if isinstance(content, str) else content), name)]
    try:
        await interaction.edit_original_response(
            content=said.text[:LIMIT] or None,
            embeds=list(said.embeds),
            view=said.buttons,
            attachments=files,
            allowed_mentions=NOBODY,
        )
    except DISCORD_FAILED as error:
        log.info("an answer did not arrive", user_id=interaction.user.id, reason=refusal_of(error).reason)


async def say(interaction: Interaction, text: str) -> None:
    """Words at once, or after what was promised."""
    if interaction.response.is_done():
        await answer(interaction, Answer(text))
        return
    try:
        await interaction.response.send_message(text[:LIMIT], ephemeral=True, allowed_mentions=NOBODY)
    except DISCORD_FAILED as error:
        log.info("an answer did not arrive", user_id=interaction.user.id, reason=refusal_of(error).reason)


def row(*items: discord.ui.Item[Any]) -> discord.ui.View:
    """A view that is recognised by its custom ids alone."""
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view
