"""Who calls: always from the call's own request, never from a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aiohttp import web

from mcp_server.selection import Selection
from policy.model import Caller


class Identities(Protocol):
    """``request`` is the HTTP request of this very call, or None on stdio."""

    def caller(self, request: web.Request | None) -> Caller:
        """With the rights that the credential has now."""
        ...

    def selection(self, request: web.Request | None) -> Selection | None:
        """Which tools the client asked to have listed; None for those that it is given by default."""
        ...


class OneCaller:
    """Of a process that serves one caller alone, over stdio. ``current`` is asked at every call."""

    def __init__(self, current: Callable[[], Caller], selection: Selection | None = None) -> None:
        self._current = current
        self._selection = selection

    def caller(self, request: web.Request | None) -> Caller:
        caller = self._current()
        return caller if self._selection is None else self._selection.narrow(caller)

    def selection(self, request: web.Request | None) -> Selection | None:
        return self._selection
