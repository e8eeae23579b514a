"""Which entries of the audit are news for a log channel, and how many of them a message tells. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from operations import stored_preview
from operations.pauses import CALLER_PAUSE
from operations.platform.audit import is_masked
from policy.model import Kind, Target, Tier
from storage.audit import AuditEntry
from storage.call_record import CallRecord, CallState

MOST_IN_A_MESSAGE = 10
"""https://discord.com/developers/docs/resources/message#create-message-jsonform-params"""
MANY = 30
"""Beyond so many, one message tells the most important of them and sums up the rest."""
ENDED = frozenset({"confirmed", "denied", "expired", "cancelled"})
POLICY = "admin:policy"


@dataclass(frozen=True, slots=True)
class Known:
    """Of an operation: what the catalogue says. ``kind`` None: it is no operation of the catalogue."""

    title: str
    scope: str = ""
    kind: Kind | None = None


Catalogue = Callable[[str], Known]


@dataclass(frozen=True, slots=True)
class News:
    """``entry``: what is told. ``opening``: the first one of its call, which says who asked for what.

    ``confirmed_by``: who confirmed a call that is told as settled. ``targets``: as its preview named them; () where
    ids alone are known. ``loosened``: what a change of policy lets through that was held before, in Guildhall's words.
    """

    entry: AuditEntry
    opening: AuditEntry
    known: Known
    confirmed_by: int | None = None
    targets: tuple[Target, ...] = ()
    revertible: bool = False
    loosened: tuple[str, ...] = ()

    @property
    def call_id(self) -> str:
        return self.entry.call_id

    @property
    def masked(self) -> bool:
        """Its caller was told of no object, so nobody is told here which ones there were."""
        return is_masked((self.entry,))

    @property
    def urgency(self) -> int:
        """The smaller, the sooner it is shown by itself where there is much."""
        if self.loosened or self.entry.operation == CALLER_PAUSE:
            return 0
        if self.entry.status in (CallState.UNKNOWN.value, CallState.DENIED.value):
            return 1
        return 2 if self.opening.tier == Tier.CRITICAL.label else 3


@dataclass(frozen=True, slots=True)
class Batch:
    """What one message tells: everything up to the place ``to`` of the chain."""

    shown: tuple[News, ...]
    summed_up: tuple[News, ...]
    to: int


def news_of(
    entries: Sequence[AuditEntry],
    calls: Mapping[str, Sequence[AuditEntry]],
    records: Mapping[str, CallRecord],
    catalogue: Catalogue,
) -> list[News]:
    """``entries`` in their order. A confirmation whose outcome is among them is told with that."""
    settled = {entry.call_id for entry in entries if entry.entry == "outcome"}
    found: list[News] = []
    for entry in entries:
        whole = calls.get(entry.call_id) or (entry,)
        opening, record, known = whole[0], records.get(entry.call_id), catalogue(entry.operation)
        if not _is_news(entry, opening, record, known):
            continue
        if entry.status == "confirmed" and entry.call_id in settled:
            continue
        found.append(
            News(
                entry,
                opening,
                known,
                confirmed_by=_confirmed_by(entry, whole),
                targets=() if record is None else stored_preview.load(record.preview).targets,
                revertible=entry.status == CallState.DONE.value
                and record is not None
                and record.state is CallState.DONE
                and record.inverse is not None,
                loosened=_loosened(entry, record, known),
            )
        )
    return found


def _loosened(entry: AuditEntry, record: CallRecord | None, known: Known) -> tuple[str, ...]:
    """As operations.platform says it in the results of changes of policy; it names rules, tiers and operations."""
    if record is None or record.result is None or known.scope != POLICY or entry.status != CallState.DONE.value:
        return ()
    result: dict[str, Any] = orjson.loads(record.result)
    return tuple(str(each) for each in result.get("loosened", ()))


def _is_news(entry: AuditEntry, opening: AuditEntry, record: CallRecord | None, known: Known) -> bool:
    if entry.entry == "outcome":
        return True
    if entry.entry != "decision":
        return False
    if entry.status == "refused":
        # Of a plan that was refused after all, its outcome tells.
        return opening.entry != "intent" and known.kind is not Kind.READ
    if entry.status in ("expired", "cancelled") and record is not None and not record.asked:
        # A dry run stored it, and nobody was asked.
        return False
    return entry.status in ENDED


def _confirmed_by(entry: AuditEntry, whole: Sequence[AuditEntry]) -> int | None:
    if entry.entry != "outcome":
        return None
    return next((each.user_id for each in whole if each.status == "confirmed"), None)


def batch_of(news: Sequence[News], looked_to: int, *, all_of_it: bool = False) -> Batch | None:
    """The next message; None where there is nothing to tell. ``looked_to``: how far the news reach.

    ``all_of_it``: up to there it was begun to be told, so that nothing is left for the next.
    """
    if not news:
        return None
    if len(news) > (MOST_IN_A_MESSAGE if all_of_it else MANY):
        first = sorted(range(len(news)), key=lambda place: (news[place].urgency, place))[: MOST_IN_A_MESSAGE - 1]
        shown = tuple(news[place] for place in sorted(first))
        return Batch(shown, tuple(each for place, each in enumerate(news) if place not in first), looked_to)
    if len(news) <= MOST_IN_A_MESSAGE:
        return Batch(tuple(news), (), looked_to)
    shown = tuple(news[:MOST_IN_A_MESSAGE])
    return Batch(shown, (), shown[-1].entry.seq or looked_to)


def counted(news: Sequence[News]) -> list[tuple[tuple[str, str, int | None], int]]:
    """How often what (status, operation) was asked for by whom, the most frequent first."""
    return Counter((each.entry.status, each.entry.operation, each.opening.user_id) for each in news).most_common()
