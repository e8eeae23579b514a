"""What every table shares: how it is named, and the types of its columns."""

from __future__ import annotations

import re

from sqlalchemy import JSON, BigInteger, Integer
from sqlalchemy.orm import declared_attr
from sqlmodel import SQLModel

# INTEGER PRIMARY KEY is what SQLite counts up by itself.
ROW_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
NULLABLE_JSON = JSON(none_as_null=True)

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = SQLModel.metadata
metadata.naming_convention = NAMING


class Table(SQLModel):
    """A table is named like its class, in snake case."""

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805 # pyright: ignore[reportIncompatibleVariableOverride]
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()
