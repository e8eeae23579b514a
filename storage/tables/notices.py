"""What is held (pauses), and what the log channels were told."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, String
from sqlmodel import Field

from storage.tables.base import Table


class Pause(Table, table=True):
    """Writes are held. ``scope``: see policy.pauses; at most one pause each.

    ``caller_key``, ``user_id``: the caller that is paused, and the person behind it. ``began_by``: who paused; None for
    the command line and for Guildhall itself. ``until`` None: until somebody ends it.
    """

    scope: str = Field(primary_key=True, sa_type=String)
    installation_id: str | None = Field(
        default=None, sa_column=Column(String, ForeignKey("guild_installation.id", ondelete="CASCADE"), index=True)
    )
    caller_key: str | None = Field(default=None, sa_type=String)
    user_id: int | None = Field(default=None, sa_type=BigInteger)
    cause: str = Field(sa_type=String)
    began_at: float = Field(sa_type=Double)
    began_by: int | None = Field(default=None, sa_type=BigInteger)
    until: float | None = Field(default=None, sa_type=Double)


class LogPosition(Table, table=True):
    """How far a guild's log channel was told: the entries of its workspace's chain up to ``seq``.

    ``sending_to``: a message about the entries after ``seq`` up to this one is on its way since ``sending_at``, with
    ``nonce``, to ``channel_id``. It is settled before another is begun, so that a crash loses none and doubles none.
    """

    installation_id: str = Field(
        sa_column=Column(String, ForeignKey("guild_installation.id", ondelete="CASCADE"), primary_key=True)
    )
    seq: int = Field(sa_type=BigInteger)
    sending_to: int | None = Field(default=None, sa_type=BigInteger)
    sending_at: float | None = Field(default=None, sa_type=Double)
    channel_id: int | None = Field(default=None, sa_type=BigInteger)
    nonce: str | None = Field(default=None, sa_type=String)
