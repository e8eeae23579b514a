"""The short road for `tools/call`: bytes from the caller's own code, without the SDK's models in between."""

from __future__ import annotations

from typing import Any, Protocol, cast

from aiohttp import web
from mcp.types import LOG_LEVEL_META_KEY


class HotPath(Protocol):
    """Answers a `tools/call` with ready bytes.

    Args:
        request: the HTTP request of this call; the caller's identity comes from it.
        name: the tool.
        arguments: as sent, not validated.
        modern: whether the client speaks 2026-07-28; then the result must hold ``"resultType": "complete"``.

    Returns:
        The encoded JSON-RPC `result` object, or None when the call is to take the ordinary road.

    Raises:
        MCPError: answered as the JSON-RPC error it holds.
    """

    async def __call__(
        self, request: web.Request, name: str, arguments: dict[str, object], *, modern: bool
    ) -> bytes | None: ...


class ReadyPath(Protocol):
    """Answers a `tools/call` with ready bytes, without waiting for anything.

    Takes and returns what a `HotPath` does. None sends the call down the ordinary road, which begins at the hot path.
    """

    def __call__(
        self, request: web.Request, name: str, arguments: dict[str, object], *, modern: bool
    ) -> bytes | None: ...


_PLAIN_PARAMS = frozenset({"name", "arguments", "_meta"})


def hot_arguments(method: str, params: dict[str, Any] | None) -> tuple[str, dict[str, object]] | None:
    """Give tool name and arguments of a call that can't need a stream, or None.

    A progress token or a log level asks for messages ahead of the result; other members of `params` continue an
    `input_required` or start a task.
    """
    if method != "tools/call" or params is None or not params.keys() <= _PLAIN_PARAMS:
        return None
    name = params.get("name")
    arguments = params.get("arguments", {})
    meta = params.get("_meta", {})
    if not isinstance(name, str) or not isinstance(arguments, dict) or not isinstance(meta, dict):
        return None
    if "progressToken" in meta or LOG_LEVEL_META_KEY in meta:
        return None
    return name, cast("dict[str, object]", arguments)
