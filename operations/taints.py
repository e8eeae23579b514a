"""Who has read whose text: taint per workspace and person, for an hour, surviving sessions and restarts.

The mark is kept per person, not per token: a person's second token, or his next session, starts with the same taint.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from policy.model import Caller, Face
from policy.taint import TAINT_SECONDS, Source
from storage.taints import Holder

# A source read again is written again only after this long: the mark then lasts at least 55 minutes after a crash.
REFRESH_SECONDS = 300.0
# How often what has ended is dropped, of callers too who never come back.
SWEEP_SECONDS = 60.0


class Taints:
    """Marks in memory; ``unsaved`` holds what the store has not seen yet."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._marks: dict[tuple[str, int], dict[Source, float]] = {}
        self._saved: dict[tuple[str, int, Source], float] = {}
        self._swept_at = clock()
        self.unsaved: dict[tuple[str, int], set[Source]] = {}

    def load(self, stored: Mapping[Holder, Mapping[Source, float]]) -> None:
        """Marks from the store: holder -> source -> when the mark ends (seconds since the epoch)."""
        for holder, sources in stored.items():
            if holder.user_id is None:
                continue
            for source, ends_at in sources.items():
                at = ends_at - TAINT_SECONDS
                self._marks.setdefault((holder.workspace_id, holder.user_id), {})[source] = at
                self._saved[(holder.workspace_id, holder.user_id, source)] = at

    def mark(self, caller: Caller, sources: Iterable[Source]) -> None:
        # What a command answers is shown to the person in Discord, where he could read it anyway: no program gets it.
        if caller.user_id is None or caller.workspace_id is None or caller.face is Face.SLASH:
            return
        now, key = self._clock(), (caller.workspace_id, caller.user_id)
        marks = self._marks.setdefault(key, {})
        for source in sources:
            marks[source] = now
            if now - self._saved.get((*key, source), 0.0) >= REFRESH_SECONDS:
                self._saved[(*key, source)] = now
                self.unsaved.setdefault(key, set()).add(source)

    def sources(self, caller: Caller) -> frozenset[Source]:
        """What this caller has read within the hour."""
        if caller.user_id is None or caller.workspace_id is None:
            return frozenset()
        key = (caller.workspace_id, caller.user_id)
        self._drop_ended(key, self._clock() - TAINT_SECONDS)
        return frozenset(self._marks.get(key, ()))

    def _drop_ended(self, key: tuple[str, int], oldest: float) -> None:
        marks = self._marks.get(key)
        if marks is None:
            return
        for source in [source for source, at in marks.items() if at < oldest]:
            del marks[source]
            self._saved.pop((*key, source), None)
        if not marks:
            del self._marks[key]

    def take_unsaved(self) -> dict[Holder, set[Source]]:
        """What the store has to be told. Called again and again, it also forgets what has ended."""
        now = self._clock()
        if now - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = now
            for key in list(self._marks):
                self._drop_ended(key, now - TAINT_SECONDS)
        taken, self.unsaved = self.unsaved, {}
        return {Holder(workspace_id, user_id, ""): sources for (workspace_id, user_id), sources in taken.items()}

    def put_back(self, unsaved: Mapping[Holder, set[Source]]) -> None:
        """What could not be written."""
        for holder, sources in unsaved.items():
            if holder.user_id is not None:
                self.unsaved.setdefault((holder.workspace_id, holder.user_id), set()).update(sources)
