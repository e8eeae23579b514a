"""Cases of moderation: what moderators did or were told, numbered within an installation, without gaps.

Texts are sealed here and opened here: what others see of a case is decided by whoever reads it (operations.cases).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlmodel import col

from storage import row_ids
from storage.session import Session, keyring_of
from storage.tables import Case, CaseBook, CaseNote
from storage.upserts import insert_into


class CaseKind(StrEnum):
    WARN = "warn"
    NOTE = "note"
    REPORT = "report"
    TIMEOUT = "timeout"
    TIMEOUT_REMOVE = "timeout_remove"
    KICK = "kick"
    BAN = "ban"
    UNBAN = "unban"
    PURGE = "purge"
    LOCK = "lock"
    UNLOCK = "unlock"


class CaseState(StrEnum):
    """OPEN waits for a moderator, as reports do at first; what is done or recorded is CLOSED."""

    OPEN = "open"
    CLOSED = "closed"


class Notice(StrEnum):
    """What became of the direct message to the member. UNKNOWN: Discord's answer was lost."""

    NONE = ""
    SENT = "sent"
    CLOSED = "closed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class NewCase:
    """See storage.tables.Case. ``moderator_id`` wrote ``reason``."""

    installation_id: str
    kind: CaseKind
    created_at: float
    user_id: int | None = None
    moderator_id: int | None = None
    reason: str = ""
    channel_id: int | None = None
    message_id: int | None = None
    notice: Notice = Notice.NONE
    call_id: str | None = None
    discord_entry_id: int | None = None
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """One case with its text open."""

    id: str
    installation_id: str
    number: int
    kind: CaseKind
    state: CaseState
    created_at: float
    user_id: int | None
    moderator_id: int | None
    reason: str
    reason_by: int | None
    channel_id: int | None
    message_id: int | None
    notice: Notice
    call_id: str | None
    discord_entry_id: int | None
    expires_at: float | None
    edited_at: float | None
    edited_by: int | None
    closed_at: float | None
    closed_by: int | None


@dataclass(frozen=True, slots=True)
class NoteRecord:
    """What somebody added to a case."""

    author_id: int | None
    text: str
    written_at: float


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """Cases of an installation, newest first. ``before``: only smaller numbers."""

    installation_id: str
    user_id: int | None = None
    kind: CaseKind | None = None
    state: CaseState | None = None
    before: int | None = None
    limit: int = 25


# ------------------------------------------------------------------- writing
async def add(session: Session, case: NewCase) -> int:
    """The number of the new case. The next one waits until this transaction has ended."""
    number = await _take_number(session, case.installation_id, 1)
    is_open = case.kind is CaseKind.REPORT
    await session.execute(
        insert(Case).values(
            id=row_ids.new("cs"),
            installation_id=case.installation_id,
            number=number,
            kind=case.kind.value,
            state=(CaseState.OPEN if is_open else CaseState.CLOSED).value,
            user_id=case.user_id,
            moderator_id=case.moderator_id,
            reason=_sealed(session, case.reason),
            reason_by=case.moderator_id if case.reason else None,
            channel_id=case.channel_id,
            message_id=case.message_id,
            notice=case.notice.value,
            call_id=case.call_id,
            discord_entry_id=case.discord_entry_id,
            created_at=case.created_at,
            expires_at=case.expires_at,
            closed_at=None if is_open else case.created_at,
        )
    )
    return number


async def add_once(session: Session, case: NewCase) -> int | None:
    """The same for an entry of Discord's audit log; None when it is a case already."""
    # Whoever looks at the entries of an installation does so alone, so that no number is taken in vain.
    await lock(session, case.installation_id)
    known = await session.scalar(
        select(col(Case.number)).where(
            col(Case.installation_id) == case.installation_id,
            col(Case.discord_entry_id) == case.discord_entry_id,
        )
    )
    return await add(session, case) if known is None else None


async def lock(session: Session, installation_id: str) -> None:
    """Until this transaction has ended nobody else adds a case to the installation."""
    await _take_number(session, installation_id, 0)


async def _take_number(session: Session, installation_id: str, step: int) -> int:
    statement = insert_into(session, CaseBook).values(
        installation_id=installation_id, last_number=step, seen_entry_id=0
    )
    taken = statement.on_conflict_do_update(
        index_elements=["installation_id"], set_={"last_number": col(CaseBook.last_number) + step}
    ).returning(col(CaseBook.last_number))
    return (await session.execute(taken)).scalar_one()


@dataclass(frozen=True, slots=True)
class CaseEdit:
    """What changes; None leaves it. ``seen_at``: when the case was last edited as its editor saw it."""

    case_id: str
    by: int | None
    at: float
    seen_at: float | None
    reason: str | None = None
    state: CaseState | None = None


async def edit(session: Session, change: CaseEdit) -> bool:
    """False when the case has changed since it was looked at, or is gone."""
    values: dict[str, object] = {"edited_at": change.at, "edited_by": change.by}
    if change.reason is not None:
        values["reason"] = _sealed(session, change.reason)
        values["reason_by"] = change.by if change.reason else None
    if change.state is not None:
        closed = change.state is CaseState.CLOSED
        values["state"] = change.state.value
        values["closed_at"] = change.at if closed else None
        values["closed_by"] = change.by if closed else None
    seen = col(Case.edited_at)
    found = await session.scalar(
        update(Case)
        .where(
            col(Case.id) == change.case_id,
            seen.is_(None) if change.seen_at is None else seen == change.seen_at,
        )
        .values(**values)
        .returning(col(Case.id))
        .execution_options(synchronize_session=False)
    )
    return found is not None


