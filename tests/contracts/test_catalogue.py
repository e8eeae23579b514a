"""What holds for every operation of the catalogue, over the front door."""

from __future__ import annotations

import re

import pytest

from bot.catalogue import CATALOGUE
from operations.base import Common, Operation
from policy.model import Kind, PlatformRole
from policy.scopes import least_role
from tests import samples
from tests.app import Answer, Place, answer_of, without

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVERY = pytest.mark.parametrize("operation", CATALOGUE, ids=lambda each: each.name)
EVERY_READ = pytest.mark.parametrize("operation", samples.READS, ids=lambda each: each.name)
EVERY_WRITE = pytest.mark.parametrize("operation", samples.WRITES, ids=lambda each: each.name)
EVERY_IN_GUILD = pytest.mark.parametrize("operation", samples.IN_GUILD, ids=lambda each: each.name)


@EVERY
async def test_it_is_described_and_scoped(operation: type[Operation]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+|whoami", operation.name), "noun_verb"
    assert 20 <= len(operation.description) <= 400
    assert operation.description[0].isupper()
    assert operation.scope.partition(":")[0] in {operation.toolset, "admin"}
    assert " server" not in operation.description.lower().replace('"server', "")


@EVERY
async def test_it_asks_both_people_for_the_rights_that_it_names(operation: type[Operation]) -> None:
    """What Discord asks of the bot is asked of the requester too."""
    assert set(operation.bot_permissions) <= set(operation.actor_permissions) or operation.open_to_members


async def test_no_operation_lacks_a_sample() -> None:
    known = samples.UNKNOWN
    for operation in samples.OPERATIONS:
        given = samples.sample(operation, known)
        named = {name for name in operation.refs if name not in ("before", "after", "around")}
        named -= samples.ALTERNATIVES.get(operation.name, set())
        assert named <= set(given), f"{operation.name}: the sample leaves out {named - set(given)}"
        operation.Input.model_validate({key: given[key] for key in given if key not in Common.model_fields})


@EVERY_IN_GUILD
async def test_the_sample_passes(place: Place, operation: type[Operation]) -> None:
    """Else the sweeps below would prove nothing."""
    given = samples.sample(operation, await samples.things(place))
    answer = await place.call(operation.name, "ada", **given)
    assert not answer.is_error, answer
    if operation.kind is Kind.WRITE:
        assert (answer.status, answer.data["would_succeed"]) == ("preview", "yes"), answer


@EVERY_WRITE
async def test_a_preview_changes_nothing(place: Place, operation: type[Operation]) -> None:
    given = samples.sample(operation, await samples.things(place))
    before = await place.world(), await place.kept()
    await place.town.effects()
    await place.town.requests()
    answer = await place.call(operation.name, "ada", **given)
    assert answer.status == "preview", answer
    assert answer.text.startswith("NOT DONE")
    assert await place.town.effects() == []
    assert {request["method"] for request in await place.town.requests()} <= {"GET"}
    assert (await place.world(), await place.kept()) == before


@EVERY_WRITE
async def test_an_execution_does_it_or_waits_for_a_confirmation_and_is_audited(
    place: Place, operation: type[Operation]
) -> None:
    given = samples.sample(operation, await samples.things(place))
    before = await place.world(), await place.kept()
    answer = await place.call(operation.name, "ada", **given, dry_run=False)
    assert answer.status in ("done", "needs_confirmation"), answer
    assert ((await place.world(), await place.kept()) != before) is (answer.status == "done")
    rows = await place.audited(call_id=answer.data["call_id"])
    assert [row.entry for row in rows] == (["intent", "outcome"] if answer.status == "done" else ["intent"])
    assert rows[-1].status == ("done" if answer.status == "done" else "pending")
    assert {str(row.user_id) for row in rows} == {place.member("ada")}
    listed = await place.done("audit_list", "ada", guild=place.id, operation=operation.name)
    assert answer.data["call_id"] in {call["call_id"] for call in listed["calls"]}


@EVERY_READ
async def test_a_read_sends_nothing_that_has_an_effect(place: Place, operation: type[Operation]) -> None:
    given = samples.sample(operation, await samples.things(place))
    await place.town.effects()
    await place.done(operation.name, "ada", **given)
    assert await place.town.effects() == []


@EVERY_IN_GUILD
async def test_a_viewer_may_read_and_nothing_else(place: Place, operation: type[Operation]) -> None:
    given = samples.sample(operation, await samples.things(place))
    await place.town.requests()
    answer = await place.call(operation.name, "wren", **given)
    least = operation.min_role or least_role(operation.kind, operation.scope)
    if least is PlatformRole.VIEWER:
        if answer.code == "unknown_call":
            # The call of somebody else, which only who may read the audit log sees.
            return
        if answer.is_error:
            # The role would do; what Discord gates stays behind Discord's gate, and only he himself is looked up.
            assert (answer.data["step"], answer.code) == ("discord", "you_lack_permission"), answer
            himself = f"/guilds/{place.id}/members/{place.member('wren')}"
            assert {request["path"] for request in await place.town.requests()} <= {himself}
        return
    assert (answer.status, answer.data["step"]) == ("refused", "scope"), answer
    assert answer.data["reason"]
    assert answer.data["remedy"]
    assert await place.town.requests() == [], "a refused caller causes no request"
    (row,) = await place.audited(call_id=answer.data["call_id"])
    assert (row.entry, row.status, row.step, row.operation) == ("decision", "refused", "scope", operation.name)


@EVERY_IN_GUILD
async def test_across_workspaces_it_answers_as_for_what_does_not_exist(
    place: Place, elsewhere: Place, operation: type[Operation]
) -> None:
    foreign = samples.sample(operation, await samples.things(elsewhere))
    unknown = samples.sample(operation, samples.UNKNOWN)
    before = await elsewhere.world()
    for more in ({},) if operation.kind is Kind.READ else ({}, {"dry_run": False}):
        answers = [
            await place.call(operation.name, "ada", **foreign, **more),
            await place.call(operation.name, "ada", **unknown, **more),
            await place.call(operation.name, "ada", **_without_guild(foreign), **more),
            await place.call(operation.name, "ada", **_without_guild(unknown), **more),
        ]
        assert all(answer.status == "refused" for answer in answers), answers
        assert answers[0].said == answers[1].said
        assert answers[2].said == answers[3].said
        for answer in answers:
            (row,) = await place.audited(call_id=answer.data["call_id"])
            assert row.status == "refused"
    assert await elsewhere.world() == before
    assert [row for row in await elsewhere.audited() if row.client_id == place.granted["ada"].id] == []


def _without_guild(arguments: dict[str, object]) -> dict[str, object]:
    """The guild is then found by the channel; a call that names neither is asked about none of them."""
    return {key: value for key, value in arguments.items() if key != "guild"} if "channel" in arguments else arguments


@EVERY_IN_GUILD
async def test_no_secret_is_in_any_output(place: Place, operation: type[Operation]) -> None:
    known = await samples.things(place)
    sandbox = place.town.sandbox
    secrets = [
        await place.token("ada"),
        sandbox.bot_token,
        sandbox.control_token,
        sandbox.oauth_client_secret,
        place.town.environment["SECRET_KEYS"],
        place.granted["ada"].token_mac,
    ]
    given = samples.sample(operation, known)
    async with place.client("ada") as client:
        answers: list[Answer] = [
            answer_of(await client.call_tool(operation.name, arguments))
            for arguments in ({**given}, {**given, "guild": "nowhere"}, {"nonsense": secrets[1]}, {})
        ]
    for answer in answers[:2]:
        assert not [secret for secret in secrets if secret and secret in answer.text + str(answer.data)]
    assert secrets[1] not in answers[2].text + str(answers[2].data), "an error must not repeat what it was given"


@EVERY_IN_GUILD
async def test_two_clients_of_one_person_get_the_same_answer(place: Place, operation: type[Operation]) -> None:
    """A result depends on the person, never on which token or which era asked."""
    given = samples.sample(operation, await samples.things(place))
    await place.token("ada", key="second")
    first = await place.call(operation.name, "ada", **given)
    second = await place.call(operation.name, "second", **given)
    ignored = ("call_id", "plan_id", "plan_token", "expires_at", "cursor", "at", "duration_ms")
    assert without(first.data, *ignored) == without(second.data, *ignored)
