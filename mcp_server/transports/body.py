"""Reading and parsing request bodies within the limits."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import orjson
from aiohttp import web
from mcp.types import INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR

from mcp_server.transports.kernel import as_request_id
from mcp_server.transports.limits import TransportLimits
from mcp_server.transports.replies import RefusalError
from mcp_server.transports.text import unsafe_text

_SMALL_BODY_BYTES = 64 * 1024
"""Below this a body can't hold enough values to matter, so they are not counted."""


async def read_json(request: web.Request, limits: TransportLimits) -> object:
    """Read the request's body and parse it.

    Raises:
        RefusalError: too large (413), too slow (408), not JSON, too deep, too many values, text that can't be kept.
    """
    body = await _read(request, limits)
    if len(body) > limits.threaded_body_bytes:
        return await asyncio.to_thread(parse_json, body, limits)
    return parse_json(body, limits)


def parse_json(body: bytes, limits: TransportLimits) -> object:
    """Parse one JSON text. See `read_json` for what it raises."""
    if len(body) > _SMALL_BODY_BYTES:
        values = body.count(b",") + body.count(b"[") + body.count(b"{")
        if values > limits.json_values:
            raise RefusalError(
                413,
                INVALID_REQUEST,
                f"The body holds about {values:,} JSON values (commas and brackets), the limit is "
                f"{limits.json_values:,}. Split the call, or send bulk data as one base64 string.",
            )
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _why_unparsed(body, error) from None
    if body.count(b"[") + body.count(b"{") > limits.json_depth:
        _refuse_depth(value, limits.json_depth)
    # orjson refuses surrogates by itself; NUL can only come as this escape.
    if b"\\u0000" in body:
        _refuse_unsafe_text(value)
    return value


async def _read(request: web.Request, limits: TransportLimits) -> bytes:
    declared = request.content_length
    if declared is not None and declared > limits.body_bytes:
        raise _too_large(limits)
    content = request.content
    parts: list[bytes] = []
    size = 0
    try:
        if content.is_eof():
            # It came together with the headers, as small ones do: nothing is waited for, so nothing need be timed.
            body = content.read_nowait()
            if len(body) > limits.body_bytes:
                raise _too_large(limits)
            return body
        async with asyncio.timeout(limits.body_seconds):
            while part := await content.readany():
                size += len(part)
                if size > limits.body_bytes:
                    raise _too_large(limits)
                parts.append(part)
    except TimeoutError:
        raise RefusalError(
            408, INVALID_REQUEST, f"The body did not arrive within {limits.body_seconds:g} seconds.", close=True
        ) from None
    except (web.RequestPayloadError, ConnectionResetError) as error:
        raise RefusalError(400, PARSE_ERROR, f"The body could not be read: {error}", close=True) from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(limits: TransportLimits) -> RefusalError:
    return RefusalError(
        413,
        INVALID_REQUEST,
        f"The body is larger than the limit of {limits.body_bytes:,} bytes. Send less, or split the call.",
        close=True,
    )


def _why_unparsed(body: bytes, error: orjson.JSONDecodeError) -> RefusalError:
    """Tell a lone surrogate, which is JSON but not text, from JSON that is broken."""
    if b"\\ud" in body or b"\\uD" in body:
        try:
            value: object = json.loads(body)
        except (ValueError, RecursionError):
            pass
        else:
            try:
                _refuse_unsafe_text(value)
            except RefusalError as refusal:
                return refusal
    return RefusalError(400, PARSE_ERROR, f"Parse error: the body is not valid JSON: {error}")


def _refuse_unsafe_text(value: object) -> None:
    if found := unsafe_text(value):
        raise RefusalError(
            400,
            INVALID_PARAMS,
            f"Invalid params: {found}. Text must be valid Unicode without NUL.",
            request_id=as_request_id(cast("dict[str, Any]", value).get("id")) if isinstance(value, dict) else None,
        )


def _refuse_depth(value: object, limit: int) -> None:
    level: list[object] = [value]
    for _ in range(limit + 1):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(cast("dict[str, object]", item).values())
            elif isinstance(item, list):
                below.extend(cast("list[object]", item))
        if not below:
            return
        level = [item for item in below if isinstance(item, dict | list)]
        if not level:
            return
    raise RefusalError(400, INVALID_REQUEST, f"The body is nested deeper than {limit} levels.")
