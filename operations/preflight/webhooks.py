"""Webhooks: their names, pictures and places, and what they may post.

Source, where none is named: https://discord.com/developers/docs/resources/webhook#create-webhook
"""

from __future__ import annotations

import re

import discord

_Kind = discord.ChannelType

MAX_NAME = 80
MAX_WEBHOOKS = 15
# Discord names no limit for a webhook's picture; a plan keeps it, so Guildhall sets one.
MAX_AVATAR_BYTES = 1024 * 1024

_FORBIDDEN = ("clyde", "discord")
_FORUMS = frozenset({_Kind.forum, _Kind.media})
_HOMES = _FORUMS | {_Kind.text, _Kind.news, _Kind.voice, _Kind.stage_voice}
# A line of small text ("-# …") that begins as the one that says through whom a post was sent.
_SENDER = re.compile(r"^[\s>*_~|`#-]*-#[\s*_~|`]*via\b", re.IGNORECASE | re.MULTILINE)


def webhook_name_fits(name: str) -> str | None:
    """1 to 80 characters, without "clyde" and "discord"."""
    length = len(name.strip())
    if not 1 <= length <= MAX_NAME:
        return f"A webhook's name takes 1 to {MAX_NAME} characters; this has {length}."
    found = next((word for word in _FORBIDDEN if word in name.casefold()), None)
    return None if found is None else f'Discord takes no webhook name with "{found}" in it; choose another.'


def channel_takes_webhooks(kind: discord.ChannelType) -> str | None:
    """Error 50024."""
    if kind in _HOMES:
        return None
    if kind is _Kind.category:
        return "A category has no webhooks; choose one of its channels."
    return "A thread has no webhooks of its own; choose its channel. webhook_execute posts to a thread with `thread`."


def channel_has_room(count: int) -> str | None:
    """Error 30007. ``count``: the webhooks of the channel."""
    if count < MAX_WEBHOOKS:
        return None
    return f"The channel already has {MAX_WEBHOOKS} webhooks; delete one, or choose another channel."


def avatar_fits(picture: bytes) -> str | None:
    """https://discord.com/developers/docs/reference#image-data"""
    if picture_kind(picture) is None:
        return "The avatar must be a PNG, JPEG, GIF or WebP picture, as base64."
    if len(picture) > MAX_AVATAR_BYTES:
        return f"The avatar has {len(picture):,} bytes; at most {MAX_AVATAR_BYTES:,} are taken. Make it smaller."
    return None


def picture_kind(picture: bytes) -> str | None:
    """By the first bytes, as discord.py tells them apart."""
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if picture[:3] == b"\xff\xd8\xff" or picture[6:10] in (b"JFIF", b"Exif"):
        return "JPEG"
    if picture.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    return "WebP" if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP" else None


def webhook_is_executable(kind: discord.WebhookType, *, has_token: bool, application_id: int | None) -> str | None:
    """Only incoming webhooks post for others, and Discord gives an application's own to that application alone.

    https://discord.com/developers/docs/resources/webhook#webhook-object-webhook-types
    """
    if kind is not discord.WebhookType.incoming:
        return "This webhook only repeats a followed channel and cannot be executed; make one with webhook_create."
    if has_token:
        return None
    whose = "another application" if application_id is None else f"the application {application_id}"
    return f"This webhook belongs to {whose}, and only it can execute it; make one with webhook_create."


def forum_needs_thread(kind: discord.ChannelType, *, has_thread: bool) -> str | None:
    """Error 220001."""
    if kind not in _FORUMS or has_thread:
        return None
    return "A webhook of a forum posts to one of its posts; name it with `thread`."


def thread_is_of_channel(parent_id: int | None, channel_id: int | None) -> str | None:
    """ "Send a message to the specified thread within a webhook's channel."

    https://discord.com/developers/docs/resources/webhook#execute-webhook-query-string-params
    """
    return (
        None if parent_id == channel_id else "The thread is not of the webhook's channel; choose one of that channel."
    )


def text_names_no_sender(content: str) -> str | None:
    """Each post ends with a line that says through whom it was sent; nobody writes such a line himself."""
    if _SENDER.search(content) is None:
        return None
    return 'A line that begins with "-# via" says through whom a post was sent, and is added; leave it out of the text.'


def with_sender(content: str, name: str) -> str:
    """The text with the line that says through whom it is sent. ``name``: made harmless already."""
    return f"{content}\n-# via {name}" if content else f"-# via {name}"
