"""What holds for every administrative operation: programs neither reach nor find it, and people with the role do."""

from __future__ import annotations

import time
from typing import Any

import pytest

from operations.base import Operation, Status
from operations.declaring import ADMINISTRATION as FACES
from policy.model import CallerKind, Face, Kind, OperationClass, PauseCause
from policy.scopes import EVERYTHING, OWN_DATA
from storage import conversations, pauses
from storage.conversations import ConversationKey, Utterance
from tests import samples
from tests.administering import asked, by_hand, done, member, pressed, refused
from tests.app import Place

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVERY = pytest.mark.parametrize("operation", samples.ADMINISTRATION, ids=lambda each: each.name)
EVERY_WRITE = pytest.mark.parametrize(
    "operation",
    # A claim is of a guild that nobody has installed; tests.stories.test_setting_up.
    [each for each in samples.ADMINISTRATION if each.kind is Kind.WRITE and not each.of_inert_guild],
    ids=lambda each: each.name,
)
REVERSIBLE = {
    "policy_set",
    "channel_policy_set",
    "approvers_set",
    "agent_budget_set",
    "agent_model_set",
    "approvals_channel_set",
    "log_channel_set",
    "preset_set",
    "chat_channel_allow",
    "chat_channel_disallow",
    "token_create",
    "guild_pause",
}
OF_NO_FACTS = {"conversation_reset"}
EVERY_REVERSIBLE = pytest.mark.parametrize(
    "operation",
    [each for each in samples.ADMINISTRATION if each.name in REVERSIBLE],
    ids=lambda each: each.name,
)
GENERIC = {
    OperationClass.READ: "operation_read",
    OperationClass.WRITE: "operation_write",
    OperationClass.DESTROY: "operation_destroy",
}


async def test_none_is_offered_to_programs() -> None:
    assert samples.ADMINISTRATION
    for operation in samples.ADMINISTRATION:
        assert operation.faces <= FACES, operation.name


@EVERY
async def test_an_mcp_client_of_the_owner_neither_calls_nor_finds_it(place: Place, operation: type[Operation]) -> None:
    """Not even with the scope for it, by its name, through a generic tool, or by asking about it."""
    await place.token("olive", scopes=EVERYTHING)
    given = samples.sample(operation, await samples.things(place))
    more: dict[str, Any] = {"dry_run": False} if operation.kind is Kind.WRITE else {}
    through = GENERIC[operation.operation_class()]
    direct = await place.call(through, "olive", name=operation.name, arguments={**given, **more})
    nothing = await place.call(through, "olive", name="no_such_thing", arguments={**given, **more})
    assert (direct.status, direct.code) == ("refused", nothing.code)
    assert direct.data["reason"].replace(operation.name, "no_such_thing") == nothing.data["reason"]
    explained = await place.call("policy_explain", "olive", operation=operation.name, arguments=given)
    assert explained.code == "unknown_operation"
    for query in (operation.name, operation.name.replace("_", " "), operation.description[:200]):
        found = await place.done("tool_search", "olive", query=query, limit=25)
        assert operation.name not in {tool["name"] for tool in found["tools"]}
    async with place.client("olive") as client:
        assert operation.name not in {tool.name for tool in (await client.list_tools()).tools}


@EVERY
async def test_the_agent_of_the_owner_neither_calls_nor_finds_it(place: Place, operation: type[Operation]) -> None:
    agent = member(place, "olive", Face.AGENT)
    executor = place.town.core.executor
    given = samples.sample(operation, await samples.things(place))
    outcome = await executor.run(operation.name, given, agent)
    assert outcome.refusal is not None
    assert outcome.refusal.code == "unknown_operation"
    through = GENERIC[operation.operation_class()]
    outcome = await executor.run(through, {"name": operation.name, "arguments": given}, agent)
    assert outcome.refusal is not None
    assert outcome.refusal.code == "unknown_operation"
    assert operation.name not in {each.name for each in executor.registry.offered(agent)}


@EVERY_REVERSIBLE
async def test_no_program_undoes_it(place: Place, operation: type[Operation]) -> None:
    """The faces of what undoes it decide."""
    call_id = await carried_out(place, operation)
    await place.token("olive", scopes=EVERYTHING)
    for more in ({}, {"dry_run": False}):
        answer = await place.call("audit_revert", "olive", guild=place.id, call=call_id, **more)
        assert (answer.status, answer.data["step"], answer.code) == ("refused", "scope", "face")
        assert "Undo it through: cli, console, slash." in answer.data["remedy"]
    outcome = await place.town.core.executor.run(
        "audit_revert", {"guild": place.id, "call": call_id}, member(place, "olive", Face.AGENT)
    )
    assert outcome.refusal is not None
    assert outcome.refusal.code == "face"


