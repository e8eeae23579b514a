"""For /status: what is paused in a guild, and how that is ended."""

from __future__ import annotations

import time

from cogs.card_text import code
from operations.outcomes import sentence
from operations.pauses import held
from policy.pauses import scope_of
from storage.facts import PlatformFacts

CALLERS_SHOWN = 5


class PauseConcern:
    def __init__(self, facts: PlatformFacts) -> None:
        self._facts = facts

    async def __call__(self, guild_id: int) -> str | None:
        """None while nothing is."""
        snapshot = self._facts.snapshot
        installation = snapshot.installations.get(guild_id)
        if installation is None:
            return None
        everybody = held(self._facts, guild_id)
        said = [] if everybody is None else [sentence(everybody.reason, everybody.remedy)]
        callers, now = scope_of(installation.id, ""), time.time()
        paused = sorted(
            scope.removeprefix(callers)
            for scope, pause in snapshot.pauses.items()
            if scope.startswith(callers) and pause.holds(now)
        )
        if paused:
            named = ", ".join(code(each, 60) for each in paused[:CALLERS_SHOWN])
            more = f" and {len(paused) - CALLERS_SHOWN} more" if len(paused) > CALLERS_SHOWN else ""
            said.append(f"Paused by itself after a burst: {named}{more}. `/resume client:` ends that.")
        return " ".join(said) or None
