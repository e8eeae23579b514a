"""Who is let in: without a token, with a revoked, expired, foreign or viewer's one, each is refused at its step."""

from __future__ import annotations

import time
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from storage import tokens
from tests.app import Place, Town, audit_rows, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALL: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {
        "name": "guild_list",
        "arguments": {},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    },
}
HEADERS = {
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/call",
    "Mcp-Name": "guild_list",
}
ENDPOINTS = [("POST", "/mcp"), ("GET", "/mcp"), ("DELETE", "/mcp"), ("GET", "/sse"), ("POST", "/messages/")]


async def asked(
    town: Town, authorization: str | None, method: str = "POST", path: str = "/mcp"
) -> tuple[int, dict[str, Any], str]:
    """Status, body and WWW-Authenticate of a call with this Authorization header."""
    headers = HEADERS if authorization is None else HEADERS | {"Authorization": authorization}
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            method, f"{town.url}{path}", headers=headers, json=CALL if method == "POST" else None
        ) as response,
    ):
        return response.status, await response.json(), response.headers.get("WWW-Authenticate", "")


async def failures(town: Town, reason: str) -> float:
    async with aiohttp.ClientSession() as session, session.get(f"{town.url}/metrics") as response:
        page = await response.text()
    wanted = f'guildhall_auth_failures_total{{reason="{reason}"}} '
    return float(next((line.removeprefix(wanted) for line in page.splitlines() if line.startswith(wanted)), "0"))


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
async def test_without_a_token_no_endpoint_answers(town: Town, method: str, path: str) -> None:
    before = await failures(town, "no_credential")
    status, body, challenge = await asked(town, None, method, path)
    assert (status, body["step"], body["code"]) == (401, "client", "no_credential")
    assert "guildhall token create" in body["remedy"]
    assert challenge == 'Bearer realm="Guildhall"'
    assert await failures(town, "no_credential") == before + 1


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("Bearer " + tokens.new(), "unknown_token"),
        ("Bearer ghd_short", "unknown_token"),
        ("Basic dXNlcjpwYXNz", "malformed"),
        ("Bearer", "malformed"),
    ],
    ids=["well formed", "short", "another scheme", "empty"],
)
async def test_a_stranger_with_a_token_is_counted_and_logged(town: Town, authorization: str, code: str) -> None:
    before = await failures(town, code)
    with capture_logs() as logged:
        status, body, _ = await asked(town, authorization)
    assert (status, body["status"], body["step"], body["code"]) == (401, "refused", "client", code)
    assert body["reason"]
    assert body["remedy"]
    assert await failures(town, code) == before + 1
    # Told once a minute for each address and code, so that a flood of guesses is no flood of logs.
    assert all(entry["code"] == code for entry in logged if entry["event"] == "credential_refused")
    assert authorization.rsplit(maxsplit=1)[-1] not in str(logged)


async def test_a_token_in_the_address_is_not_taken(place: Place) -> None:
    token = await place.token("ada")
    status, body, _ = await asked(place.town, None, path=f"/mcp?access_token={token}")
    assert (status, body["code"]) == (401, "token_in_url")
    assert token not in str(body)


async def test_a_revoked_token_is_refused_and_audited_in_its_workspace(place: Place) -> None:
    token = await place.token("ada")
    assert (await asked(place.town, f"Bearer {token}"))[0] == 200
    await place.revoke("ada")
    with capture_logs() as logged:
        status, body, challenge = await asked(place.town, f"Bearer {token}")
    assert (status, body["step"], body["code"]) == (401, "client", "revoked")
    assert "new one" in body["remedy"]
    assert 'error="invalid_token"' in challenge
    assert [(entry["event"], entry["client_id"]) for entry in logged] == [
        ("credential_refused", place.granted["ada"].id)
    ]
    await until(lambda: place.audited(step="client", code="revoked"), "the refusal is audited")
    (row,) = await place.audited(step="client", code="revoked")
    assert (row.client_id, str(row.user_id), row.status) == (
        place.granted["ada"].id,
        place.member("ada"),
        "refused",
    )


