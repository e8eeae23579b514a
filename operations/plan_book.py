"""The book of plans: their rows by id, as those see them who ask, and who is told when one moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast
from weakref import WeakValueDictionary

from operations import call_ids
from operations.base import WriteOperation
from operations.plan_views import plan_view
from operations.plans import PlanView
from operations.registry import Registry
from policy.model import Strength
from storage import calls
from storage.calls import CallRecord
from storage.database import Database
from storage.facts import PlatformFacts

Operation = WriteOperation[Any, Any, Any]
TOKEN_PURPOSE = "plan token"  # noqa: S105 - the name of a purpose, not a secret
TOKEN_LENGTH = 32


class PlanBook:
    """Looks plans up, and tells of those that move."""

    def __init__(self, registry: Registry, database: Database, facts: PlatformFacts) -> None:
        self._registry = registry
        self._database = database
        self._keyring = database.keyring
        self._facts = facts
        # As long as somebody waits; whoever asks for plans that there are not leaves nothing behind.
        self._changes: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()
        self._watchers: list[Callable[[str], None]] = []

    async def record(self, plan_id: str) -> CallRecord | None:
        """None for what is no plan."""
        if not call_ids.PATTERN.match(plan_id):
            return None
        async with self._database.read() as session:
            record = await calls.get(session, self._keyring, plan_id)
        return record if record is not None and record.strength is not Strength.NONE else None

    def operation(self, record: CallRecord) -> Operation | None:
        """None for one that is gone from the catalogue, or whose effects have another form now."""
        found = self._registry.get(record.operation)
        if not isinstance(found, WriteOperation):
            return None
        operation = cast("Operation", found)
        return operation if operation.effect_version == record.effect_version else None

    def view(self, record: CallRecord) -> PlanView:
        return plan_view(record, self.operation(record), self._facts)

    # ------------------------------------------------------------------- tokens
    def token(self, record: CallRecord) -> str | None:
        """What proves that the plan's own client repeats it; none where a person has to confirm."""
        if record.strength is Strength.PERSON:
            return None
        return f"{record.call_id}.{self._keyring.mac(TOKEN_PURPOSE, _bound(record), length=TOKEN_LENGTH)}"

    def accepts(self, record: CallRecord, token: str) -> bool:
        plan_id, _, mac = token.partition(".")
        return plan_id == record.call_id and self._keyring.verify(TOKEN_PURPOSE, _bound(record), mac)

    # ------------------------------------------------------------------- moving
    def watch(self, callback: Callable[[str], None]) -> None:
        """Calls back with the id of each plan that has moved. It must be quick."""
        self._watchers.append(callback)

    def moved(self, plan_id: str) -> None:
        event = self._changes.pop(plan_id, None)
        if event is not None:
            event.set()
        for callback in self._watchers:
            callback(plan_id)

    def next_move(self, plan_id: str) -> asyncio.Event:
        """Is set when the plan moves the next time, by this process."""
        return self._changes.setdefault(plan_id, asyncio.Event())


def _bound(record: CallRecord) -> str:
    return f"{record.call_id}:{record.workspace_id}:{record.client_id}:{record.user_id}"
