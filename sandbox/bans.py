"""What simcord leaves out of bans: who may read them, their pages, and the messages that a ban takes with it.

https://discord.com/developers/docs/resources/guild#create-guild-ban and #bulk-guild-ban
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Any

import discord

from sandbox.additions import Addition, Request, Route, Rule, invalid_form
from sandbox.internals import Backend, serializers
from sandbox.members import MAX_LISTED, page_limit

MAX_SECONDS = 604_800

_LIST = re.compile(r"/guilds/(?P<guild>\d+)/bans")
_LIST_OR_ONE = re.compile(r"/guilds/(?P<guild>\d+)/bans(/\d+)?")
_BAN = re.compile(r"/guilds/(?P<guild>\d+)/bans/(?P<user>\d+)")
_BULK_BAN = re.compile(r"/guilds/(?P<guild>\d+)/bulk-ban")


def _may_read(request: Request, match: re.Match[str]) -> None:
    """Reading bans "requires the BAN_MEMBERS permission".

    https://discord.com/developers/docs/resources/guild#get-guild-bans
    """
    backend = request.backend
    backend.require_permissions(int(match["guild"]), backend.bot_user.id, None, "ban_members")


def _seconds_in_range(request: Request, _match: re.Match[str]) -> None:
    """ "delete_message_seconds: number of seconds to delete messages for, between 0 and 604800 (7 days)"."""
    if not 0 <= _seconds(request) <= MAX_SECONDS:
        raise invalid_form("delete_message_seconds must be between 0 and 604800")


def _seconds(request: Request) -> int:
    """discord.py sends the field of a single ban in the query, which Discord takes as well."""
    named = "delete_message_seconds"
    return int(request.fields.get(named) or request.query.get(named) or 0)


class Bans(Addition):
    rules = (
        Rule("GET", _LIST_OR_ONE, _may_read),
        Rule("PUT", _BAN, _seconds_in_range),
        Rule("POST", _BULK_BAN, _seconds_in_range),
    )

    def play(self, request: Request, route: Route) -> Any:
        if found := request.on("GET", _LIST):
            return _page(request.backend, int(found["guild"]), request.query)
        if found := request.on("PUT", _BAN):
            result = route(request)
            _delete_messages(request, int(found["guild"]), {int(found["user"])})
            return result
        if found := request.on("POST", _BULK_BAN):
            result = route(request)
            _delete_messages(request, int(found["guild"]), map(int, result["banned_users"]))
            return result
        return route(request)


def _page(backend: Backend, guild_id: int, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Pages of up to 1,000, "in ascending order by user.id", after or before a user.

    https://discord.com/developers/docs/resources/guild#get-guild-bans
    """
    limit, bans = page_limit(query, MAX_LISTED), backend.get_guild(guild_id).bans
    user_ids = sorted(bans)
    if "before" in query:
        user_ids = [user_id for user_id in user_ids if user_id < int(query["before"])][-limit:]
    elif "after" in query:
        user_ids = [user_id for user_id in user_ids if user_id > int(query["after"])]
    return [
        {"user": dict(serializers.user_payload(backend.get_user(user_id))), "reason": bans[user_id]}
        for user_id in user_ids[:limit]
    ]


def _delete_messages(request: Request, guild_id: int, user_ids: Iterable[int]) -> None:
    """What the banned wrote in the guild in the last seconds, as far back as the request says."""
    backend, seconds = request.backend, _seconds(request)
    if not seconds:
        return
    authors = set(user_ids)
    guild = backend.get_guild(guild_id)
    oldest = backend.clock.now() - datetime.timedelta(seconds=seconds)
    for channel_id in (*guild.channel_ids, *guild.thread_ids):
        recent = [
            message.id
            for message in backend.messages.get(channel_id, {}).values()
            if message.author_id in authors and discord.utils.snowflake_time(message.id) >= oldest
        ]
        if recent:
            backend.bulk_delete_messages(channel_id, recent)
