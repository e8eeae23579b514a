"""What a ban takes with it: the member's recent messages, which simcord leaves where they are.

"delete_message_seconds: number of seconds to delete messages for, between 0 and 604800 (7 days)"
https://discord.com/developers/docs/resources/guild#create-guild-ban and #bulk-guild-ban
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

import discord

from sandbox.internals import Backend, BackendError

MAX_SECONDS = 604_800
_BAN = re.compile(r"/guilds/(?P<guild>\d+)/bans/(?P<user>\d+)")
_BULK_BAN = re.compile(r"/guilds/(?P<guild>\d+)/bulk-ban")


def seconds_of(method: str, path: str, body: Any, query: Mapping[str, str]) -> int:
    """How far back a request deletes; 0 for any request that isn't a ban. Raises BackendError (50035) out of range.

    discord.py sends the field of a single ban in the query, which Discord takes as well.
    """
    is_ban = (method == "PUT" and _BAN.fullmatch(path)) or (method == "POST" and _BULK_BAN.fullmatch(path))
    if not is_ban:
        return 0
    fields = cast("Mapping[str, Any]", body if isinstance(body, Mapping) else {})
    seconds = int(fields.get("delete_message_seconds") or query.get("delete_message_seconds") or 0)
    if not 0 <= seconds <= MAX_SECONDS:
        raise BackendError(400, 50035, "Invalid Form Body: delete_message_seconds must be between 0 and 604800")
    return seconds


def delete_messages(backend: Backend, path: str, result: Any, seconds: int) -> None:
    """After a ban succeeded, delete what the banned wrote in the guild in the last seconds."""
    if match := _BAN.fullmatch(path):
        _delete(backend, int(match["guild"]), {int(match["user"])}, seconds)
    elif match := _BULK_BAN.fullmatch(path):
        _delete(backend, int(match["guild"]), {int(user_id) for user_id in result["banned_users"]}, seconds)


def _delete(backend: Backend, guild_id: int, user_ids: Iterable[int], seconds: int) -> None:
    guild = backend.get_guild(guild_id)
    authors = set(user_ids)
    oldest = backend.clock.now() - datetime.timedelta(seconds=seconds)
    for channel_id in (*guild.channel_ids, *guild.thread_ids):
        recent = [
            message.id
            for message in backend.messages.get(channel_id, {}).values()
            if message.author_id in authors and discord.utils.snowflake_time(message.id) >= oldest
        ]
        if recent:
            backend.bulk_delete_messages(channel_id, recent)
