"""Who calls over HTTP: the bearer token of each request, checked before anything is read of it."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import NamedTuple, Protocol

import orjson
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from mcp.types import INVALID_REQUEST

from mcp_server import credentials
from mcp_server.attempts import FailedAttempts
from mcp_server.selection import Selection, UnknownToolset, parse
from mcp_server.transports.replies import RefusalError
from mcp_server.transports.session import SELECTION
from operations.callers import Callers
from policy.model import Caller, Face, Refuse
from storage.facts import PlatformFacts


class _Identified(NamedTuple):
    """``caller``: with the rights at the ``epoch`` when the request's headers came; `BearerAuth.caller` gives those of
    now.
    """

    caller: Caller
    selection: Selection | None
    epoch: int


_IDENTIFIED = web.RequestKey("identified", _Identified)

_TELL_AGAIN_SECONDS = 60.0
_MOST_TOLD = 10_000
_MOST_KNOWN = 10_000

log = structlog.stdlib.get_logger(__name__)


class CredentialRefused(Protocol):
    """Remembers, in the client's workspace, that its revoked or expired token was used."""

    async def __call__(self, caller: Caller, refusal: Refuse) -> None: ...


class AuthFailures(Protocol):
    """Counts refusals by their code."""

    def auth_failed(self, code: str) -> None: ...


