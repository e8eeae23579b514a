"""Callers for tests that decide nothing in Discord."""

from __future__ import annotations

from typing import Any

from policy.model import Caller, CallerKind, Face
from policy.scopes import EVERYTHING_BUT_ADMIN


def caller(**more: Any) -> Caller:
    """A client of a person who may ask for everything but administration; ``more`` replaces any of it."""
    given: dict[str, Any] = {
        "kind": CallerKind.TOKEN,
        "face": Face.MCP,
        "client_id": "mc_1",
        "workspace_id": "ws_1",
        "user_id": 5,
        "scopes": EVERYTHING_BUT_ADMIN,
    }
    return Caller(**(given | more))
