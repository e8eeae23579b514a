"""Discord ids that were typed by hand."""

from __future__ import annotations

from collections.abc import Sequence

from bot.commands.failures import CommandError

# https://discord.com/developers/docs/reference#snowflakes: of 15 digits at least
LEAST_ID = 10**14


def check_ids(option: str, given: Sequence[int]) -> None:
    """Raises CommandError, naming the option."""
    for each in given:
        if not LEAST_ID <= each < 1 << 63:
            raise CommandError(f"{option}: {each} is not a Discord id; copy it from Discord's developer mode.")
