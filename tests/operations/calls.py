"""Calls by the one road, without a face: as a person of a place, in this process."""

from __future__ import annotations

from typing import Any

from operations.base import Outcome, Preview, Status
from operations.outcomes import plain
from policy.model import Caller, Refuse
from tests.app import Place


async def caller_of(place: Place, who: str) -> Caller:
    """The caller behind this person's token, with the facts of now."""
    found = place.town.core.callers.from_token(await place.token(who))
    assert found is not None
    return found


async def run(place: Place, name: str, who: str = "ada", /, **arguments: Any) -> Outcome:
    return await place.town.core.executor.run(name, arguments, await caller_of(place, who))


async def read(place: Place, name: str, who: str = "ada", /, **arguments: Any) -> Any:
    """The result of a read as JSON values."""
    outcome = await run(place, name, who, **arguments)
    assert outcome.status is Status.DONE, outcome
    return plain(outcome.data)


async def preview(place: Place, name: str, who: str = "ada", /, **arguments: Any) -> Preview[Any]:
    outcome = await run(place, name, who, **arguments)
    assert outcome.status is Status.PREVIEW, outcome
    assert outcome.preview is not None
    return outcome.preview


async def done(place: Place, name: str, who: str = "ada", /, **arguments: Any) -> Any:
    """The result of a write that is executed."""
    outcome = await run(place, name, who, dry_run=False, **arguments)
    assert outcome.status is Status.DONE, outcome
    return plain(outcome.data)


async def refused(place: Place, name: str, who: str = "ada", /, **arguments: Any) -> Refuse:
    outcome = await run(place, name, who, **arguments)
    assert outcome.status is Status.REFUSED, outcome
    assert outcome.refusal is not None
    return outcome.refusal
