"""The guard on discord.py's REST session: nothing is written outside of a call's execute phase, and nothing twice.

It hooks aiohttp's tracing, which sees every request of the session: those of discord.py's own retries, of its webhooks
and interactions, and aiohttp's silent resend of PUT and DELETE after a reset.
"""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace
from typing import Any, cast
from weakref import WeakKeyDictionary

import aiohttp
import yarl

from bot import discord_internals
from bot.edge_ban import EdgeBan
from bot.message_bodies import BodyInspector, carries_message
from bot.request_budget import RequestBudget
from bot.request_usage import RequestUsage
from operations.ledger import LEDGER, Ledger, OutcomeUnknown, SendRefused
from operations.transport_errors import unwrap

_READS = frozenset({"GET", "HEAD"})
_CALLBACK = re.compile(r"/interactions/\d+/[^/]+/callback")
_INTERACTION = re.compile(r"/webhooks/(\d+)/[^/]+(?:/messages/(?:\d+|@original))?")
_COMMANDS = re.compile(r"/applications/\d+/(?:guilds/\d+/)?commands")
_SECRET_PART = re.compile(r"^/(webhooks|interactions)/(\d+)/[^/]+")

Route = tuple[str, str]


class RequestContext(SimpleNamespace):
    """One request of the session, with all that aiohttp makes of it."""

    def __init__(self, trace_request_ctx: Any = None) -> None:
        super().__init__(trace_request_ctx=trace_request_ctx)
        self.asked_by: Ledger | None = None
        """Whose shares it uses."""
        self.ledger: Ledger | None = None
        """Whose permission to write it uses: none for a read."""
        self.is_sent = False
        self.inspector: BodyInspector | None = None


