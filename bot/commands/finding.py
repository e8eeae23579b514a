"""One line of what ``guildhall doctor`` finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """``remedy`` is empty where nothing has to be done."""

    part: str
    fine: bool
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return (
            f"{'ok  ' if self.fine else 'FAIL'}  {self.part:<12} {self.text}{' ' + self.remedy if self.remedy else ''}"
        )
