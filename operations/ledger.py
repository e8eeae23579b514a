"""The permission to send: what the HTTP guard asks before a request leaves.

Every phase of a call opens a ledger; only an open one of phase ``execute``, ``system`` or ``reply`` lets a write pass.
It is closed when the phase ends, since tasks that leak out of it inherit the context variable.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

Phase = Literal["read", "preview", "execute", "system", "reply"]
"""``reply``: the assistant's own answer, which may be written and edited in one channel, and nothing else."""


class Priority(IntEnum):
    """Whose requests leave first where several wait; the smaller, the sooner."""

    FIRST = 0
    """What was confirmed, moderation, and what the system itself has to say."""
    REPLY = 1
    READ = 2
    EDIT = 3
    TYPING = 4
    NOTICE = 5
    """What log channels are told: everybody else comes first, and it comes in the end."""


DEFAULT_PRIORITIES: dict[Phase, Priority] = {
    "read": Priority.READ,
    "preview": Priority.READ,
    "execute": Priority.REPLY,
    "system": Priority.FIRST,
    "reply": Priority.REPLY,
}


class SendRefused(Exception):
    """The guard kept a request from leaving. Nothing was sent.

    ``retry_after_seconds``: when it may be tried again; None where time mends nothing.
    """

    def __init__(self, text: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


class OutcomeUnknown(Exception):
    """A request whose repetition has an effect was about to be sent a second time: whether the first took effect is
    unknown.
    """


@dataclass(slots=True)
class Ledger:
    """One phase of one call. Mutable on purpose: tasks copy the context, not this.

    ``caller_id``, ``guild_id``: whose share of Discord's limits its requests use; empty and None for the system's own.
    ``sent``: writes whose headers left this process and were not refused with their body; ``done``: those that Discord
    answered with success. ``reads``: requests by GET.
    ``sends``: how often the answer to a (method, path) was lost.
    ``channel_id``: of phase ``reply``: the one channel that may be written to.
    """

    phase: Phase
    call_id: str
    caller_id: str = ""
    guild_id: int | None = None
    priority: Priority = Priority.READ
    open: bool = True
    sent: int = 0
    done: int = 0
    reads: int = 0
    sends: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    channel_id: int | None = None

    @property
    def may_write(self) -> bool:
        return self.open and self.phase in ("execute", "system", "reply")

    def covers(self, method: str, path: str) -> bool:
        """Whether a write is of the kind that this phase is for; ``path`` from after the API's version."""
        if self.phase != "reply":
            return True
        return (method, path.removeprefix(f"/channels/{self.channel_id}/")) in _REPLIES or (
            method == "PATCH" and re.fullmatch(rf"/channels/{self.channel_id}/messages/\d+", path) is not None
        )


# Sending, and the typing indicator; editing is told by its path.
_REPLIES = frozenset({("POST", "messages"), ("POST", "typing")})

LEDGER: ContextVar[Ledger | None] = ContextVar("ledger", default=None)


@contextlib.contextmanager
def phase(
    name: Phase,
    call_id: str,
    *,
    caller_id: str = "",
    guild_id: int | None = None,
    priority: Priority | None = None,
    channel_id: int | None = None,
) -> Generator[Ledger]:
    """``priority`` None: the phase's own. ``channel_id``: where a reply goes."""
    if priority is None:
        priority = DEFAULT_PRIORITIES[name]
    ledger = Ledger(name, call_id, caller_id, guild_id, priority, channel_id=channel_id)
    token = LEDGER.set(ledger)
    try:
        yield ledger
    finally:
        ledger.open = False
        LEDGER.reset(token)


def charge_to(guild_id: int) -> None:
    """From here on the requests of this phase use the share of this guild: it was not known when the phase began."""
    ledger = LEDGER.get()
    if ledger is not None:
        ledger.guild_id = guild_id
