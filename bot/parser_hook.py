"""Typed events, and what is ready, from the gateway's events right after discord.py has put them into its cache.

discord.py's own dispatch would not do: it is silent about members that it has not cached, and it announces a guild two
seconds and more after the guild could have been served.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import structlog
from discord.ext import commands

from bot import discord_internals
from bot.discord_internals import Parser, Payload
from bot.readiness import Readiness
from operations.events import (
    AuditLogEntryCreated,
    ChannelDeleted,
    Event,
    EventHub,
    GuildGone,
    GuildReady,
    GuildStructureChanged,
    MemberChanged,
    MessageChanged,
    ThreadMembersChanged,
)

log = structlog.get_logger(__name__)

_STRUCTURE = (
    "CHANNEL_CREATE",
    "CHANNEL_UPDATE",
    "GUILD_ROLE_CREATE",
    "GUILD_ROLE_DELETE",
    "GUILD_ROLE_UPDATE",
    "THREAD_CREATE",
    "THREAD_LIST_SYNC",
    "THREAD_UPDATE",
)
_DELETED = ("CHANNEL_DELETE", "THREAD_DELETE")


class ParserHook:
    """Wraps the parsers of one client. ``on_session`` is told of each READY and RESUMED, by shard id.

    An exception that leaves a parser ends the process; none does: it is logged, and the next event goes on.
    """

    def __init__(
        self,
        client: commands.AutoShardedBot,
        hub: EventHub,
        readiness: Readiness,
        on_session: Callable[[int, bool], None],
    ) -> None:
        """Raises DiscordPyMovedError when discord.py lacks a parser."""
        self._client = client
        self._hub = hub
        self._readiness = readiness
        self._on_session = on_session
        handlers: dict[str, Callable[[Payload], Iterable[Event]]] = {
            "READY": self._ready,
            "RESUMED": self._resumed,
            "GUILD_CREATE": self._guild_create,
            "GUILD_DELETE": self._guild_delete,
            "GUILD_UPDATE": lambda data: [GuildStructureChanged(int(data["id"]))],
            "GUILD_MEMBER_ADD": _member_changed,
            "GUILD_MEMBER_UPDATE": _member_changed,
            "GUILD_MEMBER_REMOVE": lambda data: [_member(data, left=True)],
            "THREAD_MEMBER_UPDATE": _thread_members_changed,
            "THREAD_MEMBERS_UPDATE": _thread_members_changed,
            "GUILD_AUDIT_LOG_ENTRY_CREATE": lambda data: [audit_log_entry(int(data["guild_id"]), data)],
            "MESSAGE_CREATE": lambda data: _messages(data, "created", [data["id"]]),
            "MESSAGE_UPDATE": lambda data: _messages(data, "edited", [data["id"]], data.get("content")),
            "MESSAGE_DELETE": lambda data: _messages(data, "deleted", [data["id"]]),
            "MESSAGE_DELETE_BULK": lambda data: _messages(data, "deleted", data["ids"]),
            **dict.fromkeys(_STRUCTURE, _structure_changed),
            **dict.fromkeys(_DELETED, _channel_deleted),
        }
        parsers = discord_internals.parsers(client, list(handlers))
        for name, handler in handlers.items():
            parsers[name] = self._wrapped(name, parsers[name], handler)

    def _wrapped(self, name: str, parse: Parser, handler: Callable[[Payload], Iterable[Event]]) -> Parser:
        before = self._before_guild_create if name == "GUILD_CREATE" else None

        def wrapper(data: Any) -> None:
            try:
                if before is not None:
                    before(data)
                parse(data)
            except Exception:
                log.exception("discord.py could not take in an event", discord_event=name)
                if name in ("READY", "GUILD_CREATE"):
                    return  # what did not arrive is not ready
            try:
                for event in handler(data):
                    self._hub.publish(event)
            except Exception:
                log.exception("an event of Discord could not be handed on", discord_event=name)

        return wrapper

    def _ready(self, data: Payload) -> Iterator[Event]:
        shard_id, shard_count = data["shard"]
        left = self._readiness.session_started(shard_id, shard_count, [int(guild["id"]) for guild in data["guilds"]])
        for guild_id in left:
            discord_internals.forget_guild(self._client, guild_id)
        self._on_session(shard_id, True)
        for guild_id in left:
            yield GuildGone(guild_id, left=True)

    def _resumed(self, data: Payload) -> Iterable[Event]:
        shard_id = data["__shard_id__"]  # put there by discord.py
        self._on_session(shard_id, False)
        self._readiness.session_resumed(shard_id)
        return ()

    def _before_guild_create(self, data: Payload) -> None:
        discord_internals.forget_outdated_guild(self._client, int(data["id"]))

    def _guild_create(self, data: Payload) -> Iterator[Event]:
        # Discord sends one with `unavailable` when the bot joins a guild during an outage.
        if not data.get("unavailable"):
            guild_id = int(data["id"])
            self._readiness.guild_arrived(guild_id)
            yield GuildReady(guild_id)

    def _guild_delete(self, data: Payload) -> Iterator[Event]:
        guild_id = int(data["id"])
        left = not data.get("unavailable", False)
        if left:
            self._readiness.guild_left(guild_id)
        else:
            self._readiness.guild_unavailable(guild_id)
        yield GuildGone(guild_id, left=left)


def _structure_changed(data: Payload) -> Iterator[Event]:
    if "guild_id" in data:  # a DM's channel has none
        yield GuildStructureChanged(int(data["guild_id"]))


def _channel_deleted(data: Payload) -> Iterator[Event]:
    yield from _structure_changed(data)
    if "guild_id" in data:
        yield ChannelDeleted(int(data["guild_id"]), int(data["id"]))


def _member(data: Payload, *, left: bool = False) -> MemberChanged:
    return MemberChanged(int(data["guild_id"]), int(data["user"]["id"]), left)


def _member_changed(data: Payload) -> Iterable[Event]:
    return [_member(data)]


def _thread_members_changed(data: Payload) -> Iterable[Event]:
    return [ThreadMembersChanged(int(data["guild_id"]), int(data["id"]))]


def audit_log_entry(guild_id: int, data: Payload) -> AuditLogEntryCreated:
    """https://discord.com/developers/docs/resources/audit-log#audit-log-entry-object"""
    until: str | None = None
    for change in data.get("changes") or ():
        if change.get("key") == "communication_disabled_until":
            until = change.get("new_value") or ""
    return AuditLogEntryCreated(
        guild_id,
        int(data["id"]),
        int(data["action_type"]),
        _id(data.get("user_id")),
        _id(data.get("target_id")),
        data.get("reason") or "",
        until,
    )


def _id(value: Any) -> int | None:
    return None if value is None else int(value)


def _messages(data: Payload, change: Any, message_ids: Iterable[str], content: str | None = None) -> Iterator[Event]:
    if "guild_id" in data:
        for message_id in message_ids:
            yield MessageChanged(int(data["guild_id"]), int(data["channel_id"]), int(message_id), change, content)
