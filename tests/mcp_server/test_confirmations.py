"""Confirming in-band, with the official client in both eras: what its answer does, and what it can't do."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import mcp.types as t
import pytest
from mcp.client import Client, ClientRequestContext
from mcp.shared.exceptions import MCPError

from mcp_server.identities import OneCaller
from mcp_server.server import mcp_face
from operations.base import Status
from operations.outcomes import structured
from operations.plans import ClientProof
from policy.model import Caller, CallerKind, Face, Strength
from storage.calls import CallState
from storage.crypto import Keyring
from tests.mcp_server.scripted_plans import DELETED, TOKEN, USED_UP, not_done, waiting
from tests.mcp_server.served import REGISTRY, TOOLS, Served, text_of
from tests.mcp_server.transports.small_server import MODERN

ERAS = pytest.mark.parametrize("era", ["legacy", MODERN])
ROADS = pytest.mark.parametrize("progress", [False, True])
"""With a progress token a call goes through the SDK from the start; without one it is handed on by the hot path."""
FORMS: dict[str, Any] = {"elicitation": {"form": {}}}
URL = "https://discord.com/channels/1/2/3"


@dataclass
class Person:
    """Answers what its client is asked, always in the same way."""

    action: Any
    asked: list[t.ElicitRequestParams] = field(default_factory=list[t.ElicitRequestParams])

    async def __call__(
        self, context: ClientRequestContext, params: t.ElicitRequestParams
    ) -> t.ElicitResult | t.ErrorData:
        self.asked.append(params)
        if self.action == "error":
            return t.ErrorData(code=t.INTERNAL_ERROR, message="no screen")
        form = isinstance(params, t.ElicitRequestFormParams) and self.action == "accept"
        return t.ElicitResult(action=self.action, content={} if form else None)


@dataclass
class Desk:
    """One client, and a plan that every call of `channel_delete` comes to."""

    served: Served
    client_id: str
    token: str

    def plan(self, strength: Strength = Strength.TOKEN, **more: Any) -> str:
        plan_id = f"cl_plan{len(self.served.plans.views)}"
        view = self.served.plans.add(plan_id, self.client_id, strength, **more)
        self.served.executor.outcomes["channel_delete"] = waiting(view)
        return plan_id

    def state(self, plan_id: str) -> CallState:
        return self.served.plans.views[plan_id].state

    @asynccontextmanager
    async def client(self, era: str, person: Person | None) -> AsyncGenerator[Client]:
        async with self.served.official(self.token, era, elicitation_callback=person) as client:
            yield client


@pytest.fixture
async def desk(served: Served) -> Desk:
    client, token = await served.token()
    return Desk(served, client.id, token)


async def _ignore(progress: float, total: float | None, message: str | None) -> None:
    pass


async def delete(client: Client, *, progress: bool = False) -> t.CallToolResult:
    return await client.call_tool("channel_delete", {"channel": "5"}, progress_callback=_ignore if progress else None)


def shown(result: t.CallToolResult) -> dict[str, Any]:
    content: Any = result.structured_content
    assert content is not None
    return content


# ------------------------------------------------------------------- the answer
@ERAS
@ROADS
async def test_a_person_who_accepts_gets_it_done_once(desk: Desk, era: str, progress: bool) -> None:
    plan_id, person = desk.plan(), Person("accept")
    async with desk.client(era, person) as client:
        result = await delete(client, progress=progress)
    assert (shown(result)["status"], shown(result)["result"]) == ("done", DELETED)
    ((confirmed, caller, proof),) = desk.served.plans.confirmed
    assert (confirmed, caller.client_id, proof) == (plan_id, desk.client_id, ClientProof())
    assert len(desk.served.executor.calls) == 1
    (asked,) = person.asked
    assert isinstance(asked, t.ElicitRequestFormParams)
    for words in ("Delete #old", "risky", "channel 5 #old", "AutoMod may block it"):
        assert words in asked.message
    assert asked.requested_schema == {"type": "object", "properties": {}}


@ERAS
@ROADS
@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_one_who_does_not_leaves_the_plan_pending_and_the_answer_says_so(
    desk: Desk, era: str, progress: bool, action: str
) -> None:
    plan_id = desk.plan()
    async with desk.client(era, Person(action)) as client:
        result = await delete(client, progress=progress)
    answer = shown(result)
    assert (answer["status"], answer["plan_id"], result.is_error) == ("needs_confirmation", plan_id, False)
    assert text_of(result).startswith("NOT DONE")
    assert ("declined" if action == "decline" else "dismissed") in text_of(result)
    assert answer["reason"] in text_of(result)
    if action == "decline":
        assert answer["plan_token"] is None
    assert (desk.state(plan_id), desk.served.plans.confirmed) == (CallState.PENDING, [])


@ERAS
async def test_a_client_without_elicitation_gets_the_plan(desk: Desk, era: str) -> None:
    plan_id = desk.plan()
    async with desk.client(era, None) as client:
        result = await delete(client)
    answer = shown(result)
    assert (answer["status"], answer["plan_id"]) == ("needs_confirmation", plan_id)
    assert answer["plan_token"] == TOKEN
    assert desk.served.plans.confirmed == []


async def test_a_client_that_fails_to_ask_leaves_the_plan_pending(desk: Desk) -> None:
    plan_id = desk.plan()
    async with desk.client("legacy", Person("error")) as client:
        result = await delete(client)
    assert shown(result)["status"] == "needs_confirmation"
    assert desk.state(plan_id) is CallState.PENDING


@pytest.mark.parametrize("declared", [None, {}, {"elicitation": {"url": {}}}])
async def test_2026_asks_nothing_that_the_client_did_not_declare(desk: Desk, declared: Any) -> None:
    plan_id = desk.plan()
    result = (await raw(desk, capabilities=declared))["result"]
    assert result["resultType"] == "complete"
    assert result["structuredContent"]["plan_id"] == plan_id


async def test_an_empty_declaration_means_forms(desk: Desk) -> None:
    desk.plan()
    result = (await raw(desk, capabilities={"elicitation": {}}))["result"]
    assert result["resultType"] == "input_required"


async def test_a_preview_asks_nobody(desk: Desk) -> None:
    """Also where it stores a plan: it is a preview, as asked."""
    desk.plan()
    outcome = desk.served.executor.outcomes["channel_delete"]
    assert not isinstance(outcome, Exception)
    desk.served.executor.outcomes["channel_delete"] = replace(outcome, status=Status.PREVIEW)
    person = Person("accept")
    async with desk.client(MODERN, person) as client:
        assert shown(await delete(client))["status"] == "preview"
    assert person.asked == desk.served.plans.confirmed == []


# --------------------------------------------------------------------- a person
@ERAS
@ROADS
@pytest.mark.parametrize("action", ["accept", "decline"])
async def test_line_02_what_needs_a_person_is_a_link_and_no_answer_to_it_confirms(
    desk: Desk, era: str, progress: bool, action: str
) -> None:
    plan_id, person = desk.plan(Strength.PERSON), Person(action)
    async with desk.client(era, person) as client:
        result = await delete(client, progress=progress)
    (asked,) = person.asked
    assert isinstance(asked, t.ElicitRequestURLParams)
    assert asked.url == URL
    answer = shown(result)
    assert (answer["status"], answer["approve_url"], answer["confirmation"]) == ("needs_confirmation", URL, "human")
    assert URL in text_of(result)
    assert (desk.state(plan_id), desk.served.plans.confirmed) == (CallState.PENDING, [])


@ERAS
async def test_without_a_card_there_is_no_link(desk: Desk, era: str) -> None:
    desk.plan(Strength.PERSON, card=None)
    person = Person("accept")
    async with desk.client(era, person) as client:
        answer = shown(await delete(client))
    assert "approve_url" not in answer
    assert person.asked == []


async def test_whoever_comes_back_from_the_card_hears_what_became_of_it(desk: Desk) -> None:
    plan_id = desk.plan(Strength.PERSON)
    state = (await raw(desk, capabilities={"elicitation": {"url": {}}}))["result"]["requestState"]
    await desk.served.plans.settle(plan_id, CallState.DONE, {"status": "done", "result": DELETED})
    result = (await raw(desk, state=state, action="accept"))["result"]["structuredContent"]
    assert (result["status"], result["result"]) == ("done", DELETED)
    denied = structured(not_done(plan_id, USED_UP))
    await desk.served.plans.settle(plan_id, CallState.DENIED, denied)
    result = (await raw(desk, state=state, action="accept"))["result"]["structuredContent"]
    assert (result["status"], result["code"]) == ("refused", USED_UP.code)


# -------------------------------------------------------------------- the state
async def raw(
    desk: Desk,
    *,
    token: str | None = None,
    name: str = "channel_delete",
    channel: str = "5",
    capabilities: Any = FORMS,
    state: str | None = None,
    action: str | None = None,
) -> dict[str, Any]:
    """One 2026-07-28 call as bytes; the JSON-RPC response."""
    params: dict[str, Any] = {"name": name, "arguments": {"channel": channel}}
    if capabilities is not None:
        params["_meta"] = {"io.modelcontextprotocol/clientCapabilities": capabilities}
    if state is not None:
        params["requestState"] = state
    if action is not None:
        params["inputResponses"] = {"confirmation": {"action": action, "content": {}}}
    async with desk.served.modern(token or desk.token, "tools/call", params) as response:
        return json.loads(await response.read())


async def test_line_02_a_state_holds_for_its_own_call_only(desk: Desk) -> None:
    plan_id = desk.plan()
    asked = (await raw(desk))["result"]
    assert (asked["resultType"], list(asked["inputRequests"])) == ("input_required", ["confirmation"])
    state = asked["requestState"]
    assert plan_id not in state
    other, _ = await desk.served.token(name="other of the same person"), None
    substitutes: list[dict[str, Any]] = [
        {"token": other[1]},
        {"channel": "6"},
        {"name": "message_send"},
        {"state": state[:-4] + "AAAA"},
        {"state": "v1.AAAA"},
        {"state": json.dumps({"plan_id": plan_id, "asked": "form"})},
    ]
    for substitute in substitutes:
        error = (await raw(desk, **{"state": state, "action": "accept", **substitute}))["error"]
        assert error["code"] == t.INVALID_PARAMS
        assert "Call the tool again" in error["message"], substitute
    assert (desk.state(plan_id), desk.served.plans.confirmed) == (CallState.PENDING, [])
    # None of it has used up the real one.
    assert (await raw(desk, state=state, action="accept"))["result"]["structuredContent"]["status"] == "done"


async def test_line_02_a_replayed_state_finds_its_plan_used_up(desk: Desk) -> None:
    desk.plan()
    state = (await raw(desk))["result"]["requestState"]
    assert (await raw(desk, state=state, action="accept"))["result"]["structuredContent"]["status"] == "done"
    again = (await raw(desk, state=state, action="accept"))["result"]
    assert (again["isError"], again["structuredContent"]["code"]) == (True, "plan_done")
    assert len(desk.served.plans.confirmed) == len(desk.served.executor.calls) == 1


async def test_line_02_a_revoked_client_confirms_nothing(desk: Desk) -> None:
    plan_id = desk.plan()
    state = (await raw(desk))["result"]["requestState"]
    await desk.served.revoke(desk.client_id)
    await desk.served.facts.load()
    async with desk.served.modern(desk.token, "tools/call", {"name": "channel_delete"}) as response:
        assert response.status == 401
    assert state
    assert desk.state(plan_id) is CallState.PENDING


async def test_line_02_who_is_revoked_while_he_thinks_about_it_confirms_nothing(desk: Desk) -> None:
    plan_id = desk.plan()

    async def too_late(context: ClientRequestContext, params: t.ElicitRequestParams) -> t.ElicitResult:
        await desk.served.revoke(desk.client_id)
        await desk.served.facts.load()
        return t.ElicitResult(action="accept", content={})

    with pytest.RaisesGroup(MCPError, allow_unwrapped=True, flatten_subgroups=True):
        async with desk.served.official(desk.token, "legacy", elicitation_callback=too_late) as client:
            await delete(client)
    assert (desk.state(plan_id), desk.served.plans.confirmed) == (CallState.PENDING, [])


async def test_any_process_of_the_instance_takes_up_what_another_one_has_asked(desk: Desk) -> None:
    """Also after its keys were rotated; a state of another instance is a stranger's."""
    caller = Caller(CallerKind.COMMAND_LINE, Face.MCP, desk.client_id, "ws_1", 1)
    first, second, foreign = (secrets.token_urlsafe(48) for _ in range(3))

    def process(*keys: str) -> Client:
        served = desk.served
        face = mcp_face(
            REGISTRY,
            served.executor,
            OneCaller(lambda: caller),
            served.facts,
            served.plans,
            Keyring(keys),
            catalogue=TOOLS,
        )
        return Client(face.server, mode=MODERN, elicitation_callback=Person("accept"))

    async def resumed(client: Client, state: str) -> t.CallToolResult:
        answers: t.InputResponses = {"confirmation": t.ElicitResult(action="accept", content={})}
        return await client.session.call_tool(
            "channel_delete", {"channel": "5"}, request_state=state, input_responses=answers
        )

    desk.plan()
    async with process(first) as one, process(second, first) as other, process(foreign) as stranger:
        asked = await one.session.call_tool("channel_delete", {"channel": "5"}, allow_input_required=True)
        assert isinstance(asked, t.InputRequiredResult)
        assert asked.request_state is not None
        with pytest.raises(MCPError):
            await resumed(stranger, asked.request_state)
        assert desk.served.plans.confirmed == []
        assert shown(await resumed(other, asked.request_state))["status"] == "done"


