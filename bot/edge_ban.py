"""Keeps Discord's edge from banning this address for too many refused requests."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from operations.ledger import SendRefused

# https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans: 10,000 in 600 s.
WINDOW_SECONDS = 600.0
LIMIT = 5_000
_INVALID = frozenset({401, 403, 429})
_BAN_SECONDS = 60.0
"""For a ban whose answer does not say how long it lasts."""


@dataclass(frozen=True, slots=True)
class EdgeBanState:
    """For /health. ``retry_after_seconds`` is 0 while requests may leave."""

    invalid_answers: int
    limit: int
    is_banned: bool
    retry_after_seconds: float


class EdgeBan:
    """Counts the answers that Discord's edge counts (401, 403, 429) and stops calling at half of what it bears.

    A 429 without a `Via` header did not come from Discord's API: the address is banned already.
    """

    def __init__(self, *, limit: int = LIMIT, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._invalid_at: deque[float] = deque(maxlen=limit)
        self._banned_until = 0.0

    def record(self, status: int, headers: Mapping[str, str]) -> None:
        """Note an answer of Discord's API."""
        if status not in _INVALID:
            return
        if status == 429 and "Via" not in headers:
            self._banned_until = self._clock() + _seconds(headers.get("Retry-After"))
        # Limits that are shared with other bots are not held against this one.
        if status != 429 or headers.get("X-RateLimit-Scope") != "shared":
            self._invalid_at.append(self._clock())

    def check(self) -> None:
        """Raises SendRefused while no request may leave, with when to come back."""
        state = self.state()
        if state.retry_after_seconds <= 0:
            return
        wait = f"try again in {state.retry_after_seconds:.0f} seconds"
        if state.is_banned:
            raise SendRefused(f"Discord's edge has banned this address for now; {wait}.")
        raise SendRefused(
            f"Discord refused {state.invalid_answers:,} requests within 10 minutes, and bans an address at 10,000. "
            f"The bot's token or permissions are likely wrong; {wait}."
        )

    def state(self) -> EdgeBanState:
        now = self._clock()
        while self._invalid_at and self._invalid_at[0] <= now - WINDOW_SECONDS:
            self._invalid_at.popleft()
        ban_seconds = max(0.0, self._banned_until - now)
        full_seconds = 0.0
        if len(self._invalid_at) >= self._limit:
            full_seconds = self._invalid_at[0] + WINDOW_SECONDS - now
        return EdgeBanState(len(self._invalid_at), self._limit, ban_seconds > 0, max(ban_seconds, full_seconds))


def _seconds(retry_after: str | None) -> float:
    try:
        return max(1.0, float(retry_after or _BAN_SECONDS))
    except ValueError:
        return _BAN_SECONDS
