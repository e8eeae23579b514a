"""The picture of a webhook: base64 as callers give it and effects keep it, bytes as they are sent."""

from __future__ import annotations

import base64
import binascii

from operations.preflight.webhooks import avatar_fits, picture_kind

# Base64 of the largest picture that is taken, and some more, so that what is too large is told in bytes.
MAX_ENCODED = 2_000_000


def decoded(text: str) -> bytes | None:
    """None for what is not base64; a data URL's picture is taken too."""
    head, comma, body = text.partition(",")
    encoded = body if comma and head.startswith("data:image/") else text
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None


def avatar_problem(text: str | None) -> str | None:
    return None if text is None else avatar_fits(decoded(text) or b"")


def avatar_label(text: str) -> str:
    """A picture as a preview shows it."""
    picture = decoded(text) or b""
    return f"{picture_kind(picture) or 'picture'}, {len(picture):,} bytes"
