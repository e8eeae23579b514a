"""What is needed to forget."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, String
from sqlmodel import Field

from storage.tables.base import Table


class CallMessage(Table, table=True):
    """A message whose text stands in a call's row: when Discord deletes the one, the other is erased.

    What a call sent for somebody stands in SentMessage already.
    """

    call_id: str = Field(sa_column=Column(String, ForeignKey("call.call_id", ondelete="CASCADE"), primary_key=True))
    message_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False, index=True))
    channel_id: int = Field(sa_type=BigInteger, index=True)


class ErasureRequest(Table, table=True):
    """Somebody asked to be forgotten. Kept for a day, so that what was under way at that moment is erased after it."""

    workspace_id: str = Field(
        sa_column=Column(String, ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True)
    )
    user_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    asked_at: float = Field(sa_type=Double, index=True)
