"""What channel_create and channel_edit share: the settings of a channel, and when Discord would refuse them."""

from __future__ import annotations

import discord
from pydantic import Field

from operations.base import Context, Model
from operations.discord.channel_kinds import normalised_name_may_differ
from operations.guild_state import GuildView
from operations.preflight import channels as rules
from operations.preflight import told
from operations.preflight.guilds import audit_reason_fits, two_factor_may_be_missing
from policy.permissions import Bits


class ChannelSettings(Model):
    """What is None stays as it is, or as Discord makes it. ``topic`` "" is none, 0 seconds or users is no limit."""

    topic: str | None = None
    slowmode_seconds: int | None = None
    nsfw: bool | None = Field(default=None, description="Age-restricted.")
    bitrate: int | None = Field(default=None, description="Voice: bits a second.")
    user_limit: int | None = Field(default=None, description="Voice; 0 is none.")


def settings_problems(
    guild: discord.Guild, kind: discord.ChannelType, name: str | None, settings: ChannelSettings
) -> tuple[str, ...]:
    """Every rule about the settings that are given."""
    given = (
        ("topic", settings.topic),
        ("slowmode", settings.slowmode_seconds),
        ("nsfw", settings.nsfw),
        ("bitrate", settings.bitrate),
        ("user_limit", settings.user_limit),
    )
    misplaced = {
        setting: problem
        for setting, value in given
        if value is not None and (problem := rules.setting_applies(setting, kind))
    }
    limits = (
        ("topic", None if settings.topic is None else rules.topic_fits(settings.topic, kind)),
        ("slowmode", None if settings.slowmode_seconds is None else rules.slowmode_fits(settings.slowmode_seconds)),
        (
            "bitrate",
            None
            if settings.bitrate is None
            else rules.bitrate_fits(settings.bitrate, kind, guild.premium_tier, guild.features),
        ),
        ("user_limit", None if settings.user_limit is None else rules.user_limit_fits(settings.user_limit, kind)),
    )
    return told(
        None if name is None else rules.name_fits(name),
        misplaced.values(),
        (problem for setting, problem in limits if problem is not None and setting not in misplaced),
    )


def room_in_guild(view: GuildView) -> str | None:
    """Counts are told only where the requester sees all of what is counted."""
    channels = view.discord.channels
    problem = rules.guild_has_room(len(channels))
    if problem is None or {channel.id for channel in channels} <= set(view.visible_ids()):
        return problem
    return "The guild has no room for another channel; delete one that is no longer needed first."


def room_in_category(view: GuildView, category_id: int | None) -> str | None:
    """As above, for a category."""
    if category_id is None:
        return None
    channels = [channel for channel in view.discord.channels if channel.category_id == category_id]
    problem = rules.category_has_room(len(channels))
    if problem is None or {channel.id for channel in channels} <= set(view.visible_ids()):
        return problem
    return "The category has no room for another channel; choose another one."


def common_problems(ctx: Context) -> str | None:
    return audit_reason_fits(ctx.audit_reason)


def common_unknowns(ctx: Context, used_bits: int, name: str | None, kind: discord.ChannelType) -> tuple[str, ...]:
    """``used_bits``: the permissions that the call rests on."""
    return told(
        two_factor_may_be_missing(ctx.guild.discord.mfa_level, used_bits | Bits.manage_channels),
        None if name is None else normalised_name_may_differ(name, kind),
    )
