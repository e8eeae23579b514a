"""What simcord leaves out of overwrites: nobody hands out more than they have, and channels follow their category."""

from __future__ import annotations

import re
from typing import Any

import discord

from sandbox.additions import Addition, Request, Route, Rule, missing_permissions
from sandbox.internals import Backend, Channel

_ONE = re.compile(r"/channels/(?P<channel>\d+)/permissions/\d+")
_CHANNEL = re.compile(r"/channels/(?P<channel>\d+)")
_NEW_CHANNEL = re.compile(r"/guilds/(?P<guild>\d+)/channels")
_CHANGES = (("PUT", _ONE), ("DELETE", _ONE), ("PATCH", _CHANNEL))


def _held_by_bot(request: Request, match: re.Match[str]) -> None:
    """ "Only permissions your bot has in the guild or parent channel (if applicable) can be allowed/denied (unless your
    bot has a MANAGE_ROLES overwrite in the channel)."

    https://discord.com/developers/docs/resources/channel#edit-channel-permissions
    """
    backend = request.backend
    channel = backend.get_channel(int(match["channel"]))
    if channel.guild_id is None:
        return
    bot = backend.get_guild(channel.guild_id).members.get(backend.bot_user.id)
    own_targets = {channel.guild_id, backend.bot_user.id, *(bot.role_ids if bot else ())}
    manage_roles = discord.Permissions.manage_roles.flag
    if any(overwrite.allow & manage_roles and overwrite.target_id in own_targets for overwrite in channel.overwrites):
        return
    bits = int(request.fields.get("allow") or 0) | int(request.fields.get("deny") or 0)
    _grantable(backend, channel.guild_id, channel.parent_id, bits)


def _held_by_bot_at_first(request: Request, match: re.Match[str]) -> None:
    """As above, at a channel's making.

    "Only permissions your bot has in the guild can be allowed/denied. Setting MANAGE_ROLES permission in channels is
    only possible for guild administrators."
    https://discord.com/developers/docs/resources/guild#create-guild-channel
    """
    backend, guild_id = request.backend, int(match["guild"])
    for overwrite in request.fields.get("permission_overwrites") or ():
        bits = int(overwrite.get("allow") or 0) | int(overwrite.get("deny") or 0)
        _grantable(backend, guild_id, None, bits)
        administrator = backend.compute_permissions(guild_id, backend.bot_user.id) & (
            discord.Permissions.administrator.flag
        )
        if bits & discord.Permissions.manage_roles.flag and not administrator:
            raise missing_permissions()


def _grantable(backend: Backend, guild_id: int, channel_id: int | None, bits: int) -> None:
    granted = backend.compute_permissions(guild_id, backend.bot_user.id)
    if channel_id is not None:
        granted |= backend.compute_permissions(guild_id, backend.bot_user.id, channel_id)
    if bits & ~granted:
        raise missing_permissions()


class Overwrites(Addition):
    """Their rules, and permission syncing: "If a child channel has the same permissions and overwrites (or lack
    thereof) as its parent category, the channel is considered "synced" to the category. Any further changes to a parent
    category will be reflected in its synced child channels."

    https://discord.com/developers/docs/topics/permissions#permission-syncing
    """

    rules = (Rule("PUT", _ONE, _held_by_bot), Rule("POST", _NEW_CHANNEL, _held_by_bot_at_first))

    def play(self, request: Request, route: Route) -> Any:
        category = _changed_category(request)
        if category is None:
            return route(request)
        inside = [channel for channel in request.backend.channels.values() if channel.parent_id == category.id]
        synced = [channel for channel in inside if _overwrites(channel) == _overwrites(category)]
        result = route(request)
        for channel in synced:
            _follow(request.backend, category, channel)
        return result


def _changed_category(request: Request) -> Channel | None:
    """The category whose overwrites a request may change."""
    for method, pattern in _CHANGES:
        match = request.on(method, pattern)
        category = request.backend.channels.get(int(match["channel"])) if match else None
        if category is not None and category.type == discord.ChannelType.category.value:
            return category
    return None


def _follow(backend: Backend, category: Channel, channel: Channel) -> None:
    for target_id in _overwrites(channel).keys() - _overwrites(category).keys():
        backend.delete_overwrite(channel.id, target_id)
    for overwrite in category.overwrites:
        if _overwrites(channel).get(overwrite.target_id) != (overwrite.allow, overwrite.deny):
            backend.set_overwrite(channel.id, overwrite)


def _overwrites(channel: Channel) -> dict[int, tuple[int, int]]:
    return {overwrite.target_id: (overwrite.allow, overwrite.deny) for overwrite in channel.overwrites}