async def prepared(place: Place, operation: type[Operation]) -> dict[str, Any]:
    """The sample, with what it needs to be there."""
    given = samples.sample(operation, await samples.things(place))
    if operation.name == "chat_channel_disallow":
        await done(place, "chat_channel_allow", channel=given["channel"])
    if operation.name in ("token_renew", "token_revoke"):
        await done(place, "token_create", name="for a test")
        [token] = (await done(place, "token_list"))["tokens"]
        given["client"] = token["client"]
    if operation.name == "data_forget":
        await place.token("olive")
    if operation.name == "conversation_reset":
        await said_to_the_agent(place, int(given["channel"]))
    if operation.name == "guild_resume":
        await pause(place, "nina")
    return given


async def said_to_the_agent(place: Place, channel_id: int) -> None:
    key = ConversationKey(place.installation_id, place.guild_id, channel_id)
    olive = int(place.member("olive"))
    said = Utterance(
        message_id=1 + channel_id,
        author_id=olive,
        author_name="olive",
        kind="human",
        text="hello",
        at=time.time(),
        for_user_id=olive,
    )
    async with place.town.core.database.unit_of_work() as session:
        await conversations.append(session, key, [said])


async def pause(place: Place, name: str) -> None:
    """As Guildhall pauses somebody of whose calls too many were refused."""
    user_id, now = int(place.member(name)), time.time()
    installation = place.town.core.facts.snapshot.installations[place.guild_id]
    async with place.town.core.database.unit_of_work() as session:
        await pauses.pause_caller(
            session,
            installation.id,
            f"discord:{user_id}",
            user_id=user_id,
            cause=PauseCause.REFUSALS,
            until=now + 600,
            now=now,
        )


async def carried_out(place: Place, operation: type[Operation]) -> str:
    """The call's id, once it is done."""
    outcome = await by_hand(place, operation.name, **await prepared(place, operation))
    assert outcome.status is Status.DONE, outcome
    return outcome.call_id


@EVERY_WRITE
async def test_a_preview_changes_nothing_and_the_execution_is_audited(place: Place, operation: type[Operation]) -> None:
    given = await prepared(place, operation)
    facts = place.town.core.facts
    before, world = facts.snapshot, await place.world()
    shown = await by_hand(place, operation.name, **given, dry_run=True)
    assert shown.status is Status.PREVIEW, shown
    assert (facts.snapshot.guild_rules, facts.snapshot.channel_rules) == (before.guild_rules, before.channel_rules)
    assert (facts.snapshot.chat_channels, facts.snapshot.clients) == (before.chat_channels, before.clients)
    outcome = await by_hand(place, operation.name, **given)
    assert outcome.status is Status.DONE, outcome
    assert outcome.preview is not None
    assert facts.snapshot != before or operation.name in OF_NO_FACTS
    assert await place.world() == world, "nothing is sent to Discord"
    rows = await place.audited(call_id=outcome.call_id)
    assert (rows[0].entry, rows[-1].entry, rows[-1].status) == ("intent", "outcome", "done")
    assert {(row.caller_kind, row.face) for row in rows} == {(CallerKind.MEMBER, Face.SLASH)}
    assert outcome.preview.reversible is (operation.name in REVERSIBLE)


@EVERY
async def test_a_viewer_and_a_foreign_guild_are_refused(
    place: Place, elsewhere: Place, operation: type[Operation]
) -> None:
    given = samples.sample(operation, await samples.things(place))
    if operation.kind is Kind.WRITE and operation.scope != OWN_DATA:
        refusal = await refused(place, operation.name, "wren", **given)
        # Nobody claims what is installed, whoever he is.
        expected = ("installation", "guild_taken") if operation.of_inert_guild else ("scope", "role")
        assert (refusal.step.value, refusal.code) == expected
    foreign = samples.sample(operation, await samples.things(elsewhere))
    unknown = samples.sample(operation, samples.UNKNOWN)
    assert await refused(place, operation.name, **foreign) == await refused(place, operation.name, **unknown)


async def test_a_program_of_the_same_person_knows_nothing_of_a_waiting_plan(place: Place) -> None:
    await place.set_rules(rules={"write": "deny"})
    waiting = await asked(place, "policy_set", write="allow")
    assert waiting.plan is not None
    plan_id = waiting.plan.plan_id
    await place.token("olive", scopes=EVERYTHING)
    for operation in ("plan_get", "plan_cancel", "plan_confirm"):
        assert (await place.call(operation, "olive", plan_id=plan_id)).code == "unknown_plan"
        outcome = await place.town.core.executor.run(
            operation, {"plan_id": plan_id}, member(place, "olive", Face.AGENT)
        )
        assert outcome.refusal is not None
        assert outcome.refusal.code == "unknown_plan"
    assert (await pressed(place, waiting)).status is Status.DONE
