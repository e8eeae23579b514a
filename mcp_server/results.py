"""Outcomes as results of `tools/call`: a text for the model, the same as structured content."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import mcp.types as t
import orjson

from operations.base import Encoded, Outcome, Status
from operations.outcomes import encode, structured, text
from policy.model import Kind


def tool_result(outcome: Outcome) -> t.CallToolResult:
    """For the SDK, which encodes it."""
    return t.CallToolResult(
        content=[t.TextContent(type="text", text=text(outcome))],
        structured_content=structured(outcome),
        is_error=outcome.is_error,
    )


class ResultEncoder:
    """The same as bytes of JSON, without the SDK's models in between.

    What is encoded already (a read from memory) is not encoded again: its bytes are text and structured content, and
    the result made of them is remembered as long as those very bytes are served. They hold nothing of a caller.
    """

    def __init__(self, server_info: Mapping[str, Any], *, most_bytes: int = 16 * 1024 * 1024) -> None:
        """``server_info``: what 2026-07-28 wants stamped on every result. ``most_bytes``: of remembered results."""
        stamp = orjson.dumps({"resultType": "complete", "_meta": {t.SERVER_INFO_META_KEY: dict(server_info)}})
        self._modern_end = b"," + stamp[1:]
        self._most_bytes = most_bytes
        self._bytes = 0
        # The bytes are kept beside the result: as long as they live, no others can have their id.
        self._remembered: OrderedDict[tuple[int, bool], tuple[bytes, bytes]] = OrderedDict()

    def encode(self, outcome: Outcome, *, modern: bool) -> bytes:
        """The JSON-RPC `result` object. ``modern``: for a client that speaks 2026-07-28."""
        if outcome.kind is not Kind.WRITE and outcome.status is Status.DONE:
            data = outcome.data
            if isinstance(data, Encoded):
                return self._encoded(data.json, modern)
            shown = b"{}" if data is None else encode(data)
            return self._result(shown.decode(), shown, is_error=False, modern=modern)
        shown = orjson.dumps(structured(outcome))
        return self._result(text(outcome), shown, is_error=outcome.is_error, modern=modern)

    def _encoded(self, data: bytes, modern: bool) -> bytes:
        key = (id(data), modern)
        found = self._remembered.get(key)
        if found is not None and found[0] is data:
            self._remembered.move_to_end(key)
            return found[1]
        result = self._result(data.decode(), data, is_error=False, modern=modern)
        self._remember(key, data, result)
        return result

    def _remember(self, key: tuple[int, bool], data: bytes, result: bytes) -> None:
        size = len(data) + len(result)
        if size > self._most_bytes:
            return
        self._remembered[key] = (data, result)
        self._bytes += size
        while self._bytes > self._most_bytes:
            _, (old_data, old_result) = self._remembered.popitem(last=False)
            self._bytes -= len(old_data) + len(old_result)

    def _result(self, shown_text: str, shown: bytes, *, is_error: bool, modern: bool) -> bytes:
        result = orjson.dumps(
            {
                "content": [{"type": "text", "text": shown_text}],
                "structuredContent": orjson.Fragment(shown),
                "isError": is_error,
            }
        )
        return result[:-1] + self._modern_end if modern else result
