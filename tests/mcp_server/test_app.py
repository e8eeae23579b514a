"""What the web application answers besides MCP, and how its answers look."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import orjson
import pytest
from aiohttp import web

from mcp_server.app import PROTECTED, serve
from mcp_server.boundary import SecurityHeaders, error_boundary
from mcp_server.product import product_version
from mcp_server.transports import TransportLimits
from tests.mcp_server.served import Served, serving
from tests.mcp_server.transports.small_server import JSON, bearer, request

PATHS = ("/", "/health", "/ready", "/metrics", "/mcp", "/sse", "/nowhere")


def test_every_address_asks_for_a_token_or_is_open_on_purpose(served: Served) -> None:
    addresses = {resource.canonical for resource in served.app.router.resources()}
    assert addresses - PROTECTED == {"/", "/health", "/ready", "/metrics"}
    assert addresses >= PROTECTED


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_has_the_security_headers(served: Served, path: str) -> None:
    async with served.web.get(f"{served.base}{path}") as response:
        headers = response.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"].startswith("no-")
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    assert headers["Server"] == "Guildhall"


async def test_streams_have_them_too_and_keep_their_own(served: Served, token: str) -> None:
    async with served.web.get(f"{served.base}/sse", headers=bearer(token)) as stream:
        assert stream.headers["X-Content-Type-Options"] == "nosniff"
        assert stream.headers["Cache-Control"] == "no-cache, no-transform"


async def test_the_front_page_says_what_is_here_and_where(served: Served) -> None:
    async with served.web.get(f"{served.base}/") as response:
        assert response.status == 200
        body = await response.json()
    assert body["version"] == product_version()
    for place in ("mcp", "health", "ready", "metrics"):
        async with served.web.get(f"{served.base}{body[place]}") as response:
            assert response.status != 404


async def test_an_unknown_address_is_told_in_json_where_to_look(served: Served) -> None:
    async with served.web.get(f"{served.base}/nowhere") as response:
        assert response.status == 404
        body = await response.json()
    assert (body["code"], body["remedy"]) == ("not_found", "GET / says what is served here.")


async def test_a_method_that_is_not_served_names_those_that_are(served: Served) -> None:
    async with served.web.put(f"{served.base}/health") as response:
        assert response.status == 405
        assert "GET" in response.headers["Allow"]
        assert "GET" in (await response.json())["remedy"]


@pytest.mark.parametrize("path", ["/", "/mcp", "/sse", "/metrics", "/nowhere"])
async def test_a_page_that_rebinds_its_name_to_this_machine_is_refused(served: Served, token: str, path: str) -> None:
    headers = {"Host": "evil.example", **bearer(token)}
    async with served.web.get(f"{served.base}{path}", headers=headers) as response:
        assert response.status == 421
    headers = {"Origin": "https://evil.example", **bearer(token)}
    async with served.web.get(f"{served.base}{path}", headers=headers) as response:
        assert response.status == 403


@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_probes_may_ask_by_any_name(served: Served, path: str) -> None:
    async with served.web.get(f"{served.base}{path}", headers={"Host": "10.0.0.7:8000"}) as response:
        assert response.status == 200


async def test_a_fault_becomes_an_id_that_the_log_has_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    async def fail(request: web.Request) -> web.Response:
        raise RuntimeError("postgresql://user:hunter2@db")

    app = web.Application(middlewares=[error_boundary()])
    app.router.add_get("/fail", fail)
    app.on_response_prepare.append(SecurityHeaders(https=False))
    async with serving_only(app) as get:
        status, body, headers = await get("/fail?token=ghd_secret")
    assert status == 500
    assert "hunter2" not in body
    assert "Traceback" not in body
    assert "Strict-Transport-Security" not in headers
    logged = capsys.readouterr()
    error_id: str = orjson.loads(body)["error_id"]
    assert error_id.startswith("err_")
    assert error_id in logged.out + logged.err
    assert "ghd_secret" not in logged.out + logged.err


async def test_a_fault_in_the_middle_of_a_stream_cuts_the_connection(capsys: pytest.CaptureFixture[str]) -> None:
    async def fail(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        raise RuntimeError("broken")

    app = web.Application(middlewares=[error_boundary()])
    app.router.add_get("/fail", fail)
    app.on_response_prepare.append(SecurityHeaders(https=False))
    async with serving_only(app) as get:
        with pytest.raises(aiohttp.ClientPayloadError):
            await get("/fail")
    assert "request_failed" in capsys.readouterr().out


async def test_a_body_above_the_transports_limit_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=TransportLimits(body_bytes=1_000)) as served:
        _, token = await served.token()
        body = request("ping", {"padding": "x" * 2_000})
        async with served.web.post(served.url, headers={**JSON, **bearer(token)}, json=body) as response:
            assert response.status == 413


async def test_serving_ends_quickly_with_streams_open(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as client:
        async with serving(tmp_path) as served:
            _, token = await served.token()
            stream = await client.get(f"{served.base}/sse", headers=bearer(token))
            await stream.content.readuntil(b"endpoint")
            began_at = time.perf_counter()
        assert time.perf_counter() - began_at < 2
        await stream.content.read()  # ends, for the server has closed it


@asynccontextmanager
async def serving_only(
    app: web.Application,
) -> AsyncGenerator[Callable[[str], Awaitable[tuple[int, str, Mapping[str, str]]]]]:
    async with serve(app, "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:

        async def get(path: str) -> tuple[int, str, Mapping[str, str]]:
            async with session.get(f"http://127.0.0.1:{port}{path}") as response:
                return response.status, await response.text(), response.headers

        yield get
