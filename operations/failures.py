"""Discord could not be asked while a call was prepared or looked at something: which errors say so, and the refusal."""

from __future__ import annotations

from dataclasses import replace

import aiohttp
import discord

from operations.errors import translate
from operations.guild_source import GuildStarting
from operations.ledger import OutcomeUnknown, SendRefused
from operations.refusals import guild_starting, unreachable
from operations.transport_errors import unwrap
from policy.model import Refuse, Step

RETRY_SECONDS = 5.0
# TimeoutError is an OSError. ConnectionClosed: the gateway was lost while it was asked for members.
DISCORD_FAILED = (
    GuildStarting,
    discord.HTTPException,
    discord.RateLimited,
    discord.ConnectionClosed,
    aiohttp.ClientError,
    OSError,
    OutcomeUnknown,
    SendRefused,
)


def refusal_of(error: Exception) -> Refuse:
    """The refusal of a call that has not sent anything, for one of ``DISCORD_FAILED``."""
    if isinstance(error, GuildStarting):
        return guild_starting(error.retry_after_seconds)
    if isinstance(error, discord.DiscordServerError):
        return replace(translate(error).refusal(), retry_after_seconds=RETRY_SECONDS)
    if isinstance(error, discord.HTTPException | discord.RateLimited):
        return translate(error).refusal()
    original = unwrap(error)
    if isinstance(original, SendRefused) and original.retry_after_seconds is not None:
        return _held_back(original, original.retry_after_seconds)
    return unreachable(original if isinstance(original, Exception) else error)


def _held_back(refused: SendRefused, retry_after_seconds: float) -> Refuse:
    """A share of Discord's limits is used up: the refusal of a call whose request was kept from leaving."""
    return Refuse(
        Step.RATE,
        "discord_limits",
        str(refused),
        "Nothing was sent; ask less often, or for less at once.",
        retry_after_seconds=retry_after_seconds,
    )
