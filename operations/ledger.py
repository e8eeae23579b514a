"""The permission to send: what the HTTP guard asks before a request leaves.

Every phase of a call opens a ledger; only an open one of phase ``execute`` or ``system`` lets a write pass. It is
closed when the phase ends, since tasks that leak out of it inherit the context variable.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

Phase = Literal["read", "preview", "execute", "system"]


class SendRefused(Exception):
    """The guard kept a request from leaving. Nothing was sent."""


class OutcomeUnknown(Exception):
    """A request whose repetition has an effect was about to be sent a second time: whether the first took effect is
    unknown.
    """


@dataclass(slots=True)
class Ledger:
    """One phase of one call. Mutable on purpose: tasks copy the context, not this.

    ``sent``: writes whose headers left this process and were not refused with their body; ``done``: those that Discord
    answered with success. ``reads``: requests by GET.
    ``sends``: how often the answer to a (method, path) was lost.
    """

    phase: Phase
    call_id: str
    caller_id: str = ""
    guild_id: int | None = None
    open: bool = True
    sent: int = 0
    done: int = 0
    reads: int = 0
    sends: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    @property
    def may_write(self) -> bool:
        return self.open and self.phase in ("execute", "system")


LEDGER: ContextVar[Ledger | None] = ContextVar("ledger", default=None)


@contextlib.contextmanager
def phase(name: Phase, call_id: str, *, caller_id: str = "", guild_id: int | None = None) -> Generator[Ledger]:
    ledger = Ledger(name, call_id, caller_id, guild_id)
    token = LEDGER.set(ledger)
    try:
        yield ledger
    finally:
        ledger.open = False
        LEDGER.reset(token)
