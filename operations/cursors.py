"""Cursors of paged reads: sealed to the caller and the operation, so that one edited or borrowed reads as unknown."""

from __future__ import annotations

import base64
import binascii

import orjson

from operations.base import Context
from operations.errors import Refused
from policy.model import Refuse, Step

PURPOSE = "cursor"
MAC_LENGTH = 16
UNKNOWN_CURSOR = Refuse(
    Step.VALIDATE,
    "unknown_cursor",
    "There is no such cursor.",
    "Use the cursor of your own last answer, or leave it out to begin anew.",
)


def seal(ctx: Context, operation: str, position: list[int | str]) -> str:
    """A cursor that stands for ``position``."""
    body = base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")
    return f"{body}.{_mac(ctx, operation, body)}"


def open_cursor(ctx: Context, operation: str, cursor: str) -> list[int | str]:
    """The position. Raises Refused for a cursor that was not given to this caller by this operation."""
    body, _, mac = cursor.partition(".")
    keyring = ctx.services.database.keyring
    try:
        if not keyring.verify(PURPOSE, _sealed(ctx, operation, body), mac):
            raise ValueError("not ours")
        return orjson.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, binascii.Error):
        raise Refused(UNKNOWN_CURSOR) from None


def _mac(ctx: Context, operation: str, body: str) -> str:
    return ctx.services.database.keyring.mac(PURPOSE, _sealed(ctx, operation, body), length=MAC_LENGTH)


def _sealed(ctx: Context, operation: str, body: str) -> str:
    caller = ctx.caller
    guild_id = ctx.view.id if ctx.view else 0
    return f"{operation}:{caller.workspace_id}:{caller.user_id}:{caller.client_id}:{guild_id}:{body}"