async def test_a_state_of_nobody_is_refused(desk: Desk) -> None:
    """Without a client's id anybody's state would fit anybody."""
    nobody = Caller(CallerKind.COMMAND_LINE, Face.MCP, "", "ws_1", 1)
    desk.plan()
    served = desk.served
    face = mcp_face(
        REGISTRY,
        served.executor,
        OneCaller(lambda: nobody),
        served.facts,
        served.plans,
        served.database.keyring,
        catalogue=TOOLS,
    )
    async with Client(face.server, mode=MODERN, elicitation_callback=Person("accept")) as client:
        with pytest.raises(MCPError) as fault:
            await delete(client)
    assert fault.value.error.code == t.INTERNAL_ERROR
    assert served.plans.confirmed == []


@pytest.mark.parametrize("action", [None, "decline", "cancel"])
async def test_a_state_without_an_accepting_answer_does_nothing(desk: Desk, action: str | None) -> None:
    plan_id = desk.plan()
    state = (await raw(desk))["result"]["requestState"]
    answer = (await raw(desk, state=state, action=action))["result"]["structuredContent"]
    assert (answer["status"], answer["plan_id"]) == ("needs_confirmation", plan_id)
    assert desk.served.plans.confirmed == []


async def test_an_answer_without_a_state_is_a_new_call(desk: Desk) -> None:
    desk.plan()
    assert (await raw(desk, action="accept"))["result"]["resultType"] == "input_required"
    assert desk.served.plans.confirmed == []


async def test_a_state_that_became_a_persons_affair_confirms_nothing(desk: Desk) -> None:
    """Its requester has read foreign text in between: the plans decide, whatever the client was asked."""
    plan_id = desk.plan()
    state = (await raw(desk))["result"]["requestState"]
    desk.served.plans.add(plan_id, desk.client_id, Strength.PERSON)
    answer = (await raw(desk, state=state, action="accept"))["result"]
    assert (answer["isError"], answer["structuredContent"]["code"]) == (True, "needs_person")
    assert desk.served.plans.confirmed == []
