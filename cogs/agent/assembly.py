"""An answer put together from the events of its stream.

Written for servers of all makes: unknown events and blocks, missing starts, indices, ids, usage or the final event are
taken as they come; only what would make the answer another one is an error.
https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from cogs.agent.messages import Answered, Block, Event, ProviderError, TextDelta, ToolNamed, ToolUse, Trouble, Usage

# What an error in mid-stream means by its type; all else is the server's own trouble, which passes.
ERROR_TYPES = {
    "overloaded_error": Trouble.OVERLOADED,
    "rate_limit_error": Trouble.RATE_LIMITED,
    "invalid_request_error": Trouble.REJECTED,
    "authentication_error": Trouble.UNAUTHORISED,
    "permission_error": Trouble.UNAUTHORISED,
    "billing_error": Trouble.UNPAID,
    "not_found_error": Trouble.REJECTED,
    "request_too_large": Trouble.TOO_LONG,
    "timeout_error": Trouble.TIMED_OUT,
}
_BLOCK_OF_DELTA = {
    "text_delta": {"type": "text", "text": ""},
    "thinking_delta": {"type": "thinking", "thinking": ""},
}


class Assembly:
    """Feed it each event; ``answer`` once the stream has ended. Mutable: it grows."""

    def __init__(self) -> None:
        self._blocks: dict[int, Block] = {}
        self._arguments: dict[int, list[str]] = {}
        self._last = 0
        self._stop_reason: str | None = None
        self._ended = False
        self._usage: dict[str, int] = {}

    @property
    def ended(self) -> bool:
        return self._ended

    def feed(self, event: Mapping[str, Any]) -> Iterator[Event]:
        """What the event brings. Raises ProviderError for one that says that there will be no answer."""
        match event.get("type"):
            case "message_start":
                self._count(_mapping(_mapping(event.get("message")).get("usage")))
            case "content_block_start":
                yield from self._start(event)
            case "content_block_delta":
                yield from self._delta(event)
            case "message_delta":
                reason = _mapping(event.get("delta")).get("stop_reason")
                self._stop_reason = reason if isinstance(reason, str) else self._stop_reason
                self._count(_mapping(event.get("usage")))
            case "message_stop":
                self._ended = True
            case "error":
                raise error_of(event)
            case _:
                pass  # "new event types may be added": they are passed over

    def _start(self, event: Mapping[str, Any]) -> Iterator[Event]:
        index = self._index(event)
        block = dict(_mapping(event.get("content_block")))
        self._blocks[index] = block
        if block.get("type") == "text" and block.get("text"):
            yield TextDelta(str(block["text"]))
        if block.get("type") == "tool_use":
            yield ToolNamed(str(block.get("name", "")))

    def _delta(self, event: Mapping[str, Any]) -> Iterator[Event]:
        delta = _mapping(event.get("delta"))
        kind = str(delta.get("type"))
        index = self._index(event)
        block = self._blocks.setdefault(index, dict(_BLOCK_OF_DELTA.get(kind, {})))
        match kind:
            case "text_delta":
                text = str(delta.get("text") or "")
                block["text"] = str(block.get("text") or "") + text
                if text:
                    yield TextDelta(text)
            case "input_json_delta":
                self._arguments.setdefault(index, []).append(str(delta.get("partial_json") or ""))
            case "thinking_delta":
                block["thinking"] = str(block.get("thinking") or "") + str(delta.get("thinking") or "")
            case "signature_delta":
                block["signature"] = str(block.get("signature") or "") + str(delta.get("signature") or "")
            case "citations_delta":
                block["citations"] = [*(block.get("citations") or ()), delta.get("citation")]
            case _:
                pass

    def _index(self, event: Mapping[str, Any]) -> int:
        index = event.get("index")
        if not isinstance(index, int):
            is_start = event.get("type") == "content_block_start"
            index = max(self._blocks, default=-1) + 1 if is_start else self._last
        self._last = index
        return index

    def _count(self, usage: Mapping[str, Any]) -> None:
        """The counts of later events are cumulative: they replace the earlier ones."""
        for name, value in usage.items():
            if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                self._usage[name] = value

    def whole(self, message: Mapping[str, Any]) -> Iterator[Event]:
        """An answer that came in one piece: some servers stream only where they can."""
        blocks: Any = message.get("content")
        for index, block in enumerate(cast("list[Any]", blocks) if isinstance(blocks, list) else []):
            yield from self._start({"index": index, "content_block": block})
        yield from self.feed({"type": "message_delta", "delta": message, "usage": message.get("usage")})
        self._ended = True

    def answer(self) -> Answered:
        """Raises ProviderError where the stream broke off before it was said why the model stopped."""
        if not self._ended and self._stop_reason is None:
            raise ProviderError(Trouble.TRUNCATED, "the stream ended before the answer did")
        content: list[Block] = []
        uses: list[ToolUse] = []
        for index in sorted(self._blocks):
            block = self._blocks[index]
            if block.get("type") in ("tool_use", "server_tool_use"):
                arguments = self._parsed(index, block)
                block = {**block, "input": {} if arguments is None else arguments}
                if block["type"] == "tool_use":
                    block["id"] = _own_id(block.get("id"), uses)
                    uses.append(ToolUse(block["id"], str(block.get("name", "")), arguments))
            if block.get("type") and not (block["type"] == "text" and not block.get("text")):
                # An empty text block is refused when it is sent back.
                content.append(block)
        return Answered(tuple(content), self._stop_reason, tuple(uses), self._usage_told())

    def _parsed(self, index: int, block: Block) -> dict[str, Any] | None:
        written = "".join(self._arguments.get(index, ()))
        if not written.strip():
            given = block.get("input")
            return cast("dict[str, Any]", given) if isinstance(given, dict) else {}
        try:
            parsed = json.loads(written)
        except ValueError:
            return None
        return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else None

    def _usage_told(self) -> Usage | None:
        if not self._usage:
            return None
        return Usage(
            input=self._usage.get("input_tokens", 0),
            output=self._usage.get("output_tokens", 0),
            cache_read=self._usage.get("cache_read_input_tokens", 0),
            cache_written=self._usage.get("cache_creation_input_tokens", 0),
        )


def error_of(event: Mapping[str, Any]) -> ProviderError:
    """An error event, or the body of an error response."""
    error = _mapping(event.get("error"))
    kind = str(error.get("type") or "")
    trouble = ERROR_TYPES.get(kind, Trouble.OVERLOADED)
    if trouble is Trouble.REJECTED and speaks_of_length(str(error.get("message"))):
        trouble = Trouble.TOO_LONG
    return ProviderError(trouble, kind_named(kind))


def kind_named(kind: object) -> str:
    """An error's type for the log; its message stays out of it, since servers quote what they were sent."""
    return kind if isinstance(kind, str) and re.fullmatch(r"[a-z_]{1,60}", kind) else "an error without a type"


def speaks_of_length(text: str) -> bool:
    """Whether a refusal is for too many tokens: there is no type of its own for that."""
    folded = text.casefold()
    return any(
        words in folded for words in ("too long", "too large", "context window", "context length", "maximum context")
    )


def _own_id(given: object, uses: list[ToolUse]) -> str:
    """Results are matched by id, so that every call needs one of its own."""
    taken = {use.id for use in uses}
    return given if isinstance(given, str) and given and given not in taken else f"toolu_guildhall_{len(uses)}"


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
