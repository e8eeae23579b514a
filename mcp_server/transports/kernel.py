"""Everything taken from semi-internal modules of the MCP SDK, in one place.

The SDK documents its ASGI application, not the kernel below it. The transports drive that kernel directly, so a release
may move what they stand on. Only this file imports from there; it fails at import, by name, when something moved.
Pinned in pyproject.toml: ``mcp==2.3.*``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

PINNED_VERSION = "2.3"
"""The series of the SDK that these imports were checked against."""

try:
    from mcp.server.connection import Connection
    from mcp.server.runner import ServerRunner, aclose_shielded, modern_error_data
    from mcp.shared._stream_protocols import ReadStream, WriteStream
    from mcp.shared.dispatcher import (
        CallOptions,
        DispatchContext,
        OnRequest,
        Outbound,
        ProgressFnT,
        as_request_id,
        coerce_request_id,
    )
    from mcp.shared.exceptions import MCPError, NoBackChannelError
    from mcp.shared.inbound import (
        ERROR_CODE_HTTP_STATUS,
        MCP_METHOD_HEADER,
        MCP_NAME_HEADER,
        NAME_BEARING_METHODS,
        InboundLadderRejection,
        InboundModernRoute,
        classify_inbound_request,
        encode_header_value,
        find_duplicated_routing_header,
        unsupported_protocol_version_rejection,
        validate_mcp_param_headers,
    )
    from mcp.shared.jsonrpc_dispatcher import cancelled_request_id_from_params, progress_token_from_params
    from mcp.shared.message import ServerMessageMetadata, SessionMessage
    from mcp.shared.transport_context import TransportContext
    from mcp.types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_HANDSHAKE_VERSION, MODERN_PROTOCOL_VERSIONS
except ImportError as moved:
    message = (
        f"The MCP SDK's kernel moved: {moved}. Guildhall is checked against mcp {PINNED_VERSION}, "
        f"installed is {version('mcp')}: install mcp=={PINNED_VERSION}.*"
    )
    raise ImportError(message) from moved

__all__ = [
    "ERROR_CODE_HTTP_STATUS",
    "HANDSHAKE_PROTOCOL_VERSIONS",
    "LATEST_HANDSHAKE_VERSION",
    "MCP_METHOD_HEADER",
    "MCP_NAME_HEADER",
    "MODERN_PROTOCOL_VERSIONS",
    "NAME_BEARING_METHODS",
    "PINNED_VERSION",
    "CallOptions",
    "Connection",
    "DispatchContext",
    "InboundLadderRejection",
    "InboundModernRoute",
    "MCPError",
    "NoBackChannelError",
    "OnRequest",
    "Outbound",
    "ProgressFnT",
    "ReadStream",
    "ServerMessageMetadata",
    "ServerRunner",
    "SessionMessage",
    "TransportContext",
    "WriteStream",
    "aclose_shielded",
    "as_request_id",
    "cancelled_request_id_from_params",
    "classify_inbound_request",
    "coerce_request_id",
    "encode_header_value",
    "find_duplicated_routing_header",
    "missing_parameters",
    "modern_error_data",
    "progress_token_from_params",
    "unsupported_protocol_version_rejection",
    "validate_mcp_param_headers",
]

_CALLED_WITH: tuple[tuple[Callable[..., Any], tuple[str, ...]], ...] = (
    (ServerRunner, ("server", "connection", "lifespan_state", "init_options")),
    (Connection.for_loop, ("outbound", "session_id")),
    (Connection.from_envelope, ("protocol_version", "client_info", "client_capabilities")),
    (classify_inbound_request, ("body", "headers")),
    (find_duplicated_routing_header, ("headers",)),
    (unsupported_protocol_version_rejection, ("requested",)),
    (validate_mcp_param_headers, ("input_schema", "arguments", "headers")),
    (ServerMessageMetadata, ("request_context",)),
    (TransportContext, ("kind", "can_send_request", "headers")),
    (aclose_shielded, ("connection",)),
    (modern_error_data, ("exc",)),
)


def missing_parameters(expected: tuple[tuple[Callable[..., Any], tuple[str, ...]], ...]) -> list[str]:
    """Name each parameter in `expected` that its callable no longer takes, as ``callable(parameter)``."""
    return [
        f"{called.__qualname__}({name})"
        for called, names in expected
        for name in names
        if name not in inspect.signature(called).parameters
    ]


if moved_parameters := missing_parameters(_CALLED_WITH):
    raise ImportError(
        f"The MCP SDK's kernel no longer takes {', '.join(moved_parameters)}. Guildhall is checked against "
        f"mcp {PINNED_VERSION}, installed is {version('mcp')}: install mcp=={PINNED_VERSION}.*"
    )
