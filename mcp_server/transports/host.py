"""What the HTTP transports of one MCP server share: sessions, caps, lifespan, shutdown."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

from aiohttp import web
from mcp.server import Server

from mcp_server.transports.call import Call
from mcp_server.transports.ending import Ending
from mcp_server.transports.hot_path import HotPath, ReadyPath, hot_arguments
from mcp_server.transports.kernel import OnRequest
from mcp_server.transports.limits import TransportLimits
from mcp_server.transports.message import Message
from mcp_server.transports.occupancy import Held, Occupancy
from mcp_server.transports.origin import OriginPolicy
from mcp_server.transports.replies import (
    JSON_HEADERS,
    SESSION_HEADER,
    Reply,
    encode_result,
    encode_result_bytes,
)
from mcp_server.transports.session import SELECTION, Session, SessionKind
from mcp_server.transports.session_table import SessionTable

logger = logging.getLogger(__name__)


class Host:
    """Holds one MCP server's sessions and open calls; `run` gives them their upkeep."""

    def __init__(
        self,
        server: Server[Any],
        principal: Callable[[web.Request], str],
        hot_path: HotPath | None,
        ready_path: ReadyPath | None,
        limits: TransportLimits,
        policy: OriginPolicy,
    ) -> None:
        self.server = server
        self.principal = principal
        self.limits = limits
        self.policy = policy
        self.sessions = SessionTable(limits)
        self.calls: Occupancy[Held] = Occupancy(
            limits.calls_per_principal, "calls in flight", "Wait for one to finish, or cancel one."
        )
        self.streams: Occupancy[Held] = Occupancy(limits.streams_per_principal, "open streams", "Close one.")
        self.lifespan_state: Any = None
        self._hot_path = hot_path
        self._ready_path = ready_path

    def open_session(self, request: web.Request, principal: str, kind: SessionKind) -> Session:
        session = Session(self.server, self.lifespan_state, principal, kind, request.get(SELECTION))
        self.sessions.add(session)
        return session

    def answer_at_once(
        self, request: web.Request, principal: str, message: Message, session: Session | None
    ) -> web.Response | None:
        """The whole answer to `message`, where the ready path has it; `session` is None on 2026-07-28.

        Such a call is over before another one can begin: there is nothing to hold, to end or to ping.
        """
        ready_path, method, request_id = self._ready_path, message.method, message.request_id
        if ready_path is None or method is None or request_id is None or self.calls.is_full(principal):
            return None
        hot = hot_arguments(method, message.params)
        if hot is None:
            return None
        try:
            result = ready_path(request, hot[0], hot[1], modern=session is None)
        except Exception:
            # The ordinary road has an answer for whatever is wrong.
            logger.exception("the ready path failed")
            return None
        if result is None:
            return None
        headers = JSON_HEADERS if session is None else {**JSON_HEADERS, SESSION_HEADER: session.id}
        return web.Response(body=encode_result_bytes(request_id, result).body, headers=headers)

    def work(self, on_request: OnRequest, call: Call, message: Message, *, modern: bool) -> Coroutine[Any, Any, Reply]:
        """Give the coroutine that answers `message`, by the hot path or `on_request`, to be run by `Call.perform`."""
        method, request_id = message.method, message.request_id
        if method is None or request_id is None:
            raise ValueError("only a request is answered")
        hot_path = self._hot_path

        async def ordinary() -> Reply:
            return encode_result(request_id, await on_request(call, method, message.params))

        hot = None if hot_path is None else hot_arguments(method, message.params)
        if hot_path is None or hot is None:
            return ordinary()

        async def short() -> Reply:
            result = await hot_path(call.request, hot[0], hot[1], modern=modern)
            return await ordinary() if result is None else encode_result_bytes(request_id, result)

        return short()

    async def run(self, app: web.Application) -> AsyncGenerator[None, None]:
        """Keep the server's lifespan entered and look after clients while the application runs.

        One task does both: a lifespan may hold a task group, which has to be left by the task that entered it.
        """
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        upkeep = asyncio.create_task(self._upkeep(ready, stop), name="mcp transport upkeep")
        await asyncio.wait({upkeep, ready}, return_when=asyncio.FIRST_COMPLETED)
        if upkeep.done():
            upkeep.result()
        try:
            yield
        finally:
            await self.aclose()
            stop.set()
            await upkeep

    async def end_principal(self, principal: str, ending: Ending = Ending.REVOKED) -> int:
        """End all sessions, streams and calls of `principal`; gives how many sessions, streams and calls there were."""
        sessions = self.sessions.of(principal)
        held = {*self.calls.of(principal), *self.streams.of(principal)}
        for open_one in held:
            open_one.end(ending)
        await asyncio.gather(*(self.sessions.end(session, ending) for session in sessions))
        return len(sessions) + len(held)

    async def aclose(self) -> None:
        """End everything. Streams get `shutdown_seconds` to write what is queued, then connections are dropped."""
        for open_one in (*self.calls, *self.streams):
            open_one.end(Ending.SHUTDOWN)
        ended = asyncio.gather(
            *(self.sessions.end(session, Ending.SHUTDOWN) for session in self.sessions),
            self.calls.wait_empty(),
            self.streams.wait_empty(),
        )
        try:
            async with asyncio.timeout(self.limits.shutdown_seconds):
                await ended
        except TimeoutError:
            stuck = (*self.calls, *self.streams)
            logger.warning("%d calls and streams did not end in time: their connections are dropped", len(stuck))
            for open_one in stuck:
                open_one.cut()

    async def _upkeep(self, ready: asyncio.Future[None], stop: asyncio.Event) -> None:
        async with self.server.lifespan(self.server) as self.lifespan_state:
            ready.set_result(None)
            while not stop.is_set():
                try:
                    async with asyncio.timeout(self.limits.poll_seconds):
                        await stop.wait()
                except TimeoutError:
                    await self._look_after()

    async def _look_after(self) -> None:
        now = asyncio.get_running_loop().time()
        try:
            for open_one in (*self.calls, *self.streams):
                open_one.poll(now)
            for session in self.sessions.idle(time.monotonic()):
                logger.info("session ended after %g idle seconds", self.limits.session_idle_seconds)
                await self.sessions.end(session, Ending.SESSION_OVER)
        except Exception:
            # Without upkeep, vanished clients would hold their calls for ever: this loop lives on.
            logger.exception("looking after MCP clients failed")
