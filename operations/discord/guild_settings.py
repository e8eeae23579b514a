"""A guild's settings as callers write them, as they are now, and as discord.py takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import discord
from pydantic import Field

from operations.base import Model
from operations.guild_state import GuildView

Verification = Literal["none", "low", "medium", "high", "highest"]
Notifications = Literal["all_messages", "only_mentions"]
ContentFilter = Literal["disabled", "no_role", "all_members"]
ChannelSetting = Literal["afk_channel", "system_channel", "rules_channel", "public_updates_channel"]

CHANNEL_SETTINGS: tuple[ChannelSetting, ...] = (
    "afk_channel",
    "system_channel",
    "rules_channel",
    "public_updates_channel",
)
# As discord.py calls them.
_OPTIONS = {"afk_timeout_seconds": "afk_timeout", "premium_progress_bar": "premium_progress_bar_enabled"}


class GuildSettings(Model):
    """What is None stays as it is. ``description`` "" is none."""

    name: str | None = None
    description: str | None = Field(default=None, description="Empty clears.")
    verification_level: Verification | None = None
    default_notifications: Notifications | None = None
    explicit_content_filter: ContentFilter | None = None
    afk_timeout_seconds: int | None = Field(default=None, description="60, 300, 900, 1800 or 3600.")
    preferred_locale: str | None = Field(default=None, description="Such as en-US.")
    premium_progress_bar: bool | None = None

    def given(self) -> dict[str, Any]:
        """The settings that are not left as they are."""
        return {name: value for name in GuildSettings.model_fields if (value := getattr(self, name)) is not None}


def settings_of(guild: discord.Guild) -> Mapping[str, Any]:
    """The settings as they are, by the names of GuildSettings."""
    return {
        "name": guild.name,
        "description": guild.description or "",
        "verification_level": guild.verification_level.name,
        "default_notifications": guild.default_notifications.name,
        "explicit_content_filter": guild.explicit_content_filter.name,
        "afk_timeout_seconds": guild.afk_timeout,
        "preferred_locale": str(guild.preferred_locale),
        "premium_progress_bar": guild.premium_progress_bar_enabled,
    }


def channel_ids_of(guild: discord.Guild) -> Mapping[ChannelSetting, int | None]:
    """The channels that the guild's settings name; None for no channel."""
    channels: dict[ChannelSetting, discord.abc.GuildChannel | None] = {
        "afk_channel": guild.afk_channel,
        "system_channel": guild.system_channel,
        "rules_channel": guild.rules_channel,
        "public_updates_channel": guild.public_updates_channel,
    }
    return {setting: None if channel is None else channel.id for setting, channel in channels.items()}


def shown_channel(view: GuildView, channel_id: int | None) -> str | None:
    """None for one that the requester does not see."""
    channel = None if channel_id is None or channel_id not in view.visible_ids() else view.channel(channel_id)
    return None if channel is None else f"{channel.id} #{channel.name}"


def options_of(settings: GuildSettings) -> dict[str, Any]:
    """As discord.py's Guild.edit takes them."""
    values: dict[str, Any] = {
        **settings.given(),
        "verification_level": _member(discord.VerificationLevel, settings.verification_level),
        "default_notifications": _member(discord.NotificationLevel, settings.default_notifications),
        "explicit_content_filter": _member(discord.ContentFilter, settings.explicit_content_filter),
    }
    options = {_OPTIONS.get(name, name): value for name, value in values.items() if value is not None}
    if settings.description == "":
        options["description"] = None
    if settings.preferred_locale is not None:
        options["preferred_locale"] = discord.Locale(settings.preferred_locale)
    return options


def _member(kind: Any, name: str | None) -> Any:
    return None if name is None else kind[name]
