"""`requestState` of 2026-07-28: sealed for one call of one client, readable by every process of this instance.

Sealed is not used up: whoever may replay it finds that the plan's claim lets it take effect once.
"""

from __future__ import annotations

from typing import Any, Literal

import mcp.types as t
from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from mcp_server.identities import Identities
from operations.base import Model
from storage.crypto import Keyring

AUDIENCE = "guildhall mcp"
LIVES_SECONDS = 600.0
"""As long as a plan that a client may confirm."""
_PURPOSE = "mcp request state"
_INVALID = "invalid_request_state"


class AskedFor(Model):
    """What the state says: the plan, and what its client was asked."""

    plan_id: str
    asked: Literal["form", "link"]

    @classmethod
    def read(cls, state: str) -> AskedFor:
        """Raises MCPError for a state that was sealed for something else."""
        try:
            return cls.model_validate_json(state)
        except ValidationError:
            raise _refused() from None


class ConfirmationState(RequestStateBoundary):
    """The SDK's boundary, that says what to do about a state which it refuses."""

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        try:
            return await super().__call__(ctx, call_next)
        except MCPError as error:
            if error.code == t.INVALID_PARAMS and error.data == {"reason": _INVALID}:
                raise _refused() from None
            raise


def boundary(keyring: Keyring, identities: Identities) -> ConfirmationState:
    """Under keys that all processes derive from the instance's, rotated as those are."""

    def principal(ctx: ServerRequestContext[Any, Any]) -> str:
        client_id = identities.caller(ctx.request).client_id
        if not client_id:
            # Raising refuses; None would let anybody's state through.
            raise LookupError("nobody is known to have sent this")
        return client_id

    # 64 hex digits of an HMAC under each key: the same in every process, and of no other purpose.
    keys = keyring.macs(_PURPOSE, AUDIENCE, length=64)
    security = RequestStateSecurity(keys=keys, ttl=LIVES_SECONDS, bind_principal=principal, audience=AUDIENCE)
    return ConfirmationState(security, default_audience=AUDIENCE)


def _refused() -> MCPError:
    return MCPError(
        t.INVALID_PARAMS,
        "Invalid or expired requestState: it holds for ten minutes, and for the same tool, arguments and client only. "
        "Nothing was done. Call the tool again without requestState and inputResponses.",
        {"reason": _INVALID},
    )
