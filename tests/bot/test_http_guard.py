"""Nothing is written outside of a call, nothing twice, and no message without allowed_mentions."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Callable
from typing import Any

import aiohttp
import discord
import pytest
import pytest_asyncio
from discord.http import HTTPClient, Route, handle_message_parameters
from discord.webhook.async_ import AsyncWebhookAdapter

from bot.edge_ban import EdgeBan
from bot.http_guard import HttpGuard
from bot.request_budget import RequestBudget
from operations.ledger import LEDGER, Ledger, OutcomeUnknown, SendRefused, phase
from operations.transport_errors import unwrap
from tests.app import until
from tests.bot.fake_time import FakeTime
from tests.bot.scripted_api import ScriptedApi, scripted_api

APPLICATION_ID = 77
NO_MENTIONS = discord.AllowedMentions.none()
Make = Callable[[], Route]


def ban() -> Route:
    return Route("PUT", "/guilds/{guild_id}/bans/{user_id}", guild_id=1, user_id=2)


def unban() -> Route:
    return Route("DELETE", "/guilds/{guild_id}/bans/{user_id}", guild_id=1, user_id=2)


def edit_role() -> Route:
    return Route("PATCH", "/guilds/{guild_id}/roles/{role_id}", guild_id=1, role_id=2)


@pytest_asyncio.fixture
async def api() -> AsyncGenerator[ScriptedApi]:
    async with scripted_api() as api:
        yield api


@pytest.fixture
def guard(api: ScriptedApi) -> HttpGuard:
    guard = HttpGuard(edge_ban=EdgeBan(limit=5), budget=RequestBudget())
    guard.application_id = APPLICATION_ID
    return guard


@pytest_asyncio.fixture
async def http(guard: HttpGuard) -> AsyncGenerator[HTTPClient]:
    client = HTTPClient(asyncio.get_running_loop(), http_trace=guard.trace_config(), max_ratelimit_timeout=30)
    await client.static_login("sandbox.token")
    yield client
    await client.close()


@pytest_asyncio.fixture
async def session(guard: HttpGuard) -> AsyncGenerator[aiohttp.ClientSession]:
    """A session as discord.py's webhooks and interactions use it."""
    async with aiohttp.ClientSession(trace_configs=[guard.trace_config()]) as session:
        yield session


def message(content: str, *, files: bool = False) -> Any:
    options: dict[str, Any] = {"content": content, "allowed_mentions": NO_MENTIONS}
    if files:
        options["file"] = discord.File(io.BytesIO(b"x" * 200_000), "notes.txt")
    return handle_message_parameters(**options)


def unsafe_message(content: str, *, files: bool = False) -> Any:
    options: dict[str, Any] = {"content": content}
    if files:
        options["file"] = discord.File(io.BytesIO(b"x" * 200_000), "notes.txt")
    return handle_message_parameters(**options)


async def test_a_read_passes_and_is_counted(http: HTTPClient) -> None:
    await http.request(Route("GET", "/guilds/1"))
    with phase("preview", "cl_1") as ledger:
        await http.request(Route("GET", "/guilds/1"))
    assert ledger.reads == 1
    assert ledger.sent == 0


async def test_a_write_outside_of_a_call_is_refused(api: ScriptedApi, http: HTTPClient) -> None:
    with pytest.raises(SendRefused, match="outside of any call"):
        await http.request(ban())
    assert api.effects == []


@pytest.mark.parametrize("name", ["read", "preview"])
async def test_a_write_in_a_phase_that_only_reads_is_refused(api: ScriptedApi, http: HTTPClient, name: Any) -> None:
    with phase(name, "cl_1") as ledger, pytest.raises(SendRefused, match=f"phase {name}"):
        await http.request(ban())
    assert (api.effects, ledger.sent) == ([], 0)


@pytest.mark.parametrize("name", ["execute", "system"])
async def test_a_write_in_a_phase_that_may_write_passes(api: ScriptedApi, http: HTTPClient, name: Any) -> None:
    with phase(name, "cl_1") as ledger:
        await http.request(ban())
    assert api.effects == [("PUT", "/guilds/1/bans/2")]
    assert (ledger.sent, ledger.sends) == (1, {})


