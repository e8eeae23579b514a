"""What simcord leaves out of guild channels: their limits, Connect, and `nsfw`.

Source, where none is named: https://discord.com/developers/docs/resources/channel#modify-channel-json-params-guild-channel
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import discord

from sandbox.additions import Addition, Request, Route, Rule, invalid_form
from sandbox.internals import (
    Backend,
    BackendError,
    guild_extras,
    is_age_restricted,
    new_channels_restricted,
    restrict_age,
)

_TEXT, _VOICE, _CATEGORY = 0, 2, 4
_ANNOUNCEMENT, _STAGE, _FORUM, _MEDIA = 5, 13, 15, 16
MAX_CHANNELS = 500
MAX_CATEGORY_CHANNELS = 50
MAX_SLOWMODE_SECONDS = 21_600
MAX_BITRATE = 96_000
MAX_STAGE_BITRATE = 64_000

CHANNEL_UPDATE = 11
_CREATE = re.compile(r"/guilds/(?P<guild>\d+)/channels")
_EDIT = re.compile(r"/channels/(?P<channel>\d+)")
_WITHIN = re.compile(r"/channels/(?P<channel>\d+)(/.*)?")
_AGE_RESTRICTED = "nsfw"


def _creating(request: Request, match: re.Match[str]) -> None:
    """https://discord.com/developers/docs/resources/guild#create-guild-channel"""
    backend, body = request.backend, request.fields
    guild = backend.get_guild(int(match["guild"]))
    kind = int(body.get("type") or 0)
    # Stages and media channels are of guilds with the feature COMMUNITY, announcement channels of those with NEWS.
    # https://discord.com/developers/docs/resources/guild#guild-object-guild-features
    features = {"COMMUNITY", *(["NEWS"] if kind == _ANNOUNCEMENT else [])}
    if kind in (_ANNOUNCEMENT, _STAGE, _MEDIA) and features.isdisjoint(guild_extras(guild).features):
        raise BackendError(400, 50024, "Cannot execute action on this channel type")
    if len(guild.channel_ids) >= MAX_CHANNELS:
        # https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes
        raise BackendError(400, 30013, f"Maximum number of guild channels reached ({MAX_CHANNELS})")
    _settings(body, kind)
    _parent(backend, guild.id, kind, body)


def _editing(request: Request, match: re.Match[str]) -> None:
    backend, body = request.backend, request.fields
    channel = backend.get_channel(int(match["channel"]))
    if channel.guild_id is None or channel.is_thread:
        return
    _settings(body, int(channel.type))
    if body.get("parent_id") is not None and int(body["parent_id"]) != channel.parent_id:
        _parent(backend, channel.guild_id, int(channel.type), body)


def _reaching(request: Request, match: re.Match[str]) -> None:
    """ "For voice and stage channels, denying the CONNECT permission also denies other permissions such as
    MANAGE_CHANNEL."

    https://discord.com/developers/docs/topics/permissions#implicit-permissions
    """
    backend = request.backend
    channel = backend.channels.get(int(match["channel"]))
    if channel is None or channel.guild_id is None or int(channel.type) not in (_VOICE, _STAGE):
        return
    backend.require_permissions(channel.guild_id, backend.bot_user.id, channel.id, "connect")


def _settings(body: Mapping[str, Any], kind: int) -> None:
    if body.get("name") is not None and not 1 <= len(str(body["name"]).strip()) <= 100:
        raise invalid_form("name: Must be between 1 and 100 in length.")
    most = 4096 if kind in (_FORUM, _MEDIA) else 1024
    if body.get("topic") is not None and len(str(body["topic"])) > most:
        raise invalid_form(f"topic: Must be {most} or fewer in length.")
    if not 0 <= int(body.get("rate_limit_per_user") or 0) <= MAX_SLOWMODE_SECONDS:
        raise invalid_form(f"rate_limit_per_user: int value should be between 0 and {MAX_SLOWMODE_SECONDS}.")
    if kind in (_VOICE, _STAGE):
        bitrate = MAX_STAGE_BITRATE if kind == _STAGE else MAX_BITRATE
        if body.get("bitrate") is not None and not 8_000 <= int(body["bitrate"]) <= bitrate:
            raise invalid_form(f"bitrate: int value should be between 8000 and {bitrate}.")
        users = 10_000 if kind == _STAGE else 99
        if not 0 <= int(body.get("user_limit") or 0) <= users:
            raise invalid_form(f"user_limit: int value should be between 0 and {users}.")


def _parent(backend: Backend, guild_id: int, kind: int, body: Mapping[str, Any]) -> None:
    """ "Each parent category can contain up to 50 channels"; a category has none itself.

    https://discord.com/developers/docs/resources/channel#channel-object-channel-structure (parent_id)
    """
    if body.get("parent_id") is None:
        return
    parent = backend.channels.get(int(body["parent_id"]))
    if kind == _CATEGORY:
        raise invalid_form("parent_id: Cannot have a parent category (CHANNEL_PARENT_INVALID_PARENT)")
    if parent is None or parent.guild_id != guild_id:
        raise invalid_form("parent_id: Category does not exist (CHANNEL_PARENT_INVALID)")
    if int(parent.type) != discord.ChannelType.category.value:
        raise invalid_form("parent_id: Not a category (CHANNEL_PARENT_INVALID_TYPE)")
    inside = sum(1 for channel in backend.channels.values() if channel.parent_id == parent.id and not channel.is_thread)
    if inside >= MAX_CATEGORY_CHANNELS:
        raise invalid_form("parent_id: Maximum number of channels in category reached (CHANNEL_PARENT_MAX_CHANNELS)")


class Channels(Addition):
    """Their rules, and `nsfw`, which simcord's routes do not take: it takes effect if the rest does.

    https://discord.com/developers/docs/resources/channel#modify-channel-json-params-guild-channel
    """

    rules = (
        Rule("POST", _CREATE, _creating),
        Rule("PATCH", _EDIT, _editing),
        *(Rule(method, _WITHIN, _reaching) for method in ("POST", "PUT", "PATCH", "DELETE")),
    )

    def play(self, request: Request, route: Route) -> Any:
        if _AGE_RESTRICTED not in request.fields:
            return route(request)
        known = dict(request.fields)
        nsfw = bool(known.pop(_AGE_RESTRICTED))
        if request.on("POST", _CREATE):
            with new_channels_restricted(request.backend, nsfw=nsfw):
                result = route(request.with_body(known))
            restrict_age(request.backend.channels[int(result["id"])], nsfw=nsfw)
            return result
        if found := request.on("PATCH", _EDIT):
            return _edited(request.with_body(known), route, int(found["channel"]), nsfw=nsfw)
        return route(request)


def _edited(request: Request, route: Route, channel_id: int, *, nsfw: bool) -> Any:
    backend, channel = request.backend, request.backend.channels.get(channel_id)
    if channel is None:
        return route(request)
    before = is_age_restricted(channel)
    restrict_age(channel, nsfw=nsfw)
    try:
        result = route(request)
    except BaseException:
        restrict_age(channel, nsfw=before)
        raise
    if channel.guild_id is not None and before != nsfw and not request.fields:
        # simcord logs what it knows of; of a request that carries more, its entry stands for all.
        changes = [{"key": _AGE_RESTRICTED, "old_value": before, "new_value": nsfw}]
        backend.record_audit_log(
            channel.guild_id, CHANNEL_UPDATE, target_id=channel.id, changes=changes, reason=request.reason
        )
    return result
