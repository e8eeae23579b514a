"""What administration sets beside the policies: the channels in which the agent answers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, String
from sqlmodel import Field

from storage.tables.base import Table


class AllowedChatChannel(Table, table=True):
    """A channel in which the agent answers; threads in it inherit that. ``added_by`` None: the host's command line."""

    installation_id: str = Field(
        sa_column=Column(String, ForeignKey("guild_installation.id", ondelete="CASCADE"), primary_key=True)
    )
    channel_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    added_by: int | None = Field(default=None, sa_type=BigInteger)
    added_at: float = Field(sa_type=Double)