@pytest.mark.parametrize(
    ("method", "path", "passes"),
    [
        ("POST", "/channels/7/messages", True),
        ("PATCH", "/channels/7/messages/9", True),
        ("POST", "/channels/7/typing", True),
        ("POST", "/channels/8/messages", False),
        ("PATCH", "/channels/7", False),
        ("DELETE", "/channels/7/messages/9", False),
        ("PUT", "/channels/7/pins/9", False),
        ("POST", "/channels/7/messages/9/crosspost", False),
        ("PATCH", "/channels/77/messages/9", False),
        ("PUT", "/guilds/7/bans/2", False),
    ],
)
async def test_a_reply_is_written_in_its_own_channel_and_nothing_else(
    api: ScriptedApi, http: HTTPClient, method: str, path: str, passes: bool
) -> None:
    message = {"content": "hi", "allowed_mentions": {"users": ["1"]}}
    body: dict[str, Any] = {"json": message} if method in ("POST", "PATCH") else {}
    with phase("reply", "cl_1", channel_id=7) as ledger:
        if passes:
            await http.request(Route(method, path), **body)
        else:
            with pytest.raises(SendRefused, match="in its own channel"):
                await http.request(Route(method, path), **body)
    assert bool(api.effects) == bool(ledger.sent) == passes


async def test_a_task_that_leaks_out_of_its_phase_can_write_no_more(api: ScriptedApi, http: HTTPClient) -> None:
    is_over = asyncio.Event()

    async def leaked() -> None:
        await is_over.wait()
        await http.request(ban())

    with phase("execute", "cl_1"):
        task = asyncio.create_task(leaked())
    is_over.set()
    with pytest.raises(SendRefused, match="which is over"):
        await task
    assert api.effects == []


async def test_a_write_that_waits_for_the_budget_until_its_phase_is_over_is_refused(api: ScriptedApi) -> None:
    time = FakeTime()
    budget = RequestBudget(1, clock=time.clock, call_later=time.call_later)
    guard = HttpGuard(edge_ban=EdgeBan(), budget=budget)
    client = HTTPClient(asyncio.get_running_loop(), http_trace=guard.trace_config())
    await client.static_login("sandbox.token")
    with phase("execute", "cl_1"):
        task = asyncio.create_task(client.request(ban()))
        await until(lambda: budget.waiting, "the write waits for its turn")
    time.advance(1.0)
    with pytest.raises(SendRefused, match="which is over"):
        await task
    await client.close()
    assert api.effects == []


@pytest.mark.parametrize("route", [ban, unban], ids=["PUT", "DELETE"])
@pytest.mark.parametrize(("action", "effects"), [("reset_before", 0), ("reset_after", 1)])
async def test_what_aiohttp_would_resend_after_a_reset_is_sent_once(
    api: ScriptedApi, http: HTTPClient, route: Make, action: Any, effects: int
) -> None:
    api.script.append(action)
    with phase("execute", "cl_1") as ledger, pytest.raises(OutcomeUnknown):
        await http.request(route())
    assert len(api.effects) == effects
    assert ledger.sent == 1
    assert sum(ledger.sends.values()) == 1


@pytest.mark.parametrize("route", [ban, edit_role, unban], ids=["PUT", "PATCH", "DELETE"])
async def test_what_discord_py_would_repeat_after_a_502_is_sent_once(
    api: ScriptedApi, http: HTTPClient, route: Make
) -> None:
    api.script.append(502)
    with phase("execute", "cl_1") as ledger, pytest.raises(OutcomeUnknown):
        await http.request(route())
    assert len(api.effects) == 1
    assert ledger.sent == 1


async def test_a_message_with_a_nonce_is_not_repeated_silently_either(api: ScriptedApi, http: HTTPClient) -> None:
    api.script.append(502)
    params = handle_message_parameters(content="hi", nonce="cl_1", allowed_mentions=NO_MENTIONS)
    with phase("execute", "cl_1"), pytest.raises(OutcomeUnknown):
        await http.send_message(5, params=params)
    with phase("execute", "cl_1"):
        await http.send_message(5, params=params)
    assert len(api.effects) == 2


async def test_a_reset_in_the_middle_of_a_post_leaves_its_answer_lost(api: ScriptedApi, http: HTTPClient) -> None:
    api.script.append("reset_after")
    with phase("execute", "cl_1") as ledger:
        with pytest.raises(aiohttp.ClientError):
            await http.send_message(5, params=message("hi"))
        assert ledger.sends == {("POST", "/channels/5/messages"): 1}
        with pytest.raises(OutcomeUnknown):
            await http.send_message(5, params=message("hi"))
    assert len(api.effects) == 1


