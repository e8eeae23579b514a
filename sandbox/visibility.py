"""Which events the bot may get: what it can see, beyond what its intents ask for.

https://discord.com/developers/docs/events/gateway#list-of-intents says what an intent asks for (simcord filters that);
https://discord.com/developers/docs/events/gateway-events names, event by event, the permission that it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import discord

from sandbox.internals import Backend, BackendError, channel_accessible

# "This event is only sent to bots with the VIEW_AUDIT_LOG permission."
# https://discord.com/developers/docs/events/gateway-events#guild-audit-log-entry-create
# "All Auto Moderation related events are only sent to bot users which have the MANAGE_GUILD permission."
# https://discord.com/developers/docs/events/gateway-events#auto-moderation
_GUILD_PERMISSIONS = {
    "GUILD_AUDIT_LOG_ENTRY_CREATE": discord.Permissions.view_audit_log.flag,
    "AUTO_MODERATION_RULE_CREATE": discord.Permissions.manage_guild.flag,
    "AUTO_MODERATION_RULE_UPDATE": discord.Permissions.manage_guild.flag,
    "AUTO_MODERATION_RULE_DELETE": discord.Permissions.manage_guild.flag,
    "AUTO_MODERATION_ACTION_EXECUTION": discord.Permissions.manage_guild.flag,
}

# "Only sent if the bot has the MANAGE_CHANNELS permission for the channel."
# https://discord.com/developers/docs/events/gateway-events#invites
_CHANNEL_PERMISSIONS = {
    "INVITE_CREATE": discord.Permissions.manage_channels.flag,
    "INVITE_DELETE": discord.Permissions.manage_channels.flag,
}

# Messages and threads are of a channel that one must be able to view:
# https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags (VIEW_CHANNEL), and
# https://discord.com/developers/docs/topics/threads#gateway-events for threads. Channels are sent unseen too.
_OF_A_CHANNEL = ("MESSAGE_", "TYPING_START", "CHANNEL_PINS_UPDATE", "THREAD_")


def bot_may_get(backend: Backend, event: str, payload: Mapping[str, Any]) -> bool:
    """Whether Discord would send this event to the bot, its intents aside."""
    guild_id = payload.get("guild_id")
    bot_id = backend.bot_user.id
    guild = backend.guilds.get(int(guild_id)) if guild_id is not None else None
    if guild is None:
        return True
    if needed := _GUILD_PERMISSIONS.get(event):
        return bool(backend.compute_permissions(guild.id, bot_id) & needed)
    channel_id = _channel_of(event, payload)
    channel = backend.channels.get(channel_id) if channel_id is not None else None
    if channel is None or channel.guild_id != guild.id:
        return True
    if needed := _CHANNEL_PERMISSIONS.get(event):
        return bool(backend.compute_permissions(guild.id, bot_id, channel.id) & needed)
    if not event.startswith(_OF_A_CHANNEL):
        return True
    try:
        return channel_accessible(backend, channel.id, bot_id)
    except BackendError:  # a thread whose parent is gone
        return False


def _channel_of(event: str, payload: Mapping[str, Any]) -> int | None:
    value = payload.get("channel_id")
    if value is None and event.startswith("THREAD_"):
        value = payload.get("id") if event != "THREAD_DELETE" else payload.get("parent_id")
    return int(value) if value is not None else None


def visible_active_threads(backend: Backend, payload: Mapping[str, Any]) -> list[Any]:
    """The threads of a GUILD_CREATE: "all active threads in the guild that current user has permission to view".

    https://discord.com/developers/docs/events/gateway-events#guild-create
    """
    return [
        thread
        for thread in payload.get("threads") or ()
        if not thread["thread_metadata"]["archived"]
        and channel_accessible(backend, int(thread["id"]), backend.bot_user.id)
    ]
