"""Keeps Discord's edge from banning this address for too many refused requests."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from operations.ledger import Ledger, SendRefused

# https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans: 10,000 in 600 s.
WINDOW_SECONDS = 600.0
LIMIT = 5_000
GUILDS_IN_LIMIT = 10
"""A guild may cause a tenth of what stops all, a caller half of that: so one caller does not stop his whole guild."""
CALLERS_IN_LIMIT = 20
TIDY_SECONDS = 60.0
_INVALID = frozenset({401, 403, 429})
_BAN_SECONDS = 60.0
"""For a ban whose answer does not say how long it lasts."""

Key = TypeVar("Key", int, str)


@dataclass(frozen=True, slots=True)
class EdgeBanState:
    """For /health. ``retry_after_seconds`` is 0 while requests may leave; ``stopped_guild_ids``: whose may not."""

    invalid_answers: int
    limit: int
    is_banned: bool
    retry_after_seconds: float
    stopped_guild_ids: tuple[int, ...] = ()
    stopped_callers: int = 0


class EdgeBan:
    """Counts the answers that Discord's edge counts (401, 403, 429) and stops calling at half of what it bears.

    Guilds and callers have a share of that: who has used up his own is stopped alone.
    A 429 without a `Via` header did not come from Discord's API: the address is banned already.
    """

    def __init__(self, *, limit: int = LIMIT, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all = _Recent(limit)
        self._guilds = _Shares[int](max(1, limit // GUILDS_IN_LIMIT))
        self._callers = _Shares[str](max(1, limit // CALLERS_IN_LIMIT))
        self._banned_until = 0.0

    def record(self, status: int, headers: Mapping[str, str], ledger: Ledger | None = None) -> None:
        """Note an answer of Discord's API. ``ledger``: the call that asked, None outside of one."""
        if status not in _INVALID:
            return
        now = self._clock()
        if status == 429 and "Via" not in headers:
            self._banned_until = now + _seconds(headers.get("Retry-After"))
        # Limits that are shared with other bots are not held against this one.
        if status == 429 and headers.get("X-RateLimit-Scope") == "shared":
            return
        self._all.add(now)
        if ledger is not None and ledger.guild_id is not None:
            self._guilds.add(ledger.guild_id, now)
        if ledger is not None and ledger.caller_id:
            self._callers.add(ledger.caller_id, now)

    def check(self, ledger: Ledger | None = None) -> None:
        """Raises SendRefused while no request of this call may leave, with when to come back."""
        now = self._clock()
        if (seconds := self._banned_until - now) > 0:
            raise _refused("Discord's edge has banned this address for now", seconds)
        if (seconds := self._all.full_seconds(now)) > 0:
            raise _refused(
                f"Discord refused {self._all.count(now):,} requests within 10 minutes, and bans an address at 10,000. "
                "The bot's token or permissions are likely wrong",
                seconds,
            )
        if ledger is None:
            return
        if ledger.guild_id is not None and (seconds := self._guilds.full_seconds(ledger.guild_id, now)) > 0:
            raise _refused(
                f"Discord refused {self._guilds.limit:,} requests for this guild within 10 minutes. "
                "The bot's permissions there are likely wrong",
                seconds,
            )
        if (seconds := self._callers.full_seconds(ledger.caller_id, now)) > 0:
            raise _refused(
                f"Discord refused {self._callers.limit:,} requests of this caller within 10 minutes", seconds
            )

    def state(self) -> EdgeBanState:
        now = self._clock()
        ban_seconds = max(0.0, self._banned_until - now)
        return EdgeBanState(
            self._all.count(now),
            self._all.limit,
            ban_seconds > 0,
            max(ban_seconds, self._all.full_seconds(now)),
            tuple(sorted(self._guilds.full(now))),
            len(self._callers.full(now)),
        )


class _Recent:
    """The times of the answers of the last ten minutes; no more of them than the limit are kept."""

    __slots__ = ("_at", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._at: deque[float] = deque(maxlen=limit)

    def add(self, now: float) -> None:
        self._at.append(now)

    def count(self, now: float) -> int:
        while self._at and self._at[0] <= now - WINDOW_SECONDS:
            self._at.popleft()
        return len(self._at)

    def full_seconds(self, now: float) -> float:
        """For how long the limit is reached; 0 while it is not."""
        return self._at[0] + WINDOW_SECONDS - now if self.count(now) >= self.limit else 0.0


class _Shares(Generic[Key]):
    """The same for each guild or caller. Those without a refused request in the last ten minutes are forgotten."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._recent: dict[Key, _Recent] = {}
        self._tidied_at = float("-inf")

    def add(self, key: Key, now: float) -> None:
        if now - self._tidied_at >= TIDY_SECONDS:
            self._tidied_at = now
            self._recent = {key: recent for key, recent in self._recent.items() if recent.count(now)}
        if key not in self._recent:
            self._recent[key] = _Recent(self.limit)
        self._recent[key].add(now)

    def full_seconds(self, key: Key, now: float) -> float:
        recent = self._recent.get(key)
        return 0.0 if recent is None else recent.full_seconds(now)

    def full(self, now: float) -> list[Key]:
        """Who has used up his share."""
        return [key for key, recent in self._recent.items() if recent.full_seconds(now) > 0]


def _refused(why: str, retry_after_seconds: float) -> SendRefused:
    return SendRefused(f"{why}; try again in {retry_after_seconds:.0f} seconds.", retry_after_seconds)


def _seconds(retry_after: str | None) -> float:
    try:
        return max(1.0, float(retry_after or _BAN_SECONDS))
    except ValueError:
        return _BAN_SECONDS
