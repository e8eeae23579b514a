"""What a call came to, as tests ask for it."""

from __future__ import annotations

from typing import Any

from operations.base import Outcome, Preview, Status
from operations.outcomes import plain
from policy.model import Refuse


def done(outcome: Outcome) -> Any:
    """The result, as JSON."""
    assert outcome.status is Status.DONE, outcome
    return plain(outcome.data)


def previewed(outcome: Outcome) -> Preview[Any]:
    assert outcome.status in (Status.PREVIEW, Status.NEEDS_CONFIRMATION), outcome
    assert outcome.preview is not None
    return outcome.preview


def refused(outcome: Outcome) -> Refuse:
    assert outcome.status is Status.REFUSED, outcome
    assert outcome.refusal is not None
    return outcome.refusal


def code(outcome: Outcome) -> str:
    """Of a refusal."""
    assert outcome.refusal is not None, outcome
    return outcome.refusal.code


def problems(outcome: Outcome) -> str:
    assert outcome.preview is not None, outcome
    return " ".join(outcome.preview.problems)
