"""Audit log entries that simcord doesn't write.

simcord logs guilds, channels, roles, members, bans, prunes, bulk deletions and scheduled events. The rest of
https://discord.com/developers/docs/resources/audit-log#audit-log-entry-object-audit-log-events that its routes can
cause is written here, with the target and the options that this page and its "optional audit entry info" name.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from sandbox.additions import Addition, Request, Route
from sandbox.internals import Backend, serializers


@dataclasses.dataclass(slots=True)
class Entry:
    """An entry to be written once the route has succeeded. Without a target, it is the `id` of the route's result."""

    guild_id: int
    action_type: int
    target_id: int | None = None
    options: dict[str, Any] = dataclasses.field(default_factory=dict[str, Any])
    changes: list[dict[str, Any]] = dataclasses.field(default_factory=list[dict[str, Any]])

    def write(self, backend: Backend, result: Any, reason: str | None) -> None:
        target_id = self.target_id
        if target_id is None and isinstance(result, Mapping):
            made = cast("Mapping[str, Any]", result)
            target_id = int(made["id"]) if "id" in made else None
        backend.record_audit_log(
            self.guild_id,
            self.action_type,
            target_id=target_id,
            options=self.options,
            changes=self.changes,
            reason=reason,
        )


@dataclasses.dataclass(slots=True)
class ChangeEntry(Entry):
    """An entry whose changes lie between what was there before and the route's result, by keys of the log.

    ``has_target``: invites have none.
    """

    before: dict[str, Any] = dataclasses.field(default_factory=dict[str, Any])
    read: Callable[[Mapping[str, Any]], dict[str, Any]] = dict
    has_target: bool = True

    def write(self, backend: Backend, result: Any, reason: str | None) -> None:
        deleted = self.action_type in (INVITE_DELETE, WEBHOOK_DELETE)
        after = {} if deleted else self.read(cast("Mapping[str, Any]", result))
        self.changes = []
        for key in {**self.before, **after}:
            if self.before.get(key) == after.get(key) and self.before:
                continue
            change = {"key": key}
            change |= {"old_value": self.before[key]} if key in self.before else {}
            change |= {"new_value": after[key]} if key in after else {}
            self.changes.append(change)
        Entry.write(self, backend, result if self.has_target else None, reason)


def _overwrite(backend: Backend, route: re.Match[str], action_type: int) -> Entry | None:
    channel = backend.channels.get(int(route["channel"]))
    if channel is None or channel.guild_id is None:
        return None
    target_id = int(route["target"])
    exists = any(overwrite.target_id == target_id for overwrite in channel.overwrites)
    if action_type == OVERWRITE_DELETE and not exists:
        return None
    if action_type == OVERWRITE_CREATE and exists:
        action_type = OVERWRITE_UPDATE
    guild = backend.get_guild(channel.guild_id)
    options = {"id": str(target_id), "type": "0" if target_id in guild.roles else "1"}
    if target_id in guild.roles:
        options["role_name"] = guild.roles[target_id].name
    return Entry(channel.guild_id, action_type, channel.id, options)


def _message(backend: Backend, route: re.Match[str], action_type: int) -> Entry | None:
    channel = backend.channels.get(int(route["channel"]))
    message = backend.messages.get(int(route["channel"]), {}).get(int(route["message"]))
    if channel is None or channel.guild_id is None or message is None:
        return None
    options = {"channel_id": str(channel.id)}
    if action_type == MESSAGE_DELETE:
        if message.author_id == backend.bot_user.id:
            return None  # nobody's own deletions are logged
        options["count"] = "1"
    else:
        options["message_id"] = str(message.id)
    return Entry(channel.guild_id, action_type, message.author_id, options)


def _in_channel(backend: Backend, route: re.Match[str], action_type: int) -> Entry | None:
    channel = backend.channels.get(int(route["channel"]))
    if channel is None or channel.guild_id is None:
        return None
    changes = [{"key": "channel_id", "new_value": str(channel.id)}]
    return Entry(channel.guild_id, action_type, changes=changes)


