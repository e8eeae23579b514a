"""Channels: their settings by kind, the room that a guild has for them, and what keeps one from being deleted.

Source, where none is named: https://discord.com/developers/docs/resources/channel#modify-channel-json-params-guild-channel
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import discord

_Kind = discord.ChannelType

MAX_CHANNELS = 500
MAX_CATEGORY_CHANNELS = 50
MAX_SLOWMODE_SECONDS = 21_600
MAX_TAGS = 20
MAX_TAG_NAME = 20
ARCHIVE_MINUTES = (60, 1440, 4320, 10080)

_FORUMS = frozenset({_Kind.forum, _Kind.media})
_VOICE = frozenset({_Kind.voice, _Kind.stage_voice})
_TEXTS = frozenset({_Kind.text, _Kind.news})
_EVERY = _TEXTS | _FORUMS | _VOICE

# The column "Channel Type" of the page above. Name, position and overwrites belong to every kind, categories included.
_KINDS: dict[str, frozenset[discord.ChannelType]] = {
    "topic": _TEXTS | _FORUMS,
    "nsfw": _EVERY,
    "slowmode": _EVERY - {_Kind.news},
    "bitrate": _VOICE,
    "user_limit": _VOICE,
    "parent": _EVERY,
    "rtc_region": _VOICE,
    "video_quality_mode": _VOICE,
    "default_auto_archive_duration": _TEXTS | _FORUMS,
    "tags": _FORUMS,
    "default_thread_slowmode": _FORUMS | {_Kind.text},
}
_SPOKEN: dict[discord.ChannelType, str] = {
    _Kind.text: "a text channel",
    _Kind.news: "an announcement channel",
    _Kind.voice: "a voice channel",
    _Kind.stage_voice: "a stage",
    _Kind.forum: "a forum",
    _Kind.media: "a media channel",
    _Kind.category: "a category",
}


# ------------------------------------------------------------------ settings
def name_fits(name: str) -> str | None:
    length = len(name) if name.strip() else 0
    if 1 <= length <= 100:
        return None
    return f"A channel's name takes 1 to 100 characters; this has {length}."


def setting_applies(setting: str, kind: discord.ChannelType) -> str | None:
    """``setting``: a key of the table above. Raises KeyError for another one."""
    if kind in _KINDS[setting]:
        return None
    return f"{_SPOKEN.get(kind, 'That kind of channel').capitalize()} has no {setting.replace('_', ' ')}; leave it out."


def topic_fits(topic: str, kind: discord.ChannelType) -> str | None:
    limit = 4096 if kind in _FORUMS else 1024
    if len(topic) <= limit:
        return None
    return f"The topic of {_SPOKEN.get(kind, 'a channel')} takes at most {limit:,} characters; this has {len(topic):,}."


def slowmode_fits(seconds: int) -> str | None:
    if 0 <= seconds <= MAX_SLOWMODE_SECONDS:
        return None
    return f"Slowmode takes 0 to {MAX_SLOWMODE_SECONDS:,} seconds (6 hours), not {seconds:,}."


def bitrate_fits(
    bits_per_second: int, kind: discord.ChannelType, premium_tier: int, features: Collection[str]
) -> str | None:
    """From 8,000 up to what the kind and the guild's boosts allow."""
    if kind is _Kind.stage_voice:
        limit = 64_000
    elif "VIP_REGIONS" in features:
        limit = 384_000
    else:
        limit = {1: 128_000, 2: 256_000, 3: 384_000}.get(premium_tier, 96_000)
    if 8_000 <= bits_per_second <= limit:
        return None
    return f"The bitrate here goes from 8,000 to {limit:,} bits a second, not {bits_per_second:,}."


def user_limit_fits(limit: int, kind: discord.ChannelType) -> str | None:
    most = 10_000 if kind is _Kind.stage_voice else 99
    if 0 <= limit <= most:
        return None
    return f"The user limit of {_SPOKEN.get(kind, 'a channel')} goes from 0 (none) to {most:,}, not {limit:,}."


def archive_duration_fits(minutes: int) -> str | None:
    if minutes in ARCHIVE_MINUTES:
        return None
    listed = ", ".join(str(choice) for choice in ARCHIVE_MINUTES)
    return f"Threads archive after {listed} minutes (1 hour, 1, 3 or 7 days), not {minutes}."


def position_fits(position: int) -> str | None:
    return None if position >= 0 else f"A position is 0 or higher, not {position}."


