"""The audit: entries appended in the caller's transaction, read by call; counts of allowed reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, NamedTuple, cast

from sqlalchemy import bindparam, exists, insert, not_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from policy.model import CallerKind, Face
from storage import upserts
from storage.session import Session
from storage.tables import AuditEvent, ReadCount, metadata

EntryKind = Literal["intent", "decision", "outcome", "note"]

EVENT = metadata.tables["audit_event"]
# Built once: it is part of every write.
_EARLIER = EVENT.alias("earlier")
_OPENING = not_(exists().where(_EARLIER.c.call_id == bindparam("this_call_id")))
_APPEND = insert(EVENT).values(opening=_OPENING)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry. ``arguments`` is redacted JSON; ``outward_step`` is the step that the caller was told.

    Given by storage: ``id`` (the position), and ``seq``, the place in the chain of its workspace, a moment later.
    """

    call_id: str
    entry: EntryKind
    at: float
    workspace_id: str
    installation_id: str | None = None
    guild_id: int | None = None
    channel_id: int | None = None
    caller_kind: CallerKind
    face: Face
    client_id: str
    user_id: int | None = None
    operation: str
    tier: str
    arguments: str = "{}"
    step: str = ""
    code: str = ""
    reason: str = ""
    outward_step: str = ""
    status: str = ""
    target_ids: tuple[int, ...] = ()
    error_code: int | None = None
    duration_ms: float | None = None
    id: int | None = None
    seq: int | None = None


_PLAIN_FIELDS = [
    field.name for field in fields(AuditEntry) if field.name not in {"id", "seq", "caller_kind", "face", "target_ids"}
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Which calls to list. ``before`` is the cursor of the page before; ``status`` that of any entry of the call."""

    workspace_id: str
    guild_id: int | None = None
    user_id: int | None = None
    operation: str | None = None
    status: str | None = None
    call_id: str | None = None
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class AuditPage:
    """``calls``: newest first, each with all of its entries, oldest first. ``next_before`` None: nothing older."""

    calls: tuple[tuple[AuditEntry, ...], ...]
    next_before: int | None


class ReadKey(NamedTuple):
    """``day`` is ``YYYY-MM-DD`` in UTC; ``user_id`` None is nobody."""

    workspace_id: str
    client_id: str
    user_id: int | None
    operation: str
    day: str


async def append(session: Session, *entries: AuditEntry) -> None:
    """Writes entries, outside of the chain for now: Chain takes them in right after the commit."""
    for entry in entries:
        values = {name: getattr(entry, name) for name in _PLAIN_FIELDS}
        values |= {
            "this_call_id": entry.call_id,
            "caller_kind": entry.caller_kind.value,
            "face": entry.face.value,
            "target_ids": json.dumps(entry.target_ids, separators=(",", ":")),
        }
        await session.execute(_APPEND, values)


async def page(session: Session, query: AuditQuery) -> AuditPage:
    """Calls newest first, by when they began; the cost is that of the page, not of the history."""
    conditions = [col(AuditEvent.workspace_id) == query.workspace_id, col(AuditEvent.opening).is_(True)]
    wanted = (
        (col(AuditEvent.guild_id), query.guild_id),
        (col(AuditEvent.user_id), query.user_id),
        (col(AuditEvent.operation), query.operation),
        (col(AuditEvent.call_id), query.call_id),
    )
    conditions += [column == value for column, value in wanted if value is not None]
    if query.before is not None:
        conditions.append(col(AuditEvent.id) < query.before)
    if query.status is not None:
        other = aliased(AuditEvent)
        conditions.append(
            exists().where(col(other.call_id) == col(AuditEvent.call_id), col(other.status) == query.status)
        )
    found = await session.execute(
        select(col(AuditEvent.id), col(AuditEvent.call_id))
        .where(*conditions)
        .order_by(col(AuditEvent.id).desc())
        .limit(query.limit + 1)
    )
    openings = found.all()
    shown = openings[: query.limit]
    more = len(openings) > query.limit
    entries = await of_calls(session, query.workspace_id, [call_id for _, call_id in shown])
    return AuditPage(
        calls=tuple(tuple(entries[call_id]) for _, call_id in shown),
        next_before=shown[-1][0] if more else None,
    )


async def count_reads(session: Session, counts: Mapping[ReadKey, int]) -> None:
    """Adds to the counts of allowed reads."""
    rows = [
        {**key._asdict(), "user_id": key.user_id or 0, "count": count} for key, count in sorted(counts.items(), key=str)
    ]
    if not rows:
        return
    statement = upserts.insert_into(session, ReadCount)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["workspace_id", "client_id", "user_id", "operation", "day"],
            set_={"count": col(ReadCount.count) + statement.excluded.count},
        ),
        rows,
    )


async def read_counts(session: Session, workspace_id: str, *, since_day: str) -> dict[ReadKey, int]:
    """The counts of a workspace from this day (``YYYY-MM-DD``) on."""
    rows = await session.scalars(
        select(ReadCount).where(col(ReadCount.workspace_id) == workspace_id, col(ReadCount.day) >= since_day)
    )
    return {
        ReadKey(row.workspace_id, row.client_id, row.user_id or None, row.operation, row.day): row.count for row in rows
    }


async def entries(session: Session, workspace_id: str, call_id: str) -> tuple[AuditEntry, ...]:
    """The entries of one call, oldest first; () when this workspace has none."""
    return tuple((await of_calls(session, workspace_id, [call_id]))[call_id])


async def of_calls(session: Session, workspace_id: str, call_ids: list[str]) -> dict[str, list[AuditEntry]]:
    """The entries of several calls, each call's oldest first; none of a call that this workspace has not."""
    found: dict[str, list[AuditEntry]] = {call_id: [] for call_id in call_ids}
    rows = await session.scalars(
        select(AuditEvent)
        .where(col(AuditEvent.workspace_id) == workspace_id, col(AuditEvent.call_id).in_(call_ids))
        .order_by(col(AuditEvent.id))
        .execution_options(populate_existing=True)
    )
    for row in rows:
        found[row.call_id].append(entry_of(row))
    return found


def entry_of(row: AuditEvent) -> AuditEntry:
    """A row as an entry."""
    return AuditEntry(
        call_id=row.call_id,
        entry=cast(EntryKind, row.entry),
        at=row.at,
        workspace_id=row.workspace_id,
        installation_id=row.installation_id,
        guild_id=row.guild_id,
        channel_id=row.channel_id,
        caller_kind=CallerKind(row.caller_kind),
        face=Face(row.face),
        client_id=row.client_id,
        user_id=row.user_id,
        operation=row.operation,
        tier=row.tier,
        arguments=row.arguments,
        step=row.step,
        code=row.code,
        reason=row.reason,
        outward_step=row.outward_step,
        status=row.status,
        target_ids=tuple(json.loads(row.target_ids)),
        error_code=row.error_code,
        duration_ms=row.duration_ms,
        id=row.id,
        seq=row.seq,
    )
