"""A guild's own settings: their limits, and which only Community guilds have.

Source, where none is named: https://discord.com/developers/docs/resources/guild#modify-guild
"""

from __future__ import annotations

from collections.abc import Collection

import discord

MIN_NAME, MAX_NAME = 2, 100
MAX_DESCRIPTION = 300
AFK_TIMEOUT_SECONDS = (60, 300, 900, 1800, 3600)

_Kind = discord.ChannelType
# Which kinds of channels a setting takes.
_CHANNELS: dict[str, frozenset[discord.ChannelType]] = {
    "afk_channel": frozenset({_Kind.voice}),
    "system_channel": frozenset({_Kind.text, _Kind.news}),
    "rules_channel": frozenset({_Kind.text}),
    "public_updates_channel": frozenset({_Kind.text}),
}
COMMUNITY_SETTINGS = frozenset({"description", "rules_channel", "public_updates_channel"})


def guild_name_fits(name: str) -> str | None:
    """ "Guild names: 2 to 100 characters, excluding trailing and leading whitespace"."""
    length = len(name.strip())
    if MIN_NAME <= length <= MAX_NAME:
        return None
    return f"A guild's name takes {MIN_NAME} to {MAX_NAME} characters; this has {length}."


def description_fits(description: str) -> str | None:
    if len(description) <= MAX_DESCRIPTION:
        return None
    return f"A guild's description takes at most {MAX_DESCRIPTION} characters; this has {len(description)}."


def afk_timeout_fits(seconds: int) -> str | None:
    if seconds in AFK_TIMEOUT_SECONDS:
        return None
    listed = ", ".join(str(choice) for choice in AFK_TIMEOUT_SECONDS)
    return f"The AFK timeout is one of {listed} seconds, not {seconds}."


def locale_exists(locale: str) -> str | None:
    """https://discord.com/developers/docs/reference#locales"""
    if locale in {each.value for each in discord.Locale}:
        return None
    return 'Discord has no such locale; give one as Discord writes it, for example "en-US", "de" or "pt-BR".'


def setting_takes_channel(setting: str, kind: discord.ChannelType) -> str | None:
    """``setting``: a key of the table above. Raises KeyError for another one."""
    if kind in _CHANNELS[setting]:
        return None
    wanted = "a voice channel" if setting == "afk_channel" else "a text channel"
    return f"{setting} takes {wanted}; choose one."


def community_has_setting(setting: str, features: Collection[str]) -> str | None:
    """As discord.py's Guild.edit has it: "only available to guilds that contain COMMUNITY"."""
    if setting not in COMMUNITY_SETTINGS or "COMMUNITY" in features:
        return None
    return f"Only Community guilds have {setting}; enable Community in the guild's settings, or leave it out."


def community_keeps_channel(setting: str, features: Collection[str]) -> str | None:
    """A Community guild has both: "COMMUNITY … guild can enable welcome screen …", once both channels are set.

    https://discord.com/developers/docs/resources/guild#guild-object-mutable-guild-features
    """
    if setting not in ("rules_channel", "public_updates_channel") or "COMMUNITY" not in features:
        return None
    return f"A Community guild needs {setting}; give another channel instead of clearing it."


def community_may_ask_for_more(
    verification_level: str | None, content_filter: str | None, features: Collection[str]
) -> str | None:
    """Discord's settings ask a Community guild for verification and the filter; what its API says is not written.

    https://support.discord.com/hc/en-us/articles/360047132851-Enabling-Your-Community-Server
    """
    lax = verification_level == "none" or content_filter in ("disabled", "no_role")
    if not lax or "COMMUNITY" not in features:
        return None
    return "A Community guild is asked for a verified email and for a filter of all members; Discord may refuse less."
