"""Who holds how many open calls or streams, and the cap on it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from mcp.types import INVALID_REQUEST, RequestId

from mcp_server.transports.ending import Ending
from mcp_server.transports.replies import RefusalError


class Held(Protocol):
    """An open call or stream."""

    def end(self, ending: Ending) -> None:
        """End it soon; does nothing when it has ended."""
        ...

    def poll(self, now: float) -> None:
        """Look whether the client is still there, and whether a ping is due; `now` is the event loop's time."""
        ...

    def cut(self) -> None:
        """Drop the connection without a word."""
        ...


HeldT = TypeVar("HeldT", bound=Held)


class Occupancy(Generic[HeldT]):
    """The open things of one sort, by principal."""

    def __init__(self, cap: int, sort: str, remedy: str) -> None:
        """`sort` and `remedy` complete the refusal: what there are too many of, and what to do."""
        self._cap = cap
        self._sort = sort
        self._remedy = remedy
        self._held: dict[str, set[HeldT]] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    def __iter__(self) -> Iterator[HeldT]:
        return iter([held for owned in self._held.values() for held in owned])

    def __len__(self) -> int:
        return sum(map(len, self._held.values()))

    def of(self, principal: str) -> tuple[HeldT, ...]:
        return tuple(self._held.get(principal, ()))

    def is_full(self, principal: str) -> bool:
        """Whether the principal is at its cap, so that `enter` would refuse."""
        owned = self._held.get(principal)
        return owned is not None and len(owned) >= self._cap

    def enter(self, principal: str, held: HeldT, request_id: RequestId | None = None) -> None:
        """Count `held` for `principal`.

        Raises:
            RefusalError: 429, the principal is at its cap.
        """
        owned = self._held.setdefault(principal, set())
        if len(owned) >= self._cap:
            raise RefusalError(
                429,
                INVALID_REQUEST,
                f"Too many {self._sort}: the limit for one client is {self._cap}. {self._remedy}",
                request_id=request_id,
                headers={"Retry-After": "1"},
            )
        owned.add(held)
        self._empty.clear()

    def leave(self, principal: str, held: HeldT) -> None:
        """Stop counting `held`; does nothing when it isn't counted."""
        owned = self._held.get(principal)
        if owned is not None:
            owned.discard(held)
            if not owned:
                del self._held[principal]
                if not self._held:
                    self._empty.set()

    async def wait_empty(self) -> None:
        """Wait until nothing is open."""
        await self._empty.wait()
