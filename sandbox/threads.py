"""What simcord leaves out of threads: announcement threads, slowmode, which channel takes which, and archived pages.

https://discord.com/developers/docs/resources/channel#start-thread-without-message and the sections beside it.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

from sandbox.additions import Addition, Request, Route, Rule, invalid_form
from sandbox.internals import Backend, BackendError, Channel, channel_accessible, serializers

_TEXT, _NEWS, _FORUM = 0, 5, 15
_NEWS_THREAD, _PUBLIC_THREAD, _PRIVATE_THREAD = 10, 11, 12
_HAS_THREAD = 1 << 5
_ARCHIVE_MINUTES = (60, 1440, 4320, 10080)
# Where a thread of a kind can be: https://discord.com/developers/docs/resources/channel#channel-object-channel-types
_PARENTS = {_NEWS_THREAD: (_NEWS,), _PUBLIC_THREAD: (_TEXT, _FORUM), _PRIVATE_THREAD: (_TEXT,)}
_CREATION = re.compile(r"/channels/(?P<channel>\d+)(?:/messages/(?P<message>\d+))?/threads")
_ARCHIVED = re.compile(r"/channels/(?P<channel>\d+)(?P<own>/users/@me)?/threads/archived/(?P<kind>public|private)")
_EDIT = re.compile(r"/channels/(?P<channel>\d+)")


def _creation(request: Request, match: re.Match[str]) -> None:
    """The limits of the fields, and which channel takes which kind."""
    backend, body = request.backend, request.fields
    channel = backend.get_channel(int(match["channel"]))
    name = body.get("name")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= 100:
        raise invalid_form("name must be between 1 and 100 in length")
    if body.get("auto_archive_duration") not in (None, *_ARCHIVE_MINUTES):
        raise invalid_form("auto_archive_duration is none of Discord's four")
    if not 0 <= int(body.get("rate_limit_per_user") or 0) <= 21_600:
        raise invalid_form("rate_limit_per_user must be between 0 and 21600")
    message_id = match.groupdict().get("message")
    if message_id is not None:
        if channel.type not in (_TEXT, _NEWS):
            raise BackendError(400, 50024, "Cannot execute action on this channel type")
        if int(message_id) in backend.channels:
            raise BackendError(400, 160004, "A thread has already been created for this message")
        return
    if channel.type == _FORUM:
        return
    if channel.type not in _PARENTS.get(int(body.get("type", _PRIVATE_THREAD)), ()):
        raise BackendError(400, 50024, "Cannot execute action on this channel type")


class Threads(Addition):
    rules = (Rule("POST", _CREATION, _creation),)

    def play(self, request: Request, route: Route) -> Any:
        if found := request.on("PATCH", _EDIT):
            _bear_moment(request, int(found["channel"]))
        result = route(request)
        found = request.on("GET", _ARCHIVED)
        return result if found is None or found["own"] else _page(request, found)

    def announced(self, request: Request, event: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The event of a thread's creation, with what its request asks beyond simcord; the thread gets that too."""
        if event != "THREAD_CREATE" or not request.on("POST", _CREATION):
            return payload
        backend = request.backend
        thread = backend.channels[int(payload["id"])]
        parent = backend.channels[thread.parent_id or 0]
        thread.rate_limit_per_user = int(request.fields.get("rate_limit_per_user") or 0)
        if parent.type == _NEWS:
            thread.type = _NEWS_THREAD
        if thread.thread_metadata is not None:
            thread.thread_metadata.invitable = bool(request.fields.get("invitable", True))
        message = backend.messages.get(parent.id, {}).get(thread.id)
        if message is not None:
            message.flags |= _HAS_THREAD
        return {**payload, **serializers.thread_payload(backend, thread)}


def _bear_moment(request: Request, channel_id: int) -> None:
    """An archived thread bears the moment of its archiving, which lists are sorted by."""
    channel = request.backend.channels.get(channel_id)
    archived = request.fields.get("archived")
    metadata = None if channel is None else channel.thread_metadata
    if metadata is not None and archived is not None and bool(archived) != metadata.archived:
        metadata.archive_timestamp = request.backend.now_iso()


def _page(request: Request, match: re.Match[str]) -> Any:
    """A page of archived threads: the latest first, ``before`` a moment, at most ``limit`` (2 to 100).

    https://discord.com/developers/docs/resources/channel#list-public-archived-threads
    """
    backend = request.backend
    kinds = (_PRIVATE_THREAD,) if match["kind"] == "private" else (_PUBLIC_THREAD, _NEWS_THREAD)
    moment = request.query.get("before")
    found = sorted(
        (each for each in backend.channels.values() if _is_listed(backend, each, int(match["channel"]), kinds)),
        key=_archived_at,
        reverse=True,
    )
    if moment is not None:
        found = [each for each in found if _archived_at(each) < datetime.datetime.fromisoformat(moment)]
    limit = int(request.query.get("limit", 50))
    if not 2 <= limit <= 100:
        raise invalid_form("limit must be between 2 and 100")
    return serializers.thread_list_payload(backend, found[:limit], has_more=len(found) > limit)


def _is_listed(backend: Backend, channel: Channel, parent_id: int, kinds: tuple[int, ...]) -> bool:
    return (
        channel.parent_id == parent_id
        and channel.type in kinds
        and channel.thread_metadata is not None
        and channel.thread_metadata.archived
        and channel_accessible(backend, channel.id, backend.bot_user.id)
    )


def _archived_at(channel: Channel) -> datetime.datetime:
    metadata = channel.thread_metadata
    return datetime.datetime.fromisoformat(metadata.archive_timestamp if metadata else "1970-01-01T00:00:00+00:00")
