"""Where the set-up card of a guild goes: to those who can act on it, and where the bot may write."""

from __future__ import annotations

import discord

from policy.permissions import Bits

_NEEDED = discord.Permissions(view_channel=True, send_messages=True, embed_links=True)
_DECIDES = int(Bits.manage_guild | Bits.administrator)


def channels(guild: discord.Guild) -> list[discord.TextChannel]:
    """The channels to try, the best first: one of the staff that not everyone sees, Discord's own for such messages,
    then the others; each is read by all who may claim the guild.
    """
    open_to_bot = [each for each in guild.text_channels if _NEEDED.is_subset(each.permissions_for(guild.me))]
    read = [each for each in open_to_bot if managers_read(guild, each)]
    private = [each for each in read if not _sees(each, guild.default_role)]
    own = [each for each in read if guild.system_channel is not None and each.id == guild.system_channel.id]
    return list(dict.fromkeys([*private, *own, *read]))


def managers_read(guild: discord.Guild, channel: discord.TextChannel) -> bool:
    """Whether every role of people that carries Manage Server sees it; owner and administrators see all."""
    return all(
        _sees(channel, role)
        for role in guild.roles
        if role.permissions.value & _DECIDES and not (role.is_bot_managed() or role.is_integration())
    )


def _sees(channel: discord.TextChannel, role: discord.Role) -> bool:
    return channel.permissions_for(role).view_channel
