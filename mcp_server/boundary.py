"""The outermost layer of HTTP: errors without their insides, security headers, the Host and Origin policy."""

from __future__ import annotations

import secrets
from collections.abc import Collection

import orjson
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from mcp_server.transports import OriginPolicy

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_YEAR_SECONDS = 31_536_000
_BEGUN = web.RequestKey("response_begun", bool)

log = structlog.stdlib.get_logger(__name__)


class SecurityHeaders:
    """An on_response_prepare signal, so that streams and errors have the headers too. A handler's own ones win."""

    def __init__(self, *, https: bool) -> None:
        """``https``: whether people reach this process by https only, through the proxy in front of it."""
        self._headers = dict(HEADERS)
        if https:
            self._headers["Strict-Transport-Security"] = f"max-age={_YEAR_SECONDS}"

    async def __call__(self, request: web.Request, response: web.StreamResponse) -> None:
        request[_BEGUN] = True
        for name, value in self._headers.items():
            response.headers.setdefault(name, value)
        # Which libraries run here is nobody's business.
        response.headers["Server"] = "Guildhall"


def error_boundary() -> Middleware:
    """Faults become a JSON 500 with an id that the log has beside the traceback."""

    @web.middleware
    async def boundary(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as answer:
            if answer.status < 400:
                raise
            return _answer_of(answer)
        except Exception:
            error_id = f"err_{secrets.token_hex(6)}"
            # Neither query nor headers: they may hold secrets.
            log.exception("request_failed", error_id=error_id, method=request.method, route=_route(request))
            if _BEGUN in request:
                # A second response in the middle of the first would be read as part of it.
                if request.transport is not None:
                    request.transport.abort()
                raise
            return _json(
                500,
                "internal_error",
                f"Something went wrong inside Guildhall ({error_id}).",
                "Try again; whoever runs it finds the cause in the log under this id.",
                error_id=error_id,
            )

    return boundary


def host_policy(policy: OriginPolicy, exempt: Collection[str]) -> Middleware:
    """``exempt``: paths that tell a page from elsewhere nothing, and that probes ask for by whatever name they have."""
    open_paths = frozenset(exempt)

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in open_paths:
            refusal = policy.refusal(request)
            if refusal is not None:
                return refusal
        return await handler(request)

    return check


def _answer_of(answer: web.HTTPException) -> web.Response:
    reason, remedy = f"{answer.reason}.", "GET / says what is served here."
    if isinstance(answer, web.HTTPMethodNotAllowed):
        reason = f"{answer.method} is not served at this address."
        remedy = f"Use {', '.join(sorted(answer.allowed_methods))}."
    response = _json(answer.status, answer.reason.lower().replace(" ", "_"), reason, remedy)
    for name in ("Allow", "Retry-After"):
        if name in answer.headers:
            response.headers[name] = answer.headers[name]
    return response


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return "" if resource is None else resource.canonical


def _json(status: int, code: str, reason: str, remedy: str, **more: str) -> web.Response:
    body = {"status": "error", "code": code, "reason": reason, "remedy": remedy, **more}
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