async def add_note(session: Session, case_id: str, author_id: int | None, text: str, now: float) -> None:
    await session.execute(
        insert(CaseNote).values(
            id=row_ids.new("cn"),
            case_id=case_id,
            author_id=author_id,
            text=_sealed(session, text),
            written_at=now,
        )
    )


# ------------------------------------------------------------------- looking
async def get(session: Session, installation_id: str, number: int) -> CaseRecord | None:
    """Raises storage.crypto.Unreadable."""
    row = await session.scalar(
        select(Case).where(col(Case.installation_id) == installation_id, col(Case.number) == number)
    )
    return None if row is None else _record(session, row)


async def page(session: Session, query: CaseQuery) -> list[CaseRecord]:
    """Raises storage.crypto.Unreadable."""
    wanted: list[ColumnElement[bool]] = [col(Case.installation_id) == query.installation_id]
    if query.user_id is not None:
        wanted.append(col(Case.user_id) == query.user_id)
    if query.kind is not None:
        wanted.append(col(Case.kind) == query.kind.value)
    if query.state is not None:
        wanted.append(col(Case.state) == query.state.value)
    if query.before is not None:
        wanted.append(col(Case.number) < query.before)
    rows = await session.scalars(select(Case).where(*wanted).order_by(col(Case.number).desc()).limit(query.limit))
    return [_record(session, row) for row in rows]


async def notes(session: Session, case_id: str) -> list[NoteRecord]:
    """Oldest first. Raises storage.crypto.Unreadable."""
    rows = await session.scalars(
        select(CaseNote).where(col(CaseNote.case_id) == case_id).order_by(col(CaseNote.written_at), col(CaseNote.id))
    )
    return [NoteRecord(row.author_id, _opened(session, row.text), row.written_at) for row in rows]


async def totals(session: Session, installation_id: str, user_id: int) -> dict[CaseKind, int]:
    """How many cases of each kind there are about somebody."""
    rows = await session.execute(
        select(col(Case.kind), func.count())
        .where(col(Case.installation_id) == installation_id, col(Case.user_id) == user_id)
        .group_by(col(Case.kind))
    )
    found = {CaseKind(kind): count for kind, count in rows.all()}
    return {kind: found[kind] for kind in CaseKind if kind in found}


async def reports_by(session: Session, installation_id: str, reporter_id: int, since: float) -> list[float]:
    """When somebody reported something since then, oldest first."""
    rows = await session.scalars(
        select(col(Case.created_at))
        .where(*_reported(installation_id, reporter_id), col(Case.created_at) > since)
        .order_by(col(Case.created_at))
    )
    return list(rows)


async def has_open_report(
    session: Session, installation_id: str, reporter_id: int, *, user_id: int | None, message_id: int | None
) -> bool:
    """Whether what he reported before about the same message, or the same member, still waits."""
    same_message = col(Case.message_id).is_(None) if message_id is None else col(Case.message_id) == message_id
    found = await session.scalar(
        select(col(Case.id))
        .where(
            *_reported(installation_id, reporter_id),
            col(Case.state) == CaseState.OPEN.value,
            col(Case.user_id).is_(None) if user_id is None else col(Case.user_id) == user_id,
            same_message,
        )
        .limit(1)
    )
    return found is not None


def _reported(installation_id: str, reporter_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Case.installation_id) == installation_id,
        col(Case.kind) == CaseKind.REPORT.value,
        col(Case.moderator_id) == reporter_id,
    )


# --------------------------------------------------------- Discord's audit log
async def seen_entry(session: Session, installation_id: str) -> int | None:
    """The newest entry of Discord's audit log that was looked at; None: none ever."""
    seen = await session.scalar(
        select(col(CaseBook.seen_entry_id)).where(col(CaseBook.installation_id) == installation_id)
    )
    return seen or None


async def saw_entry(session: Session, installation_id: str, entry_id: int) -> None:
    """Remembers it, unless a newer one was looked at."""
    await lock(session, installation_id)
    await session.execute(
        update(CaseBook)
        .where(col(CaseBook.installation_id) == installation_id, col(CaseBook.seen_entry_id) < entry_id)
        .values(seen_entry_id=entry_id)
        .execution_options(synchronize_session=False)
    )


# -------------------------------------------------------------------- sealing
def _sealed(session: Session, text: str) -> bytes:
    return keyring_of(session).seal(text) if text else b""


def _opened(session: Session, sealed: bytes) -> str:
    return keyring_of(session).open(sealed) if sealed else ""


def _record(session: Session, row: Case) -> CaseRecord:
    return CaseRecord(
        id=row.id,
        installation_id=row.installation_id,
        number=row.number,
        kind=CaseKind(row.kind),
        state=CaseState(row.state),
        created_at=row.created_at,
        user_id=row.user_id,
        moderator_id=row.moderator_id,
        reason=_opened(session, row.reason),
        reason_by=row.reason_by,
        channel_id=row.channel_id,
        message_id=row.message_id,
        notice=Notice(row.notice),
        call_id=row.call_id,
        discord_entry_id=row.discord_entry_id,
        expires_at=row.expires_at,
        edited_at=row.edited_at,
        edited_by=row.edited_by,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
    )