async def test_an_answer_that_breaks_off_is_a_lost_one(api: ScriptedApi, http: HTTPClient) -> None:
    api.script.append("cut_answer")
    with phase("execute", "cl_1"):
        with pytest.raises(aiohttp.ClientPayloadError):
            await http.request(ban())
        with pytest.raises(OutcomeUnknown):
            await http.request(ban())
    assert len(api.effects) == 1
    with phase("execute", "cl_2"):
        await http.request(ban())
    assert len(api.effects) == 2


async def test_a_cancelled_write_is_a_lost_one(api: ScriptedApi, http: HTTPClient) -> None:
    api.script.append("hang_after")
    with phase("execute", "cl_1") as ledger:
        task = asyncio.create_task(http.request(ban()))
        await api.arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ledger.sends == {("PUT", "/guilds/1/bans/2"): 1}
        with pytest.raises(OutcomeUnknown):
            await http.request(ban())


async def test_a_rate_limited_request_is_repeated_because_it_took_no_effect(api: ScriptedApi, http: HTTPClient) -> None:
    api.script.extend([429, 429])
    with phase("execute", "cl_1") as ledger:
        await http.request(ban())
    assert len(api.effects) == 1
    assert (ledger.sent, ledger.sends) == (3, {})


async def test_a_lost_connection_before_anything_was_sent_is_no_lost_answer(guard: HttpGuard, api: ScriptedApi) -> None:
    async with aiohttp.ClientSession(trace_configs=[guard.trace_config()]) as session:

        async def refuse(*_: Any, **__: Any) -> Any:
            raise aiohttp.ClientConnectionError("no route")

        assert session.connector is not None
        session.connector.connect = refuse
        with phase("execute", "cl_1") as ledger, pytest.raises(aiohttp.ClientConnectionError):
            await session.put(ban().url)
    assert (ledger.sent, ledger.sends) == (0, {})


async def test_several_messages_to_one_channel_are_several_requests(api: ScriptedApi, http: HTTPClient) -> None:
    with phase("execute", "cl_1") as ledger:
        await http.send_message(5, params=message("one"))
        await http.send_message(5, params=message("two"))
        await asyncio.gather(*(http.send_message(5, params=message(str(n))) for n in range(4)))
    assert (len(api.effects), ledger.sent, ledger.sends) == (6, 6, {})


@pytest.mark.parametrize("files", [False, True], ids=["json", "multipart"])
async def test_a_message_without_allowed_mentions_never_arrives(
    api: ScriptedApi, http: HTTPClient, files: bool
) -> None:
    with phase("execute", "cl_1") as ledger:
        with pytest.raises(aiohttp.ClientConnectionError) as caught:
            await http.send_message(5, params=unsafe_message("@everyone", files=files))
        assert isinstance(unwrap(caught.value), SendRefused)
        assert (ledger.sent, ledger.sends) == (0, {})
        await http.send_message(5, params=message("@everyone", files=files))
    assert len(api.effects) == 1
    assert b'"allowed_mentions"' in api.bodies[0]


async def test_an_edit_that_brings_text_needs_allowed_mentions_and_another_one_does_not(
    api: ScriptedApi, http: HTTPClient
) -> None:
    with phase("execute", "cl_1"):
        with pytest.raises(aiohttp.ClientConnectionError) as caught:
            await http.edit_message(5, 6, params=unsafe_message("@everyone"))
        assert isinstance(unwrap(caught.value), SendRefused)
        await http.request(Route("PATCH", "/channels/5/messages/6"), json={"flags": 4})
    assert api.effects == [("PATCH", "/channels/5/messages/6")]


async def test_an_interaction_is_answered_outside_of_any_call(api: ScriptedApi, session: aiohttp.ClientSession) -> None:
    adapter = AsyncWebhookAdapter()
    safe: dict[str, Any] = {"content": "hi", "allowed_mentions": {"parse": []}}
    await session.post(_url(api, "/interactions/9/secrettoken/callback"), json={"type": 4, "data": safe})
    await session.post(_url(api, "/interactions/9/secrettoken/callback"), json={"type": 5})
    await adapter.execute_webhook(APPLICATION_ID, "secrettoken", session=session, payload=safe)
    await session.patch(_url(api, f"/webhooks/{APPLICATION_ID}/secrettoken/messages/@original"), json=safe)
    assert len(api.effects) == 4


