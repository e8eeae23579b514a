"""Many rows, some at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, TypeVar

from sqlalchemy import Select, tuple_
from sqlmodel import SQLModel, col

from storage.session import Session

RowT = TypeVar("RowT", bound=SQLModel)
PAGE = 200


async def newest_first(session: Session, wanted: Select[RowT], *keys: Any, page: int = PAGE) -> AsyncGenerator[RowT]:
    """The rows, the greatest keys first; together the keys name one row. Memory holds one page."""
    columns = [col(key) for key in keys]
    below: tuple[Any, ...] | None = None
    while True:
        some = wanted.order_by(*(column.desc() for column in columns)).limit(page)
        if below is not None:
            some = some.where(tuple_(*columns) < tuple_(*below))
        rows = (await session.scalars(some.execution_options(populate_existing=True))).all()
        for row in rows:
            yield row
        if len(rows) < page:
            return
        below = tuple(getattr(rows[-1], key.key) for key in keys)
        session.expunge_all()
