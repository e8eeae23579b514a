"""When Python's garbage collector runs: not while guilds arrive, and afterwards not over what stays."""

from __future__ import annotations

import asyncio
import gc
from types import TracebackType
from typing import Self

from operations.events import Event, EventHub, GuildReady

QUIET_SECONDS = 6.0
"""Longer than the 5 seconds between two shards' IDENTIFY, so that a start of many shards is settled once."""
PATIENCE_SECONDS = 60.0
# Measured: with these, and everything from the start frozen, no pause is long enough to show in the tail.
THRESHOLDS = (20_000, 20, 1_000)


class GarbagePauses:
    """Collection is off from entering until the guilds are in; then everything is collected once and frozen.

    After each further session the guilds are built anew: the frozen ones would never be freed, so they are thawed,
    collected and frozen again. ``async with``; leaving restores what was.
    """

    def __init__(
        self, hub: EventHub, *, quiet_seconds: float = QUIET_SECONDS, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._quiet_seconds = quiet_seconds
        self._patience_seconds = patience_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._latest_at = 0.0
        self._arriving = False
        self._before = gc.get_threshold()
        self.settled = asyncio.Event()
        hub.listen(self._on_event)

    async def __aenter__(self) -> Self:
        self._before = gc.get_threshold()
        self._begin()
        self._settle_after(self._patience_seconds)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._arriving = False
        gc.unfreeze()
        gc.set_threshold(*self._before)
        gc.enable()

    def session_started(self) -> None:
        """READY: guilds are about to arrive."""
        self._begin()
        self._settle_after(self._quiet_seconds)

    def settle(self) -> None:
        """Collect and freeze now. For a start without a gateway, where no guild arrives."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._arriving = False
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)
        gc.enable()
        self.settled.set()

    def _on_event(self, event: Event) -> None:
        if self._arriving and isinstance(event, GuildReady):
            self._settle_after(self._quiet_seconds)

    def _begin(self) -> None:
        if not self._arriving:
            self._arriving = True
            self._latest_at = asyncio.get_running_loop().time() + self._patience_seconds
            self.settled.clear()
        gc.disable()

    def _settle_after(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(min(loop.time() + seconds, self._latest_at), self.settle)
