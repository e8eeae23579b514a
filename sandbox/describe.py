"""The world as JSON: ids as strings, permissions by name."""

from __future__ import annotations

from typing import Any, TypedDict

from sandbox import invites
from sandbox.guild_builder import CHANNEL_TYPES
from sandbox.internals import Backend, Channel, Guild, guild_extras
from sandbox.permission_names import names_of
from sandbox.webhooks import Webhooks

_KINDS = {number: name for name, number in CHANNEL_TYPES.items()} | {
    1: "dm",
    10: "announcement_thread",
    11: "public_thread",
    12: "private_thread",
}


class GuildIds(TypedDict):
    """A guild's ids by name. Where two things share a name, the later one stands."""

    id: str
    name: str
    owner_id: str
    channels: dict[str, str]
    members: dict[str, str]
    roles: dict[str, str]


def guild_ids(backend: Backend, guild: Guild) -> GuildIds:
    channels = [backend.channels[channel_id] for channel_id in guild.channel_ids]
    return {
        "id": str(guild.id),
        "name": guild.name,
        "owner_id": str(guild.owner_id),
        "channels": {channel.name or str(channel.id): str(channel.id) for channel in channels},
        "members": {backend.users[user_id].name: str(user_id) for user_id in guild.members},
        "roles": {role.name: str(role.id) for role in guild.roles.values()},
    }


def channel_description(channel: Channel) -> dict[str, Any]:
    description: dict[str, Any] = {
        "id": str(channel.id),
        "name": channel.name,
        "type": _KINDS.get(channel.type, str(int(channel.type))),
        "parent_id": str(channel.parent_id) if channel.parent_id else None,
        "topic": channel.topic,
        "position": channel.position,
        "slowmode_seconds": channel.rate_limit_per_user,
        "overwrites": [
            {
                "id": str(overwrite.target_id),
                "type": overwrite.type.name.lower(),
                "allow": names_of(overwrite.allow),
                "deny": names_of(overwrite.deny),
            }
            for overwrite in channel.overwrites
        ],
    }
    if channel.thread_metadata is not None:
        description["archived"] = channel.thread_metadata.archived
        description["locked"] = channel.thread_metadata.locked
        description["members"] = [str(user_id) for user_id in channel.thread_members]
    return description


def guild_settings(guild: Guild) -> dict[str, Any]:
    """By the names of https://discord.com/developers/docs/resources/guild#guild-object-guild-structure"""
    extras = guild_extras(guild)
    channel_ids = ("afk_channel_id", "system_channel_id", "rules_channel_id", "public_updates_channel_id")
    return {
        "description": guild.description,
        "verification_level": guild.verification_level,
        "default_message_notifications": guild.default_message_notifications,
        "explicit_content_filter": guild.explicit_content_filter,
        "afk_timeout": guild.afk_timeout,
        "preferred_locale": guild.preferred_locale,
        "premium_progress_bar_enabled": extras.progress_bar,
        "features": list(extras.features),
        **{name: None if (value := getattr(guild, name)) is None else str(value) for name in channel_ids},
    }


def guild_description(backend: Backend, guild: Guild, webhooks: Webhooks) -> dict[str, Any]:
    channel_ids = [*guild.channel_ids, *guild.thread_ids]
    return {
        "id": str(guild.id),
        "name": guild.name,
        "owner_id": str(guild.owner_id),
        "settings": guild_settings(guild),
        "members": [
            {
                "id": str(member.user_id),
                "name": backend.users[member.user_id].name,
                "nick": member.nick,
                "bot": backend.users[member.user_id].bot,
                "roles": [str(role_id) for role_id in member.role_ids],
                "timed_out_until": member.timed_out_until,
                "pending": member.pending,
                "joined_at": member.joined_at,
            }
            for member in guild.members.values()
        ],
        "roles": [
            {
                "id": str(role.id),
                "name": role.name,
                "permissions": names_of(role.permissions),
                "position": role.position,
                "managed": role.managed,
                "mentionable": role.mentionable,
                "hoist": role.hoist,
                "color": role.color,
            }
            for role in sorted(guild.roles.values(), key=lambda role: (-role.position, role.id))
        ],
        "channels": [channel_description(backend.channels[channel_id]) for channel_id in channel_ids],
        "bans": [{"id": str(user_id), "reason": reason} for user_id, reason in guild.bans.items()],
        "webhooks": webhooks.description(guild.id),
        "invites": invites.description(backend, guild.id),
    }


def direct_message_channels(backend: Backend) -> list[dict[str, str]]:
    return [
        {"id": str(channel_id), "user": str(user_id), "name": backend.users[user_id].name}
        for user_id, channel_id in backend.dm_channels.items()
    ]