def _invite(backend: Backend, route: re.Match[str], action_type: int) -> Entry | None:
    invite = backend.invites.get(route["code"])
    if invite is None:
        return None
    before = _invite_keys(cast("Mapping[str, Any]", serializers.invite_payload(backend, invite)))
    return ChangeEntry(invite.guild_id, action_type, before=before, has_target=False)


def _new_invite(backend: Backend, route: re.Match[str], action_type: int) -> Entry | None:
    channel = backend.channels.get(int(route["channel"]))
    if channel is None or channel.guild_id is None:
        return None
    return ChangeEntry(channel.guild_id, action_type, read=_invite_keys, has_target=False)


def _invite_keys(payload: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("code", "channel_id", "max_uses", "uses", "max_age", "temporary")
    inviter = payload.get("inviter")
    return {key: payload[key] for key in keys} | ({"inviter_id": inviter["id"]} if inviter else {})


def _webhook(backend: Backend, route: re.Match[str], action_type: int) -> Entry | None:
    webhook = backend.webhooks.get(int(route["webhook"]))
    if webhook is None or webhook.guild_id is None:
        return None
    before = _webhook_keys(cast("Mapping[str, Any]", serializers.webhook_payload(backend, webhook)))
    return ChangeEntry(webhook.guild_id, action_type, webhook.id, before=before, read=_webhook_keys)


def _new_webhook(backend: Backend, route: re.Match[str], action_type: int) -> Entry | None:
    channel = backend.channels.get(int(route["channel"]))
    if channel is None or channel.guild_id is None:
        return None
    return ChangeEntry(channel.guild_id, action_type, read=_webhook_keys)


def _webhook_keys(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {key: payload[key] for key in ("name", "channel_id", "type")}


@dataclasses.dataclass(slots=True)
class _OwnNickname(Entry):
    """The bot's change of its own nickname, which the result tells."""

    before: str | None = None

    def write(self, backend: Backend, result: Any, reason: str | None) -> None:
        after = cast("Mapping[str, Any]", result).get("nick")
        if after == self.before:
            return
        self.changes = [{"key": "nick", "old_value": self.before, "new_value": after}]
        Entry.write(self, backend, result, reason)


def _own_member(backend: Backend, route: re.Match[str], action_type: int) -> Entry | None:
    guild_id = int(route["guild"])
    member = backend.get_guild(guild_id).members.get(backend.bot_user.id)
    if member is None:
        return None
    return _OwnNickname(guild_id, action_type, member.user_id, before=member.nick)


def _in_guild(_backend: Backend, route: re.Match[str], action_type: int) -> Entry:
    item = route.groupdict().get("item")
    return Entry(int(route["guild"]), action_type, int(item) if item is not None else None)


Planner = Callable[[Backend, "re.Match[str]", int], Entry | None]

OVERWRITE_CREATE, OVERWRITE_UPDATE, OVERWRITE_DELETE = 13, 14, 15
MEMBER_UPDATE = 24
INVITE_CREATE, INVITE_DELETE = 40, 42
WEBHOOK_CREATE, WEBHOOK_UPDATE, WEBHOOK_DELETE = 50, 51, 52
EMOJI_CREATE, EMOJI_UPDATE, EMOJI_DELETE = 60, 61, 62
MESSAGE_DELETE, MESSAGE_PIN, MESSAGE_UNPIN = 72, 74, 75
STICKER_CREATE, STICKER_UPDATE, STICKER_DELETE = 90, 91, 92
THREAD_CREATE = 110
AUTO_MODERATION_RULE_CREATE, AUTO_MODERATION_RULE_UPDATE, AUTO_MODERATION_RULE_DELETE = 140, 141, 142

MAX_PAGE = 100

_ID = r"\d+"
_LOG = re.compile(r"/guilds/(?P<guild>\d+)/audit-logs")
_CHANNEL = rf"/channels/(?P<channel>{_ID})"
_GUILD = rf"/guilds/(?P<guild>{_ID})"
_ITEM = rf"/(?P<item>{_ID})"
_RULES = rf"{_GUILD}/auto-moderation/rules"

_PLANNERS: list[tuple[str, str, Planner, int]] = [
    ("PUT", rf"{_CHANNEL}/permissions/(?P<target>{_ID})", _overwrite, OVERWRITE_CREATE),
    ("DELETE", rf"{_CHANNEL}/permissions/(?P<target>{_ID})", _overwrite, OVERWRITE_DELETE),
    ("DELETE", rf"{_CHANNEL}/messages/(?P<message>{_ID})", _message, MESSAGE_DELETE),
    ("PUT", rf"{_CHANNEL}/messages/pins/(?P<message>{_ID})", _message, MESSAGE_PIN),
    ("DELETE", rf"{_CHANNEL}/messages/pins/(?P<message>{_ID})", _message, MESSAGE_UNPIN),
    ("POST", rf"{_CHANNEL}/invites", _new_invite, INVITE_CREATE),
    ("DELETE", r"/invites/(?P<code>[\w-]+)", _invite, INVITE_DELETE),
    ("POST", rf"{_CHANNEL}/webhooks", _new_webhook, WEBHOOK_CREATE),
    ("PATCH", rf"/webhooks/(?P<webhook>{_ID})", _webhook, WEBHOOK_UPDATE),
    ("DELETE", rf"/webhooks/(?P<webhook>{_ID})", _webhook, WEBHOOK_DELETE),
    ("POST", rf"{_CHANNEL}(/messages/{_ID})?/threads", _in_channel, THREAD_CREATE),
    ("PATCH", rf"{_GUILD}/members/@me", _own_member, MEMBER_UPDATE),
    ("POST", rf"{_GUILD}/emojis", _in_guild, EMOJI_CREATE),
    ("PATCH", rf"{_GUILD}/emojis{_ITEM}", _in_guild, EMOJI_UPDATE),
    ("DELETE", rf"{_GUILD}/emojis{_ITEM}", _in_guild, EMOJI_DELETE),
    ("POST", rf"{_GUILD}/stickers", _in_guild, STICKER_CREATE),
    ("PATCH", rf"{_GUILD}/stickers{_ITEM}", _in_guild, STICKER_UPDATE),
    ("DELETE", rf"{_GUILD}/stickers{_ITEM}", _in_guild, STICKER_DELETE),
    ("POST", _RULES, _in_guild, AUTO_MODERATION_RULE_CREATE),
    ("PATCH", rf"{_RULES}{_ITEM}", _in_guild, AUTO_MODERATION_RULE_UPDATE),
    ("DELETE", rf"{_RULES}{_ITEM}", _in_guild, AUTO_MODERATION_RULE_DELETE),
]
_COMPILED = [(method, re.compile(pattern), planner, action) for method, pattern, planner, action in _PLANNERS]


class AuditLog(Addition):
    def play(self, request: Request, route: Route) -> Any:
        if found := request.on("GET", _LOG):
            return _page(request, int(found["guild"]), route)
        entry = _planned(request)
        result = route(request)
        if entry is not None:
            entry.write(request.backend, result, request.reason)
        return result


def _page(request: Request, guild_id: int, route: Route) -> Any:
    """ "If after is used, the list is reversed and appears in ascending order (older entries first)."

    https://discord.com/developers/docs/resources/audit-log#get-guild-audit-log
    """
    newest_first = route(request)
    if "after" not in request.query:
        return newest_first
    query = request.query
    entries = [
        entry
        for entry in request.backend.get_guild(guild_id).audit_log_entries
        if entry.id > int(query["after"])
        and ("before" not in query or entry.id < int(query["before"]))
        and ("user_id" not in query or entry.user_id == int(query["user_id"]))
        and ("action_type" not in query or entry.action_type == int(query["action_type"]))
    ]
    oldest = sorted(entries, key=lambda entry: entry.id)[: min(int(query.get("limit", 50)), MAX_PAGE)]
    # The serializer turns them round.
    return serializers.audit_log_payload(request.backend, oldest[::-1])


def _planned(request: Request) -> Entry | None:
    """The entry that a request will leave behind, read off the world as it is before."""
    for method, pattern, planner, action_type in _COMPILED:
        if found := request.on(method, pattern):
            return planner(request.backend, found, action_type)
    return None
