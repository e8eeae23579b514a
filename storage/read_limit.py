"""How often reads may come: sliding windows counted in memory, so that a read never waits for a network."""

from __future__ import annotations

WINDOW_SECONDS = 60.0

Key = str | int


class ReadLimit:
    """At most ``limit`` hits a key in any minute, estimated from two fixed windows.

    The estimate is the count of this window and the share of the last one that the sliding minute still covers
    (https://blog.cloudflare.com/counting-things-a-lot-of-different-things). Windows begin at whole minutes of the
    epoch, so that processes can add up their counts: ``take_unshared`` says what was hit here since it was last asked,
    ``learn_total`` what all processes have hit together. ``now`` is seconds since the epoch.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._window = -1
        self._current: dict[Key, int] = {}
        self._previous: dict[Key, int] = {}
        self._unshared: dict[Key, int] = {}

    def hit(self, key: Key, now: float) -> float:
        """Counts one and returns 0.0; or counts nothing and returns for how many seconds to wait."""
        wait = self.peek(key, now)
        if not wait:
            self._current[key] = self._current.get(key, 0) + 1
            self._unshared[key] = self._unshared.get(key, 0) + 1
        return wait

    def peek(self, key: Key, now: float) -> float:
        """What ``hit`` would return, without counting."""
        window = int(now // WINDOW_SECONDS)
        if window != self._window:
            self._roll(window)
        count, before = self._current.get(key, 0), self._previous.get(key, 0)
        # Far from the limit, which is where almost all reads are, nothing need be weighed.
        if count + before < self.limit:
            return 0.0
        passed = now - window * WINDOW_SECONDS
        if count + before * (1.0 - passed / WINDOW_SECONDS) <= self.limit - 1:
            return 0.0
        return _wait_seconds(count, before, passed, self.limit)

    def take_unshared(self, now: float) -> tuple[int, dict[Key, int]]:
        """The number of the window, and what was hit in it here since the last call."""
        window = int(now // WINDOW_SECONDS)
        if window != self._window:
            self._roll(window)
        taken, self._unshared = self._unshared, {}
        return self._window, taken

    def give_back(self, window: int, counts: dict[Key, int]) -> None:
        """Undoes ``take_unshared``: the counts could not be shared."""
        if window == self._window:
            for key, count in counts.items():
                self._unshared[key] = self._unshared.get(key, 0) + count

    def learn_total(self, window: int, key: Key, total: int) -> None:
        """What all processes have hit in this window, what was not shared yet aside."""
        if window == self._window:
            self._current[key] = total + self._unshared.get(key, 0)

    def _roll(self, window: int) -> None:
        self._previous = self._current if window == self._window + 1 else {}
        self._current = {}
        self._unshared = {}
        self._window = window


def _wait_seconds(count: int, before: int, passed: float, limit: int) -> float:
    """Until one more hit fits into the sliding minute."""
    room = limit - 1
    if count <= room and before:
        # Within this window: as the last one slides out.
        return max(WINDOW_SECONDS * (1.0 - (room - count) / before) - passed, 0.001)
    # Within the next window, where this one is the last.
    share = room / count if count else 1.0
    return max(WINDOW_SECONDS - passed + WINDOW_SECONDS * (1.0 - min(share, 1.0)), 0.001)
