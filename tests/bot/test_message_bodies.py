"""Which bodies carry a message, what they have to say, and that no way of cutting a body into pieces matters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.message_bodies import MAX_JSON_BYTES, BodyInspector, carries_message, check_body
from operations.ledger import SendRefused

SAFE: dict[str, Any] = {"content": "hi", "allowed_mentions": {"parse": []}}
UNSAFE: dict[str, Any] = {"content": "@everyone"}
BOUNDARY = "0f1e2d3c"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/channels/1/messages"),
        ("PATCH", "/channels/1/messages/2"),
        ("POST", "/channels/1/threads"),
        ("POST", "/webhooks/1/token"),
        ("PATCH", "/webhooks/1/token/messages/2"),
        ("PATCH", "/webhooks/1/token/messages/@original"),
        ("POST", "/interactions/1/token/callback"),
        ("POST", "/webhooks/1/token/slack"),
        ("POST", "/webhooks/1/token/github"),
    ],
)
def test_every_route_that_carries_a_message_is_known(method: str, path: str) -> None:
    assert carries_message(method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/channels/1/messages/bulk-delete"),
        ("POST", "/channels/1/messages/2/crosspost"),
        ("POST", "/channels/1/messages/2/threads"),
        ("DELETE", "/channels/1/messages/2"),
        ("PUT", "/channels/1/messages/2/reactions/x/@me"),
        ("PATCH", "/webhooks/1"),
        ("PATCH", "/channels/1"),
        ("POST", "/guilds/1/channels"),
    ],
)
def test_other_routes_are_not(method: str, path: str) -> None:
    assert not carries_message(method, path)


@pytest.mark.parametrize("mentions", [None, "none", []])
def test_allowed_mentions_that_say_nothing_are_as_good_as_none(mentions: Any) -> None:
    with pytest.raises(SendRefused):
        check_body("POST", "/channels/1/messages", {"content": "hi", "allowed_mentions": mentions})


def test_a_new_message_needs_them_even_without_text() -> None:
    reply = {"sticker_ids": ["1"], "message_reference": {"message_id": "2"}}
    with pytest.raises(SendRefused):
        check_body("POST", "/channels/1/messages", reply)


def test_text_in_components_counts() -> None:
    with pytest.raises(SendRefused):
        check_body("PATCH", "/channels/1/messages/2", {"components": [{"type": 10, "content": "@everyone"}]})
    check_body("PATCH", "/channels/1/messages/2", {"components": [], "content": None, "embeds": []})


def test_a_post_in_a_forum_is_looked_into_and_a_thread_without_one_passes() -> None:
    with pytest.raises(SendRefused):
        check_body("POST", "/channels/1/threads", {"name": "post", "message": UNSAFE})
    check_body("POST", "/channels/1/threads", {"name": "post", "message": SAFE})
    check_body("POST", "/channels/1/threads", {"name": "thread", "type": 11})


@pytest.mark.parametrize("kind", [1, 5, 6, 8, 9])
def test_answers_to_interactions_without_a_message_pass(kind: int) -> None:
    check_body("POST", "/interactions/1/token/callback", {"type": kind, "data": {"flags": 64}})


@pytest.mark.parametrize("body", [[SAFE], "text", None, 5])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(SendRefused):
        check_body("POST", "/channels/1/messages", body)


@pytest.mark.parametrize("service", ["slack", "github"])
def test_bodies_in_the_format_of_another_service_are_refused(service: str) -> None:
    with pytest.raises(SendRefused, match="format of another service"):
        check_body("POST", f"/webhooks/1/token/{service}", {"text": "hi", "allowed_mentions": {}})


def _multipart(document: object, *, first: str = "payload_json") -> bytes:
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{first}"\r\n\r\n{json.dumps(document)}\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files[0]"; filename="a.txt"\r\n\r\nnotes\r\n'
        f"--{BOUNDARY}--\r\n"
    ).encode()


def _fed(body: bytes, content_type: str, size: int, *, path: str = "/channels/1/messages") -> int:
    """How many bytes left before it was refused; all of them when it was not."""
    inspector = BodyInspector("POST", path, content_type, len(body))
    for start in range(0, len(body), size):
        try:
            inspector.feed(body[start : start + size])
        except SendRefused:
            return start
    return len(body)


@pytest.mark.parametrize("size", [1, 3, 7, 50, 10_000])
@pytest.mark.parametrize("content_type", ["application/json", f"multipart/form-data; boundary={BOUNDARY}"])
def test_however_a_body_is_cut_it_is_refused_before_its_end_or_passes_whole(size: int, content_type: str) -> None:
    def body(document: object) -> bytes:
        return json.dumps(document).encode() if content_type == "application/json" else _multipart(document)

    assert _fed(body(SAFE), content_type, size) == len(body(SAFE))
    assert _fed(body(UNSAFE), content_type, size) < len(body(UNSAFE))


def test_a_multipart_body_that_begins_with_something_else_is_refused() -> None:
    with pytest.raises(SendRefused, match="payload_json"):
        BodyInspector("POST", "/channels/1/messages", f"multipart/form-data; boundary={BOUNDARY}", None).feed(
            _multipart(SAFE, first="content")
        )


def test_a_file_may_hold_what_a_message_may_not() -> None:
    body = _multipart(SAFE).replace(b"notes", json.dumps(UNSAFE).encode())
    assert _fed(body, f"multipart/form-data; boundary={BOUNDARY}", 11) == len(body)


@pytest.mark.parametrize(
    ("content_type", "length"),
    [("application/x-www-form-urlencoded", 10), ("text/plain", 10), ("", 10), ("application/json", None)],
)
def test_a_body_that_cannot_be_read_is_refused(content_type: str, length: int | None) -> None:
    with pytest.raises(SendRefused, match="JSON of a known length, or multipart"):
        BodyInspector("POST", "/channels/1/messages", content_type, length)


def test_a_body_that_is_no_json_is_refused() -> None:
    with pytest.raises(SendRefused, match="not JSON"):
        BodyInspector("POST", "/channels/1/messages", "application/json", 5).feed(b"{nope")


def test_json_without_an_end_is_refused_at_a_mebibyte() -> None:
    inspector = BodyInspector("POST", "/channels/1/messages", "application/json", 10 * MAX_JSON_BYTES)
    inspector.feed(b" " * MAX_JSON_BYTES)
    with pytest.raises(SendRefused, match="1,048,576 bytes"):
        inspector.feed(b" ")
