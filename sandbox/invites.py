"""What simcord leaves out of invites: their guild, limits, reuse, and who may delete them.

https://discord.com/developers/docs/resources/invite
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import discord

from sandbox.additions import Addition, Request, Route, Rule, invalid_form
from sandbox.internals import Backend, BackendError, serializers

# As Discord's OpenAPI description has them (CreateGuildInviteRequest).
MAX_AGE_SECONDS = 5_184_000
MAX_USES = 100
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json (30016)
MAX_INVITES = 1_000

_CHANNEL_TYPES = frozenset({0, 2, 5, 13, 15, 16})
# "Invite Metadata … extra information about an invite", which looking at one by its code does not give.
_METADATA = ("uses", "max_uses", "max_age", "temporary", "created_at")

_OF_CHANNEL = re.compile(r"/channels/(?P<channel>\d+)/invites")
_OF_GUILD = re.compile(r"/guilds/\d+/invites")
_ONE = re.compile(r"/invites/(?P<code>[\w-]+)")


def _new(request: Request, match: re.Match[str]) -> None:
    """Rights, then the kind of channel, then the limits of the fields and of the guild."""
    backend = request.backend
    channel = backend.get_channel(int(match["channel"]))
    if channel.guild_id is not None:
        backend.require_permissions(channel.guild_id, backend.bot_user.id, channel.id, "create_instant_invite")
    if int(channel.type) not in _CHANNEL_TYPES:
        raise BackendError(400, 50024, "Cannot execute action on this channel type")
    for field, most in (("max_age", MAX_AGE_SECONDS), ("max_uses", MAX_USES)):
        if not 0 <= int(request.fields.get(field) or 0) <= most:
            raise invalid_form(f"{field}: int value should be between 0 and {most}.")
    if sum(invite.guild_id == channel.guild_id for invite in backend.invites.values()) >= MAX_INVITES:
        raise BackendError(400, 30016, "Maximum number of invites reached (1000)")


class ReusedInvites(Addition):
    """A similar invite is given again, which nothing is logged for: "unique: if true, don't try to reuse a similar
    invite".
    """

    def play(self, request: Request, route: Route) -> Any:
        found = request.on("POST", _OF_CHANNEL)
        if found is None or request.fields.get("unique"):
            return route(request)
        backend, fields = request.backend, request.fields
        wanted = (
            int(found["channel"]),
            backend.bot_user.id,
            int(fields.get("max_age", 86_400)),
            int(fields.get("max_uses", 0)),
            bool(fields.get("temporary")),
        )
        for invite in backend.invites.values():
            if wanted == (invite.channel_id, invite.inviter_id, invite.max_age, invite.max_uses, invite.temporary):
                return _whole(backend, serializers.invite_payload(backend, invite))
        return route(request)


class Invites(Addition):
    rules = (Rule("POST", _OF_CHANNEL, _new),)

    def play(self, request: Request, route: Route) -> Any:
        backend = request.backend
        if _OF_CHANNEL.fullmatch(request.path) or _OF_GUILD.fullmatch(request.path):
            result = route(request)
            if isinstance(result, list):
                return [_whole(backend, each) for each in cast("list[Mapping[str, Any]]", result)]
            return _whole(backend, result)
        if found := _ONE.fullmatch(request.path):
            deleted = _delete(backend, found["code"]) if request.method == "DELETE" else None
            whole = _whole(backend, route(request) if deleted is None else deleted)
            return {key: value for key, value in whole.items() if request.method != "GET" or key not in _METADATA}
        return route(request)


def _delete(backend: Backend, code: str) -> Mapping[str, Any] | None:
    """By who manages the guild: "or MANAGE_GUILD to remove any invite across the guild". None for anybody else."""
    invite = backend.invites.get(code)
    if invite is None or not _manages_guild(backend, invite.guild_id):
        return None
    backend.delete_invite(invite.code)
    return cast("Mapping[str, Any]", serializers.invite_payload(backend, invite, with_inviter=False))


def _manages_guild(backend: Backend, guild_id: int) -> bool:
    held = backend.compute_permissions(guild_id, backend.bot_user.id)
    return bool(held & (discord.Permissions.manage_guild.flag | discord.Permissions.administrator.flag))


def _whole(backend: Backend, payload: Mapping[str, Any]) -> dict[str, Any]:
    """With the guild, as far as an invite shows it."""
    guild = backend.get_guild(int(payload["guild_id"]))
    shown = {
        "id": str(guild.id),
        "name": guild.name,
        "icon": None,
        "splash": None,
        "banner": None,
        "description": guild.description,
        "features": list[str](),
        "verification_level": 0,
        "vanity_url_code": guild.vanity_url_code,
        "nsfw_level": 0,
        "premium_subscription_count": 0,
    }
    return {"type": 0, **payload, "guild": shown}


def description(backend: Backend, guild_id: int) -> list[dict[str, Any]]:
    """The invites of a guild."""
    return [
        {
            "code": invite.code,
            "channel_id": str(invite.channel_id),
            "max_age_seconds": invite.max_age,
            "max_uses": invite.max_uses,
            "temporary": invite.temporary,
        }
        for invite in backend.invites.values()
        if invite.guild_id == guild_id
    ]
