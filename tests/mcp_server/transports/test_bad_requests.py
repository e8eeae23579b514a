"""What is wrong with a request is answered as a JSON-RPC error that says what to do, never with a crash."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import mcp.types as t
import pytest
from aiohttp import web

from mcp_server.transports import TransportLimits
from tests.mcp_server.transports.small_server import (
    INITIALIZE,
    MODERN,
    Running,
    bearer,
    notification,
    request,
    running,
)

LIST = request("tools/list")


async def refused(response: aiohttp.ClientResponse, status: int, code: int) -> dict[str, Any]:
    body = await response.text()
    assert response.status == status, body
    error: dict[str, Any] = json.loads(body)
    assert error["jsonrpc"] == "2.0"
    assert error["error"]["code"] == code
    assert "Traceback" not in body
    return error


@pytest.mark.parametrize(
    ("body", "code", "hint"),
    [
        (b"", t.PARSE_ERROR, "not valid JSON"),
        (b"{", t.PARSE_ERROR, "not valid JSON"),
        (b"\xff\xfe", t.PARSE_ERROR, "not valid JSON"),
        (b"[" * 5000, t.PARSE_ERROR, "not valid JSON"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, t.INVALID_REQUEST, "nested deeper than 128"),
        (b"null", t.INVALID_REQUEST, "single JSON-RPC object"),
        (b'"text"', t.INVALID_REQUEST, "single JSON-RPC object"),
        (json.dumps([LIST]).encode(), t.INVALID_REQUEST, "batches are not supported"),
        (b'{"id":1,"method":"ping"}', t.INVALID_REQUEST, '"jsonrpc" must be'),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', t.INVALID_REQUEST, '"id" must be'),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', t.INVALID_REQUEST, '"id" must be'),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', t.INVALID_REQUEST, '"id" must be'),
        (b'{"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"ping"}', t.INVALID_REQUEST, '"id" must be'),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', t.INVALID_REQUEST, '"method" must be'),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', t.INVALID_REQUEST, '"params" must be'),
        (b'{"jsonrpc":"2.0","id":1}', t.INVALID_REQUEST, "needs"),
        (b'{"jsonrpc":"2.0","id":1,"result":{},"error":{}}', t.INVALID_REQUEST, "exactly one"),
        (b'{"jsonrpc":"2.0","result":{}}', t.INVALID_REQUEST, "needs the"),
        (b'{"jsonrpc":"2.0","id":1,"result":7}', t.INVALID_REQUEST, "must be objects"),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"MCP-Protocol-Version": MODERN}], ids=["handshake", "modern"])
async def test_a_malformed_body_is_refused(
    served: Running, body: bytes, code: int, hint: str, headers: dict[str, str]
) -> None:
    async with served.post(body, headers=headers) as response:
        error = await refused(response, 400, code)
    assert hint in error["error"]["message"]


@pytest.mark.parametrize(
    ("escape", "what"),
    [("\\u0000", "a NUL character"), ("\\ud800", "a lone surrogate"), ("\\uDFFF x", "a lone surrogate")],
)
async def test_text_that_can_not_be_stored_is_refused_with_its_place(served: Running, escape: str, what: str) -> None:
    body = json.dumps(request("tools/call", {"name": "echo", "arguments": {"text": ["", "HERE"]}}, 9))
    async with served.post(body.replace("HERE", escape).encode()) as response:
        error = await refused(response, 400, t.INVALID_PARAMS)
    assert error["id"] == 9
    assert f"{what}" in error["error"]["message"]
    assert "at params.arguments.text[1]" in error["error"]["message"]


async def test_unsafe_text_in_a_key_is_refused(served: Running) -> None:
    async with served.post(b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a\\u0000":1}}') as response:
        error = await refused(response, 400, t.INVALID_PARAMS)
    assert "in a key of params" in error["error"]["message"]


async def test_an_escaped_backslash_before_u0000_is_plain_text(served: Running) -> None:
    session = await served.initialize()
    status, answer = await served.call("echo", {"text": "\\u0000"}, headers=session)
    assert (status, answer["result"]["content"][0]["text"]) == (200, "\\u0000")


@pytest.mark.parametrize("headers", [{}, {"MCP-Protocol-Version": MODERN}], ids=["handshake", "modern"])
async def test_another_content_type_is_refused(served: Running, headers: dict[str, str]) -> None:
    async with served.post(b"{}", headers={"Content-Type": "text/plain", **headers}) as response:
        await refused(response, 415, t.INVALID_REQUEST)


async def test_a_client_that_takes_no_json_is_refused(served: Running) -> None:
    async with served.post(LIST, headers={"Accept": "text/html"}) as response:
        await refused(response, 406, t.INVALID_REQUEST)


async def test_a_client_that_takes_json_alone_is_served_without_a_stream(served: Running) -> None:
    headers = {**await served.initialize(), "Accept": "application/json"}
    message = request("tools/call", {"name": "progress", "_meta": {"progressToken": 1}})
    async with served.post(message, headers=headers) as response:
        assert response.content_type == "application/json"
        assert (await response.json())["result"]["content"][0]["text"] == "done"


async def test_a_get_without_the_stream_type_is_refused(served: Running) -> None:
    session = await served.initialize()
    headers = {**session, **bearer("ann"), "Accept": "application/json"}
    async with served.client.get(served.url, headers=headers) as response:
        await refused(response, 406, t.INVALID_REQUEST)


async def test_a_listen_without_the_stream_type_is_refused(served: Running) -> None:
    headers = {"Accept": "application/json"}
    async with served.modern("subscriptions/listen", {"notifications": {}}, headers=headers) as response:
        await refused(response, 406, t.INVALID_REQUEST)


async def test_a_call_without_a_session_is_told_to_initialize(served: Running) -> None:
    async with served.post(LIST) as response:
        error = await refused(response, 400, t.INVALID_REQUEST)
    assert "initialize first" in error["error"]["message"]


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_an_unknown_session_is_not_found(served: Running, method: str) -> None:
    headers = {**bearer("ann"), "Content-Type": "application/json", "Mcp-Session-Id": "0" * 32}
    body = json.dumps(LIST) if method == "POST" else None
    async with served.client.request(method, served.url, headers=headers, data=body) as response:
        await refused(response, 404, t.INVALID_REQUEST)


async def test_initialize_inside_of_a_session_is_refused(served: Running) -> None:
    session = await served.initialize()
    async with served.post(request("initialize", INITIALIZE, 5), headers=session) as response:
        assert (await refused(response, 400, t.INVALID_REQUEST))["id"] == 5


async def test_a_failed_initialize_leaves_no_session(served: Running) -> None:
    async with served.post(request("initialize", {"protocolVersion": 7})) as response:
        assert (await response.json())["error"]["code"] == t.INVALID_PARAMS
    assert len(served.http.sessions) == 0


async def test_an_unknown_version_is_told_the_known_ones(served: Running) -> None:
    version = "2099-01-01"
    meta: dict[str, Any] = {t.PROTOCOL_VERSION_META_KEY: version, t.CLIENT_CAPABILITIES_META_KEY: {}}
    headers = {"MCP-Protocol-Version": version, "Mcp-Method": "tools/list"}
    async with served.post(request("tools/list", {"_meta": meta}), headers=headers) as response:
        error = await refused(response, 400, t.UNSUPPORTED_PROTOCOL_VERSION)
    assert error["error"]["data"] == {"supported": [MODERN], "requested": version}
    async with served.post(notification("notifications/cancelled"), headers=headers) as response:
        await refused(response, 400, t.UNSUPPORTED_PROTOCOL_VERSION)


async def test_modern_headers_must_agree_with_the_body(served: Running) -> None:
    async with served.modern("tools/list", {}, headers={"Mcp-Method": "tools/call"}) as response:
        await refused(response, 400, t.HEADER_MISMATCH)
    async with served.modern("tools/call", {"name": "region", "arguments": {"region": "eu"}}) as response:
        error = await refused(response, 400, t.HEADER_MISMATCH)
    assert "Mcp-Param-Region" in error["error"]["message"]
    headers = {"Mcp-Param-Region": "eu"}
    params = {"name": "region", "arguments": {"region": "eu"}}
    async with served.modern("tools/call", params, headers=headers) as response:
        assert response.status == 200


async def test_a_modern_request_without_its_envelope_is_refused(served: Running) -> None:
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/list"}
    async with served.post(LIST, headers=headers) as response:
        await refused(response, 400, t.INVALID_PARAMS)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_the_modern_era_has_neither_get_nor_delete(served: Running, method: str) -> None:
    headers = {**bearer("ann"), "MCP-Protocol-Version": MODERN}
    async with served.client.request(method, served.url, headers=headers) as response:
        await refused(response, 405, t.INVALID_REQUEST)
        assert response.headers["Allow"] == "POST"


async def test_an_unknown_method_is_404_on_modern_and_200_before(served: Running) -> None:
    async with served.modern("no/such", {}) as response:
        await refused(response, 404, t.METHOD_NOT_FOUND)
    async with served.post(request("no/such"), headers=await served.initialize()) as response:
        await refused(response, 200, t.METHOD_NOT_FOUND)


async def test_a_page_from_elsewhere_and_another_host_are_refused(served: Running) -> None:
    async with served.post(LIST, headers={"Origin": "https://evil.example"}) as response:
        await refused(response, 403, t.INVALID_REQUEST)
    async with served.post(LIST, headers={"Host": "evil.example"}) as response:
        await refused(response, 421, t.INVALID_REQUEST)
    headers = {"Host": "guildhall.example", "Origin": "https://guildhall.example"}
    async with served.post(request("initialize", INITIALIZE), headers=headers) as response:
        assert response.status == 200


@pytest.fixture
async def strict() -> AsyncGenerator[Running]:
    async with running(TransportLimits(body_bytes=1000, body_seconds=0.05, json_values=100)) as served:
        yield served


async def test_a_declared_large_body_is_refused_before_it_is_read(strict: Running) -> None:
    headers = {**bearer("ann"), "Content-Type": "application/json", "Content-Length": "1001"}
    reader, writer = await open_connection(strict)
    try:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 413")
        assert b"limit of 1,000 bytes" in await reader.readuntil(b"}")
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_chunked_body_is_refused_while_it_is_read(strict: Running) -> None:
    async def chunks() -> AsyncGenerator[bytes]:
        for _ in range(20):
            yield b" " * 100

    headers = {**bearer("ann"), "Content-Type": "application/json"}
    async with strict.client.post(strict.url, data=chunks(), headers=headers) as response:
        await refused(response, 413, t.INVALID_REQUEST)


async def test_a_body_that_never_arrives_is_given_up(strict: Running) -> None:
    reader, writer = await open_connection(strict)
    try:
        head = "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ann\r\n"
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 10\r\n\r\n".encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 408")
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_dense_large_body_is_refused_before_it_is_parsed() -> None:
    async with running(TransportLimits(json_values=100)) as served:
        body = b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[' + b"1," * 50_000 + b"1]}}"
        async with served.post(body) as response:
            error = await refused(response, 413, t.INVALID_REQUEST)
    assert "JSON values" in error["error"]["message"]


async def test_a_large_body_is_served(served: Running) -> None:
    session = await served.initialize()
    text = "é" * 1_000_000
    status, answer = await served.call("echo", {"text": text}, headers=session)
    assert status == 200
    assert answer["result"]["content"][0]["text"] == text


async def test_the_body_limit_of_the_application_does_not_matter(served: Running) -> None:
    assert web.Application()._client_max_size == 1024**2  # pyright: ignore[reportPrivateUsage]
    async with served.post(b" " * 3_000_000, headers=await served.initialize()) as response:
        await refused(response, 400, t.PARSE_ERROR)


async def open_connection(served: Running) -> tuple[Any, Any]:
    import asyncio

    host, port = served.base.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))
