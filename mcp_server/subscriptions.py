"""Word of changes: `resources/subscribe` of the handshake era, `subscriptions/listen` of 2026-07-28.

What is subscribed to is watched by a task of its own, as the caller who asked; he is decided anew at each delivery.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any

import mcp.types as t
import structlog
from mcp.server import ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated, ToolsListChanged
from mcp.shared.exceptions import MCPError

from mcp_server.identities import Identities
from mcp_server.listing import ListTools
from mcp_server.resources import Resource, Resources, Variables, refused
from mcp_server.transports import Session, session_of
from operations.errors import Refused
from storage.database import DatabaseUnavailable
from storage.facts import PlatformFacts

MOST_A_SESSION = 64
"""Resources that one session, or one `subscriptions/listen`, may have word of."""
MOST_A_CLIENT = 128
"""The same over all that one client has open: each is watched by itself."""
_AGAIN_SECONDS = 1.0
_GOODBYE_SECONDS = 0.2
_UPDATED = "notifications/resources/updated"

log = structlog.stdlib.get_logger(__name__)

Context = ServerRequestContext[Any, Any]
Tell = Callable[[str], Awaitable[None]]


class Subscriptions:
    """Of one MCP server. What it holds for a session ends with the session, and all of it with the server's life."""

    def __init__(
        self, resources: Resources, identities: Identities, list_tools: ListTools, facts: PlatformFacts
    ) -> None:
        self._resources = resources
        self._identities = identities
        self._list_tools = list_tools
        # Over stdio there is one session, and no object for it.
        self._of_sessions: dict[Session | None, dict[str, asyncio.Task[None]]] = {}
        self._of_clients: Counter[str] = Counter()
        self._streams: set[ListenHandler] = set()
        self._no_streams = asyncio.Event()
        self._facts_changed: set[asyncio.Event] = set()
        facts.subscribe(self._on_facts)

    def __len__(self) -> int:
        """How much is being watched."""
        return self._of_clients.total()

    # ------------------------------------------------------------ handshake era
    async def subscribe(self, ctx: Context, params: t.SubscribeRequestParams) -> t.EmptyResult:
        """Raises MCPError for what the caller may not read, and above the cap."""
        session = session_of(ctx.request)
        held = self._held(session)
        if params.uri in held:
            return t.EmptyResult()
        self._check_caps(ctx, len(held) + 1, 1)
        entry, variables = await self._readable(ctx, params.uri)

        async def tell(uri: str) -> None:
            if session is None:
                await ctx.session.send_resource_updated(uri)
            else:
                await session.notify(_UPDATED, {"uri": uri})

        # Others of this session may have come while this one was decided, and the session may have ended.
        held = self._held(session)
        self._check_caps(ctx, len(held) + 1, 1)
        if params.uri not in held and not (session is not None and session.closed):
            task = self._start(ctx, self._watch(ctx, entry, variables, params.uri, tell))
            held[params.uri] = task
            task.add_done_callback(lambda ended: self._forget(session, params.uri, ended))
        return t.EmptyResult()

    async def unsubscribe(self, ctx: Context, params: t.UnsubscribeRequestParams) -> t.EmptyResult:
        task = self._of_sessions.get(session_of(ctx.request), {}).pop(params.uri, None)
        if task is not None:
            task.cancel()
        return t.EmptyResult()

    def _held(self, session: Session | None) -> dict[str, asyncio.Task[None]]:
        held = self._of_sessions.get(session)
        if held is None:
            held = self._of_sessions[session] = {}
            if session is not None:
                session.on_close(lambda: self._end(session))
        return held

    def _forget(self, session: Session | None, uri: str, task: asyncio.Task[None]) -> None:
        held = self._of_sessions.get(session, {})
        if held.get(uri) is task:
            del held[uri]

    def _end(self, session: Session | None) -> None:
        for task in self._of_sessions.pop(session, {}).values():
            task.cancel()

    # --------------------------------------------------------------- 2026-07-28
    async def listen(self, ctx: Context, params: t.SubscriptionsListenRequestParams) -> t.SubscriptionsListenResult:
        """One stream. Resources that the caller may not read are left out of what is acknowledged.

        Raises MCPError above the cap.
        """
        asked = params.notifications
        uris = list(dict.fromkeys(asked.resource_subscriptions or ()))
        self._check_caps(ctx, len(uris), len(uris))
        bus = InMemorySubscriptionBus()
        watches: list[Coroutine[Any, Any, None]] = []
        honoured: list[str] = []

        async def updated(uri: str) -> None:
            await bus.publish(ResourceUpdated(uri))

        for uri in uris:
            try:
                entry, variables = await self._readable(ctx, uri)
            except MCPError:
                continue
            honoured.append(uri)
            watches.append(self._watch(ctx, entry, variables, uri, updated))
        if asked.tools_list_changed:
            watches.append(self._watch_tools(ctx, bus))
        notifications = t.SubscriptionFilter(
            tools_list_changed=asked.tools_list_changed, resource_subscriptions=honoured or None
        )
        stream = ListenHandler(bus)
        self._streams.add(stream)
        self._no_streams.clear()
        tasks = [self._start(ctx, watch) for watch in watches]
        try:
            return await stream(ctx, params.model_copy(update={"notifications": notifications}))
        finally:
            self._streams.discard(stream)
            if not self._streams:
                self._no_streams.set()
            for task in tasks:
                task.cancel()

    async def _watch_tools(self, ctx: Context, bus: InMemorySubscriptionBus) -> None:
        changed = asyncio.Event()
        self._facts_changed.add(changed)
        try:
            before = self._list_tools.listed_for(ctx)
            while True:
                await changed.wait()
                changed.clear()
                now = self._list_tools.listed_for(ctx)
                if now != before:
                    before = now
                    await bus.publish(ToolsListChanged())
        finally:
            self._facts_changed.discard(changed)

    def _on_facts(self) -> None:
        for changed in self._facts_changed:
            changed.set()

    # --------------------------------------------------------------------- both
    def _check_caps(self, ctx: Context, held: int, more: int) -> None:
        """``held``: by one session or stream, with those ``more`` that it asks for. Raises MCPError."""
        if held > MOST_A_SESSION:
            raise _too_many(MOST_A_SESSION, "one session or stream")
        if self._of_clients[self._client(ctx)] + more > MOST_A_CLIENT:
            raise _too_many(MOST_A_CLIENT, "all sessions and streams of one client")

    def _start(self, ctx: Context, watch: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        client = self._client(ctx)
        self._of_clients[client] += 1
        task = asyncio.create_task(watch)
        task.add_done_callback(lambda _: self._stopped(client))
        return task

    def _stopped(self, client: str) -> None:
        self._of_clients[client] -= 1
        if not self._of_clients[client]:
            del self._of_clients[client]

    def _client(self, ctx: Context) -> str:
        return self._identities.caller(ctx.request).identity

    async def _readable(self, ctx: Context, uri: str) -> tuple[Resource, Variables]:
        """Who subscribes reads first: the same steps, the same answers. Raises MCPError."""
        entry, variables = self._resources.find(uri)
        outcome = await self._resources.outcome(entry, variables, self._identities.caller(ctx.request))
        if outcome.is_error:
            raise refused(outcome.refusal)
        return entry, variables

    async def _watch(self, ctx: Context, entry: Resource, variables: Variables, uri: str, tell: Tell) -> None:
        while True:
            try:
                async for _ in entry.changes(variables, lambda: self._identities.caller(ctx.request)):
                    await tell(uri)
            except Refused:
                return
            except DatabaseUnavailable:
                await asyncio.sleep(_AGAIN_SECONDS)
            except Exception:
                # It ends here; its client reads again when it wants to know.
                log.exception("a subscription failed", resource=entry.name)
                return
            else:
                return

    async def aclose(self) -> None:
        """Says goodbye to listeners, whose streams then end by themselves, and drops what sessions hold."""
        for session in list(self._of_sessions):
            self._end(session)
        for stream in list(self._streams):
            stream.close()
        if self._streams:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    await self._no_streams.wait()

    @contextlib.asynccontextmanager
    async def lifespan(self, server: object) -> AsyncGenerator[dict[str, Any]]:
        """The server's."""
        try:
            yield {}
        finally:
            await self.aclose()


def _too_many(most: int, where: str) -> MCPError:
    return MCPError(t.INVALID_REQUEST, f"Too many subscriptions: the limit is {most} for {where}. End some.")
