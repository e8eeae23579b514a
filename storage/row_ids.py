"""Ids of rows: a prefix that names the table, and 80 random bits in Crockford's base 32 (https://www.crockford.com/base32.html)."""

from __future__ import annotations

import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
CHARACTERS = 16


def new(prefix: str) -> str:
    """``new("ws")`` is an id such as ``ws_0h2m…``."""
    number = secrets.randbits(5 * CHARACTERS)
    return f"{prefix}_" + "".join(ALPHABET[number >> 5 * place & 31] for place in range(CHARACTERS))
