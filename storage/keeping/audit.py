"""The audit, and how often who read what."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from sqlalchemy import select
from sqlmodel import col

from storage import audit_retention
from storage.crypto import Keyring
from storage.keeping.base import Keeper, Kept, Periods, Person, Told
from storage.paging import newest_first
from storage.session import Session
from storage.tables import ReadCount


class AuditKeeper(Keeper):
    """It is append-only: nobody's entries are erased before their time. They hold ids, names of objects, and lengths
    and keyed hashes instead of text.
    """

    tables = ("audit_event", "audit_head", "read_count")

    def kept(self, periods: Periods) -> tuple[Kept, ...]:
        return (
            Kept(
                what="The audit: who asked for what through what, and what came of it; ids and names of objects, "
                "lengths and keyed hashes instead of text",
                seconds=periods.audit_seconds,
                since="after the entry",
                erase=audit_retention.erase_older,
            ),
            Kept(
                what="How often who read with which operation on which day",
                seconds=periods.audit_seconds,
                since="after that day",
                erase=audit_retention.erase_counts,
            ),
        )

    async def data_of(self, session: Session, keyring: Keyring, person: Person) -> AsyncGenerator[Told]:
        """The counts. Entries are told by operations.platform.my_data, which knows what their requester was told."""
        his = select(ReadCount).where(
            col(ReadCount.workspace_id) == person.workspace_id, col(ReadCount.user_id) == person.user_id
        )
        keys = (ReadCount.day, ReadCount.operation, ReadCount.client_id)
        async for count in newest_first(session, his, *keys):
            yield (
                "reads",
                {"day": count.day, "operation": count.operation, "client_id": count.client_id, "count": count.count},
            )
