"""What kinds of channels are called, here and in discord.py.

https://discord.com/developers/docs/resources/channel#channel-object-channel-types
"""

from __future__ import annotations

from typing import Literal

import discord

from operations.guild_state import Channel
from operations.sanitise import inline
from policy.model import Target
from policy.permissions import Bits

GuildChannelKind = Literal["text", "voice", "stage", "forum", "media", "announcement", "category"]
ThreadKind = Literal["public_thread", "private_thread", "announcement_thread"]
ChannelKind = GuildChannelKind | ThreadKind

TYPES: dict[GuildChannelKind, discord.ChannelType] = {
    "text": discord.ChannelType.text,
    "voice": discord.ChannelType.voice,
    "stage": discord.ChannelType.stage_voice,
    "forum": discord.ChannelType.forum,
    "media": discord.ChannelType.media,
    "announcement": discord.ChannelType.news,
    "category": discord.ChannelType.category,
}
_KINDS: dict[discord.ChannelType, ChannelKind] = {
    **{channel_type: kind for kind, channel_type in TYPES.items()},
    discord.ChannelType.public_thread: "public_thread",
    discord.ChannelType.private_thread: "private_thread",
    discord.ChannelType.news_thread: "announcement_thread",
}
VOICE_TYPES = frozenset({discord.ChannelType.voice, discord.ChannelType.stage_voice})
# Discord writes their names in lower case, with hyphens for blanks.
HYPHENATED_TYPES = frozenset({discord.ChannelType.text, discord.ChannelType.news})


def kind_of(channel: Channel) -> ChannelKind:
    return _KINDS.get(channel.type, "text")


def parent_category(channel: Channel) -> discord.CategoryChannel | None:
    """The category of a channel; a thread's is that of its parent."""
    owner = channel.parent if isinstance(channel, discord.Thread) else channel
    return None if owner is None else owner.category


def access_bits(channel_type: discord.ChannelType) -> int:
    """What it takes to reach a channel at all, before it can be changed: for voice that includes connect."""
    return int(Bits.view_channel | Bits.connect if channel_type in VOICE_TYPES else Bits.view_channel)


def spoken(target: Target, channel_type: discord.ChannelType) -> str:
    """A channel inside a sentence: ``#general``, ``the category Talk``."""
    if channel_type is discord.ChannelType.category:
        return f"the category {inline(target.name)}"
    return f"#{inline(target.name)}"


def labelled(target: Target) -> str:
    """A channel as the target of a change: ``channel 123 #general``."""
    return f"channel {target.id} #{inline(target.name)}"


def normalised_name_may_differ(name: str, channel_type: discord.ChannelType) -> str | None:
    if channel_type not in HYPHENATED_TYPES or (name == name.lower() and not any(map(str.isspace, name))):
        return None
    return "Discord writes such names in lower case with hyphens; which characters it keeps is not documented."
