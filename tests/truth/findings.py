"""What comes of one state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tests.truth.verdicts import Says

FindingKind = Literal[
    "undescribed",
    "explained beyond",
    "explained excess",
    "true",
    "false yes",
    "excess",
    "beyond",
    "confirmed no",
    "explained no",
    "not addressable",
    "unexplained no",
    "gap",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """``kind`` "excess": policy lets a person do what Discord would refuse him; "beyond": the oracle of rights sees
    more given than the requester holds; "undescribed": a request that Discord's OpenAPI description does not know.
    """

    operation: str
    says: Says
    kind: FindingKind
    reason: str = ""
    discord: str = ""
    executed: bool = False

    @property
    def is_wrong(self) -> bool:
        return self.kind in ("false yes", "excess", "beyond", "unexplained no", "gap", "undescribed")
