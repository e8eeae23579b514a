"""What simcord leaves out of direct messages: people who take none from strangers of their guilds.

https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes: 50007, "Cannot send messages
to this user".
"""

from __future__ import annotations

import re

from sandbox.additions import Addition, Request, Route
from sandbox.internals import BackendError

_SEND = re.compile(r"/channels/(?P<channel>\d+)/messages")


class DirectMessages(Addition):
    """``closed``: the ids of those who take none."""

    def __init__(self) -> None:
        self.closed: set[int] = set()

    def play(self, request: Request, route: Route) -> object:
        if found := request.on("POST", _SEND):
            channel = request.backend.channels.get(int(found["channel"]))
            if channel is not None and channel.guild_id is None and self.closed & set(channel.recipient_ids):
                raise BackendError(403, 50007, "Cannot send messages to this user")
        return route(request)
