"""`nsfw` of channels, which simcord's routes do not take.

https://discord.com/developers/docs/resources/channel#modify-channel-json-params-guild-channel
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Generator, Mapping
from typing import Any, cast

from sandbox.internals import Backend, is_age_restricted, new_channels_restricted, restrict_age

CHANNEL_UPDATE = 11
_CREATE = re.compile(r"/guilds/\d+/channels")
_EDIT = re.compile(r"/channels/(?P<channel>\d+)")
_FIELD = "nsfw"


@dataclasses.dataclass(slots=True)
class Taken:
    """What is left of a body for simcord."""

    body: Any
    result: Any = None


@contextlib.contextmanager
def taken(backend: Backend, method: str, path: str, body: Any, reason: str | None) -> Generator[Taken]:
    """Takes `nsfw` out of a request that carries it, and has it take effect if the rest does. Set ``result``."""
    route = _EDIT.fullmatch(path) if method == "PATCH" else _CREATE.fullmatch(path) if method == "POST" else None
    if route is None or not isinstance(body, Mapping) or _FIELD not in body:
        yield Taken(body)
        return
    fields = dict(cast("Mapping[str, Any]", body))
    nsfw = bool(fields.pop(_FIELD))
    request = Taken(fields)
    if method == "POST":
        with new_channels_restricted(backend, nsfw=nsfw):
            yield request
        restrict_age(backend.channels[int(request.result["id"])], nsfw=nsfw)
        return
    channel = backend.channels.get(int(route["channel"]))
    if channel is None:
        yield request
        return
    before = is_age_restricted(channel)
    restrict_age(channel, nsfw=nsfw)
    try:
        yield request
    except BaseException:
        restrict_age(channel, nsfw=before)
        raise
    if channel.guild_id is not None and before != nsfw and not fields:
        # simcord logs what it knows of; of a request that carries more, its entry stands for all.
        changes = [{"key": _FIELD, "old_value": before, "new_value": nsfw}]
        backend.record_audit_log(channel.guild_id, CHANNEL_UPDATE, target_id=channel.id, changes=changes, reason=reason)
