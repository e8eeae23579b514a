"""What discord.py could not make of a command, in words. Nothing ends in silence."""

from __future__ import annotations

import structlog
from discord import app_commands

from cogs import texts
from cogs.card_text import words
from cogs.slash.answering import Interaction, say
from cogs.slash.options import BadValue

log = structlog.get_logger(__name__)


async def tell(interaction: Interaction, error: app_commands.AppCommandError) -> None:
    """The error handler of the command tree."""
    said = _words(error)
    if said is None:
        log.error("a command failed", command=getattr(interaction.command, "qualified_name", None), exc_info=error)
        said = texts.BROKEN
    await say(interaction, said)


def _words(error: app_commands.AppCommandError) -> str | None:
    match error:
        case BadValue():
            return str(error)
        case app_commands.TransformerError():
            cause = error.__cause__
            return (
                str(cause)
                if isinstance(cause, BadValue)
                else texts.BAD_OPTION.format(value=words(str(error.value), 80))
            )
        case app_commands.CommandSignatureMismatch():
            return texts.CHANGED_COMMAND
        case app_commands.CommandNotFound():
            return texts.UNKNOWN_COMMAND
        case app_commands.NoPrivateMessage():
            return texts.NOT_IN_A_GUILD
        case app_commands.CheckFailure():
            return texts.NOT_ALLOWED
        case _:
            return None
