"""Which requests carry a message, and whether its body says who may be pinged.

Without `allowed_mentions` Discord pings everybody that the text names, @everyone included:
https://discord.com/developers/docs/resources/message#allowed-mentions-object
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from email.message import Message
from typing import Any, cast

from operations.ledger import SendRefused

MAX_JSON_BYTES = 1024 * 1024
"""A message's JSON is a few kilobytes; its files are not looked at."""

_ID = r"\d+"
_KEY = r"[^/]+"
_CREATES = re.compile(rf"POST /(channels/{_ID}/messages|webhooks/{_ID}/{_KEY})")
_EDITS = re.compile(rf"PATCH /(channels/{_ID}/messages/{_ID}|webhooks/{_ID}/{_KEY}/messages/(?:{_ID}|@original))")
_FORUM_POST = re.compile(rf"POST /channels/{_ID}/threads")
_CALLBACK = re.compile(rf"POST /interactions/{_ID}/{_KEY}/callback")
# They take the bodies of other services, in which nobody can be spared a ping.
_FOREIGN_FORMAT = re.compile(rf"POST /webhooks/{_ID}/{_KEY}/(slack|github)")
# https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object
_CALLBACK_MESSAGE = 4
_CALLBACK_EDIT = 7

Body = dict[str, Any]


def carries_message(method: str, path: str) -> bool:
    """Whether a request to ``path`` (from after the API's version, without query) has a message in its body."""
    request = f"{method} {path}"
    return any(pattern.fullmatch(request) for pattern in (_CREATES, _EDITS, _FORUM_POST, _CALLBACK, _FOREIGN_FORMAT))


def check_body(method: str, path: str, body: object) -> None:
    """Raises SendRefused for a message that does not say who may be pinged.

    A new message always has to; an edit only when it brings text (`content` or `components`).
    """
    request = f"{method} {path}"
    if _FOREIGN_FORMAT.fullmatch(request):
        raise SendRefused(
            "Webhook bodies in the format of another service can't say who may be pinged; use the plain one."
        )
    if not isinstance(body, dict):
        raise SendRefused("The body of a message has to be a JSON object.")
    for message, is_new in _messages(request, cast("Body", body)):
        brings_text = bool(message.get("content")) or bool(message.get("components"))
        if (is_new or brings_text) and not isinstance(message.get("allowed_mentions"), dict):
            raise SendRefused(
                "A message without allowed_mentions would ping whoever its text names; add allowed_mentions."
            )


def _messages(request: str, body: Body) -> Iterator[tuple[Body, bool]]:
    if _CALLBACK.fullmatch(request):
        kind, message = body.get("type"), body.get("data")
        if kind in (_CALLBACK_MESSAGE, _CALLBACK_EDIT):
            yield (cast("Body", message) if isinstance(message, dict) else {}), kind == _CALLBACK_MESSAGE
    elif _FORUM_POST.fullmatch(request):
        message = body.get("message")
        if isinstance(message, dict):  # a thread without a post has none
            yield cast("Body", message), True
    else:
        yield body, _CREATES.fullmatch(request) is not None


class BodyInspector:
    """Reads a message's body on its way out and refuses it before its last byte has left.

    ``feed`` gets each piece before it is sent. JSON is checked when it is whole; of a multipart body the first part,
    which has to be `payload_json`, as soon as it ends.
    """

    def __init__(self, method: str, path: str, content_type: str, content_length: int | None) -> None:
        self._method = method
        self._path = path
        self._content_length = content_length
        self._seen = bytearray()
        self._is_settled = False
        header = Message()
        header["Content-Type"] = content_type
        boundary = header.get_param("boundary")
        self._boundary: bytes | None = None
        if header.get_content_type() == "multipart/form-data" and isinstance(boundary, str):
            self._boundary = b"--" + boundary.encode("latin-1")
        elif header.get_content_type() != "application/json" or content_length is None:
            raise SendRefused("The body of a message has to be JSON of a known length, or multipart/form-data.")

    def feed(self, piece: bytes) -> None:
        """Raises SendRefused when the body is not one that may leave."""
        if self._is_settled:
            return
        self._seen += piece
        document = self._json() if self._boundary is None else self._payload_json(self._boundary)
        if document is not None:
            self._is_settled = True
            self._seen.clear()
            check_body(self._method, self._path, _parsed(document))
        elif len(self._seen) > MAX_JSON_BYTES:
            raise SendRefused(f"The JSON of a message may have {MAX_JSON_BYTES:,} bytes; this one has more.")

    def _json(self) -> bytes | None:
        return bytes(self._seen) if len(self._seen) >= (self._content_length or 0) else None

    def _payload_json(self, boundary: bytes) -> bytes | None:
        end = self._seen.find(b"\r\n" + boundary)
        if end < 0:
            return None
        head, _, document = bytes(self._seen[:end]).partition(b"\r\n\r\n")
        if not head.startswith(boundary + b"\r\n") or b'name="payload_json"' not in head:
            raise SendRefused("The first part of a message with files has to be payload_json.")
        return document


def _parsed(document: bytes) -> object:
    try:
        return json.loads(document)
    except ValueError:
        raise SendRefused("The body of a message is not JSON.") from None
