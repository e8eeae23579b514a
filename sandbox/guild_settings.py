"""Settings of guilds that simcord has no field for: features, and the bar of boosts.

https://discord.com/developers/docs/resources/guild#modify-guild
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.additions import Addition, Request, Route, Rule, invalid_form
from sandbox.internals import Backend, Channel, Guild, guild_extras

_PATCH = re.compile(r"/guilds/(?P<guild>\d+)")
_GUILD_UPDATE = 1
_BAR = "premium_progress_bar_enabled"
# https://discord.com/developers/docs/resources/guild#guild-object-guild-structure (afk_timeout)
_AFK_TIMEOUTS = (60, 300, 900, 1800, 3600)
# https://discord.com/developers/docs/reference#locales
_LOCALES = frozenset(
    [
        "id",
        "da",
        "de",
        "en-GB",
        "en-US",
        "es-ES",
        "es-419",
        "fr",
        "hr",
        "it",
        "lt",
        "hu",
        "nl",
        "no",
        "pl",
        "pt-BR",
        "ro",
        "fi",
        "sv-SE",
        "vi",
        "tr",
        "cs",
        "el",
        "bg",
        "ru",
        "uk",
        "hi",
        "th",
        "zh-CN",
        "ja",
        "zh-TW",
        "ko",
    ]
)
# The kinds of channels that a setting takes, by their numbers.
_CHANNELS = {
    "afk_channel_id": (2,),
    "system_channel_id": (0, 5),
    "rules_channel_id": (0,),
    "public_updates_channel_id": (0,),
}


def _values(request: Request, match: re.Match[str]) -> None:
    """What the page above asks of the values. Rights come before everything else that could be wrong."""
    backend, body = request.backend, request.fields
    backend.require_permissions(int(match["guild"]), backend.bot_user.id, None, "manage_guild")
    name, description = body.get("name"), body.get("description")
    if name is not None and not 2 <= len(str(name).strip()) <= 100:
        raise invalid_form("name must be between 2 and 100 in length")
    if description is not None and len(str(description)) > 300:
        raise invalid_form("description must be 300 or fewer in length")
    if body.get("afk_timeout") not in (None, *_AFK_TIMEOUTS):
        raise invalid_form(f"afk_timeout must be one of {_AFK_TIMEOUTS}")
    if body.get("preferred_locale") is not None and body["preferred_locale"] not in _LOCALES:
        raise invalid_form("preferred_locale is not a locale")
    for field, most in (
        ("verification_level", 4),
        ("default_message_notifications", 1),
        ("explicit_content_filter", 2),
    ):
        if body.get(field) is not None and not 0 <= int(body[field]) <= most:
            raise invalid_form(f"{field} is out of range")
    for field, kinds in _CHANNELS.items():
        if body.get(field) is None:
            continue
        channel: Channel | None = backend.channels.get(int(body[field]))
        if channel is None or channel.guild_id != int(match["guild"]) or int(channel.type) not in kinds:
            raise invalid_form(f"{field} is not a channel of the right kind in this guild")


class GuildSettings(Addition):
    """simcord's route gets the part of a body that it knows; the rest takes effect if it succeeds, in one event."""

    rules = (Rule("PATCH", _PATCH, _values),)

    def play(self, request: Request, route: Route) -> Any:
        match = request.on("PATCH", _PATCH)
        if match is None or _BAR not in request.fields:
            return route(request)
        known = dict(request.fields)
        guild = request.backend.get_guild(int(match["guild"]))
        extras = guild_extras(guild)
        before, extras.progress_bar = extras.progress_bar, bool(known.pop(_BAR))
        logged = len(guild.audit_log_entries)
        try:
            result = route(request.with_body(known))
        except BaseException:
            extras.progress_bar = before
            raise
        if extras.progress_bar != before:
            change = {"key": _BAR, "old_value": before, "new_value": extras.progress_bar}
            _log(request.backend, guild, logged, change, request.reason)
        return result


def _log(backend: Backend, guild: Guild, logged: int, change: dict[str, Any], reason: str | None) -> None:
    """Into the entry that the route has written, or one of its own."""
    if len(guild.audit_log_entries) > logged:
        guild.audit_log_entries[-1].changes.append(change)
        return
    backend.record_audit_log(guild.id, _GUILD_UPDATE, target_id=guild.id, changes=[change], reason=reason)
