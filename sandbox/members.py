"""What simcord leaves out of members: searching them, and the limits of timeouts and nicknames.

https://discord.com/developers/docs/resources/guild#modify-guild-member
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

import discord

from sandbox.additions import Addition, Request, Route, Rule, invalid_form, missing_permissions
from sandbox.internals import Backend, serializers

MAX_LISTED = 1000
MAX_NICKNAME = 32
MAX_TIMEOUT = datetime.timedelta(days=28)

_SEARCH = re.compile(r"/guilds/(?P<guild>\d+)/members/search")
_OTHER = re.compile(r"/guilds/(?P<guild>\d+)/members/(?P<user>\d+)")
_ANY = re.compile(r"/guilds/\d+/members/(\d+|@me)")


def _timeout(request: Request, match: re.Match[str]) -> None:
    """Up to 28 days ahead, and "will throw a 403 error if the user has the ADMINISTRATOR permission or is the owner".

    https://discord.com/developers/docs/resources/guild#modify-guild-member (communication_disabled_until)
    """
    until, backend = request.fields.get("communication_disabled_until"), request.backend
    if until is None:
        return
    guild_id, user_id = int(match["guild"]), int(match["user"])
    try:
        moment = datetime.datetime.fromisoformat(str(until))
    except ValueError as error:
        raise invalid_form("communication_disabled_until is no timestamp") from error
    if moment > backend.clock.now() + MAX_TIMEOUT:
        raise invalid_form("communication_disabled_until is more than 28 days ahead")
    if user_id not in backend.get_guild(guild_id).members:
        return  # the route itself answers that there is no such member
    if backend.compute_permissions(guild_id, user_id) & discord.Permissions.administrator.flag:
        raise missing_permissions()


def _nickname(request: Request, _match: re.Match[str]) -> None:
    """ "Nicknames must be between 1 and 32 characters long."; an empty one is none.

    https://discord.com/developers/docs/resources/user#usernames-and-nicknames
    """
    nick = request.fields.get("nick")
    if nick is not None and len(str(nick)) > MAX_NICKNAME:
        raise invalid_form("nick: Must be 32 or fewer in length.")


class Members(Addition):
    rules = (Rule("PATCH", _OTHER, _timeout), Rule("PATCH", _ANY, _nickname))

    def play(self, request: Request, route: Route) -> Any:
        if found := request.on("GET", _SEARCH):
            return _search(request.backend, int(found["guild"]), request.query)
        if request.fields.get("nick") == "" and request.on("PATCH", _ANY):
            # Discord takes an empty nickname for none.
            return route(request.with_body({**request.fields, "nick": None}))
        return route(request)


def page_limit(query: Mapping[str, str], default: int) -> int:
    """The ``limit`` of a list, 1 to 1,000. Raises BackendError (50035)."""
    limit = int(query.get("limit", default))
    if not 1 <= limit <= MAX_LISTED:
        raise invalid_form("limit must be between 1 and 1000")
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
    return [dict(serializers.member_payload(backend, guild, member)) for member in found[: page_limit(query, 1)]]
