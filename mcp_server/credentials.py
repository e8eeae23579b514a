"""Bearer tokens in requests: what was sent, and how a refused one is answered."""

from __future__ import annotations

import math
from dataclasses import dataclass

import orjson
from aiohttp import web

from policy.model import Refuse, Step

_SCHEME = "bearer"
_IN_URL = ("access_token", "token", "api_key")
_HOW = "Send the header `Authorization: Bearer ghd_...`."
_NEW = "Ask whoever issued it for a new one."

MISSING = Refuse(
    Step.CLIENT,
    "no_credential",
    "This address needs a client token.",
    f"{_HOW} /mcp token create in Discord makes one, or `guildhall token create` where Guildhall runs.",
)
IN_URL = Refuse(
    Step.CLIENT,
    "token_in_url",
    "A token in the URL is not taken: URLs end up in logs and histories.",
    f"{_HOW} Revoke this token, for it may have been seen.",
)
MALFORMED = Refuse(
    Step.CLIENT, "malformed", "The Authorization header holds no client token.", f"{_HOW} Nothing else is taken."
)
UNKNOWN = Refuse(Step.CLIENT, "unknown_token", "This token is not known here.", f"Check that it is whole. {_NEW}")
REVOKED = Refuse(Step.CLIENT, "revoked", "This credential is revoked.", _NEW)
EXPIRED = Refuse(Step.CLIENT, "expired", "This credential has expired.", _NEW)


@dataclass(frozen=True, slots=True)
class Sent:
    """``token`` as it was sent, or why there is none. Its repr must not hold the token."""

    token: str | None = None
    refusal: Refuse | None = None

    def __repr__(self) -> str:
        return f"Sent({'a token' if self.token is not None else self.refusal})"


def sent_with(request: web.Request) -> Sent:
    """The bearer token of the request's one Authorization header (RFC 6750, 2.1); the other two ways are not taken."""
    headers = request.headers.getall("Authorization", ())
    if not headers:
        return Sent(refusal=IN_URL if any(name in request.query for name in _IN_URL) else MISSING)
    scheme, _, token = headers[0].partition(" ")
    token = token.strip()
    if len(headers) > 1 or scheme.lower() != _SCHEME or not token or " " in token:
        return Sent(refusal=MALFORMED)
    return Sent(token)


def refused(refusal: Refuse) -> web.Response:
    """401 as RFC 6750 has it, with a body that a person can act on."""
    return _answer(401, refusal, {"WWW-Authenticate": challenge(refusal)})


def slowed_down(wait_seconds: float) -> web.Response:
    """429 for an address with too many refused credentials."""
    seconds = math.ceil(wait_seconds)
    refusal = Refuse(
        Step.CLIENT,
        "too_many_attempts",
        "Too many refused credentials came from this address.",
        f"Wait {seconds} s, then send a valid one.",
        retry_after_seconds=float(seconds),
    )
    return _answer(429, refusal, {"Retry-After": str(seconds)})


def starting() -> web.Response:
    """503 while nothing is known of any client yet."""
    refusal = Refuse(
        Step.CLIENT,
        "starting",
        "Guildhall has not read its database yet, so no token can be checked.",
        "Try again when GET /ready says that the database is up.",
        retry_after_seconds=2.0,
    )
    return _answer(503, refusal, {"Retry-After": "2"})


def challenge(refusal: Refuse) -> str:
    """The WWW-Authenticate header. Without a credential it names no error (RFC 6750, 3.1)."""
    if refusal.code == MISSING.code:
        return 'Bearer realm="Guildhall"'
    return f'Bearer realm="Guildhall", error="invalid_token", error_description="{refusal.reason}"'


def _answer(status: int, refusal: Refuse, headers: dict[str, str]) -> web.Response:
    body: dict[str, object] = {
        "status": "refused",
        "step": refusal.step.value,
        "code": refusal.code,
        "reason": refusal.reason,
        "remedy": refusal.remedy,
    }
    if refusal.retry_after_seconds is not None:
        body["retry_after_seconds"] = refusal.retry_after_seconds
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json", headers=headers)
