"""What members hold in a guild, by the guild object of now: permission bits and ranks."""

from __future__ import annotations

import discord

from policy.model import OWNER_RANK
from policy.permissions import ALL, Bits

Channel = discord.abc.GuildChannel | discord.Thread

# What is left to a timed-out member: https://discord.com/developers/docs/topics/permissions#permissions-for-timed-out-members
TIMED_OUT_BITS = int(Bits.view_channel | Bits.read_message_history)
# As plain ints: an `&` with a flag goes through the enum's own code, which takes longer than all else of a check.
VIEW_CHANNEL = int(Bits.view_channel)
ADMINISTRATOR = int(Bits.administrator)
MANAGE_THREADS = int(Bits.manage_threads)


def role_rank(role: discord.Role) -> int:
    """Discord orders roles by position; of two at one position the older stands higher."""
    return (role.position << 64) | ((1 << 64) - 1 - role.id)


def member_rank(guild: discord.Guild, member: discord.Member) -> int:
    if member.id == guild.owner_id:
        return OWNER_RANK
    ranks = [
        role_rank(role)
        for role_id in member._roles  # pyright: ignore[reportPrivateUsage] - a fetched member's `roles` asks an older guild object
        if (role := guild.get_role(role_id)) is not None
    ]
    return max(ranks, default=role_rank(guild.default_role))


def guild_bits(guild: discord.Guild, member: discord.Member) -> int:
    """Guild-wide permission bits of a member, by the guild object of now."""
    return left_to(role_bits(guild, member), timed_out=member.is_timed_out())


def role_bits(guild: discord.Guild, member: discord.Member) -> int:
    """The same as if no timeout was in force."""
    if member.id == guild.owner_id:
        return ALL
    value = guild.default_role.permissions.value
    for role_id in member._roles:  # pyright: ignore[reportPrivateUsage] - see member_rank
        role = guild.get_role(role_id)
        if role is not None:
            value |= role.permissions.value
    return ALL if value & ADMINISTRATOR else value


def left_to(bits: int, *, timed_out: bool) -> int:
    """What a timeout leaves; administrators are exempt."""
    return bits & TIMED_OUT_BITS if timed_out and not bits & ADMINISTRATOR else bits


def role_ids_of(member: discord.Member) -> tuple[int, ...]:
    return tuple(member._roles)  # pyright: ignore[reportPrivateUsage] - `roles` builds and sorts objects at each use


def bits_at(guild: discord.Guild, channel: Channel | None, member: discord.Member) -> int:
    """Permission bits of a member in a channel (a thread's are its parent's), or guild-wide."""
    if channel is None:
        return guild_bits(guild, member)
    if isinstance(channel, discord.Thread):
        # The thread's own: its parent's would take embeds and files from who may write in threads only.
        return 0 if channel.parent is None else channel.permissions_for(member).value
    return channel.permissions_for(member).value
