"""Streamable HTTP of 2026-07-28: one self-contained POST a request, no session, no GET stream."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import orjson
from aiohttp import web
from mcp.types import HEADER_MISMATCH, INVALID_REQUEST

from mcp_server.transports.accept import Accepted, require_stream
from mcp_server.transports.host import Host
from mcp_server.transports.kernel import (
    ERROR_CODE_HTTP_STATUS,
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    Connection,
    DispatchContext,
    InboundLadderRejection,
    InboundModernRoute,
    ServerRunner,
    TransportContext,
    aclose_shielded,
    classify_inbound_request,
    find_duplicated_routing_header,
    unsupported_protocol_version_rejection,
    validate_mcp_param_headers,
)
from mcp_server.transports.message import Message
from mcp_server.transports.post_call import PostCall
from mcp_server.transports.replies import VERSION_HEADER, RefusalError

_LISTEN = "subscriptions/listen"
_CALL = "tools/call"
_MOST_AGREED = 1_000
_Agreement = tuple[str | None, str | None, str | None, str, bytes]
_PARAM_HEADER_PREFIX = "mcp-param-"
_HEADER_KEY = b'"x-mcp-header"'


class ModernEra:
    """Answers what names a version beyond the handshake era in its header, known or not."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._declaring: dict[str, tuple[Mapping[str, Any], bool]] = {}
        self._agreed: set[_Agreement] = set()

    async def post(self, request: web.Request, message: Message, accepted: Accepted) -> web.StreamResponse:
        """Answer one request; acknowledge and drop a notification: closing the connection is what cancels.

        Raises:
            RefusalError: a version that isn't served, headers that contradict the body, a cap.
        """
        if message.request_id is None:
            _refuse(unsupported_protocol_version_rejection(request.headers.get(VERSION_HEADER, "")), message)
            return web.Response(status=202)
        if message.method is None:
            raise RefusalError(
                400, INVALID_REQUEST, "This protocol version has no requests from server to client to respond to."
            )
        duplicated = find_duplicated_routing_header(request.headers.items())
        if duplicated is not None:
            _refuse(InboundLadderRejection(HEADER_MISMATCH, f"{duplicated} header appears more than once"), message)
        agreed = _agreement(request, message)
        if agreed is None or agreed not in self._agreed:
            _route(request, message)
            if agreed is not None:
                if len(self._agreed) >= _MOST_AGREED:
                    self._agreed.clear()
                self._agreed.add(agreed)
        if message.method == _LISTEN:
            require_stream(accepted)
        self._check_param_headers(request, message)
        principal = self._host.principal(request)
        ready = self._host.answer_at_once(request, principal, message, None)
        if ready is not None:
            return ready
        return await self._answer(request, message, accepted, principal)

    async def _answer(
        self, request: web.Request, message: Message, accepted: Accepted, principal: str
    ) -> web.StreamResponse:
        request_id = message.request_id
        if request_id is None:
            raise ValueError("only a request is answered")
        held = self._host.streams if message.method == _LISTEN else self._host.calls
        call = PostCall(request, request_id, message.params, None, streams=accepted.stream, limits=self._host.limits)
        held.enter(principal, call, request_id)
        try:
            work = self._host.work(partial(self._on_request, request, message), call, message, modern=True)
            reply = await call.perform(request_id, work)
        finally:
            held.leave(principal, call)
        if call.ending is not None:
            status = call.ending.status
        else:
            status = 200 if reply.error_code is None else ERROR_CODE_HTTP_STATUS.get(reply.error_code, 200)
        return await call.respond(reply, status)

    async def _on_request(
        self,
        request: web.Request,
        message: Message,
        dctx: DispatchContext[TransportContext],
        method: str,
        params: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        """Run the server's handler on a connection of its own, which a call on the hot path never needs."""
        route = _route(request, message)
        connection = Connection.from_envelope(route.protocol_version, route.client_info, route.client_capabilities)
        runner: ServerRunner[Any] = ServerRunner(self._host.server, connection, self._host.lifespan_state)
        try:
            return await runner.on_request(dctx, method, params)
        finally:
            await aclose_shielded(connection)

    def _check_param_headers(self, request: web.Request, message: Message) -> None:
        """Hold `Mcp-Param-*` headers against the arguments they mirror, where the tool's schema declares any.

        Only with `get_tool_input_schema`: to list all tools before each call, as the SDK does without it, is too dear.
        """
        schema_of = self._host.server.get_tool_input_schema
        if message.method != _CALL or schema_of is None or message.params is None:
            return
        name: object = message.params.get("name")
        sent: object = message.params.get("arguments") or {}
        if not isinstance(name, str) or not isinstance(sent, dict):
            return
        arguments = cast("Mapping[str, Any]", sent)
        if not arguments and not any(header.lower().startswith(_PARAM_HEADER_PREFIX) for header in request.headers):
            return
        schema = schema_of(name)
        if schema is not None and self._declares_headers(name, schema):
            _refuse(validate_mcp_param_headers(schema, arguments, request.headers), message)

    def _declares_headers(self, name: str, schema: Mapping[str, Any]) -> bool:
        """Whether any argument is mirrored in a header. To find out takes a walk through the schema, so it is done once
        for each: schemas are made at the start.
        """
        known = self._declaring.get(name)
        if known is None or known[0] is not schema:
            known = self._declaring[name] = (schema, _HEADER_KEY in orjson.dumps(schema))
        return known[1]


def _route(request: web.Request, message: Message) -> InboundModernRoute:
    """Raises RefusalError for an envelope that is incomplete, not served, or contradicted by the headers."""
    # Headers are found whatever their case; a routing one that came twice has been refused.
    route = classify_inbound_request(message.raw, headers=request.headers)
    if isinstance(route, InboundLadderRejection):
        raise _refusal(route, message)
    return route


def _agreement(request: web.Request, message: Message) -> _Agreement | None:
    """All of a tool call's headers and body that `_route` looks at: what it let pass once, it lets pass again."""
    params = message.params
    if message.method != _CALL or params is None:
        return None
    name: object = params.get("name")
    meta: object = params.get("_meta")
    if not isinstance(name, str) or not isinstance(meta, dict):
        return None
    headers = request.headers
    told = (headers.get(VERSION_HEADER), headers.get(MCP_METHOD_HEADER), headers.get(MCP_NAME_HEADER))
    return (*told, name, orjson.dumps(meta))


def _refuse(rejection: InboundLadderRejection | None, message: Message) -> None:
    if rejection is not None:
        raise _refusal(rejection, message)


def _refusal(rejection: InboundLadderRejection, message: Message) -> RefusalError:
    return RefusalError(
        ERROR_CODE_HTTP_STATUS.get(rejection.code, 200),
        rejection.code,
        rejection.message,
        request_id=message.request_id,
        data=rejection.data,
    )
