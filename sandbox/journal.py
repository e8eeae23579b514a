"""What the bot asked of REST, and what took effect: the evidence that tests look at."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import itertools
from typing import Any

MAX_ENTRIES = 5_000


@dataclasses.dataclass(slots=True)
class RequestEntry:
    """One request that arrived. `status` is None where no answer was sent (a reset, a hang, a client that left).

    `body`: its JSON; of a form, the JSON in it.
    """

    method: str
    path: str
    query: str
    body_bytes: int
    reason: str | None
    at: str
    status: int | None = None
    nonce: str | None = None
    faults: list[str] = dataclasses.field(default_factory=list[str])
    content_type: str | None = None
    body: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class EffectEntry:
    """One request that changed the world, whatever was answered.

    `duplicate_nonce`: the world stayed as it was, because a message with this nonce had been sent before.
    """

    method: str
    path: str
    reason: str | None
    nonce: str | None
    duplicate_nonce: bool
    at: str


class Journal:
    """The latest requests and effects, oldest first."""

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        self._requests: collections.deque[RequestEntry] = collections.deque(maxlen=max_entries)
        self._since_cleared = 0
        self._effects: collections.deque[EffectEntry] = collections.deque(maxlen=max_entries)

    def request(self, method: str, path: str, query: str, body_bytes: int, reason: str | None) -> RequestEntry:
        entry = RequestEntry(method, path, query, body_bytes, reason, _now())
        self._requests.append(entry)
        self._since_cleared = min(self._since_cleared + 1, len(self._requests))
        return entry

    def effect(self, request: RequestEntry, *, duplicate_nonce: bool = False) -> None:
        self._effects.append(
            EffectEntry(request.method, request.path, request.reason, request.nonce, duplicate_nonce, _now())
        )

    def requests(self, *, cleared: bool = False) -> list[dict[str, Any]]:
        """Those since the last clearing; ``cleared``: those before it as well."""
        skipped = 0 if cleared else len(self._requests) - self._since_cleared
        return [dataclasses.asdict(entry) for entry in itertools.islice(self._requests, skipped, None)]

    def effects(self) -> list[dict[str, Any]]:
        return [dataclasses.asdict(entry) for entry in self._effects]

    def clear_requests(self) -> None:
        self._since_cleared = 0

    def clear_effects(self) -> None:
        self._effects.clear()


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat()
