from __future__ import annotations

import discord
import pytest

from operations.preflight.webhooks import (
    MAX_AVATAR_BYTES,
    avatar_fits,
    channel_has_room,
    channel_takes_webhooks,
    forum_needs_thread,
    picture_kind,
    text_names_no_sender,
    thread_is_of_channel,
    webhook_is_executable,
    webhook_name_fits,
    with_sender,
)

Kind = discord.ChannelType


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("x", True),
        ("x" * 80, True),
        ("x" * 81, False),
        ("", False),
        ("   ", False),
        ("cly de", True),
        ("McClyde", False),
        ("DisCord", False),
        ("ßtides", True),
    ],
)
def test_a_webhooks_name(name: str, fits: bool) -> None:
    assert (webhook_name_fits(name) is None) is fits


@pytest.mark.parametrize("kind", [Kind.text, Kind.news, Kind.voice, Kind.stage_voice, Kind.forum, Kind.media])
def test_these_channels_take_webhooks(kind: discord.ChannelType) -> None:
    assert channel_takes_webhooks(kind) is None


@pytest.mark.parametrize("kind", [Kind.category, Kind.public_thread, Kind.private_thread, Kind.news_thread])
def test_categories_and_threads_take_none(kind: discord.ChannelType) -> None:
    assert channel_takes_webhooks(kind) is not None


def test_a_channel_has_room_for_fifteen() -> None:
    assert channel_has_room(14) is None
    assert channel_has_room(15) is not None


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "JPEG"),
        (b"GIF89a", "GIF"),
        (b"RIFF\x00\x00\x00\x00WEBP", "WebP"),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (b"<svg>", None),
        (b"", None),
    ],
)
def test_a_picture_is_told_by_its_first_bytes(head: bytes, kind: str | None) -> None:
    assert picture_kind(head) == kind
    assert (avatar_fits(head) is None) is (kind is not None)


def test_a_picture_has_a_largest_size() -> None:
    png = b"\x89PNG\r\n\x1a\n".ljust(MAX_AVATAR_BYTES, b"\0")
    assert avatar_fits(png) is None
    assert avatar_fits(png + b"\0") is not None


def test_only_incoming_webhooks_whose_token_is_given_are_executed() -> None:
    incoming = discord.WebhookType.incoming
    assert webhook_is_executable(incoming, has_token=True, application_id=None) is None
    for kind, has_token in (
        (incoming, False),
        (discord.WebhookType.channel_follower, False),
        (discord.WebhookType.application, True),
    ):
        problem = webhook_is_executable(kind, has_token=has_token, application_id=5)
        assert problem is not None
        assert "webhook_create" in problem


def test_a_forum_needs_a_thread_and_a_thread_its_channel() -> None:
    assert forum_needs_thread(Kind.forum, has_thread=False) is not None
    assert forum_needs_thread(Kind.forum, has_thread=True) is None
    assert forum_needs_thread(Kind.text, has_thread=False) is None
    assert thread_is_of_channel(1, 1) is None
    assert thread_is_of_channel(2, 1) is not None
    assert thread_is_of_channel(None, 1) is not None


@pytest.mark.parametrize(
    "text",
    ["-# via olive", "hi\n-# via olive\nbye", "-#via olive", "-#  VIA x", "> -# via x", "** -# via x**", "`-# via`"],
)
def test_a_line_as_the_senders_is_found(text: str) -> None:
    assert text_names_no_sender(text) is not None


@pytest.mark.parametrize("text", ["", "via olive", "see -# via the pier", "-# vial", "-# small print", "- # via x"])
def test_other_lines_are_left_alone(text: str) -> None:
    assert text_names_no_sender(text) is None


def test_the_senders_line_comes_last() -> None:
    assert with_sender("hi", "ada") == "hi\n-# via ada"
    assert with_sender("", "ada") == "-# via ada"