async def test_an_expired_token_is_refused(place: Place) -> None:
    token = await place.token("ada", expires_at=time.time() - 1)
    status, body, _ = await asked(place.town, f"Bearer {token}")
    assert (status, body["step"], body["code"]) == (401, "client", "expired")
    await until(lambda: place.audited(code="expired"), "the refusal is audited")


async def test_a_viewer_is_refused_at_scope(place: Place) -> None:
    refused = await place.call("message_send", "wren", channel=place.channel("general"), content="hi", dry_run=False)
    assert (refused.status, refused.data["step"]) == ("refused", "scope")
    assert "member" in refused.data["reason"] + refused.data["remedy"]
    (row,) = await place.audited(operation="message_send", status="refused")
    assert (row.step, str(row.user_id)) == ("scope", place.member("wren"))
    assert await place.history("general") == []


async def test_a_token_without_the_scope_is_refused_at_scope(place: Place) -> None:
    await place.token("ada", key="reader", scopes={"*:read"})
    refused = await place.call("message_send", "reader", channel=place.channel("general"), content="hi")
    assert (refused.status, refused.data["step"]) == ("refused", "scope")
    assert "messages:write" in refused.data["reason"] + refused.data["remedy"]


async def test_a_read_only_token_writes_nothing(place: Place) -> None:
    await place.token("ada", key="reader", read_only=True)
    refused = await place.call("message_send", "reader", channel=place.channel("general"), content="hi", dry_run=False)
    assert (refused.status, refused.data["step"]) == ("refused", "scope")
    assert await place.history("general") == []


async def test_another_workspaces_guild_answers_as_one_that_does_not_exist(place: Place, elsewhere: Place) -> None:
    """The same bytes; the true step stands in the audit of the caller's workspace, and in no answer."""
    foreign = await place.call("channel_list", guild=elsewhere.id)
    nowhere = await place.call("channel_list", guild="1000000000000000001")
    assert foreign.said == nowhere.said
    assert (foreign.status, foreign.data["step"], foreign.code) == ("refused", "resolve", "unknown_guild")
    assert foreign.data["remedy"]

    rows = await place.audited(operation="channel_list", status="refused")
    assert [row.call_id for row in rows] == [foreign.data["call_id"], nowhere.data["call_id"]]
    assert {row.step for row in rows} == {"installation"}
    assert {row.outward_step for row in rows} == {"resolve"}
    assert await elsewhere.audited() == []

    listed = await place.done("audit_list", mine=True, guild=place.id)
    shown = [
        {key: row.get(key) for key in ("step", "code", "reason", "target_ids", "channel_id")} for row in listed["calls"]
    ]
    assert shown[0] == shown[1]
    assert shown[0] == {"step": "resolve", "code": "unknown", "reason": None, "target_ids": None, "channel_id": None}


async def test_a_foreign_workspaces_token_is_refused_in_its_own_workspace(place: Place, elsewhere: Place) -> None:
    refused = await elsewhere.call("channel_get", channel=place.channel("general"))
    unknown = await elsewhere.call("channel_get", channel="1000000000000000001")
    assert refused.said == unknown.said
    assert [row.call_id for row in await elsewhere.audited(operation="channel_get")] == [
        refused.data["call_id"],
        unknown.data["call_id"],
    ]
    assert await audit_rows(place.town.core, guild_id=place.guild_id) == []


async def test_a_channel_that_the_member_can_not_see_answers_as_one_that_does_not_exist(place: Place) -> None:
    for operation, more in (
        ("channel_get", {}),
        ("message_list_recent", {}),
        ("message_send", {"content": "hi"}),
        ("message_send", {"content": "hi", "dry_run": False}),
        ("channel_edit", {"name": "mine"}),
        ("channel_delete", {}),
    ):
        hidden = await place.call(operation, "nina", channel=place.channel("mod-room"), **more)
        unknown = await place.call(operation, "nina", channel="1000000000000000001", **more)
        assert hidden.said == unknown.said, operation
        assert hidden.code == "unknown_channel", operation
    by_name = await place.call("channel_get", "nina", guild=place.id, channel="mod-room")
    no_name = await place.call("channel_get", "nina", guild=place.id, channel="mod-rooms")
    assert by_name.said == no_name.said
