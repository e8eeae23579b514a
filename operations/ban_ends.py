"""When bans end: as it is asked for, told, and remembered."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from operations.base import Context
from operations.durations import spoken
from operations.outcomes import timestamp
from storage import temporary_effects
from storage.temporary_effects import EffectRecord

FOR_GOOD = "for good"


@dataclass(frozen=True, slots=True)
class Ending:
    """After a time, which counts from the execution, or at a moment; neither is never."""

    duration_seconds: int | None = None
    until: datetime.datetime | None = None

    @property
    def is_never(self) -> bool:
        return self.duration_seconds is None and self.until is None

    def ends_at(self, began_at: float) -> float | None:
        if self.until is not None:
            return self.until.timestamp()
        return None if self.duration_seconds is None else began_at + self.duration_seconds

    def told(self, now: float) -> str:
        """When it would end, were it done now."""
        ends_at = self.ends_at(now)
        if ends_at is None:
            return FOR_GOOD
        if self.duration_seconds is None:
            return timestamp(ends_at)
        return f"{spoken(self.duration_seconds)} from then on"


def said(whom: str, guild: str, end: Ending, *, banned: bool, before: str | None, now: float) -> str:
    """What is done, as the beginning of a summary. ``before``: when a ban that is there would end."""
    ends_at = end.ends_at(now)
    if ends_at is None:
        length = FOR_GOOD if banned else ""
    elif end.duration_seconds is None:
        length = f"until {timestamp(ends_at)}"
    else:
        length = f"for {spoken(end.duration_seconds)}, until about {timestamp(ends_at - ends_at % 60)}"
    if not banned:
        return f"Ban {whom} from {guild}" + (f" {length}" if length else "")
    instead = FOR_GOOD if before is None else f"until {before}"
    return f"Keep {whom} banned from {guild} {length}, instead of {instead}"


async def end_of(ctx: Context, user_id: int) -> EffectRecord | None:
    """What Guildhall itself is to end. Raises storage.database.DatabaseUnavailable."""
    installation = ctx.services.facts.snapshot.installations.get(ctx.guild.id)
    if installation is None:
        return None
    async with ctx.services.database.read() as session:
        return await temporary_effects.current(session, installation.id, user_id)
