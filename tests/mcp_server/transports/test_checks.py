"""The small pure parts: Host and Origin, Accept, limits, text, events."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.transports import OriginPolicy, TransportLimits
from mcp_server.transports.accept import Accepted, accepted_by
from mcp_server.transports.body import parse_json
from mcp_server.transports.replies import RefusalError, encode_error, encode_message, frame
from mcp_server.transports.text import unsafe_text

PUBLIC = OriginPolicy.from_public_url("https://Guildhall.Example/app", ["https://app.example:8443"])
LOCAL = OriginPolicy.from_public_url("http://127.0.0.1:8080")


def status(policy: OriginPolicy, **headers: str) -> int:
    response = policy.refusal(make_mocked_request("POST", "/mcp", headers=headers))
    return 200 if response is None else response.status


@pytest.mark.parametrize(
    "host", ["guildhall.example", "GUILDHALL.example:443", "localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080"]
)
def test_known_hosts_are_served(host: str) -> None:
    assert status(PUBLIC, Host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "guildhall.example.evil.example",
        "localhost.evil.example",
        "a@localhost",
        "localhost/x",
        "",
        "[::1",
    ],
)
def test_unknown_hosts_are_refused(host: str) -> None:
    assert status(PUBLIC, Host=host) == 421


def test_a_request_without_a_host_is_refused() -> None:
    assert status(PUBLIC) == 421


@pytest.mark.parametrize(
    ("policy", "origin", "expected"),
    [
        (PUBLIC, "https://guildhall.example", 200),
        (PUBLIC, "https://guildhall.example:443", 200),
        (PUBLIC, "https://app.example:8443", 200),
        (PUBLIC, "http://guildhall.example", 403),
        (PUBLIC, "https://guildhall.example:444", 403),
        (PUBLIC, "https://app.example", 403),
        (PUBLIC, "http://localhost:3000", 403),
        (PUBLIC, "null", 403),
        (PUBLIC, "https://", 403),
        (PUBLIC, "https://guildhall.example@evil.example", 403),
        (PUBLIC, "https://guildhall.example:port", 403),
        (LOCAL, "http://localhost:3000", 200),
        (LOCAL, "http://[::1]:3000", 200),
        (LOCAL, "http://127.0.0.1.evil.example", 403),
    ],
)
def test_origins(policy: OriginPolicy, origin: str, expected: int) -> None:
    assert status(policy, Host="localhost", Origin=origin) == expected


@pytest.mark.parametrize("url", ["guildhall.example", "ftp://guildhall.example", "https://a:b"])
def test_a_public_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not an http or https"):
        OriginPolicy.from_public_url(url)
    with pytest.raises(ValueError, match="not an http or https"):
        OriginPolicy.from_public_url("https://guildhall.example", [url])


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, (True, True)),
        ("*/*", (True, True)),
        ("application/json, text/event-stream", (True, True)),
        ("application/JSON;q=0.5", (True, False)),
        ("application/*", (True, False)),
        ("text/*", (False, True)),
        ("text/html", (False, False)),
        ("", (False, False)),
    ],
)
def test_accept(header: str | None, expected: tuple[bool, bool]) -> None:
    headers = {} if header is None else {"Accept": header}
    accepted = accepted_by(make_mocked_request("POST", "/mcp", headers=headers))
    assert accepted == Accepted(json=expected[0], stream=expected[1])


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(TransportLimits)])
def test_a_limit_of_zero_is_refused(name: str) -> None:
    limits: dict[str, Any] = {name: 0}
    with pytest.raises(ValueError, match=f"{name} must be above zero"):
        TransportLimits(**limits)


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"))
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner), max_leaves=20)


@given(VALUES)
def test_safe_values_pass_unchanged(value: object) -> None:
    assert parse_json(json.dumps(value).encode(), TransportLimits()) == value
    assert unsafe_text(value) is None


@given(VALUES, st.sampled_from(["\0", "\ud800", "\udfff"]))
def test_unsafe_text_is_found_at_any_depth(value: object, bad: str) -> None:
    assert unsafe_text({"deep": [value, {"here": f"a{bad}b"}]}) is not None
    with pytest.raises(RefusalError, match=r"deep\[1\]\.here"):
        parse_json(json.dumps({"deep": [value, {"here": bad}]}).encode(), TransportLimits())


@pytest.mark.parametrize(("depth", "fits"), [(128, True), (130, False), (1000, False)])
def test_depth_is_counted_over_objects_and_arrays(depth: int, fits: bool) -> None:
    body = b'[{"a":' * (depth // 2) + b"1" + b"}]" * (depth // 2)
    if fits:
        parse_json(body, TransportLimits())
    else:
        with pytest.raises(RefusalError, match="nested deeper than 128"):
            parse_json(body, TransportLimits())


def test_many_shallow_values_are_not_deep() -> None:
    parse_json(json.dumps([[{"a": []}]] * 500).encode(), TransportLimits())


def test_messages_and_frames() -> None:
    assert encode_message("a", None) == b'{"jsonrpc":"2.0","method":"a"}'
    assert encode_message("a", {"b": 1}, 7) == b'{"jsonrpc":"2.0","id":7,"method":"a","params":{"b":1}}'
    assert frame(b"{}") == b"event: message\r\ndata: {}\r\n\r\n"


def test_an_error_that_can_not_be_written_becomes_an_internal_one() -> None:
    assert b"Internal server error" in encode_error(1, -1, "half \ud800").body
