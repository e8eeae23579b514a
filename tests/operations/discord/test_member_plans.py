"""A stored plan about a member is judged again by who he is now."""

from __future__ import annotations

from typing import Any, cast

import pytest

from operations.base import Outcome, WriteOperation
from operations.decider import Decider
from operations.taints import Taints
from policy.model import Decision, Refuse
from storage import calls
from tests.operations.discord.outcomes import previewed
from tests.operations.discord.road import Road

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def judged_again(crew: Road, outcome: Outcome, member: str) -> Decision:
    """What policy says of the plan when it is confirmed."""
    assert outcome.plan is not None
    async with crew.core.database.read() as session:
        record = await calls.get(session, crew.core.database.keyring, outcome.plan.plan_id)
    assert record is not None
    operation = cast("WriteOperation[Any, Any, Any]", crew.core.registry.get(record.operation))
    decider = Decider(crew.core.database, crew.core.facts, crew.core.state, Taints())
    # No operation about members asks for a service.
    services: Any = None
    effect = previewed(outcome).effect
    prepared = await decider.prepare_stored(operation, effect, crew.caller(member), record, services)
    return prepared.decide(0.0)


async def set_roles(crew: Road, member: str, *roles: str) -> None:
    await crew.sandbox.control(
        "set_roles",
        guild=crew.guild_id,
        user=crew.guild["members"][member],
        roles=[crew.guild["roles"][role] for role in roles],
    )


@pytest.mark.parametrize("operation", ["member_kick", "member_ban", "member_timeout"])
async def test_whoever_rose_since_the_plan_was_made_is_left_alone(crew: Road, operation: str) -> None:
    more = {"duration_seconds": 60} if operation == "member_timeout" else {}
    outcome = await crew.call(operation, "mike", member="nina", dry_run=True, **more)
    assert not isinstance(await judged_again(crew, outcome, "mike"), Refuse)
    await set_roles(crew, "nina", "Captain")
    decision = await judged_again(crew, outcome, "mike")
    assert isinstance(decision, Refuse)
    assert decision.code == "your_rank"


async def test_whoever_left_since_is_banned_all_the_same(crew: Road) -> None:
    outcome = await crew.call("member_ban", "mike", member="nina", dry_run=True)
    await crew.sandbox.control("leave", guild=crew.guild_id, user=crew.guild["members"]["nina"])
    assert not isinstance(await judged_again(crew, outcome, "mike"), Refuse)


async def test_for_one_who_lost_the_right_since_no_target_is_looked_up(crew: Road) -> None:
    outcome = await crew.call("member_ban", "mike", member="nina", dry_run=True)
    await set_roles(crew, "mike")
    await crew.sandbox.control("requests", clear=True)
    decision = await judged_again(crew, outcome, "mike")
    assert isinstance(decision, Refuse)
    assert decision.code == "you_lack_permission"
    asked = {request["path"] for request in (await crew.sandbox.control("requests"))["requests"]}
    assert asked == {f"/guilds/{crew.guild_id}/members/{crew.guild['members']['mike']}"}