async def test_an_answer_to_an_interaction_needs_allowed_mentions(
    api: ScriptedApi, session: aiohttp.ClientSession
) -> None:
    refused: tuple[tuple[str, dict[str, Any]], ...] = (
        ("/interactions/9/secrettoken/callback", {"type": 4, "data": {"content": "@everyone"}}),
        ("/interactions/9/secrettoken/callback", {"type": 7, "data": {"content": "@everyone"}}),
        (f"/webhooks/{APPLICATION_ID}/secrettoken", {"content": "@everyone"}),
    )
    for path, body in refused:
        with pytest.raises(aiohttp.ClientConnectionError) as caught:
            await session.post(_url(api, path), json=body)
        assert isinstance(unwrap(caught.value), SendRefused)
    assert api.effects == []


async def test_another_webhook_needs_a_call_and_its_token_is_not_told(
    api: ScriptedApi, session: aiohttp.ClientSession
) -> None:
    safe: dict[str, Any] = {"content": "hi", "allowed_mentions": {"parse": []}}
    with pytest.raises(SendRefused) as refused:
        await session.post(_url(api, "/webhooks/9/secrettoken"), json=safe)
    assert "secrettoken" not in str(refused.value)
    with phase("execute", "cl_1"):
        await session.post(_url(api, "/webhooks/9/secrettoken"), json=safe)
    assert api.effects == [("POST", "/webhooks/9/secrettoken")]


async def test_the_application_s_commands_are_registered_outside_of_any_call(
    api: ScriptedApi, http: HTTPClient
) -> None:
    await http.bulk_upsert_global_commands(APPLICATION_ID, [])
    await http.bulk_upsert_guild_commands(APPLICATION_ID, 1, [])
    assert len(api.effects) == 2
    with pytest.raises(SendRefused):
        await http.request(Route("DELETE", f"/applications/{APPLICATION_ID}/commands/3"))


async def test_other_places_are_read_and_never_written(api: ScriptedApi, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{api.base_url}/cdn/icons/1.png") as answer:
        assert answer.status == 200
    with phase("execute", "cl_1"), pytest.raises(SendRefused, match="only Discord's API"):
        await session.post(f"{api.base_url}/elsewhere", json={})
    assert api.effects == []


async def test_too_many_refused_requests_stop_further_ones_but_no_answer_to_an_interaction(
    api: ScriptedApi, guard: HttpGuard, http: HTTPClient, session: aiohttp.ClientSession
) -> None:
    api.invalid_reads = 5
    for _ in range(5):
        with pytest.raises(discord.Forbidden):
            await http.request(Route("GET", "/guilds/1"))
    assert guard.edge_ban.state().invalid_answers == 5
    with pytest.raises(SendRefused, match=r"try again in \d+ seconds"):
        await http.request(Route("GET", "/guilds/1"))
    await session.post(_url(api, "/interactions/9/secrettoken/callback"), json={"type": 5})
    assert len(api.effects) == 1


async def test_a_tenant_whose_requests_are_refused_is_stopped_alone(
    api: ScriptedApi, guard: HttpGuard, http: HTTPClient
) -> None:
    guard.edge_ban = EdgeBan(limit=20)
    api.invalid_reads = 2
    for caller_id in ("ada", "bela"):
        with phase("read", "cl_1", caller_id=caller_id, guild_id=1), pytest.raises(discord.Forbidden):
            await http.request(Route("GET", "/guilds/1"))
    for name in ("read", "execute"):
        with phase(name, "cl_1", caller_id="carl", guild_id=1), pytest.raises(SendRefused, match="for this guild"):
            await http.request(ban())
    with phase("execute", "cl_1", caller_id="carl", guild_id=2) as ledger:
        await http.request(ban())
    assert (api.effects, ledger.done) == ([("PUT", "/guilds/1/bans/2")], 1)
    assert guard.edge_ban.state().stopped_guild_ids == (1,)


async def test_every_request_but_answers_to_interactions_takes_a_turn_of_the_budget(api: ScriptedApi) -> None:
    asked: list[Ledger | None] = []

    class Counting(RequestBudget):
        async def acquire(self, ledger: Ledger | None) -> None:
            asked.append(ledger)

    guard = HttpGuard(edge_ban=EdgeBan(), budget=Counting())
    async with aiohttp.ClientSession(trace_configs=[guard.trace_config()]) as session:
        await session.post(_url(api, "/interactions/9/secrettoken/callback"), json={"type": 5})
        assert asked == []
        with phase("execute", "cl_1") as ledger:
            await session.put(ban().url)
            await session.get(_url(api, "/guilds/1"))
    assert asked == [ledger, ledger]
    assert LEDGER.get() is None


def _url(api: ScriptedApi, path: str) -> str:
    return f"{api.base_url}/api/v10{path}"
