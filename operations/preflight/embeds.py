"""Embeds, as they go over the wire.

Source: https://discord.com/developers/docs/resources/message#embed-object-embed-limits ("leading and trailing
whitespace characters are trimmed automatically"). Discord counts code points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from operations.preflight.addresses import web_address_fits

MAX_EMBEDS = 10
MAX_FIELDS = 25
MAX_TOTAL = 6000
_MAX_TITLE = 256
_MAX_DESCRIPTION = 4096
_MAX_FIELD_NAME = 256
_MAX_FIELD_VALUE = 1024
_MAX_FOOTER = 2048
_MAX_AUTHOR = 256
_MAX_URL = 2048

Embed = Mapping[str, Any]


def embed_count_fits(count: int) -> str | None:
    if count <= MAX_EMBEDS:
        return None
    return f"A message takes at most {MAX_EMBEDS} embeds; there are {count}. Send the rest in another message."


def embed_shows_something(embed: Embed, number: int) -> str | None:
    """An embed without any visible part is refused (BASE_TYPE_REQUIRED)."""
    shown = ("title", "description", "fields", "image", "thumbnail", "author", "footer", "video", "provider")
    if any(embed.get(part) for part in shown):
        return None
    return f"Embed {number} is empty; give it a title, a description or a field."


def embed_texts_fit(embed: Embed, number: int) -> str | None:
    for part, text, limit in _texts(embed):
        length = len(text.strip())
        if length > limit:
            return f"Embed {number}: {part} takes at most {limit:,} characters; it has {length:,}."
    return None


def embed_fields_fit(embed: Embed, number: int) -> str | None:
    fields = embed.get("fields") or ()
    if len(fields) > MAX_FIELDS:
        return f"Embed {number} takes at most {MAX_FIELDS} fields; it has {len(fields)}."
    for position, field in enumerate(fields, start=1):
        for part in ("name", "value"):
            if not str(field.get(part) or "").strip():
                return f"Embed {number}: field {position} needs a {part}."
    return None


def embed_addresses_fit(embed: Embed, number: int) -> str | None:
    """Links by http or https; pictures also by ``attachment://`` for a file of the same message."""
    addresses = [
        ("url", embed.get("url"), False),
        ("author.url", _part(embed, "author").get("url"), False),
        ("author.icon_url", _part(embed, "author").get("icon_url"), True),
        ("footer.icon_url", _part(embed, "footer").get("icon_url"), True),
        ("image.url", _part(embed, "image").get("url"), True),
        ("thumbnail.url", _part(embed, "thumbnail").get("url"), True),
    ]
    for part, address, attachments in addresses:
        if address:
            schemes = ("http", "https", "attachment") if attachments else ("http", "https")
            problem = web_address_fits(address, f"Embed {number}: {part}", _MAX_URL, schemes)
            if problem:
                return problem
    return None


def embeds_total_fits(embeds: Sequence[Embed]) -> str | None:
    """ "The combined sum of characters … across all embeds attached to a message must not exceed 6000"."""
    total = sum(len(text.strip()) for embed in embeds for _, text, _ in _texts(embed))
    if total <= MAX_TOTAL:
        return None
    return f"The embeds of a message take at most {MAX_TOTAL:,} characters in all; these have {total:,}."


def embeds_fit(embeds: Sequence[Embed]) -> Iterator[str]:
    """Every rule about embeds."""
    for problem in (embed_count_fits(len(embeds)), embeds_total_fits(embeds)):
        if problem:
            yield problem
    for number, embed in enumerate(embeds, start=1):
        for rule in (embed_shows_something, embed_texts_fit, embed_fields_fit, embed_addresses_fit):
            problem = rule(embed, number)
            if problem:
                yield problem


def _part(embed: Embed, name: str) -> Mapping[str, Any]:
    return embed.get(name) or {}


def _texts(embed: Embed) -> Iterator[tuple[str, str, int]]:
    yield "title", embed.get("title") or "", _MAX_TITLE
    yield "description", embed.get("description") or "", _MAX_DESCRIPTION
    for position, field in enumerate(embed.get("fields") or (), start=1):
        yield f"the name of field {position}", field.get("name") or "", _MAX_FIELD_NAME
        yield f"the value of field {position}", field.get("value") or "", _MAX_FIELD_VALUE
    yield "footer", _part(embed, "footer").get("text") or "", _MAX_FOOTER
    yield "author", _part(embed, "author").get("name") or "", _MAX_AUTHOR
