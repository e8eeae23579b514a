"""Cases of moderation, effects that end by themselves, and locks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection

from sqlalchemy import Select, delete, select, update
from sqlmodel import col

from storage import temporary_effects
from storage.call_record import unseal
from storage.cases import CaseKind, Notice
from storage.crypto import Keyring
from storage.keeping.base import Keeper, Kept, Periods, Person, Told
from storage.paging import newest_first
from storage.session import Session
from storage.tables import Case, CaseNote, ChannelLock, GuildInstallation

# What moderators record of a member for themselves, or were told of him: he never learns of it.
FOR_MODERATORS = (CaseKind.NOTE.value, CaseKind.REPORT.value)


class CaseKeeper(Keeper):
    """A case belongs to the guild. Of what somebody wrote himself, only his reports are his: reasons and notes of
    moderators are the guild's record, also where their writer wants to be forgotten. A case holds no text of messages.
    """

    tables = ("case_book", "case", "case_note", "temporary_effect", "channel_lock")

    def kept(self, periods: Periods) -> tuple[Kept, ...]:
        return (
            Kept(
                what="Cases of moderation: whom, by whom, when, and why (encrypted)",
                until="until the guild's data goes; what you reported yourself also when you ask to be forgotten",
            ),
            Kept(
                what="Bans that end by themselves",
                seconds=periods.inverses_seconds,
                since="after they have ended",
                erase=temporary_effects.erase_settled,
            ),
            Kept(
                what="What a lock changed in a channel",
                until="until the channel is unlocked or deleted, or the guild's data goes",
            ),
        )

    async def channels_deleted(
        self, session: Session, keyring: Keyring, channel_ids: Collection[int], now: float
    ) -> int:
        gone = await session.scalars(
            delete(ChannelLock)
            .where(col(ChannelLock.channel_id).in_(channel_ids))
            .returning(col(ChannelLock.channel_id))
            .execution_options(synchronize_session=False)
        )
        return len(gone.all())

    async def person_forgotten(
        self, session: Session, keyring: Keyring, person: Person, asked_at: float, now: float
    ) -> dict[str, int]:
        stripped = await session.scalars(
            update(Case)
            .where(
                col(Case.installation_id).in_(_installations(person)),
                col(Case.kind) == CaseKind.REPORT.value,
                col(Case.reason_by) == person.user_id,
                col(Case.created_at) <= asked_at,
            )
            .values(reason=b"", reason_by=None)
            .returning(col(Case.id))
            .execution_options(synchronize_session=False)
        )
        return {"reports_erased": len(stripped.all())}

    async def data_of(self, session: Session, keyring: Keyring, person: Person) -> AsyncGenerator[Told]:
        """Of cases about him what he was told; of what he wrote, all."""
        here = col(Case.installation_id).in_(_installations(person))
        about = select(Case).where(here, col(Case.user_id) == person.user_id, col(Case.kind).not_in(FOR_MODERATORS))
        async for row in newest_first(session, about, Case.created_at, Case.id):
            told = unseal(keyring, row.reason) if row.notice == Notice.SENT.value else ""
            yield "cases_about_you", _case(row) | {"reason": told or None, "expires_at": row.expires_at}
        written = select(Case).where(here, col(Case.reason_by) == person.user_id)
        async for row in newest_first(session, written, Case.created_at, Case.id):
            about_whom = {"member_id": _id(row.user_id), "reason": unseal(keyring, row.reason) or None}
            yield "cases_you_wrote", _case(row) | about_whom
        notes = (
            select(CaseNote)
            .join(Case, col(Case.id) == col(CaseNote.case_id))
            .where(here, col(CaseNote.author_id) == person.user_id)
        )
        async for note in newest_first(session, notes, CaseNote.written_at, CaseNote.id):
            yield "case_notes_you_wrote", {"text": unseal(keyring, note.text), "written_at": note.written_at}

    async def data_of_guild(
        self, session: Session, keyring: Keyring, installation_id: str, reader_id: int | None
    ) -> AsyncGenerator[Told]:
        cases = select(Case).where(col(Case.installation_id) == installation_id)
        async for row in newest_first(session, cases, Case.number):
            withheld = row.kind in FOR_MODERATORS and row.user_id is not None and row.user_id == reader_id
            told = _case(row) | {"member_id": _id(row.user_id), "state": row.state, "expires_at": row.expires_at}
            if withheld:
                # Nobody learns from here what was recorded about himself.
                yield "cases", told | {"withheld": True}
                continue
            told |= {
                "by": _id(row.moderator_id),
                "reason": unseal(keyring, row.reason) or None,
                "channel_id": _id(row.channel_id),
                "message_id": _id(row.message_id),
                "call_id": row.call_id,
            }
            notes = await session.execute(
                select(col(CaseNote.author_id), col(CaseNote.text), col(CaseNote.written_at))
                .where(col(CaseNote.case_id) == row.id)
                .order_by(col(CaseNote.written_at), col(CaseNote.id))
            )
            told["notes"] = [
                {"by": _id(author_id), "text": unseal(keyring, text), "written_at": written_at}
                for author_id, text, written_at in notes.all()
            ]
            yield "cases", told


def _installations(person: Person) -> Select[str]:
    return select(col(GuildInstallation.id)).where(col(GuildInstallation.workspace_id) == person.workspace_id)


def _case(row: Case) -> dict[str, object]:
    return {"case": row.number, "kind": row.kind, "created_at": row.created_at}


def _id(value: int | None) -> str | None:
    return None if value is None else str(value)
