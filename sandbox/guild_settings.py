"""Settings of guilds that simcord has no field for: features, and the bar of boosts.

https://discord.com/developers/docs/resources/guild#modify-guild
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator, Mapping
from typing import Any, cast

from sandbox.internals import Backend, BackendError, Channel, Guild, guild_extras

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


def check(backend: Backend, match: re.Match[str], body: Mapping[str, Any]) -> None:
    """What the page above asks of the values; who may set them is the route's own question."""
    backend.require_permissions(int(match["guild"]), backend.bot_user.id, None, "manage_guild")
    name, description = body.get("name"), body.get("description")
    if name is not None and not 2 <= len(str(name).strip()) <= 100:
        raise _invalid("name must be between 2 and 100 in length")
    if description is not None and len(str(description)) > 300:
        raise _invalid("description must be 300 or fewer in length")
    if body.get("afk_timeout") not in (None, *_AFK_TIMEOUTS):
        raise _invalid(f"afk_timeout must be one of {_AFK_TIMEOUTS}")
    if body.get("preferred_locale") is not None and body["preferred_locale"] not in _LOCALES:
        raise _invalid("preferred_locale is not a locale")
    for field, most in (
        ("verification_level", 4),
        ("default_message_notifications", 1),
        ("explicit_content_filter", 2),
    ):
        if body.get(field) is not None and not 0 <= int(body[field]) <= most:
            raise _invalid(f"{field} is out of range")
    for field, kinds in _CHANNELS.items():
        if body.get(field) is None:
            continue
        channel: Channel | None = backend.channels.get(int(body[field]))
        if channel is None or channel.guild_id != int(match["guild"]) or int(channel.type) not in kinds:
            raise _invalid(f"{field} is not a channel of the right kind in this guild")


def _invalid(problem: str) -> BackendError:
    return BackendError(400, 50035, f"Invalid Form Body: {problem}")


@contextlib.contextmanager
def applied(backend: Backend, method: str, path: str, body: Any, reason: str | None) -> Generator[Any]:
    """Runs a route with the part of a body that simcord knows; the rest takes effect if it succeeds, in one event."""
    match = _PATCH.fullmatch(path)
    if method != "PATCH" or match is None or not isinstance(body, Mapping) or _BAR not in body:
        yield cast("Any", body)
        return
    fields = dict(cast("Mapping[str, Any]", body))
    guild = backend.get_guild(int(match["guild"]))
    extras = guild_extras(guild)
    before, extras.progress_bar = extras.progress_bar, bool(fields.pop(_BAR))
    logged = len(guild.audit_log_entries)
    try:
        yield fields
    except BaseException:
        extras.progress_bar = before
        raise
    if extras.progress_bar != before:
        _log(backend, guild, logged, {"key": _BAR, "old_value": before, "new_value": extras.progress_bar}, reason)


def _log(backend: Backend, guild: Guild, logged: int, change: dict[str, Any], reason: str | None) -> None:
    """Into the entry that the route has written, or one of its own."""
    if len(guild.audit_log_entries) > logged:
        guild.audit_log_entries[-1].changes.append(change)
        return
    backend.record_audit_log(guild.id, _GUILD_UPDATE, target_id=guild.id, changes=[change], reason=reason)
