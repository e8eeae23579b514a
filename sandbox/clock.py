"""The wall clock, which seeding may set back for a moment."""

from __future__ import annotations

import datetime
from collections.abc import Generator
from contextlib import contextmanager

from sandbox.internals import Clock


class WallClock(Clock):
    """Real time in UTC. Ids and timestamps derive from it, so history made under `at` lies truly in the past."""

    def __init__(self) -> None:
        super().__init__()
        self._set_to: datetime.datetime | None = None

    def now(self) -> datetime.datetime:
        return self._set_to or datetime.datetime.now(datetime.UTC)

    @contextmanager
    def at(self, moment: datetime.datetime) -> Generator[None]:
        """Let what is made inside happen at `moment` (aware). Only for code that doesn't await."""
        before, self._set_to = self._set_to, moment
        try:
            yield
        finally:
            self._set_to = before
