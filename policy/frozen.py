"""Frozen dataclasses for what every call makes anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """``@dataclass(frozen=True, slots=True)``, with the freezing left to the type checker.

    At run time a frozen dataclass sets each field through ``object.__setattr__``, which makes an object five times as
    slowly: of a read from memory, that was more than half.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
