"""What the system may do without a person: a fixed list, by the reason for which it acts.

Nobody stands behind it, so that no rights of a requester bound it; what it may call is named here, one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Deed(StrEnum):
    """Why the system acts."""

    END_TEMPORARY_BAN = "end_temporary_ban"
    """A ban that was made for a time has had its time: its plan named the end."""


OPERATIONS: Mapping[Deed, frozenset[str]] = {Deed.END_TEMPORARY_BAN: frozenset({"member_unban"})}
SCOPES: Mapping[Deed, frozenset[str]] = {Deed.END_TEMPORARY_BAN: frozenset({"members:moderate"})}
