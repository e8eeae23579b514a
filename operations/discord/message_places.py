"""Channels that hold messages: which rights are asked there, how they are reached, what may be named in them."""

from __future__ import annotations

import discord

from operations.base import Context
from operations.errors import Refused
from operations.guild_state import Channel, GuildView
from operations.refusals import hidden
from operations.render_text import Names
from policy.model import Need, Refuse, Step, Target
from policy.permissions import Bits, bits
from policy.taint import Source

READ = bits("view_channel", "read_message_history")
Messageable = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


def place(target: Target) -> Target:
    """The channel whose rights apply to a target: itself, or the one a message is in."""
    if target.channel_id is None:
        return target
    return Target("channel", target.channel_id, target.guild_id)


def connect_bit(view: GuildView, channel_id: int) -> int:
    """Discord asks for connect wherever a voice or stage channel is read or written.

    https://discord.com/developers/docs/topics/permissions#implicit-permissions
    """
    channel = view.channel(channel_id)
    return int(Bits.connect) if isinstance(channel, discord.VoiceChannel | discord.StageChannel) else 0


def reading_need(ctx: Context, target: Target) -> Need:
    """Reading messages at a target asks the same of the bot and of the requester."""
    channel_id = target.channel_id if target.channel_id is not None else target.id
    wanted = READ | connect_bit(ctx.guild, channel_id)
    return Need(target, wanted, wanted)


def sources(ctx: Context, target: Target) -> tuple[Source, ...]:
    return (Source(ctx.guild.id, target.channel_id if target.channel_id is not None else target.id),)


def messageable(view: GuildView, channel_id: int) -> Messageable:
    """The channel object of now. Raises Refused for a kind that holds no messages, as for one that is gone."""
    channel: Channel | None = view.channel(channel_id)
    if channel is None:
        raise Refused(hidden("channel", "channel"))
    if isinstance(channel, discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread):
        return channel
    raise Refused(
        Refuse(
            Step.DISCORD,
            "no_messages",
            f"A {channel.type.name} channel holds no messages of its own.",
            "Choose a text channel, a voice channel or a thread.",
        )
    )


def names(view: GuildView) -> Names:
    """Names of what messages mention, within what the requester sees."""

    def channel_name(channel_id: int) -> str | None:
        channel = view.channel(channel_id)
        return channel.name if channel is not None and view.sees(channel) else None

    return Names(view.discord, channel_name)
