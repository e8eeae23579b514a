"""Discord's documented rules that simcord leaves out, checked before a route runs.

Each names the page it comes from. Everything else is simcord's.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import discord

from sandbox import channel_rules, guild_settings, message_rules, reactions, threads
from sandbox.internals import Backend, BackendError

MAX_TIMEOUT = datetime.timedelta(days=28)
MAX_BULK_DELETE_AGE = datetime.timedelta(days=14)
MAX_ROLES = 250
MAX_ROLE_NAME = 100
_MEMBER_ROLE = re.compile(r"/guilds/(?P<guild>\d+)/members/\d+/roles/(?P<role>\d+)")
MAX_NICKNAME = 32

Rule = Callable[[Backend, "re.Match[str]", Mapping[str, Any]], None]


def _missing_permissions() -> BackendError:
    return BackendError(403, 50013, "Missing Permissions")


def _timeout(backend: Backend, match: re.Match[str], body: Mapping[str, Any]) -> None:
    """Up to 28 days ahead, and "will throw a 403 error if the user has the ADMINISTRATOR permission or is the owner".

    https://discord.com/developers/docs/resources/guild#modify-guild-member (communication_disabled_until)
    """
    until = body.get("communication_disabled_until")
    if until is None:
        return
    guild_id, user_id = int(match["guild"]), int(match["user"])
    try:
        moment = datetime.datetime.fromisoformat(str(until))
    except ValueError as error:
        raise BackendError(400, 50035, "Invalid Form Body: communication_disabled_until is no timestamp") from error
    if moment > backend.clock.now() + MAX_TIMEOUT:
        raise BackendError(400, 50035, "Invalid Form Body: communication_disabled_until is more than 28 days ahead")
    if user_id not in backend.get_guild(guild_id).members:
        return  # the route itself answers that there is no such member
    if backend.compute_permissions(guild_id, user_id) & discord.Permissions.administrator.flag:
        raise _missing_permissions()


def _nickname(_backend: Backend, _match: re.Match[str], body: Mapping[str, Any]) -> None:
    """ "Nicknames must be between 1 and 32 characters long."; an empty one is none.

    https://discord.com/developers/docs/resources/user#usernames-and-nicknames
    """
    nick = body.get("nick")
    if nick is not None and len(str(nick)) > MAX_NICKNAME:
        raise BackendError(400, 50035, "Invalid Form Body: nick: Must be 32 or fewer in length.")


def _bulk_delete(backend: Backend, _match: re.Match[str], body: Mapping[str, Any]) -> None:
    """Nothing old and nothing twice.

    "This endpoint will not delete messages older than 2 weeks, and will fail with a 400 BAD REQUEST if any message
    provided is older than that or if any duplicate message IDs are provided."
    https://discord.com/developers/docs/resources/message#bulk-delete-messages
    """
    message_ids = [int(message_id) for message_id in body.get("messages") or ()]
    if len(set(message_ids)) != len(message_ids):
        raise BackendError(400, 50035, "Invalid Form Body: messages contains duplicates")
    oldest = backend.clock.now() - MAX_BULK_DELETE_AGE
    if any(discord.utils.snowflake_time(message_id) < oldest for message_id in message_ids):
        raise BackendError(400, 50034, "You can only bulk delete messages that are under 14 days old.")


def _bans(backend: Backend, match: re.Match[str], _body: Mapping[str, Any]) -> None:
    """Reading bans "requires the BAN_MEMBERS permission".

    https://discord.com/developers/docs/resources/guild#get-guild-bans
    """
    backend.require_permissions(int(match["guild"]), backend.bot_user.id, None, "ban_members")


def _grantable(backend: Backend, guild_id: int, channel_id: int | None, bits: int) -> None:
    granted = backend.compute_permissions(guild_id, backend.bot_user.id)
    if channel_id is not None:
        granted |= backend.compute_permissions(guild_id, backend.bot_user.id, channel_id)
    if bits & ~granted:
        raise _missing_permissions()


def _overwrite(backend: Backend, match: re.Match[str], body: Mapping[str, Any]) -> None:
    """Nobody hands out more than they have.

    "Only permissions your bot has in the guild or parent channel (if applicable) can be allowed/denied (unless your
    bot has a MANAGE_ROLES overwrite in the channel)."
    https://discord.com/developers/docs/resources/channel#edit-channel-permissions
    """
    channel = backend.get_channel(int(match["channel"]))
    if channel.guild_id is None:
        return
    bot = backend.get_guild(channel.guild_id).members.get(backend.bot_user.id)
    own_targets = {channel.guild_id, backend.bot_user.id, *(bot.role_ids if bot else ())}
    manage_roles = discord.Permissions.manage_roles.flag
    if any(overwrite.allow & manage_roles and overwrite.target_id in own_targets for overwrite in channel.overwrites):
        return
    bits = int(body.get("allow") or 0) | int(body.get("deny") or 0)
    _grantable(backend, channel.guild_id, channel.parent_id, bits)


def _new_channel(backend: Backend, match: re.Match[str], body: Mapping[str, Any]) -> None:
    """As above, at a channel's making.

    "Only permissions your bot has in the guild can be allowed/denied. Setting MANAGE_ROLES permission in channels is
    only possible for guild administrators."
    https://discord.com/developers/docs/resources/guild#create-guild-channel
    """
    guild_id = int(match["guild"])
    for overwrite in body.get("permission_overwrites") or ():
        bits = int(overwrite.get("allow") or 0) | int(overwrite.get("deny") or 0)
        _grantable(backend, guild_id, None, bits)
        administrator = backend.compute_permissions(guild_id, backend.bot_user.id) & (
            discord.Permissions.administrator.flag
        )
        if bits & discord.Permissions.manage_roles.flag and not administrator:
            raise _missing_permissions()


def _role_settings(_backend: Backend, _match: re.Match[str], body: Mapping[str, Any]) -> None:
    """ "name of the role, max 100 characters"; the OpenAPI description asks for one at least.

    https://discord.com/developers/docs/resources/guild#create-guild-role
    """
    name = body.get("name")
    if name is not None and not 1 <= len(str(name).strip()) <= MAX_ROLE_NAME:
        raise BackendError(400, 50035, "Invalid Form Body: name must be between 1 and 100 in length")


def _new_role(backend: Backend, match: re.Match[str], body: Mapping[str, Any]) -> None:
    """As above, and "Maximum number of guild roles reached (250)".

    https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes
    """
    _role_settings(backend, match, body)
    if len(backend.get_guild(int(match["guild"])).roles) >= MAX_ROLES:
        raise BackendError(400, 30005, "Maximum number of guild roles reached (250)")


def _role_membership(backend: Backend, match: re.Match[str], _body: Mapping[str, Any]) -> None:
    """Error 50028, "Invalid role": everybody's, and one that is "managed by an integration".

    https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes
    https://discord.com/developers/docs/topics/permissions#role-object
    """
    guild = backend.get_guild(int(match["guild"]))
    role = guild.roles.get(int(match["role"]))
    if role is not None and (role.managed or role.id == guild.id):
        raise BackendError(403, 50028, "Invalid Role")


_RULES: tuple[tuple[str, re.Pattern[str], Rule], ...] = (
    ("PATCH", re.compile(r"/guilds/(?P<guild>\d+)/members/(?P<user>\d+)"), _timeout),
    ("PATCH", re.compile(r"/guilds/(?P<guild>\d+)/members/(?P<user>\d+|@me)"), _nickname),
    ("POST", re.compile(r"/channels/(?P<channel>\d+)/messages/bulk-delete"), _bulk_delete),
    ("GET", re.compile(r"/guilds/(?P<guild>\d+)/bans(/\d+)?"), _bans),
    ("PUT", re.compile(r"/channels/(?P<channel>\d+)/permissions/(?P<target>\d+)"), _overwrite),
    ("POST", re.compile(r"/guilds/(?P<guild>\d+)/channels"), _new_channel),
    ("POST", re.compile(r"/guilds/(?P<guild>\d+)/channels"), channel_rules.creating),
    ("PATCH", re.compile(r"/channels/(?P<channel>\d+)"), channel_rules.editing),
    *(
        (method, re.compile(r"/channels/(?P<channel>\d+)(/.*)?"), channel_rules.reaching)
        for method in ("POST", "PUT", "PATCH", "DELETE")
    ),
    ("POST", re.compile(r"/channels/(?P<channel>\d+)/messages"), message_rules.sending),
    ("PATCH", re.compile(r"/channels/(?P<channel>\d+)/messages/(?P<message>\d+)"), message_rules.editing),
    ("POST", re.compile(r"/webhooks/\d+/[^/]+"), message_rules.by_webhook),
    ("POST", re.compile(r"/guilds/(?P<guild>\d+)/roles"), _new_role),
    ("PATCH", re.compile(r"/guilds/(?P<guild>\d+)/roles/\d+"), _role_settings),
    ("PUT", _MEMBER_ROLE, _role_membership),
    ("DELETE", _MEMBER_ROLE, _role_membership),
    ("PATCH", re.compile(r"/guilds/(?P<guild>\d+)"), guild_settings.check),
    ("POST", re.compile(r"/channels/(?P<channel>\d+)(?:/messages/(?P<message>\d+))?/threads"), threads.check_creation),
    (
        "PUT",
        re.compile(r"/channels/(?P<channel>\d+)/messages/(?P<message>\d+)/reactions/(?P<emoji>[^/]+)/@me"),
        reactions.check,
    ),
)


def check(backend: Backend, method: str, path: str, body: Any) -> None:
    """Raise BackendError where Discord's documentation refuses what simcord would let pass."""
    fields = cast("Mapping[str, Any]", body if isinstance(body, Mapping) else {})
    for rule_method, pattern, rule in _RULES:
        if rule_method == method and (match := pattern.fullmatch(path)):
            rule(backend, match, fields)