class BearerAuth:
    """Lets requests with a live client token through to ``protected`` addresses, and says who sent them.

    Implements Identities. Nothing is kept of a request: sessions say nothing of who calls.
    """

    def __init__(
        self,
        callers: Callers,
        facts: PlatformFacts,
        *,
        toolsets: Collection[str],
        failures: AuthFailures,
        refused: CredentialRefused,
        attempts: FailedAttempts | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``toolsets``: those that `?toolsets=` may name. ``clock``: seconds since the epoch."""
        self._callers = callers
        self._facts = facts
        self._toolsets = frozenset(toolsets)
        self._failures = failures
        self._refused = refused
        self._attempts = FailedAttempts() if attempts is None else attempts
        self._clock = clock
        self._told: dict[tuple[str, str], float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # Who is behind a header, at one epoch of the facts. Under a key of this process, so that no token lies here.
        self._known: dict[bytes, _Identified] = {}
        self._known_at = -1
        self._key = secrets.token_bytes(32)

    # --------------------------------------------------------------- identities
    def caller(self, request: web.Request | None) -> Caller:
        """A token may have been revoked while a slow body came in: the facts of now decide."""
        if request is None:
            raise LookupError("only calls over HTTP carry a bearer token")
        caller, selection, epoch = request[_IDENTIFIED]
        if epoch == self._facts.epoch:
            return caller
        client = self._facts.snapshot.clients.get(caller.client_id)
        if client is None:
            return replace(caller, active=False)
        now = self._callers.of_client(client, Face.MCP)
        return now if selection is None else selection.narrow(now)

    def selection(self, request: web.Request | None) -> Selection | None:
        identified = None if request is None else request.get(_IDENTIFIED)
        return None if identified is None else identified.selection

    def principal(self, request: web.Request) -> str:
        """For the transports, asked when a request's body is there: the client's id, which owns sessions and fills
        limits. Raises RefusalError for a token that died since.
        """
        if _IDENTIFIED not in request:
            raise _refusal_error(credentials.MISSING)
        caller = self.caller(request)
        refusal = self._verdict(caller)
        if refusal is not None:
            raise _refusal_error(refusal)
        return caller.client_id

    # --------------------------------------------------------------- middleware
    def middleware(self, protected: Collection[str]) -> Middleware:
        """``protected``: paths of routes. What was routed is compared, so no way of writing a path goes around it."""
        paths = frozenset(protected)

        @web.middleware
        async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
            resource = request.match_info.route.resource
            if resource is None or resource.canonical not in paths:
                return await handler(request)
            refusal = self._identify(request)
            return await handler(request) if refusal is None else refusal

        return authenticate

    async def aclose(self) -> None:
        """Waits for what is still being written of refusals."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _identify(self, request: web.Request) -> web.Response | None:
        """Puts the caller into the request, or gives the response that refuses it."""
        if self._facts.snapshot.revision < 0:
            return credentials.starting()
        key = self._key_of(request)
        known = None if key is None else self._known.get(key)
        if known is not None and self._verdict(known.caller) is None:
            self._put(request, known)
            return None
        sent = credentials.sent_with(request)
        if sent.token is None:
            return self._turn_away(request, sent.refusal or credentials.MISSING)
        # Unknown, revoked and live tokens take the same look-up; it compares MACs: its time tells nothing of a token.
        caller = self._callers.from_token(sent.token)
        if caller is None:
            return self._turn_away(request, credentials.UNKNOWN)
        refusal = self._verdict(caller)
        if refusal is not None:
            return self._turn_away(request, refusal, caller)
        try:
            selection = self._selected(request)
        except UnknownToolset as error:
            return _bad_request("unknown_toolset", str(error), "Change ?toolsets= in the URL, or leave it out.")
        if selection is not None:
            caller = selection.narrow(caller)
        identified = _Identified(caller, selection, self._facts.epoch)
        self._put(request, identified)
        if key is not None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = identified
        return None

    @staticmethod
    def _put(request: web.Request, identified: _Identified) -> None:
        request[_IDENTIFIED] = identified
        if identified.selection is not None:
            request[SELECTION] = identified.selection

    def _key_of(self, request: web.Request) -> bytes | None:
        """Of the credential and selection in a request; None where they are not sent in the usual way. What was known
        at another epoch is forgotten: to its clients, a token may mean something else now.
        """
        if self._known_at != self._facts.epoch:
            self._known.clear()
            self._known_at = self._facts.epoch
        sent = request.headers.getall("Authorization", ())
        if len(sent) != 1:
            return None
        text = f"{sent[0]}\n{request.query_string}" if request.query_string else sent[0]
        return hashlib.blake2b(text.encode(errors="surrogateescape"), key=self._key, digest_size=32).digest()

    def _selected(self, request: web.Request) -> Selection | None:
        """Raises UnknownToolset."""
        if not request.query_string:
            return None
        return parse(",".join(request.query.getall("toolsets", ())), self._toolsets)

    def _verdict(self, caller: Caller) -> Refuse | None:
        if not caller.active:
            return credentials.REVOKED
        if caller.expires_at is not None and not self._clock() < caller.expires_at:
            return credentials.EXPIRED
        return None

    def _turn_away(self, request: web.Request, refusal: Refuse, caller: Caller | None = None) -> web.Response:
        self._failures.auth_failed(refusal.code)
        if refusal.code != credentials.MISSING.code:
            # Without a token nobody guesses: that request only asks how to log in.
            wait_seconds = self._attempts.record(request.remote)
            if wait_seconds > 0:
                return credentials.slowed_down(wait_seconds)
            self._tell(request, refusal, caller)
        return credentials.refused(refusal)

    def _tell(self, request: web.Request, refusal: Refuse, caller: Caller | None) -> None:
        """To the log and, of a known client, to its workspace's audit: once a minute each."""
        who = (request.remote or "") if caller is None else caller.client_id
        if not self._is_news(who, refusal.code):
            return
        log.warning(
            "credential_refused", code=refusal.code, remote=request.remote, client_id=caller and caller.client_id
        )
        if caller is not None:
            task = asyncio.create_task(self._remember(caller, refusal))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _is_news(self, who: str, code: str) -> bool:
        now = self._clock()
        if now - self._told.get((who, code), float("-inf")) < _TELL_AGAIN_SECONDS:
            return False
        if len(self._told) >= _MOST_TOLD:
            self._told.clear()
        self._told[who, code] = now
        return True

    async def _remember(self, caller: Caller, refusal: Refuse) -> None:
        try:
            await self._refused(caller, refusal)
        except Exception:
            # The refusal holds whether or not it could be written down.
            log.exception("refused_credential_not_audited", client_id=caller.client_id, code=refusal.code)


def _refusal_error(refusal: Refuse) -> RefusalError:
    return RefusalError(
        401,
        INVALID_REQUEST,
        f"{refusal.reason} {refusal.remedy}",
        headers={"WWW-Authenticate": credentials.challenge(refusal)},
    )


def _bad_request(code: str, reason: str, remedy: str) -> web.Response:
    body = {"status": "refused", "step": "validate", "code": code, "reason": reason, "remedy": remedy}
    return web.Response(status=400, body=orjson.dumps(body), content_type="application/json")
