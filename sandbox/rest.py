"""Discord's REST API: authentication, faults, rate limits, nonces, and simcord's routes behind them."""

from __future__ import annotations

import asyncio
import logging
import urllib.parse
from typing import Any

import orjson
from aiohttp import web

from sandbox.faults import Fault, Faults
from sandbox.gateway import Gateway
from sandbox.internals import BackendError, Message, serializers
from sandbox.journal import Journal, RequestEntry
from sandbox.nonces import NonceWindow, nonce_of
from sandbox.oauth import OAuth
from sandbox.rate_limits import RateLimits
from sandbox.uploads import DEFAULT_FILESIZE_LIMIT_BYTES, Body, read_body
from sandbox.world import World

logger = logging.getLogger(__name__)

# discord.py tells a rate limit of Discord from one of a proxy by this header.
_VIA = "1.1 sandbox"


def answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer. The content type is exactly `application/json`: discord.py compares it as a whole."""
    return web.Response(
        body=orjson.dumps(data), status=status, headers={"Content-Type": "application/json", **(headers or {})}
    )


class Rest:
    """Everything under /api/v10."""

    def __init__(self, world: World, gateway: Gateway, oauth: OAuth, journal: Journal) -> None:
        self._world = world
        self._gateway = gateway
        self._oauth = oauth
        self._journal = journal
        self.faults = Faults()
        self.reset_limits()

    def reset_limits(self) -> None:
        """Limits as at the start: no rate limits, a nonce window of three minutes, Discord's file size."""
        self.rate_limits = RateLimits()
        self.nonces = NonceWindow()
        self.filesize_limit_bytes = DEFAULT_FILESIZE_LIMIT_BYTES

    async def handle(self, request: web.Request) -> web.StreamResponse:
        # The raw path: an emoji stays quoted, as the routes expect it.
        path = "/" + request.rel_url.raw_path.split("/", 3)[3]
        method = request.method
        self._world.stats["rest"] += 1
        reason = request.headers.get("X-Audit-Log-Reason")
        reason = urllib.parse.unquote(reason) if reason is not None else None
        if path == "/oauth2/token" and method == "POST":
            return await self._oauth.token(request)
        entry = self._journal.request(method, path, request.rel_url.raw_query_string, 0, reason)
        response = await self._answer(request, entry)
        if response is None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        entry.status = response.status
        self._world.stats[f"status_{response.status}"] += 1
        return response

    async def _answer(self, request: web.Request, entry: RequestEntry) -> web.Response | None:
        """The answer; None to drop the connection without one."""
        verdict = self.rate_limits.check(entry.method, entry.path)
        try:
            body = await read_body(request, self.filesize_limit_bytes)
        except BackendError as error:
            return answer(error.to_json(), error.status, verdict.headers)
        entry.body_bytes = body.size_bytes
        entry.content_type = request.content_type if body.size_bytes else None
        entry.body = body.json
        faults = self.faults.take(entry.method, entry.path, "before")
        if faults:
            stopped, response = await self._suffer(faults, entry)
            if stopped:
                return response
        if verdict.retry_after is not None:
            return _too_many(verdict.headers, verdict.retry_after, verdict.scope)
        response = self._route(request, entry, body)
        response.headers.update(verdict.headers)
        faults = self.faults.take(entry.method, entry.path, "after")
        if faults:
            stopped, faulty = await self._suffer(faults, entry)
            if stopped:
                return faulty
        return response

    async def _suffer(self, faults: list[Fault], entry: RequestEntry) -> tuple[bool, web.Response | None]:
        """Whether the faults end the request, and the answer if so (None: dropped)."""
        for fault in faults:
            if fault.latency:
                entry.faults.append("latency")
                await asyncio.sleep(fault.latency)
            if fault.hang is not None:
                entry.faults.append(f"hang {fault.when}")
                await asyncio.sleep(fault.hang)
                return True, None
            if fault.reset:
                entry.faults.append(f"reset {fault.when}")
                return True, None
            if fault.status == 429:
                entry.faults.append(f"429 {fault.when}")
                return True, _too_many({}, fault.retry_after, fault.scope)
            if fault.status is not None:
                entry.faults.append(f"{fault.status} {fault.when}")
                return True, answer({"message": "A fault of the sandbox", "code": fault.code}, fault.status)
        return False, None

    def _route(self, request: web.Request, entry: RequestEntry, body: Body) -> web.Response:
        """Find and run the route. Nothing is awaited here: an effect is one step."""
        method, path = entry.method, entry.path
        authorization = request.headers.get("Authorization", "")
        if path == "/gateway":
            return answer({"url": self._gateway.url})
        if authorization.startswith("Bearer "):
            return self._oauth.as_user(authorization.removeprefix("Bearer "), path)
        if not _is_public(method, path) and authorization != f"Bot {self._world.bot_token}":
            return answer({"message": "401: Unauthorized", "code": 0}, 401)
        if path == "/gateway/bot":
            limit = {"total": 1000, "remaining": 999, "reset_after": 86_400_000, "max_concurrency": 16}
            return answer({"url": self._gateway.url, "shards": self._gateway.shards, "session_start_limit": limit})
        try:
            result = self._run(request, entry, body)
        except BackendError as error:
            if error.status == 501:
                logger.warning("%s %s: %s", method, path, error)
            return answer(error.to_json(), error.status)
        except NotImplementedError as error:
            logger.warning("%s %s: %s", method, path, error)
            return answer({"message": str(error), "code": 0}, 501)
        except (KeyError, TypeError, ValueError) as error:
            # simcord reads ids and required fields bare; Discord answers a malformed one with 50035.
            logger.warning("%s %s: taken as a malformed request: %r", method, path, error)
            return answer({"message": f"Invalid Form Body: {error}", "code": 50035}, 400)
        if path.startswith("/interactions/") and request.query.get("with_response", "").lower() not in ("1", "true"):
            result = None
        return web.Response(status=204) if result is None else answer(result)

    def _run(self, request: web.Request, entry: RequestEntry, body: Body) -> Any:
        backend = self._world.backend
        nonce = nonce_of(entry.method, entry.path, body.json, self._world.bot_id)
        if nonce is not None:
            entry.nonce = nonce.value
            if (earlier := self._earlier_message(nonce.channel_id, self.nonces.earlier_message_id(nonce))) is not None:
                self._journal.effect(entry, duplicate_nonce=True)
                return {**serializers.message_payload(backend, earlier), "nonce": nonce.value}
        with self._world.sending(nonce.value if nonce else None):
            result = self._world.arrived(
                entry.method,
                entry.path,
                body=body.json,
                query=dict(request.query),
                files=body.files,
                reason=entry.reason,
            )
        if entry.method != "GET":
            self._journal.effect(entry)
        if nonce is not None:
            self.nonces.remember(nonce, int(result["id"]))
            result = {**result, "nonce": nonce.value}
        self._world.notify()
        return result

    def _earlier_message(self, channel_id: int, message_id: int | None) -> Message | None:
        if message_id is None:
            return None
        return self._world.backend.messages.get(channel_id, {}).get(message_id)


def _is_public(method: str, path: str) -> bool:
    """Routes whose address is the credential, and invites, which anyone may look at."""
    segments = path.strip("/").split("/")
    return (
        segments[0] == "interactions"
        or (segments[0] == "webhooks" and len(segments) >= 3)
        or (segments[0] == "invites" and method == "GET")
    )


def _too_many(headers: dict[str, str], retry_after: float, scope: str) -> web.Response:
    # https://discord.com/developers/docs/topics/rate-limits#exceeding-a-rate-limit
    headers = headers | {"Retry-After": str(int(retry_after) + 1), "X-RateLimit-Scope": scope, "Via": _VIA}
    if scope == "global":
        headers["X-RateLimit-Global"] = "true"
    body = {
        "message": "You are being rate limited.",
        "retry_after": round(retry_after, 3),
        "global": scope == "global",
    }
    return answer(body, 429, headers)
