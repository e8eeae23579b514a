"""What moderation did to channels, as long as it has to be taken back."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, String
from sqlmodel import Field

from storage.tables.base import Table


class ChannelLock(Table, table=True):
    """A channel that is locked. ``overwrites``: what the lock changed, as storage.channel_locks writes it; ``call_id``:
    the latest lock of the channel.
    """

    installation_id: str = Field(
        sa_column=Column(String, ForeignKey("guild_installation.id", ondelete="CASCADE"), primary_key=True)
    )
    channel_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    overwrites: str = Field(sa_type=String)
    call_id: str = Field(sa_type=String)
    locked_at: float = Field(sa_type=Double)
