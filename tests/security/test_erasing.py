"""Line 20: what somebody wrote in any argument of any operation is kept sealed, exported by nobody, and erased."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from operations.base import Operation, Status
from policy.model import Caller, Face, Kind
from storage import audit_export
from storage.audit_chain import Chain
from storage.tables import metadata
from tests import samples
from tests.app import Place
from tests.confirming import client_of, person

pytestmark = pytest.mark.asyncio(loop_scope="session")
# The audit names what a call is about, and keeps words out of a few (policy.redaction).
NAMED = frozenset({"name", "nickname", "code", "call", "client", "emoji", "operation", "plan_id", "status"})
# What moderators record of members is the guild's, also when its writer is forgotten; a guild's own rules have no text.
OF_THE_GUILD = frozenset({"case", "case_note", "temporary_effect"})


class Canaries:
    """Texts that come from one field of one operation alone."""

    def __init__(self, mark: str) -> None:
        self.of: dict[str, str] = {}
        self._mark = mark

    def _next(self) -> str:
        return f"canary{len(self.of):03d}z{self._mark[-8:]}"

    def within(self, operation: type[Operation], given: dict[str, Any]) -> dict[str, Any]:
        """The same call, with a canary wherever free text is taken."""
        for field in operation.Input.model_fields:
            if field in operation.refs or field in NAMED:
                continue
            canary = self._next()
            tried = {**given, field: canary}
            try:
                operation.Input.model_validate(tried)
            except ValidationError:
                continue
            self.of[f"{operation.name} {field}"], given = canary, tried
        if operation.kind is Kind.WRITE:
            canary = self._next()
            self.of[f"{operation.name} reason"] = canary
            given = {**given, "reason": canary, "dry_run": False}
        return given

    def found_in(self, text: str) -> set[str]:
        return {where for where, canary in self.of.items() if canary in text}


async def readable(place: Place, canaries: Canaries) -> dict[str, set[str]]:
    """By table: the canaries that whoever holds the keys can read there; under "clear" what anybody can."""
    database = place.town.core.database
    found: dict[str, set[str]] = {"clear": set()}
    async with database.read() as session:
        for table in metadata.sorted_tables:
            for row in (await session.execute(select(table))).all():
                for value in row:
                    if isinstance(value, bytes):
                        if value:
                            found.setdefault(table.name, set()).update(canaries.found_in(database.keyring.open(value)))
                    else:
                        found["clear"] |= canaries.found_in(str(value))
    return found


async def by(place: Place, operation: type[Operation]) -> Caller:
    return person(place, "ada") if Face.CONSOLE in operation.faces else await client_of(place, "ada")


async def test_line_20_nothing_of_somebody_who_was_forgotten_can_be_read_anywhere(place: Place) -> None:
    core, canaries = place.town.core, Canaries(place.id)
    known = await samples.things(place)
    for operation in samples.OPERATIONS:
        if operation.name == "data_forget":
            continue
        given = canaries.within(operation, samples.sample(operation, known))
        await core.executor.run(operation.name, given, await by(place, operation))
    before = await readable(place, canaries)
    assert len(before["call"]) > 15, "they were written"
    assert before["clear"] == set(), "and stand nowhere in clear"

    await Chain(core.database).catch_up()
    async with core.database.read() as session:
        exported = [line async for line in audit_export.lines(session, place.workspace_id)]
    assert len(exported) > 60
    assert canaries.found_in("\n".join(exported)) == set()

    outcome = await core.executor.run("data_forget", {"guild": place.id, "dry_run": False}, person(place, "ada"))
    assert outcome.status is Status.DONE, outcome
    after = await readable(place, canaries)
    assert after["clear"] == set()
    left = {table for table, found in after.items() if found}
    assert left <= OF_THE_GUILD, {table: sorted(after[table]) for table in left}
