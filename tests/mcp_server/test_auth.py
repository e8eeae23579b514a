"""Who gets in at the protected addresses, and what the others are told."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

import pytest

from mcp_server.app import AUTH, MCP_HTTP
from mcp_server.attempts import FailedAttempts
from operations.base import Encoded
from storage import tokens
from storage.snapshot import ClientKind
from tests.mcp_server.scripted_executor import read
from tests.mcp_server.served import Served, serving
from tests.mcp_server.transports.small_server import INITIALIZE, JSON, bearer, request, until_true

ADDRESSES = (("POST", "/mcp"), ("GET", "/mcp"), ("DELETE", "/mcp"), ("GET", "/sse"), ("POST", "/messages/"))
STRANGER = tokens.new()
MISTYPED = f"{STRANGER[:-1]}{'0' if STRANGER[-1] != '0' else '1'}"


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
@pytest.mark.parametrize(
    ("headers", "query", "code"),
    [
        pytest.param({}, "", "no_credential", id="nothing"),
        pytest.param({}, f"?access_token={STRANGER}", "token_in_url", id="in the URL"),
        pytest.param({"Authorization": "Bearer"}, "", "malformed", id="scheme alone"),
        pytest.param({"Authorization": "Bearer "}, "", "malformed", id="empty"),
        pytest.param({"Authorization": f"Basic {STRANGER}"}, "", "malformed", id="another scheme"),
        pytest.param({"Authorization": STRANGER}, "", "malformed", id="no scheme"),
        pytest.param({"Authorization": f"Bearer {STRANGER} {STRANGER}"}, "", "malformed", id="two tokens"),
        pytest.param({"Authorization": "Bearer hello"}, "", "unknown_token", id="no token of ours"),
        pytest.param({"Authorization": f"Bearer {MISTYPED}"}, "", "unknown_token", id="mistyped"),
        pytest.param({"Authorization": f"Bearer {STRANGER}"}, "", "unknown_token", id="unknown"),
    ],
)
async def test_without_a_known_token_nothing_is_served(
    served: Served, method: str, path: str, headers: Mapping[str, str], query: str, code: str
) -> None:
    async with served.web.request(method, f"{served.base}{path}{query}", headers={**JSON, **headers}) as response:
        assert response.status == 401
        body = await response.json()
        challenge = response.headers["WWW-Authenticate"]
    assert (body["step"], body["code"]) == ("client", code)
    assert body["reason"]
    assert body["remedy"]
    assert challenge.startswith('Bearer realm="Guildhall"')
    assert ("error=" in challenge) is (code != "no_credential")
    assert STRANGER not in str(body) + challenge
    assert f'guildhall_auth_failures_total{{reason="{code}"}} 1.0' in served.metrics.render().decode()
    assert served.told == []


async def test_a_live_token_is_let_in_and_its_client_owns_the_session(served: Served) -> None:
    client, token = await served.token()
    await served.session(token)
    (session,) = served.app[MCP_HTTP].sessions
    assert session.principal == client.id


async def test_a_token_that_is_valid_in_the_url_alone_is_not_taken(served: Served, token: str) -> None:
    async with served.modern(None, "tools/list", query=f"?token={token}") as response:
        assert response.status == 401
        assert token not in await response.text()


async def test_two_authorization_headers_are_refused(served: Served, token: str) -> None:
    headers = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    async with served.web.get(f"{served.base}/sse", headers=headers) as response:
        assert response.status == 401
        assert (await response.json())["code"] == "malformed"


async def test_the_scheme_is_read_in_any_case(served: Served, token: str) -> None:
    async with served.modern(None, "tools/list", headers={"Authorization": f"bearer {token}"}) as response:
        assert response.status == 200


async def test_a_revoked_token_is_refused_with_its_own_reason_and_audited_once_a_minute(served: Served) -> None:
    client, token = await served.token()
    await served.revoke(client.id)
    for _ in range(3):
        async with served.modern(token, "tools/list") as response:
            assert response.status == 401
            assert (await response.json())["code"] == "revoked"
    await served.app[AUTH].aclose()
    ((caller, refusal),) = served.told
    assert (caller.client_id, caller.workspace_id, refusal.code) == (client.id, served.workspace_id, "revoked")
    assert 'reason="revoked"} 3.0' in served.metrics.render().decode()
    served.clock.now += 61
    async with served.modern(token, "tools/list"):
        await served.app[AUTH].aclose()
    assert len(served.told) == 2


async def test_an_expired_token_is_refused_with_its_own_reason_and_audited(served: Served) -> None:
    client, token = await served.token(expires_at=served.clock() + 60)
    assert await served.tools(token)
    served.clock.now += 60
    async with served.modern(token, "tools/list") as response:
        assert response.status == 401
        assert (await response.json())["code"] == "expired"
    await served.app[AUTH].aclose()
    assert [(caller.client_id, refusal.code) for caller, refusal in served.told] == [(client.id, "expired")]


async def test_an_operators_token_is_let_in(served: Served) -> None:
    _, token = await served.token(user_id=None, kind=ClientKind.OPERATOR, expires_at=served.clock() + 60, guild_ids=[1])
    served.executor.outcomes["guild_list"] = read("guild_list", Encoded(b'{"guilds":[]}'))
    async with served.modern(token, "tools/call", {"name": "guild_list", "arguments": {}}) as response:
        assert response.status == 200
    ((_, _, caller),) = served.executor.calls
    assert (caller.is_operator, caller.user_id, caller.always_tainted) == (True, None, True)


async def test_the_caller_is_the_one_of_each_request_and_never_the_sessions(served: Served, token: str) -> None:
    """Another client's token on a session that isn't its own finds no session."""
    headers = await served.session(token)
    _, other = await served.token()
    body = request("tools/call", {"name": "guild_list", "arguments": {}}, 2)
    async with served.web.post(served.url, headers={**headers, **bearer(other)}, json=body) as response:
        assert response.status == 404
    assert served.executor.calls == []


async def test_a_token_that_is_revoked_while_its_body_arrives_calls_nothing(served: Served) -> None:
    client, token = await served.token()

    async def slow_body() -> AsyncGenerator[bytes]:
        yield b'{"jsonrpc":"2.0","id":1,"method":"initialize",'
        await served.revoke(client.id)
        yield b'"params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}'

    async with served.web.post(served.url, headers={**JSON, **bearer(token)}, data=slow_body()) as response:
        assert response.status == 401
        assert "invalid_token" in response.headers["WWW-Authenticate"]
    assert len(served.app[MCP_HTTP].sessions) == 0


async def test_a_session_does_not_outlive_its_token(served: Served) -> None:
    _, token = await served.token(expires_at=served.clock() + 60)
    headers = await served.session(token)
    served.clock.now += 60
    body = request("tools/call", {"name": "guild_list", "arguments": {}}, 2)
    async with served.web.post(served.url, headers=headers, json=body) as response:
        assert response.status == 401
    assert served.executor.calls == []


async def test_too_many_refused_tokens_from_an_address_are_slowed_down_but_valid_ones_pass(tmp_path: Path) -> None:
    async with serving(tmp_path, attempts=FailedAttempts(per_minute=2)) as served:
        _, token = await served.token()
        for status in (401, 401, 429):
            async with served.modern(STRANGER, "tools/list") as response:
                assert response.status == status
        async with served.modern(STRANGER, "tools/list") as response:
            assert (await response.json())["code"] == "too_many_attempts"
            assert 0 < int(response.headers["Retry-After"]) <= 30
        async with served.modern(None, "tools/list") as response:
            assert response.status == 401  # no token is no guess: it asks how to log in
        assert await served.tools(token)


async def test_before_the_facts_are_read_nobody_is_told_that_a_token_is_unknown(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.facts.snapshot = type(served.facts.snapshot)(revision=-1)
        async with served.modern(STRANGER, "tools/list") as response:
            assert response.status == 503
            assert (await response.json())["code"] == "starting"


@pytest.mark.parametrize("path", ["/%6dcp", "/mcp/", "//mcp", "/MCP", "/mcp;x", "/messages", "/sse/"])
async def test_no_way_of_writing_a_path_goes_around_the_check(served: Served, path: str) -> None:
    body = request("initialize", INITIALIZE)
    async with served.web.post(f"{served.base}{path}", headers=JSON, json=body) as response:
        assert response.status in (401, 404, 405)


@pytest.mark.parametrize("query", ["?toolsets=messages", "?toolsets=messages&toolsets=channels"])
async def test_toolsets_in_the_url_narrow_what_may_be_called(served: Served, token: str, query: str) -> None:
    async with served.modern(token, "tools/call", {"name": "guild_list", "arguments": {}}, query=query):
        pass
    ((_, _, caller),) = served.executor.calls
    assert caller.toolsets == {"meta", "messages"} | ({"channels"} if "channels" in query else set())


async def test_an_unknown_toolset_in_the_url_is_refused_with_those_that_exist(served: Served, token: str) -> None:
    async with served.modern(token, "tools/list", query="?toolsets=massages") as response:
        assert response.status == 400
        body = await response.json()
    assert "'massages'" in body["reason"]
    assert "messages" in body["reason"]


async def test_legacy_sse_takes_the_token_in_the_header_alone(served: Served, token: str) -> None:
    async with served.web.get(f"{served.base}/sse", headers=bearer(token)) as stream:
        assert stream.status == 200
        endpoint = (await stream.content.readuntil(b"\r\n\r\n")).decode()
        while "data: " not in endpoint:
            endpoint = (await stream.content.readuntil(b"\r\n\r\n")).decode()
        path = endpoint.split("data: ")[1].strip()
        assert token not in path
        async with served.web.post(f"{served.base}{path}", headers=JSON, json=request("ping")) as response:
            assert response.status == 401
        async with served.web.post(
            f"{served.base}{path}", headers={**JSON, **bearer(token)}, json=request("ping")
        ) as response:
            assert response.status == 202
    await until_true(lambda: len(served.app[MCP_HTTP].sessions) == 0)
