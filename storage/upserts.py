"""INSERT … ON CONFLICT, which both databases have and SQLAlchemy knows by dialect."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

Insert = postgresql.Insert | sqlite.Insert


def is_postgresql(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def insert_into(session: AsyncSession, table: type[SQLModel]) -> Insert:
    """An INSERT that knows on_conflict_do_nothing and on_conflict_do_update."""
    return postgresql.insert(table) if is_postgresql(session) else sqlite.insert(table)
