"""Message nonces: what makes sending a message again harmless.

"If true and nonce is present, it will be checked for uniqueness in the past few minutes. If another message was created
by the same author with the same nonce, that message will be returned and no new message will be created."
https://discord.com/developers/docs/resources/message#create-message (enforce_nonce)
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Mapping
from typing import Any

from sandbox.internals import BackendError

# "Can be used to verify a message was sent (up to 25 characters)."
MAX_NONCE_LENGTH = 25
_SEND = re.compile(r"/channels/(\d+)/messages")
_MAX_REMEMBERED = 50_000


@dataclasses.dataclass(frozen=True, slots=True)
class Nonce:
    """One sender's nonce in one channel."""

    channel_id: int
    author_id: int
    value: str
    enforced: bool


def nonce_of(method: str, path: str, body: Any, author_id: int) -> Nonce | None:
    """The nonce of a request that creates a message; None for any other request.

    Raises BackendError (50035) for a nonce that is too long or of another type.
    """
    match = _SEND.fullmatch(path) if method == "POST" else None
    if match is None or not isinstance(body, Mapping):
        return None
    fields: Mapping[str, Any] = body  # pyright: ignore[reportUnknownVariableType]
    value = fields.get("nonce")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > MAX_NONCE_LENGTH:
        raise BackendError(400, 50035, "Invalid Form Body: nonce must be an integer or at most 25 characters")
    return Nonce(int(match[1]), author_id, str(value), bool(fields.get("enforce_nonce")))


class NonceWindow:
    """The nonces of the past few minutes, by channel and author."""

    def __init__(self, seconds: float = 180.0) -> None:
        self.seconds = seconds
        self._messages: dict[tuple[int, int, str], tuple[float, int]] = {}

    def earlier_message_id(self, nonce: Nonce) -> int | None:
        """The message that already carries this nonce, if the sender asked for the check."""
        if not nonce.enforced:
            return None
        sent_at, message_id = self._messages.get((nonce.channel_id, nonce.author_id, nonce.value), (0.0, 0))
        return message_id if message_id and time.monotonic() - sent_at < self.seconds else None

    def remember(self, nonce: Nonce, message_id: int) -> None:
        now = time.monotonic()
        key = (nonce.channel_id, nonce.author_id, nonce.value)
        self._messages.pop(key, None)
        self._messages[key] = (now, message_id)
        while self._messages:
            oldest = next(iter(self._messages))
            if len(self._messages) <= _MAX_REMEMBERED and now - self._messages[oldest][0] < self.seconds:
                break
            del self._messages[oldest]
