"""Writes carried out to their end, confirmed by a person where they ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from operations.base import Outcome, PlanInfo, Status
from operations.plans import PersonProof
from policy.model import Caller, Face
from storage import calls
from storage.calls import CallRecord
from tests.app import Place, until


async def client_of(place: Place, who: str) -> Caller:
    """The client of this person, as a call of its token comes in."""
    caller = place.town.core.callers.from_token(await place.token(who))
    assert caller is not None
    return caller


def person(place: Place, who: str) -> Caller:
    """The same one at the console."""
    caller = place.town.core.callers.of_member(place.guild_id, int(place.member(who)), Face.CONSOLE)
    assert caller is not None
    return caller


async def asked(place: Place, name: str, arguments: dict[str, Any], who: str = "ada") -> PlanInfo:
    """The plan that a dry run of a risky or critical write stores."""
    shown = await place.town.core.executor.run(name, arguments, await client_of(place, who))
    assert shown.status is Status.PREVIEW, shown
    assert shown.plan is not None, shown
    return shown.plan


async def confirmed(place: Place, plan_id: str, who: str = "ada") -> Outcome:
    """What comes of a plan that a person confirms at the console, typing the name that it asks for."""
    desk, by = place.town.core.desk, person(place, who)
    name = (await desk.view(plan_id, by)).name_to_type
    return await desk.confirm(plan_id, by, PersonProof("console", typed=name))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A write that is ready to be carried out: all questions are asked and answered."""

    place: Place
    name: str
    arguments: dict[str, Any]
    caller: Caller
    plan_id: str | None

    async def carried_out(self) -> Outcome:
        if self.plan_id is not None:
            return await confirmed(self.place, self.plan_id)
        return await self.place.town.core.executor.run(self.name, {**self.arguments, "dry_run": False}, self.caller)


async def ready(place: Place, name: str, arguments: dict[str, Any], who: str = "ada") -> Waiting:
    """A write of ada's; where it takes a confirmation, its plan waits for it, and nothing has been sent for it."""
    caller = await client_of(place, who)
    shown = await place.town.core.executor.run(name, arguments, caller)
    assert shown.status is Status.PREVIEW, shown
    return Waiting(place, name, arguments, caller, None if shown.plan is None else shown.plan.plan_id)


async def record_of(place: Place, call_id: str) -> CallRecord:
    core = place.town.core
    async with core.database.read() as session:
        record = await calls.get(session, core.database.keyring, call_id)
    assert record is not None
    return record


async def entries_of(place: Place, call_id: str) -> list[tuple[str, str]]:
    """Entry and status of the audit rows of a call, once its outcome is among them."""

    async def is_settled() -> bool:
        return (await record_of(place, call_id)).state.terminal

    await until(is_settled, "the call is settled")
    return [(row.entry, row.status) for row in await place.audited(call_id=call_id)]
