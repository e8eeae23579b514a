"""Plans as resources: listed, read, and word of them in both eras; who lost the right to know hears nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import mcp.types as t
import pytest
from mcp.client import Client
from mcp.client.subscriptions import Subscription
from mcp.server.subscriptions import ResourceUpdated, ServerEvent, ToolsListChanged
from mcp.shared.exceptions import MCPError

from mcp_server.subscriptions import MOST_A_SESSION
from operations.base import Encoded, Outcome, Status
from policy.model import Kind, PlatformRole
from storage.calls import CallState
from tests.app import until
from tests.mcp_server.scripted_executor import read
from tests.mcp_server.scripted_plans import UNKNOWN
from tests.mcp_server.served import MEMBER_ID, Served
from tests.mcp_server.transports.small_server import MODERN

ERAS = pytest.mark.parametrize("era", ["legacy", MODERN])
URI = "discord://plans/cl_1"
SHOWN = {"plan_id": "cl_1", "state": "pending"}

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")


class Heard:
    """The messages of one client of the handshake era."""

    def __init__(self) -> None:
        self.uris: list[str] = []

    async def __call__(self, message: Any) -> None:
        if isinstance(message, t.ResourceUpdatedNotification):
            self.uris.append(message.params.uri)


@pytest.fixture
async def mine(served: Served) -> str:
    """A token whose client has the plan cl_1; the executor lets it read."""
    client, token = await served.token()
    served.plans.add("cl_1", client.id)
    served.executor.outcomes["plan_get"] = read("plan_get", Encoded(json.dumps(SHOWN).encode()))
    return token


def hide(served: Served) -> None:
    served.executor.outcomes["plan_get"] = Outcome(Status.REFUSED, "plan_get", Kind.READ, "cl_2", refusal=UNKNOWN)


@asynccontextmanager
async def legacy(served: Served, token: str) -> AsyncGenerator[tuple[Client, Heard]]:
    heard = Heard()
    async with served.official(token, "legacy", message_handler=heard) as client:
        yield client, heard


async def subscribe(client: Client, uri: str) -> None:
    """Deprecated means: of the handshake era."""
    await client.subscribe_resource(uri)  # pyright: ignore[reportDeprecated]


async def unsubscribe(client: Client, uri: str) -> None:
    await client.unsubscribe_resource(uri)  # pyright: ignore[reportDeprecated]


async def next_event(events: Subscription) -> ServerEvent:
    async with asyncio.timeout(5):
        return await anext(aiter(events))


# ---------------------------------------------------------------------- reading
@ERAS
async def test_the_template_is_listed_and_a_plan_is_read_through_its_operation(
    served: Served, mine: str, era: str
) -> None:
    async with served.official(mine, era) as client:
        (template,) = (await client.list_resource_templates()).resource_templates
        assert (await client.list_resources()).resources == []
        found = await client.read_resource(URI)
    assert (template.uri_template, template.mime_type) == ("discord://plans/{plan_id}", "application/json")
    (content,) = found.contents
    assert isinstance(content, t.TextResourceContents)
    assert (content.uri, json.loads(content.text)) == (URI, SHOWN)
    ((operation, arguments, caller),) = served.executor.calls
    assert (operation, arguments, caller.user_id) == ("plan_get", {"plan_id": "cl_1"}, MEMBER_ID)


@ERAS
async def test_a_refusal_is_the_protocols_error_with_reason_and_code(served: Served, mine: str, era: str) -> None:
    hide(served)
    async with served.official(mine, era) as client:
        with pytest.raises(MCPError) as refusal:
            await client.read_resource(URI)
    assert (refusal.value.error.code, refusal.value.error.data["code"]) == (t.INVALID_PARAMS, "unknown_plan")
    assert UNKNOWN.reason in refusal.value.error.message


@ERAS
@pytest.mark.parametrize(
    "uri", ["discord://plans/", "discord://plans/a/b", "discord://guilds", "x" * 5_000, "file:///etc"]
)
async def test_a_uri_that_is_not_served_asks_nothing(served: Served, mine: str, era: str, uri: str) -> None:
    async with served.official(mine, era) as client:
        with pytest.raises(MCPError) as refusal:
            await client.read_resource(uri)
    assert refusal.value.error.code == t.INVALID_PARAMS
    assert served.executor.calls == []


# ---------------------------------------------------------------- handshake era
async def test_a_subscriber_hears_when_the_plan_is_settled(served: Served, mine: str) -> None:
    async with legacy(served, mine) as (client, heard):
        await subscribe(client, URI)
        await subscribe(client, URI)
        await until(lambda: served.plans.waits == 1, "it is watched, once")
        assert heard.uris == []
        await served.plans.settle("cl_1", CallState.DONE)
        await until(lambda: heard.uris == [URI], "the update arrives")
        await until(lambda: len(subscriptions(served)) == 0, "there is nothing left to watch")


async def test_what_is_settled_already_is_told_at_once(served: Served, mine: str) -> None:
    await served.plans.settle("cl_1", CallState.DONE)
    async with legacy(served, mine) as (client, heard):
        await subscribe(client, URI)
        await until(lambda: heard.uris == [URI], "the update arrives")


async def test_an_unsubscribed_one_hears_nothing(served: Served, mine: str) -> None:
    async with legacy(served, mine) as (client, heard):
        await subscribe(client, URI)
        await unsubscribe(client, URI)
        await unsubscribe(client, URI)
        await until(lambda: served.plans.waits == 0, "nothing is watched")
        await served.plans.settle("cl_1", CallState.DONE)
        await client.list_tools()
        assert heard.uris == []


async def test_what_may_not_be_read_may_not_be_subscribed_to(served: Served, mine: str) -> None:
    hide(served)
    async with legacy(served, mine) as (client, _):
        for uri in (URI, "discord://plans/cl_foreign"):
            with pytest.raises(MCPError) as refusal:
                await subscribe(client, uri)
            assert refusal.value.error.data["code"] == "unknown_plan"
    assert served.plans.waits == 0


async def test_subscriptions_end_with_their_session(served: Served, mine: str) -> None:
    async with legacy(served, mine) as (client, _):
        await subscribe(client, URI)
        await until(lambda: served.plans.waits == 1, "it is watched")
    await until(lambda: served.plans.waits == 0, "nothing is watched")
    assert len(subscriptions(served)) == 0


async def test_a_session_has_so_many_subscriptions_and_no_more(served: Served, mine: str) -> None:
    client_id = served.plans.views["cl_1"].client_id
    async with legacy(served, mine) as (client, _):
        for number in range(MOST_A_SESSION):
            served.plans.add(f"cl_many{number}", client_id)
            await subscribe(client, f"discord://plans/cl_many{number}")
        with pytest.raises(MCPError) as refusal:
            await subscribe(client, URI)
    assert str(MOST_A_SESSION) in refusal.value.error.message


@ERAS
async def test_line_21_who_lost_the_right_to_know_hears_nothing(served: Served, mine: str, era: str) -> None:
    """He may not see the plan any more when it is settled: its end is not his affair."""
    async with legacy(served, mine) as (other, heard):
        if era == "legacy":
            await subscribe(other, URI)
            await until(lambda: served.plans.waits == 1, "it is watched")
            served.plans.add("cl_1", "another client")
            await served.plans.settle("cl_1", CallState.DONE)
            await until(lambda: served.plans.waits == 0, "the watch has ended")
            await other.list_tools()
            assert heard.uris == []
            return
    async with served.official(mine, MODERN) as client, client.listen(resource_subscriptions=[URI]) as events:
        await until(lambda: served.plans.waits == 1, "it is watched")
        served.plans.add("cl_1", "another client")
        await served.plans.settle("cl_1", CallState.DONE)
        await until(lambda: served.plans.waits == 0, "the watch has ended")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await anext(aiter(events))


@ERAS
async def test_line_14_a_revoked_client_has_no_subscription_left(served: Served, mine: str, era: str) -> None:
    client_id = served.plans.views["cl_1"].client_id

    async def revoke() -> None:
        await until(lambda: served.plans.waits == 1, "it is watched")
        await served.revoke(client_id)
        await served.facts.load()
        await until(lambda: served.plans.waits == 0, "nothing is watched")

    if era == "legacy":
        headers = await served.session(mine)
        body = {"jsonrpc": "2.0", "id": 2, "method": "resources/subscribe", "params": {"uri": URI}}
        async with served.web.post(served.url, headers=headers, json=body) as response:
            assert response.status == 200
            assert "result" in await response.json()
        await revoke()
        return
    asked = {"notifications": {"resourceSubscriptions": [URI]}}
    async with served.modern(mine, "subscriptions/listen", asked) as response:
        assert response.status == 200
        await revoke()
        assert b"withdrawn" in await response.content.read()


# ------------------------------------------------------------------- 2026-07-28
async def test_a_listener_hears_when_the_plan_is_settled(served: Served, mine: str) -> None:
    async with served.official(mine, MODERN) as client, client.listen(resource_subscriptions=[URI]) as events:
        await until(lambda: served.plans.waits == 1, "it is watched")
        await served.plans.settle("cl_1", CallState.DONE)
        assert await next_event(events) == ResourceUpdated(URI)
    await until(lambda: len(subscriptions(served)) == 0, "the stream is forgotten")


async def test_a_listener_is_told_what_it_does_not_hear_of(served: Served, mine: str) -> None:
    hide(served)
    unknown = [URI, "discord://plans/cl_foreign", "discord://guilds"]
    async with served.official(mine, MODERN) as client, client.listen(resource_subscriptions=unknown) as events:
        assert not events.honored.resource_subscriptions
    assert served.plans.waits == 0


async def test_a_listener_hears_of_other_tools(served: Served, mine: str) -> None:
    async with served.official(mine, MODERN) as client, client.listen(tools_list_changed=True) as events:
        await served.set_role(MEMBER_ID, PlatformRole.VIEWER)
        await served.facts.load()
        assert await next_event(events) == ToolsListChanged()


async def test_a_listener_asks_for_so_many_resources_and_no_more(served: Served, mine: str) -> None:
    uris = [f"discord://plans/cl_{number}" for number in range(MOST_A_SESSION + 1)]
    async with served.official(mine, MODERN) as client:
        with pytest.raises(MCPError) as refusal:
            async with client.listen(resource_subscriptions=uris):
                raise AssertionError("it was acknowledged")
    assert str(MOST_A_SESSION) in refusal.value.error.message
    assert served.executor.calls == []


async def test_listeners_get_a_goodbye_when_the_server_stops(served: Served, mine: str) -> None:
    asked = {"notifications": {"resourceSubscriptions": [URI]}}
    async with served.modern(mine, "subscriptions/listen", asked) as response:
        await until(lambda: served.plans.waits == 1, "it is watched")
        await served.app.shutdown()
        said = (await response.content.read()).decode()
    last = json.loads(said.strip().rsplit("data: ", 1)[1])
    assert "result" in last, last


def subscriptions(served: Served) -> Any:
    return served.face.subscriptions
