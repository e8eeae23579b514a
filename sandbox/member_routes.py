"""Routes about members and bans that simcord lacks or cuts short."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from sandbox.internals import Backend, BackendError, serializers

MAX_LISTED = 1000
_SEARCH = re.compile(r"/guilds/(?P<guild>\d+)/members/search")
_BANS = re.compile(r"/guilds/(?P<guild>\d+)/bans")
_MEMBER = re.compile(r"/guilds/\d+/members/(\d+|@me)")


def answer(backend: Backend, method: str, path: str, query: Mapping[str, str]) -> list[dict[str, Any]] | None:
    """What a route that is played here answers; None for every other one."""
    if method != "GET":
        return None
    if route := _SEARCH.fullmatch(path):
        return _search(backend, int(route["guild"]), query)
    if route := _BANS.fullmatch(path):
        return _bans(backend, int(route["guild"]), query)
    return None


def normalised(method: str, path: str, body: Any) -> Any:
    """Discord takes an empty nickname for none.

    https://discord.com/developers/docs/resources/guild#modify-guild-member-json-params
    """
    if method == "PATCH" and isinstance(body, Mapping) and _MEMBER.fullmatch(path):
        fields = cast("Mapping[str, Any]", body)
        return {**fields, "nick": None} if fields.get("nick") == "" else dict(fields)
    return cast("Any", body)


def _limit(query: Mapping[str, str], default: int) -> int:
    limit = int(query.get("limit", default))
    if not 1 <= limit <= MAX_LISTED:
        raise BackendError(400, 50035, "Invalid Form Body: limit must be between 1 and 1000")
    return limit


def _search(backend: Backend, guild_id: int, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Members "whose username or nickname starts with a provided string", as the gateway's search finds them.

    https://discord.com/developers/docs/resources/guild#search-guild-members
    """
    guild, prefix = backend.get_guild(guild_id), query["query"].lower()
    found = [
        member
        for member in guild.members.values()
        if backend.users[member.user_id].name.lower().startswith(prefix)
        or (member.nick or "").lower().startswith(prefix)
    ]
    return [dict(serializers.member_payload(backend, guild, member)) for member in found[: _limit(query, 1)]]


def _bans(backend: Backend, guild_id: int, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Pages of up to 1,000, "in ascending order by user.id", after or before a user.

    https://discord.com/developers/docs/resources/guild#get-guild-bans
    """
    limit, bans = _limit(query, MAX_LISTED), backend.get_guild(guild_id).bans
    user_ids = sorted(bans)
    if "before" in query:
        user_ids = [user_id for user_id in user_ids if user_id < int(query["before"])][-limit:]
    elif "after" in query:
        user_ids = [user_id for user_id in user_ids if user_id > int(query["after"])]
    return [
        {"user": dict(serializers.user_payload(backend.get_user(user_id))), "reason": bans[user_id]}
        for user_id in user_ids[:limit]
    ]
