"""A server in Discord's place that answers, fails and hangs up as a test says: connections are what it is about."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

from tests.bot.addresses import discord_at

Action = Literal["ok", "reset_before", "reset_after", "cut_answer", "hang_after"] | int
JSON = "application/json"


@dataclass
class ScriptedApi:
    """``script``: what happens to the next writes; when it is empty they succeed.

    ``effects``: the writes that took effect, as method and path; ``bodies``: what they brought.
    """

    base_url: str = ""
    script: deque[Action] = field(default_factory=deque[Action])
    effects: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    bodies: list[bytes] = field(default_factory=list[bytes])
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    invalid_reads: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            if self.invalid_reads > 0:
                self.invalid_reads -= 1
                return web.Response(status=403, body=b'{"code": 50001, "message": "Missing Access"}', headers=_json())
            return web.Response(
                body=b'{"id": "1", "username": "bot", "discriminator": "0", "avatar": null}', headers=_json()
            )
        body = await request.read()
        action = self.script.popleft() if self.script else "ok"
        if action == "reset_before":
            return _hang_up(request)
        if action == 429:
            headers = {**_json(), "Via": "1.1 google", "X-RateLimit-Scope": "user"}
            return web.Response(status=429, body=b'{"retry_after": 0.01, "global": false}', headers=headers)
        if isinstance(action, int):
            self._take_effect(request, body)
            return web.Response(status=action, body=b'{"message": "scripted"}', headers=_json())
        self._take_effect(request, body)
        if action == "reset_after":
            return _hang_up(request)
        if action == "cut_answer":
            answer = web.StreamResponse(headers={**_json(), "Content-Length": "1000"})
            await answer.prepare(request)
            await answer.write(b'{"id": ')
            return _hang_up(request)
        if action == "hang_after":
            self.arrived.set()
            await asyncio.Event().wait()
        return web.Response(body=b'{"id": "2"}', headers=_json())

    def _take_effect(self, request: web.Request, body: bytes) -> None:
        self.effects.append((request.method, request.path.removeprefix("/api/v10")))
        self.bodies.append(body)


def _json() -> dict[str, str]:
    return {"Content-Type": JSON}


def _hang_up(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@contextlib.asynccontextmanager
async def scripted_api() -> AsyncGenerator[ScriptedApi]:
    api = ScriptedApi()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        api.base_url = f"http://{host}:{port}"
        with discord_at(f"{api.base_url}/api/v10"):
            yield api
    finally:
        await runner.cleanup()