class HttpGuard:
    """Pass ``trace_config()`` as discord.py's ``http_trace``; set ``application_id`` after the login.

    Reads pass. A write needs an open ledger of a phase that may write (the assistant's reply: in its own channel), save
    answers to interactions (through this application's own webhook) and the registration of its commands. A message has
    to say who may be pinged.

    A request is sent once: when its answer was lost (reset, 5xx, cancelled, unreadable), sending it again under the
    same ledger raises OutcomeUnknown; ``ledger.sends`` counts the lost ones. Any answer below 500 settles a request: a
    429 did not take effect, and the next request to the same route is a new one.
    """

    def __init__(self, *, edge_ban: EdgeBan, budget: RequestBudget) -> None:
        self.application_id: int | None = None
        self.edge_ban = edge_ban
        self.budget = budget
        self.usage = RequestUsage()
        self._api = yarl.URL(discord_internals.api_base())
        # A task repeats its own request only: what it has sent and has not read the answer of.
        self._unread: WeakKeyDictionary[asyncio.Task[Any], tuple[Ledger, Route]] = WeakKeyDictionary()

    def trace_config(self) -> aiohttp.TraceConfig:
        config = aiohttp.TraceConfig(trace_config_ctx_factory=RequestContext)
        config.on_request_start.append(self._on_start)
        config.on_request_headers_sent.append(self._on_headers)
        config.on_request_chunk_sent.append(self._on_chunk)
        config.on_request_end.append(self._on_end)
        config.on_response_chunk_received.append(self._on_read)
        config.on_request_exception.append(self._on_exception)
        return config

    async def _on_start(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestStartParams
    ) -> None:
        path = self._path(params.url)
        ledger = LEDGER.get()
        if path is None:
            if params.method not in _READS:
                raise SendRefused(f"{params.method} to {params.url.host}: only Discord's API is written to.")
            return
        is_interaction = self._is_interaction(path)
        request = cast("RequestContext", context)
        if not is_interaction:
            request.asked_by = ledger
            self.edge_ban.check(ledger)
        if params.method in _READS:
            if ledger is not None:
                ledger.reads += 1
        elif not self._is_free(params.method, path):
            request.ledger = self._permitted(ledger, params.method, path)
        # Answers to interactions don't count towards the global limit, and have 3 seconds.
        if not is_interaction:
            await self.budget.acquire(ledger)
            # While it waited, others may have used up the share, or all there is.
            self.edge_ban.check(ledger)
            self.usage.count(ledger)

    async def _on_headers(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestHeadersSentParams
    ) -> None:
        """Called before the headers leave, at each attempt of aiohttp's."""
        path = self._path(params.url)
        if path is None or params.method in _READS:
            return
        request = cast("RequestContext", context)
        if request.ledger is not None:
            ledger = self._permitted(request.ledger, params.method, path)
            if request.is_sent:
                raise self._unknown(params.method, path)
            ledger.sent += 1
        request.is_sent = True
        if carries_message(params.method, path):
            length = params.headers.get("Content-Length")
            request.inspector = BodyInspector(
                params.method, path, params.headers.get("Content-Type", ""), int(length) if length else None
            )

    async def _on_chunk(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestChunkSentParams
    ) -> None:
        """Called before each piece of a body leaves."""
        inspector = cast("RequestContext", context).inspector
        if inspector is not None:
            inspector.feed(bytes(params.chunk))

    async def _on_end(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        """Called when the status and headers of the answer are there."""
        path = self._path(params.url)
        if path is None:
            return
        request = cast("RequestContext", context)
        self.edge_ban.record(params.response.status, params.response.headers, request.asked_by)
        ledger = request.ledger
        if ledger is None:
            return
        if params.response.status < 400:
            ledger.done += 1
        if params.response.status >= 500:
            _count_lost(ledger, (params.method, path))
        elif (task := asyncio.current_task()) is not None:
            self._unread[task] = (ledger, (params.method, path))

    async def _on_read(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceResponseChunkReceivedParams
    ) -> None:
        if (task := asyncio.current_task()) is not None:
            self._unread.pop(task, None)

    async def _on_exception(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestExceptionParams
    ) -> None:
        request = cast("RequestContext", context)
        path = self._path(params.url)
        if path is None or request.ledger is None or not request.is_sent:
            return
        if isinstance(unwrap(params.exception), SendRefused):
            request.ledger.sent -= 1  # its body never left whole
        else:
            _count_lost(request.ledger, (params.method, path))

    def _path(self, url: yarl.URL) -> str | None:
        """The path after the API's version; None for another place (the CDN, the gateway)."""
        base = self._api.raw_path.rstrip("/")
        if url.origin() != self._api.origin() or not url.raw_path.startswith(base + "/"):
            return None
        return url.raw_path[len(base) :]

    def _is_interaction(self, path: str) -> bool:
        if _CALLBACK.fullmatch(path):
            return True
        match = _INTERACTION.fullmatch(path)
        return match is not None and self.application_id is not None and int(match[1]) == self.application_id

    def _is_free(self, method: str, path: str) -> bool:
        """The short list of writes outside of a call's execute phase."""
        return self._is_interaction(path) or (method == "PUT" and _COMMANDS.fullmatch(path) is not None)

    def _permitted(self, ledger: Ledger | None, method: str, path: str) -> Ledger:
        if ledger is None or not ledger.may_write:
            where = "outside of any call" if ledger is None else f"in phase {ledger.phase}, {_state(ledger)}"
            raise SendRefused(f"{method} {_shown(path)} {where}: only the execute phase of a call may write.")
        if not ledger.covers(method, path):
            raise SendRefused(f"{method} {_shown(path)}: a reply is written in its own channel, and nothing else.")
        if ledger.sends.get((method, path)) or self._is_unread(ledger, (method, path)):
            raise self._unknown(method, path)
        return ledger

    def _is_unread(self, ledger: Ledger, route: Route) -> bool:
        task = asyncio.current_task()
        unread = self._unread.get(task) if task is not None else None
        return unread is not None and unread[0] is ledger and unread[1] == route

    @staticmethod
    def _unknown(method: str, path: str) -> OutcomeUnknown:
        return OutcomeUnknown(f"The answer to {method} {_shown(path)} was lost; it is not sent a second time.")


def _count_lost(ledger: Ledger, route: Route) -> None:
    ledger.sends[route] = ledger.sends.get(route, 0) + 1


def _state(ledger: Ledger) -> str:
    return "which is open" if ledger.open else "which is over"


def _shown(path: str) -> str:
    """A path without the tokens of webhooks and interactions."""
    return _SECRET_PART.sub(r"/\1/\2/…", path)
