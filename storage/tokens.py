"""Access tokens of MCP clients: ``ghd_``, 256 random bits, a checksum.

The prefix lets secret scanners find a leaked token, the checksum lets a mistyped one be told without a look-up.
"""

from __future__ import annotations

import secrets
import zlib

PREFIX = "ghd_"
RANDOM_CHARACTERS = 43
CHECKSUM_CHARACTERS = 6
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

MAC_PURPOSE = "client-token"
MAC_LENGTH = 64


def new() -> str:
    body = secrets.token_urlsafe(32)
    return f"{PREFIX}{body}{_checksum(body)}"


def well_formed(text: str) -> bool:
    """Whether the text can be a token: prefix, length and checksum."""
    if not text.startswith(PREFIX) or len(text) != len(PREFIX) + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS:
        return False
    body = text[len(PREFIX) : -CHECKSUM_CHARACTERS]
    return text.isascii() and text[-CHECKSUM_CHARACTERS:] == _checksum(body)


def _checksum(body: str) -> str:
    # CRC-32 has fewer values than six digits of base 62.
    value = zlib.crc32(body.encode())
    digits: list[str] = []
    for _ in range(CHECKSUM_CHARACTERS):
        value, digit = divmod(value, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
