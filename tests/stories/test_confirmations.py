"""Confirming from an MCP client: what its person accepts is done, once; what needs more is waited for."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import mcp.types as t
import pytest
from mcp.client import Client
from mcp.server.subscriptions import ResourceUpdated

from operations.base import Outcome
from operations.plans import PersonProof
from policy.model import Face
from tests.app import HANDSHAKE, MODERN, SSE, Answer, Place, answer_of, until
from tests.clients_that_answer import Answering

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    # resources/subscribe is of the handshake era.
    pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning"),
]

TRANSPORTS = pytest.mark.parametrize("mode", [HANDSHAKE, MODERN, SSE])
ERAS = pytest.mark.parametrize("mode", [HANDSHAKE, MODERN])


def loud(place: Place, content: str = "all hands") -> dict[str, Any]:
    """A risky call: it pings everyone."""
    return {
        "guild": place.id,
        "channel": place.channel("general"),
        "content": f"@everyone {content}",
        "ping": ["everyone"],
        "dry_run": False,
    }


def deletion(place: Place) -> dict[str, Any]:
    """A critical call."""
    return {"guild": place.id, "channel": place.channel("news"), "dry_run": False}


async def call(client: Client, name: str, arguments: dict[str, Any]) -> Answer:
    return answer_of(await client.call_tool(name, arguments))


async def confirmed_by_hand(place: Place, who: str, plan_id: str, **more: Any) -> Outcome:
    """As a person confirms it in Discord."""
    caller = place.town.core.callers.of_member(place.guild_id, int(place.member(who)), Face.SLASH)
    assert caller is not None
    return await place.town.core.desk.confirm(plan_id, caller, PersonProof("console", **more))


async def plan(client: Client, plan_id: str) -> dict[str, Any]:
    found = await client.read_resource(f"discord://plans/{plan_id}")
    (content,) = found.contents
    assert isinstance(content, t.TextResourceContents)
    return json.loads(content.text)


async def said_in_general(place: Place) -> list[str]:
    return [message["content"] for message in await place.history("general")]


@TRANSPORTS
async def test_what_its_person_accepts_in_the_client_is_done_once(place: Place, mode: str) -> None:
    person = Answering("accept")
    async with place.client("ada", mode, elicitation_callback=person) as client:
        done = await call(client, "message_send", loud(place))
    assert done.status == "done", done
    (asked,) = person.forms
    assert "risky" in asked.message
    assert "general" in asked.message
    assert await said_in_general(place) == ["@everyone all hands"]
    (outcome,) = await place.audited(call_id=done.data["call_id"], entry="outcome")
    assert outcome.status == "done"


@TRANSPORTS
@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_what_he_does_not_accept_waits_and_can_be_taken_back(place: Place, mode: str, action: Any) -> None:
    async with place.client("ada", mode, elicitation_callback=Answering(action)) as client:
        answer = await call(client, "message_send", loud(place))
        assert answer.status == "needs_confirmation", answer
        assert answer.text.startswith("NOT DONE")
        plan_id = answer.data["plan_id"]
        assert (await call(client, "plan_get", {"plan_id": plan_id})).data["state"] == "pending"
        assert (await plan(client, plan_id))["state"] == "pending"
        assert (await call(client, "plan_cancel", {"plan_id": plan_id})).data["state"] == "cancelled"
    assert await said_in_general(place) == []


@ERAS
async def test_a_client_that_cannot_ask_confirms_with_the_token(place: Place, mode: str) -> None:
    async with place.client("ada", mode) as client:
        answer = await call(client, "message_send", loud(place))
        assert answer.status == "needs_confirmation", answer
        given = {"plan_id": answer.data["plan_id"], "plan_token": answer.data["plan_token"]}
        assert (await call(client, "plan_confirm", given)).data["status"] == "done"
        assert (await call(client, "plan_confirm", given)).is_error
    assert await said_in_general(place) == ["@everyone all hands"]


@ERAS
async def test_a_delegated_call_is_asked_about_as_well(place: Place, mode: str) -> None:
    person = Answering("accept")
    async with place.client("ada", mode, elicitation_callback=person) as client:
        inner = {"name": "message_send", "arguments": loud(place)}
        done = await call(client, "operation_write", inner)
    assert done.status == "done", done
    assert len(person.forms) == 1
    assert await said_in_general(place) == ["@everyone all hands"]


@ERAS
async def test_a_critical_call_waits_for_a_person_and_its_client_hears_of_it(place: Place, mode: str) -> None:
    heard: list[str] = []

    async def hear(message: Any) -> None:
        if isinstance(message, t.ResourceUpdatedNotification):
            heard.append(message.params.uri)

    person = Answering("accept")
    async with place.client("ada", mode, elicitation_callback=person, message_handler=hear) as client:
        answer = await call(client, "channel_delete", deletion(place))
        assert (answer.status, answer.data["confirmation"]) == ("needs_confirmation", "human"), answer
        assert answer.data["plan_token"] is None
        assert person.forms == []
        plan_id = answer.data["plan_id"]
        uri = f"discord://plans/{plan_id}"
        if mode == MODERN:
            async with client.listen(resource_subscriptions=[uri]) as events:
                done = await confirmed_by_hand(place, "olive", plan_id, typed="news")
                async with asyncio.timeout(5):
                    assert await anext(aiter(events)) == ResourceUpdated(uri)
        else:
            await client.subscribe_resource(uri)  # pyright: ignore[reportDeprecated]
            done = await confirmed_by_hand(place, "olive", plan_id, typed="news")
            await until(lambda: heard == [uri], "the client hears of it")
        assert done.status == "done", done
        shown = await plan(client, plan_id)
        assert (shown["state"], shown["outcome"]["status"]) == ("done", "done")
        assert shown == (await call(client, "plan_get", {"plan_id": plan_id})).data
    assert "news" not in await place.channels()


@ERAS
async def test_a_waiting_call_of_plan_get_ends_with_the_confirmation(place: Place, mode: str) -> None:
    async with place.client("ada", mode) as client:
        answer = await call(client, "channel_delete", deletion(place))
        plan_id = answer.data["plan_id"]
        waiting = asyncio.create_task(call(client, "plan_get", {"plan_id": plan_id, "wait_seconds": 25}))
        assert (await confirmed_by_hand(place, "ada", plan_id, typed="news")).status == "done"
        async with asyncio.timeout(5):
            assert (await waiting).data["state"] == "done"
