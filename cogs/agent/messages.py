"""The vocabulary of the Messages API as the assistant speaks it: requests, the events of an answer, what goes wrong.

https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

Block = dict[str, Any]
"""A content block as JSON. Those of a model are sent back as they came."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``system`` and ``tools`` are the same bytes from call to call, so that a prefix can be cached.

    ``tools_allowed`` False: the answer has to be in words.
    """

    model: str
    system: str
    tools: Sequence[Mapping[str, Any]]
    messages: Sequence[Mapping[str, Any]]
    max_tokens: int
    tools_allowed: bool = True


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens. ``input``: those that were neither read from the cache nor written to it."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_written: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_written


@dataclass(frozen=True, slots=True)
class ToolUse:
    """``arguments`` None: what came was no JSON object."""

    id: str
    name: str
    arguments: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ToolNamed:
    """The model begins to write a tool call."""

    name: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The whole answer, always the last event. ``usage`` None: the server told none."""

    content: tuple[Block, ...]
    stop_reason: str | None
    uses: tuple[ToolUse, ...] = ()
    usage: Usage | None = None

    @property
    def text(self) -> str:
        return "".join(str(block.get("text", "")) for block in self.content if block.get("type") == "text")


Event = TextDelta | ToolNamed | Answered


class Trouble(StrEnum):
    """Why there is no answer."""

    OVERLOADED = "overloaded"
    RATE_LIMITED = "rate_limited"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    UNAUTHORISED = "unauthorised"
    UNPAID = "unpaid"
    TOO_LONG = "too_long"
    REJECTED = "rejected"


# The same request may well succeed a moment later.
PASSING = frozenset(
    {
        Trouble.OVERLOADED,
        Trouble.RATE_LIMITED,
        Trouble.TRUNCATED,
        Trouble.MALFORMED,
        Trouble.TIMED_OUT,
        Trouble.UNREACHABLE,
    }
)


class ProviderError(Exception):
    """No answer, or half of one. The text is for the log: it holds nothing of what was asked or answered."""

    def __init__(self, trouble: Trouble, text: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(text)
        self.trouble = trouble
        self.retry_after_seconds = retry_after_seconds

    @property
    def passing(self) -> bool:
        return self.trouble in PASSING


class Provider(Protocol):
    """An endpoint that speaks the Messages API.

    ``searches_tools``: it finds deferred tools itself (defer_loading, tool_reference).
    """

    @property
    def searches_tools(self) -> bool: ...

    def stream(self, request: Request) -> AsyncGenerator[Event]:
        """One request, one answer; tried once. Raises ProviderError. Close it to hang up."""
        ...
