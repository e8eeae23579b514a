"""The audience rule: who can see a channel, compared with who can see where a text came from."""

from __future__ import annotations

from collections.abc import Iterable

import discord

from operations.guild_state import Channel, GuildState, GuildView, bits_at, guild_bits
from policy.permissions import Bits
from policy.taint import Source


def leaks(view: GuildView, destination_id: int | None, sources: Iterable[Source]) -> bool:
    """Whether someone who sees the destination cannot see one of the sources. What cannot be known counts as a leak.

    ``destination_id`` None: every member of the guild sees it (a channel yet to be made, the name of a role).
    """
    guild = view.discord
    if destination_id is None:
        return any(not _seen_by_all(guild, source) for source in sources)
    destination = guild.get_channel_or_thread(destination_id)
    if destination is None:
        return True
    return any(not _contained(view.state, guild, destination, source) for source in sources)


def leaks_to_holders(view: GuildView, bits: int, sources: Iterable[Source]) -> bool:
    """The same for what is shown to nobody but who holds these permissions guild-wide, wherever that is."""
    guild = view.discord
    return any(
        not _seen_by_all(guild, source)
        and (source.guild_id != guild.id or source.channel_id is not None or bool(source.gate & ~bits))
        for source in sources
    )


def _seen_by_all(guild: discord.Guild, source: Source) -> bool:
    if source.guild_id != guild.id:
        return False
    if source.channel_id is None:
        return source.gate == 0
    origin = guild.get_channel_or_thread(source.channel_id)
    if isinstance(origin, discord.Thread):
        origin = None if origin.is_private() else origin.parent
    return origin is not None and _is_public(guild, origin)


def _contained(state: GuildState, guild: discord.Guild, destination: Channel, source: Source) -> bool:
    if source.guild_id != guild.id:
        return False
    if _seen_by_all(guild, source):
        return True
    if source.channel_id is None:
        return _everyone_here_holds(state, guild, destination, source.gate)
    if source.channel_id == destination.id:
        return True
    origin = guild.get_channel_or_thread(source.channel_id)
    if origin is None:
        return False
    if isinstance(origin, discord.Thread) and origin.is_private():
        # Its members are not in the cache; only the thread itself is surely no wider.
        return False
    parent = destination.parent if isinstance(destination, discord.Thread) else destination
    origin_parent = origin.parent if isinstance(origin, discord.Thread) else origin
    if parent is None or origin_parent is None:
        return False
    if parent.id == origin_parent.id or _same_gate(parent, origin_parent):
        return True
    if not state.source.members_are_current(guild.id) or not guild.chunked:
        return False
    asked = sum(_asked(origin_parent))
    return all(
        bits_at(guild, origin_parent, member) & asked == asked
        for member in guild.members
        if bits_at(guild, parent, member) & Bits.view_channel
    )


def _everyone_here_holds(state: GuildState, guild: discord.Guild, destination: Channel, gate: int) -> bool:
    if not state.source.members_are_current(guild.id) or not guild.chunked:
        return False
    return all(
        guild_bits(guild, member) & gate == gate
        for member in guild.members
        if bits_at(guild, destination, member) & Bits.view_channel
    )


def _asked(channel: discord.abc.GuildChannel) -> tuple[int, ...]:
    """What reading there takes. Discord asks for connect as well where people talk.

    https://discord.com/developers/docs/topics/permissions#implicit-permissions
    """
    if isinstance(channel, discord.VoiceChannel | discord.StageChannel):
        return (int(Bits.view_channel), int(Bits.connect))
    return (int(Bits.view_channel),)


def _is_public(guild: discord.Guild, channel: discord.abc.GuildChannel) -> bool:
    """Every member reads it: @everyone may, and no overwrite takes that away from anybody."""
    for bit in _asked(channel):
        overwrites = _overwrites(channel, bit)
        allowed = guild.default_role.permissions.value & bit or overwrites.get(guild.default_role.id)
        if not allowed or not all(overwrites.values()):
            return False
    return True


def _same_gate(destination: discord.abc.GuildChannel, origin: discord.abc.GuildChannel) -> bool:
    """Whoever reads the destination has passed the very same overwrites as at the origin."""
    asked = _asked(origin)
    return set(asked) <= set(_asked(destination)) and all(
        _overwrites(destination, bit) == _overwrites(origin, bit) for bit in asked
    )


def _overwrites(channel: discord.abc.GuildChannel, bit: int) -> dict[int, bool]:
    """Whom the channel's overwrites allow or deny a permission."""
    found: dict[int, bool] = {}
    for target, overwrite in channel.overwrites.items():
        allow, deny = overwrite.pair()
        if (allow.value | deny.value) & bit:
            found[target.id] = bool(allow.value & bit)
    return found
