from __future__ import annotations

import gc
from typing import Any

import mcp.types as t
import orjson
import pytest

from mcp_server.results import ResultEncoder, tool_result
from operations.base import Encoded, Model, Outcome, Status
from operations.outcomes import structured, text
from tests.mcp_server.scripted_executor import read, write

INFO = {"name": "guildhall", "version": "1"}


class Row(Model):
    id: str
    name: str
    topic: str | None = None


OUTCOMES = [
    read("channel_list", Encoded(orjson.dumps({"text": 'quotes " and \\ and ünïcode \u2028 \x7f'}))),
    read("channel_get", Row(id="5", name="general")),
    read("plan_cancel", None),
    *(write("message_send", status, Row(id="5", name="general")) for status in Status),
]


@pytest.mark.parametrize("modern", [False, True])
@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: f"{outcome.operation}-{outcome.status}")
def test_bytes_and_models_say_the_same(outcome: Outcome, modern: bool) -> None:
    encoded: dict[str, Any] = orjson.loads(ResultEncoder(INFO).encode(outcome, modern=modern))
    shown = tool_result(outcome).model_dump(by_alias=True, mode="json", exclude_none=True)
    if modern:
        assert encoded.pop("_meta") == {t.SERVER_INFO_META_KEY: INFO}
    else:
        del shown["resultType"]
    assert encoded == shown
    assert encoded["structuredContent"] == structured(outcome)
    assert encoded["content"] == [{"type": "text", "text": text(outcome)}]


def test_a_read_that_is_encoded_already_is_served_as_the_very_same_bytes() -> None:
    encoder = ResultEncoder(INFO)
    data = Encoded(b'{"channels":[]}')
    first = encoder.encode(read("channel_list", data), modern=True)
    assert encoder.encode(read("channel_list", data), modern=True) is first
    assert encoder.encode(read("channel_list", data), modern=False) is not first


def test_what_is_remembered_of_some_bytes_never_answers_for_others() -> None:
    """Identity is compared with the bytes themselves in hand, so that an address that is used again misleads nobody."""
    encoder = ResultEncoder(INFO, most_bytes=2_000)
    for number in range(500):
        result = orjson.loads(encoder.encode(read("x", Encoded(orjson.dumps({"n": number}))), modern=False))
        assert result["structuredContent"] == {"n": number}
        gc.collect(0)


def test_what_is_remembered_is_bounded() -> None:
    encoder = ResultEncoder(INFO, most_bytes=10_000)
    kept = [Encoded(orjson.dumps({"text": "x" * 1_000, "n": number})) for number in range(20)]
    first = encoder.encode(read("x", kept[0]), modern=False)
    for data in kept[1:]:
        encoder.encode(read("x", data), modern=False)
    assert encoder.encode(read("x", kept[0]), modern=False) is not first
    huge = Encoded(orjson.dumps({"text": "x" * 20_000}))
    assert encoder.encode(read("x", huge), modern=False) is not encoder.encode(read("x", huge), modern=False)