def tags_fit(names: Sequence[str]) -> Iterator[str]:
    """At most 20, each name of 1 to 20 characters and once (errors 30048, 40061).

    https://discord.com/developers/docs/resources/channel#forum-tag-object
    """
    if len(names) > MAX_TAGS:
        yield f"A forum takes at most {MAX_TAGS} tags; there are {len(names)}."
    for name in names:
        if not 1 <= len(name.strip()) <= MAX_TAG_NAME:
            yield f"A tag's name takes 1 to {MAX_TAG_NAME} characters; one has {len(name.strip())}."
            break
    if len({name.strip() for name in names}) < len(names):
        yield "Two tags have the same name; give each a name of its own."


# ----------------------------------------------------------------- the guild
def kind_is_allowed(kind: discord.ChannelType, features: Collection[str]) -> str | None:
    """Announcement channels need NEWS, which every Community guild has; stages need COMMUNITY (error 50024).

    https://discord.com/developers/docs/resources/guild#guild-object-guild-features
    """
    if kind is _Kind.news and not {"NEWS", "COMMUNITY"} & set(features):
        return (
            "Announcement channels need a Community guild; enable Community in its settings, or create a text channel."
        )
    if kind is _Kind.stage_voice and "COMMUNITY" not in features:
        return "Stages need a Community guild; enable Community in its settings, or create a voice channel."
    if kind not in _EVERY and kind is not _Kind.category:
        return "That kind of channel cannot be created."
    return None


def kind_may_be_unavailable(kind: discord.ChannelType) -> str | None:
    """ "The GUILD_MEDIA channel type is still in active development."

    https://discord.com/developers/docs/resources/channel#channel-object-channel-types
    """
    return "Discord may not offer media channels in this guild yet." if kind is _Kind.media else None


def kind_change_is_supported(
    before: discord.ChannelType,
    after: discord.ChannelType,
    features: Collection[str],
    *,
    is_community_channel: bool = False,
) -> str | None:
    """ "Only conversion between text and announcement is supported and only in guilds with the NEWS feature."

    ``is_community_channel``: the rules or updates channel of a Community guild (error 50086).
    """
    if before is after:
        return None
    if not {before, after} <= _TEXTS:
        return "Only text and announcement channels can be turned into each other; create a new channel instead."
    if "NEWS" not in features:
        return "Announcement channels need a Community guild; enable Community in its settings."
    if is_community_channel and after is _Kind.news:
        return "A Community guild's rules and updates channels must stay text channels."
    return None


def guild_has_room(channel_count: int, *, adding: int = 1) -> str | None:
    """``channel_count``: channels and categories, without threads (error 30013)."""
    if channel_count + adding <= MAX_CHANNELS:
        return None
    return f"The guild has {channel_count} of {MAX_CHANNELS} channels; delete one that is no longer needed first."


def category_has_room(channel_count: int, *, adding: int = 1) -> str | None:
    """ "Each parent category can contain up to 50 channels." (CHANNEL_PARENT_MAX_CHANNELS)

    https://discord.com/developers/docs/resources/channel#channel-object-channel-structure (parent_id)
    """
    if channel_count + adding <= MAX_CATEGORY_CHANNELS:
        return None
    return f"The category has {channel_count} of {MAX_CATEGORY_CHANNELS} channels; choose another category."


def parent_is_category_here(parent: discord.abc.GuildChannel, guild_id: int) -> str | None:
    """CHANNEL_PARENT_INVALID, CHANNEL_PARENT_INVALID_TYPE."""
    if parent.guild.id == guild_id and parent.type is _Kind.category:
        return None
    return "A channel's parent must be a category of the same guild."


def channel_is_deletable(
    channel_id: int, features: Collection[str], rules_channel_id: int | None, updates_channel_id: int | None
) -> str | None:
    """ "For Community guilds, the Rules or Guidelines channel and the Community Updates channel cannot be deleted."

    Error 50074. https://discord.com/developers/docs/resources/channel#deleteclose-channel
    """
    if "COMMUNITY" not in features or channel_id not in (rules_channel_id, updates_channel_id):
        return None
    role = "shows the rules" if channel_id == rules_channel_id else "receives Discord's updates"
    return (
        f"The channel {role} of this Community guild, so it cannot be deleted; "
        "choose another channel for that in the guild's Community settings first."
    )
