"""What simcord leaves out of messages: the limits of deleting many at once."""

from __future__ import annotations

import datetime
import re

import discord

from sandbox.additions import Addition, Request, Rule, invalid_form
from sandbox.internals import BackendError

MAX_BULK_DELETE_AGE = datetime.timedelta(days=14)
_BULK_DELETE = re.compile(r"/channels/\d+/messages/bulk-delete")


def _bulk_delete(request: Request, _match: re.Match[str]) -> None:
    """Nothing old and nothing twice.

    "This endpoint will not delete messages older than 2 weeks, and will fail with a 400 BAD REQUEST if any message
    provided is older than that or if any duplicate message IDs are provided."
    https://discord.com/developers/docs/resources/message#bulk-delete-messages
    """
    message_ids = [int(message_id) for message_id in request.fields.get("messages") or ()]
    if len(set(message_ids)) != len(message_ids):
        raise invalid_form("messages contains duplicates")
    oldest = request.backend.clock.now() - MAX_BULK_DELETE_AGE
    if any(discord.utils.snowflake_time(message_id) < oldest for message_id in message_ids):
        raise BackendError(400, 50034, "You can only bulk delete messages that are under 14 days old.")


class Messages(Addition):
    rules = (Rule("POST", _BULK_DELETE, _bulk_delete),)
