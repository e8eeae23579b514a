"""The bans of a guild, as Discord tells them; nothing of them is cached."""

from __future__ import annotations

import discord

from operations.refusals import Rejected
from policy.model import Refuse, Step, Target

# 1,000 a request: https://discord.com/developers/docs/resources/guild#get-guild-bans
MAX_SEARCHED = 10_000
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json: Unknown User, Unknown Ban
_NOT_BANNED = frozenset({10013, 10026})
TOO_MANY = Refuse(
    Step.RESOLVE,
    "too_many_bans",
    f"More than {MAX_SEARCHED:,} users are banned here, too many to look a name up.",
    "Give the user's id; ban_list shows ids.",
)


async def ban_of(guild: discord.Guild, user_id: int) -> discord.BanEntry | None:
    """None when the user is not banned, or does not exist. Raises discord.HTTPException."""
    try:
        return await guild.fetch_ban(discord.Object(user_id))
    except discord.NotFound as error:
        if error.code in _NOT_BANNED:
            return None
        raise


async def every(guild: discord.Guild) -> list[discord.BanEntry]:
    """All bans, in the order of user ids. Raises Rejected where there are too many, and discord.HTTPException."""
    entries = [entry async for entry in guild.bans(limit=MAX_SEARCHED + 1)]
    if len(entries) > MAX_SEARCHED:
        raise Rejected(TOO_MANY)
    return entries


def target(guild_id: int, entry: discord.BanEntry) -> Target:
    return Target("user", entry.user.id, guild_id, entry.user.name)
