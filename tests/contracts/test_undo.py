"""Undo: what a preview calls reversible, `audit_revert` restores, for every write of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from operations.base import Operation
from operations.plans import PersonProof
from operations.platform_writes import PlatformWrite
from policy.model import Face
from tests import samples
from tests.app import Answer, Place

pytestmark = pytest.mark.asyncio(loop_scope="session")

# What Discord counts by itself: a channel remembers its last message, an edited message that it was edited, roles move
# up for a new one and not down again (their order counts, below); a ban that is restored has its own reason; and what
# a tainted caller edits shows no previews of links any more, which a flag says.
UNCOUNTED = frozenset({"last_message_id", "edited_timestamp", "position", "reason", "flags"})
# https://discord.com/developers/docs/resources/message#message-object-message-types
NAME_CHANGE = 4
EVERY_WRITE = pytest.mark.parametrize("operation", samples.WRITES, ids=lambda each: each.name)


async def settled(place: Place, asked: Answer, typed: str | None) -> Answer:
    """The answer once a person has confirmed what waits for it."""
    if asked.status != "needs_confirmation":
        return asked
    core = place.town.core
    by = core.callers.of_member(place.guild_id, int(place.member("ada")), Face.SLASH)
    assert by is not None
    plan = await core.desk.view(asked.data["plan_id"], by)
    outcome = await core.desk.confirm(plan.plan_id, by, PersonProof(via="console", typed=typed or plan.name_to_type))
    return Answer("", {"status": outcome.status.value, "call_id": outcome.call_id}, outcome.is_error)


@EVERY_WRITE
async def test_what_is_called_reversible_is_restored(place: Place, operation: type[Operation]) -> None:
    given = samples.sample(operation, await samples.things(place))
    before, kept = await place.world(), await place.kept()
    preview = await place.call(operation.name, "ada", **given)
    done = await settled(place, await place.call(operation.name, "ada", **given, dry_run=False), None)
    assert done.status == "done", done
    assert (await place.world(), await place.kept()) != (before, kept)
    known = await place.done("audit_get", "ada", guild=place.id, call=done.data["call_id"])
    if not preview.data["reversible"]:
        return
    assert known["revertible"], "it is called reversible, and nothing is kept to undo it with"
    undone = await settled(
        place,
        await place.call("audit_revert", "ada", guild=place.id, call=done.data["call_id"], dry_run=False),
        None,
    )
    assert undone.status == "done", undone
    assert list(differences(before, await place.world())) == []
    if issubclass(operation, PlatformWrite):
        # What is done to members stays on record, also where it is undone.
        assert await place.kept() == kept


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Every place where two worlds differ, rows matched by their ids."""
    if isinstance(before, dict) and isinstance(after, dict):
        one, other = cast("dict[str, Any]", before), cast("dict[str, Any]", after)
        for key in sorted(one.keys() | other.keys()):
            if key not in UNCOUNTED:
                yield from differences(one.get(key), other.get(key), f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list):
        rows, others = _rows(cast("list[Any]", before)), _rows(cast("list[Any]", after))
        yield from differences(rows, others, path)
        if path.endswith(".roles") and [key for key in rows if key in others] != [key for key in others if key in rows]:
            yield f"{path}: another order"
    # Discord knows no empty topic: it is none.
    elif (before or None) != (after or None):
        yield f"{path}: {before!r} became {after!r}"


def _rows(rows: list[Any]) -> dict[str, Any]:
    """By id; what has none by what it is. The notice of a channel's new name is Discord's own."""
    found: dict[str, Any] = {}
    for row in rows:
        fields = cast("dict[str, Any]", row) if isinstance(row, dict) else {}
        if fields.get("type") != NAME_CHANGE:
            found[str(fields.get("id", row))] = row
    return found
