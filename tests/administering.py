"""Administration as people do it in Discord: by slash commands, in this process."""

from __future__ import annotations

from typing import Any

from operations.base import Outcome, Status
from operations.outcomes import plain
from operations.plans import Asking, PersonProof
from policy.model import Caller, Face, Refuse
from tests.app import Place


def member(place: Place, who: str, face: Face = Face.SLASH) -> Caller:
    found = place.town.core.callers.of_member(place.guild_id, int(place.member(who)), face)
    assert found is not None
    return found


async def by_hand(place: Place, name: str, who: str = "olive", /, **arguments: Any) -> Outcome:
    """The member himself names operation and arguments."""
    asking = Asking(proof=PersonProof("slash"))
    return await place.town.core.executor.run(name, arguments, member(place, who), asking=asking)


async def done(place: Place, name: str, who: str = "olive", /, **arguments: Any) -> dict[str, Any]:
    """The result of what is done at once."""
    outcome = await by_hand(place, name, who, **arguments)
    assert outcome.status is Status.DONE, outcome
    result: dict[str, Any] = plain(outcome.data)
    return result


async def refused(place: Place, name: str, who: str = "olive", /, **arguments: Any) -> Refuse:
    outcome = await by_hand(place, name, who, **arguments)
    assert outcome.status is Status.REFUSED, outcome
    assert outcome.refusal is not None
    return outcome.refusal


async def asked(place: Place, name: str, who: str = "olive", /, **arguments: Any) -> Outcome:
    """What waits for one more press."""
    outcome = await by_hand(place, name, who, **arguments)
    assert outcome.status is Status.NEEDS_CONFIRMATION, outcome
    assert outcome.plan is not None
    return outcome


async def pressed(place: Place, waiting: Outcome, who: str = "olive", typed: str | None = None) -> Outcome:
    """The press, with the name typed that is asked for."""
    assert waiting.plan is not None
    desk, by = place.town.core.desk, member(place, who)
    if typed is None:
        typed = (await desk.view(waiting.plan.plan_id, by)).name_to_type
    return await desk.confirm(waiting.plan.plan_id, by, PersonProof("slash", typed=typed))


async def confirmed(place: Place, name: str, who: str = "olive", /, **arguments: Any) -> dict[str, Any]:
    """The result of what is critical, pressed by the same person."""
    outcome = await pressed(place, await asked(place, name, who, **arguments), who)
    assert outcome.status is Status.DONE, outcome
    result: dict[str, Any] = plain(outcome.data)
    return result
