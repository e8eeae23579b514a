"""Addresses that Discord takes in buttons and embeds."""

from __future__ import annotations

from urllib.parse import urlsplit


def web_address_fits(address: str, where: str, limit: int, schemes: tuple[str, ...] = ("http", "https")) -> str | None:
    """Within ``limit`` characters, with one of ``schemes`` and, for the web, a host."""
    if len(address) > limit:
        return f"{where} takes an address of at most {limit:,} characters; it has {len(address):,}."
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return f"{where} is not a valid address."
    if parts.scheme not in schemes:
        return f"{where} must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}."
    if parts.scheme in ("http", "https") and (not host or any(character.isspace() for character in address)):
        return f"{where} is not a valid address."
    return None
