"""Cases of moderation, and effects that end by themselves."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, Integer, LargeBinary, String, text
from sqlmodel import Field

from storage.tables.base import Table

AWAITED = text("state IN ('waiting', 'ending')")


def _installation(*, primary_key: bool = False) -> Column[str]:
    return Column(
        String,
        ForeignKey("guild_installation.id", ondelete="CASCADE"),
        nullable=False,
        primary_key=primary_key,
    )


class CaseBook(Table, table=True):
    """How far an installation's cases go: ``last_number`` was given last.

    ``seen_entry_id``: the newest entry of Discord's audit log that was looked at (0: none yet).
    """

    installation_id: str = Field(sa_column=_installation(primary_key=True))
    last_number: int = Field(sa_type=Integer)
    seen_entry_id: int = Field(sa_type=BigInteger)


class Case(Table, table=True):
    """One thing that moderators did or were told, numbered within its installation. See storage.cases.

    ``user_id``: whom it is about (None: nobody in particular). ``moderator_id``: who did or reported it (None: unknown,
    or automatic). ``reason`` is sealed; ``reason_by`` wrote it. ``channel_id``, ``message_id``: what was reported or
    warned of. ``expires_at``: when a temporary effect ends. ``notice``: what became of the message to the member ('':
    none was wanted). ``call_id``: the call of Guildhall that made it; ``discord_entry_id``: the entry of Discord's
    audit log that it was taken from.
    """

    __table_args__ = (
        Index("uq_case_installation_id_number", "installation_id", "number", unique=True),
        Index("uq_case_installation_id_discord_entry_id", "installation_id", "discord_entry_id", unique=True),
        Index("ix_case_installation_id_user_id_number", "installation_id", "user_id", "number"),
        Index("ix_case_call_id", "call_id"),
        Index("ix_case_reason_by", "reason_by"),
    )

    id: str = Field(primary_key=True, sa_type=String)
    installation_id: str = Field(sa_column=_installation())
    number: int = Field(sa_type=Integer)
    kind: str = Field(sa_type=String)
    state: str = Field(sa_type=String)
    user_id: int | None = Field(default=None, sa_type=BigInteger)
    moderator_id: int | None = Field(default=None, sa_type=BigInteger)
    reason: bytes = Field(sa_type=LargeBinary)
    reason_by: int | None = Field(default=None, sa_type=BigInteger)
    channel_id: int | None = Field(default=None, sa_type=BigInteger)
    message_id: int | None = Field(default=None, sa_type=BigInteger)
    notice: str = Field(sa_type=String)
    call_id: str | None = Field(default=None, sa_type=String)
    discord_entry_id: int | None = Field(default=None, sa_type=BigInteger)
    created_at: float = Field(sa_type=Double)
    expires_at: float | None = Field(default=None, sa_type=Double)
    edited_at: float | None = Field(default=None, sa_type=Double)
    edited_by: int | None = Field(default=None, sa_type=BigInteger)
    closed_at: float | None = Field(default=None, sa_type=Double)
    closed_by: int | None = Field(default=None, sa_type=BigInteger)


class CaseNote(Table, table=True):
    """What somebody added to a case; ``text`` is sealed."""

    id: str = Field(primary_key=True, sa_type=String)
    case_id: str = Field(
        sa_column=Column(String, ForeignKey("case.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    author_id: int | None = Field(default=None, sa_type=BigInteger, index=True)
    text: bytes = Field(sa_type=LargeBinary)
    written_at: float = Field(sa_type=Double)


class TemporaryEffect(Table, table=True):
    """An effect that ends by itself: ``kind`` is 'ban'.

    ``state``: 'waiting' until ``ends_at``; 'ending' while an executor ends it, under its lease; 'ended' when it did;
    'gone' when somebody else ended or replaced it. ``call_id`` made it, ``end_call_id`` ends it.
    ``reason``: what Discord's list of bans says of it, sealed; empty for the tag of ``call_id``. ``lease_until``: until
    then nobody else ends it; of one that waits, until then it is not tried again.
    """

    __table_args__ = (
        Index(
            "ix_temporary_effect_ends_at",
            "ends_at",
            sqlite_where=AWAITED,
            postgresql_where=AWAITED,
        ),
        Index("ix_temporary_effect_installation_id_user_id", "installation_id", "user_id"),
        Index("ix_temporary_effect_call_id", "call_id"),
    )

    id: str = Field(primary_key=True, sa_type=String)
    installation_id: str = Field(sa_column=_installation())
    kind: str = Field(sa_type=String)
    state: str = Field(sa_type=String)
    user_id: int = Field(sa_type=BigInteger)
    call_id: str = Field(sa_type=String)
    reason: bytes = Field(sa_type=LargeBinary)
    created_at: float = Field(sa_type=Double)
    ends_at: float = Field(sa_type=Double)
    executor: str | None = Field(default=None, sa_type=String)
    lease_until: float | None = Field(default=None, sa_type=Double)
    end_call_id: str | None = Field(default=None, sa_type=String)
    settled_at: float | None = Field(default=None, sa_type=Double)
