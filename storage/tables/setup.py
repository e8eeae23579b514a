"""Guilds that the bot has joined, and the set-up card that each got."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, String
from sqlmodel import Field

from storage.tables.base import Table


class SetupCard(Table, table=True):
    """That the bot is in a guild, and what was said there about setting it up: once, until the bot has left.

    ``nonce`` is the message's. ``settled_at``: since when nothing more is to be posted; where a message stands,
    ``channel_id`` and ``message_id`` say which.
    """

    guild_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    nonce: str = Field(sa_type=String)
    joined_at: float = Field(sa_type=Double)
    settled_at: float | None = Field(default=None, sa_type=Double)
    channel_id: int | None = Field(default=None, sa_type=BigInteger)
    message_id: int | None = Field(default=None, sa_type=BigInteger)
