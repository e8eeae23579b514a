"""Rights: by the effect, fresh, and gone with the person or the credential; what an operator may do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from policy.model import PlatformRole
from storage import installations, memberships
from tests.app import HANDSHAKE, MODERN, SSE, Place, Town, answer_of, until, without
from tests.samples import UNKNOWN_ID
from tests.served_process import command

pytestmark = pytest.mark.asyncio(loop_scope="session")


# ------------------------------------------------------- 10: tier by the effect
async def test_line_10_overwrites_at_a_channels_making_are_as_risky_as_by_themselves(place: Place) -> None:
    asked = {"guild": place.id, "name": "side-door", "dry_run": False}
    plain = await place.call("channel_create", "marlow", **{**asked, "dry_run": True})
    assert plain.data["tier"] == "write"
    opened = await place.call(
        "channel_create",
        "marlow",
        **asked,
        overwrites=[{"role": place.role("Member"), "allow": ["view_channel"]}],
    )
    assert (opened.status, opened.data["tier"]) == ("needs_confirmation", "risky")
    assert "side-door" not in await place.channels()


@pytest.mark.parametrize("permission", ["administrator", "ban_members", "mention_everyone", "manage_guild"])
async def test_line_10_nobody_grants_by_overwrites_what_he_does_not_hold(place: Place, permission: str) -> None:
    asked = {"guild": place.id, "name": "side-door", "dry_run": False}
    for way in ("allow", "deny"):
        refused = await place.call(
            "channel_create", "marlow", **asked, overwrites=[{"member": place.member("marlow"), way: [permission]}]
        )
        assert (refused.status, refused.data["step"]) == ("refused", "discord"), refused
    assert "side-door" not in await place.channels()


async def test_line_10_a_move_does_not_loosen_what_a_channel_policy_says(place: Place) -> None:
    """Out of the category whose policy denies writing, into one that says nothing."""
    await place.set_policy("Staff", write="deny", destroy="deny")
    for change in ({"category": place.channel("Talk")}, {"leave_category": True}):
        refused = await place.call("channel_edit", "ada", channel=place.channel("mod-room"), **change, dry_run=False)
        assert refused.status == "refused", refused
    channels = await place.channels()
    assert channels["mod-room"]["parent_id"] == place.channel("Staff")
    into = await place.call(
        "channel_create", "ada", guild=place.id, name="new-one", category=place.channel("Staff"), dry_run=False
    )
    assert (into.status, into.data["step"]) == ("refused", "channel")


async def test_line_10_no_channel_is_made_in_a_category_that_one_may_not_manage(place: Place) -> None:
    refused = await place.call(
        "channel_create", "marlow", guild=place.id, name="x", category=place.channel("Cellar"), dry_run=False
    )
    unknown = await place.call("channel_create", "marlow", guild=place.id, name="x", category=UNKNOWN_ID, dry_run=False)
    assert refused.said == unknown.said


# --------------------------------------------------------------- 13: stale facts
@pytest_asyncio.fixture(loop_scope="session")
async def silent_gateway(place: Place) -> AsyncGenerator[Place]:
    """The gateway says nothing and is not known to be gone."""
    await place.town.sandbox.control("gateway", pause=True)
    yield place
    await place.town.sandbox.control("gateway", resume=True)


async def test_line_13_a_role_taken_away_while_the_gateway_is_silent_counts_for_what_matters(
    silent_gateway: Place,
) -> None:
    place = silent_gateway
    asked = {"channel": place.channel("news"), "dry_run": False}
    assert (await place.call("channel_delete", "marlow", **asked)).status == "needs_confirmation"
    control = place.town.sandbox.control
    await control("set_roles", guild=place.guild_id, user=int(place.member("marlow")), roles=[])
    refused = await place.call("channel_delete", "marlow", **asked)
    assert (refused.status, refused.data["step"]) == ("refused", "discord")


async def test_line_13_a_member_gone_while_the_gateway_is_silent_is_nobody(silent_gateway: Place) -> None:
    place = silent_gateway
    await place.token("marlow")
    await place.town.sandbox.control("kick", guild=place.guild_id, user=int(place.member("marlow")))
    asked = {"dry_run": False}
    gone = await place.call("channel_delete", "marlow", channel=place.channel("news"), **asked)
    never = await place.call("channel_delete", "marlow", channel=UNKNOWN_ID, **asked)
    assert gone.said == never.said


async def test_line_13_a_token_revoked_by_another_process_is_refused_within_a_second(
    place: Place, tmp_path: Path
) -> None:
    token = await place.token("ada")
    client_id = place.granted["ada"].id
    done = await command(place.town.environment, tmp_path, "token", "revoke", client_id)
    revoked_at = time.monotonic()
    assert done.code == 0, done.errors
    assert client_id in done.output

    async def refused() -> bool:
        return await status_of(place.town, token) == 401

    await until(refused, "the token is refused", 1.0)
    assert time.monotonic() - revoked_at <= 1.0


async def status_of(town: Town, token: str, method: str = "POST", path: str = "/mcp") -> int:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    async with aiohttp.ClientSession() as session, session.request(method, town.url + path, headers=headers) as found:
        return found.status


# ------------------------------------------------- 14: rights outlive nobody
ENDPOINTS = [("POST", "/mcp"), ("GET", "/mcp"), ("DELETE", "/mcp"), ("GET", "/sse"), ("POST", "/messages/")]


@asynccontextmanager
async def open_stream(town: Town, token: str, path: str, headers: dict[str, str]) -> AsyncGenerator[asyncio.Event]:
    """A GET stream that stays open; the event is set when the other side ends it."""
    ended = asyncio.Event()
    given = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream", **headers}
    async with aiohttp.ClientSession() as session, session.get(town.url + path, headers=given) as response:
        assert response.status == 200, await response.text()

        async def read() -> None:
            try:
                async for _ in response.content:
                    pass
            except aiohttp.ClientError:
                pass
            ended.set()

        reading = asyncio.create_task(read())
        yield ended
        reading.cancel()


async def initialized(town: Town, token: str) -> dict[str, str]:
    """A session of the handshake era; the headers that its requests carry."""
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": HANDSHAKE,
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{town.url}/mcp", json=body, headers=headers) as response,
    ):
        assert response.status == 200, await response.text()
        return {"Mcp-Session-Id": response.headers["Mcp-Session-Id"], "MCP-Protocol-Version": HANDSHAKE}


async def test_line_14_a_member_removed_from_the_workspace_loses_every_credential_and_stream(place: Place) -> None:
    await place.set_role("nina", PlatformRole.MANAGER)
    tokens = [await place.token("nina"), await place.token("nina", key="second")]
    session = await initialized(place.town, tokens[0])
    async with (
        open_stream(place.town, tokens[0], "/mcp", session) as stream,
        open_stream(place.town, tokens[1], "/sse", {}) as legacy,
    ):
        async with place.town.core.database.unit_of_work() as unit:
            removal = await memberships.remove(unit, place.workspace_id, int(place.member("nina")), time.time())
        assert removal is not None
        assert len(removal.client_ids) == 2
        async with asyncio.timeout(1):
            await asyncio.gather(stream.wait(), legacy.wait())
    for token in tokens:
        for method, path in ENDPOINTS:
            assert await status_of(place.town, token, method, path) == 401, (method, path)


@pytest.mark.parametrize("mode", [HANDSHAKE, MODERN, SSE])
async def test_line_14_a_member_who_left_the_guild_reads_and_writes_nothing_there_any_more(
    place: Place, mode: str
) -> None:
    """In the very session that he had open."""
    # An explicit role keeps her in the workspace; else her tokens would end with the last guild.
    await place.set_role("nina", PlatformRole.MEMBER)
    general = place.channel("general")
    message_id = await place.sent("nina", content="goodbye")
    async with place.client("nina", mode) as client:
        assert not answer_of(await client.call_tool("channel_list", {"guild": place.id})).is_error
        await place.town.sandbox.control("kick", guild=place.guild_id, user=int(place.member("nina")))

        async def is_gone() -> bool:
            return answer_of(await client.call_tool("channel_list", {"guild": place.id})).status == "refused"

        await until(is_gone, "the bot hears of it", 2.0)
        for name, arguments in (
            ("channel_list", {"guild": place.id}),
            ("guild_get", {"guild": place.id}),
            ("message_list_recent", {"channel": general}),
            ("message_send", {"channel": general, "content": "still here?", "dry_run": False}),
            ("message_edit", {"channel": general, "message": message_id, "content": "changed", "dry_run": False}),
            ("audit_list", {"guild": place.id}),
        ):
            answer = answer_of(await client.call_tool(name, arguments))
            assert answer.status == "refused", (name, answer)
        unknown = answer_of(await client.call_tool("guild_get", {"guild": UNKNOWN_ID}))
        gone = answer_of(await client.call_tool("guild_get", {"guild": place.id}))
        assert gone.said == unknown.said
    assert [message["content"] for message in await place.history("general")] == ["goodbye"]


async def test_line_14_with_the_last_guild_every_token_session_stream_and_plan_ends(place: Place) -> None:
    tokens = [await place.token("marlow"), await place.token("marlow", key="second")]
    asked = await place.call("channel_delete", "marlow", channel=place.channel("news"), dry_run=False)
    assert asked.status == "needs_confirmation"
    session = await initialized(place.town, tokens[0])
    async with open_stream(place.town, tokens[0], "/mcp", session) as stream:
        await place.town.sandbox.control("kick", guild=place.guild_id, user=int(place.member("marlow")))
        async with asyncio.timeout(5):
            await stream.wait()
    for token in tokens:
        for method, path in ENDPOINTS:
            assert await status_of(place.town, token, method, path) == 401, (method, path)
    core = place.town.core
    record = await core.book.record(asked.data["plan_id"])
    assert record is not None
    assert record.state.value == "cancelled"


async def test_line_14_an_installation_that_ended_answers_as_if_it_had_never_been(place: Place) -> None:
    before = await place.call("guild_get", "ada", guild=UNKNOWN_ID)
    async with place.town.core.database.unit_of_work() as unit:
        assert await installations.remove(unit, place.guild_id, time.time())
    assert (await place.call("guild_get", "ada", guild=place.id)).said == before.said
    assert (await place.call("channel_get", "ada", channel=place.channel("general"))).status == "refused"


async def test_line_14_a_plan_of_one_who_lost_his_membership_is_cancelled(place: Place) -> None:
    await place.set_role("marlow", PlatformRole.MEMBER)
    asked = await place.call("channel_delete", "marlow", channel=place.channel("news"), dry_run=False)
    assert asked.status == "needs_confirmation"
    async with place.town.core.database.unit_of_work() as unit:
        removal = await memberships.remove(unit, place.workspace_id, int(place.member("marlow")), time.time())
    assert removal is not None
    assert removal.call_ids == (asked.data["plan_id"],)


# ------------------------------------------------------------------- operators
async def test_an_operators_token_stays_inside_its_guilds_and_says_who_it_is_not(
    place: Place, elsewhere: Place
) -> None:
    me = await place.done("whoami", "operator")
    assert (me["kind"], me["tainted"], me.get("user_id")) == ("operator", True, None)
    assert me["expires_at"]
    assert [guild["id"] for guild in me["guilds"]] == [place.id]
    outside = await place.call("channel_list", "operator", guild=elsewhere.id)
    nowhere = await place.call("channel_list", "operator", guild=UNKNOWN_ID)
    assert outside.said == nowhere.said
    (row, _) = await place.audited(operation="channel_list", caller_kind="operator")
    assert row.user_id is None


async def test_an_operators_token_does_not_reach_a_guild_of_its_own_workspace_that_it_does_not_list(
    place: Place, town: Town
) -> None:
    sibling = await town.settled(
        await town.sandbox.make_guild("Sibling", channels=[{"name": "general"}]), workspace_id=place.workspace_id
    )
    unlisted = await place.call("channel_list", "operator", guild=sibling.id)
    nowhere = await place.call("channel_list", "operator", guild=UNKNOWN_ID)
    assert unlisted.said == nowhere.said
    assert (await place.call("channel_get", "operator", channel=sibling.channel("general"))).status == "refused"


async def test_what_an_operator_asks_for_waits_for_a_person(place: Place) -> None:
    """It is tainted from the start: nobody knows what it has read."""
    await place.set_rules(approvals_channel_id=int(place.channel("mod-room")))
    before = await place.world()
    everyone: dict[str, Any] = {"channel": place.channel("general"), "content": "@everyone hi", "ping": ["everyone"]}
    for name, arguments in (
        ("channel_delete", {"channel": place.channel("news")}),
        ("message_send", everyone),
        ("message_send", {"channel": place.channel("general"), "content": "hi"}),
    ):
        asked = await place.call(name, "operator", **arguments, dry_run=False)
        assert (asked.status, asked.data["confirmation"], asked.data["plan_token"]) == (
            "needs_confirmation",
            "human",
            None,
        ), asked
    after = await place.world()
    cards = after["messages"].pop(place.channel("mod-room"))
    before["messages"].pop(place.channel("mod-room"))
    assert without(after, "last_message_id") == without(before, "last_message_id")
    assert {card["embeds"][0]["title"].split(":")[0] for card in cards} == {"Approval needed"}


async def test_an_operator_has_nobody_to_ask_where_no_approvals_channel_is_set(place: Place) -> None:
    refused = await place.call("channel_delete", "operator", channel=place.channel("news"), dry_run=False)
    assert (refused.status, refused.code) == ("refused", "no_approver")
    assert "approvals channel" in refused.text


async def test_an_operators_token_expires(place: Place) -> None:
    with pytest.raises(ValueError, match="must expire"):
        await place.token("operator", key="forever", expires_at=None)
    token = await place.token("operator", expires_at=time.time() + 0.3)
    assert await status_of(place.town, token) != 401

    async def expired() -> bool:
        return await status_of(place.town, token) == 401

    await until(expired, "it has expired", 2.0)
