"""How MCP messages get in and out: Streamable HTTP (both protocol eras), legacy HTTP+SSE, stdio.

HTTP, from the composition root::

    http = StreamableHTTP(
        server,                                   # mcp.server.Server[Any], low-level
        principal=lambda request: request[CLIENT].id,   # str; set by the auth middleware, never from the body
        hot_path=hot_path,                        # HotPath | None
        ready_path=ready_path,                    # ReadyPath | None
        limits=TransportLimits(),                 # frozen dataclass, every field has a default
        security=OriginPolicy.from_public_url(settings.public_url),
    )
    http.add_routes(app, "/mcp")                  # POST, GET, DELETE; enters server.lifespan, closes on shutdown
    LegacySSE(http).add_routes(app, "/sse", "/messages/")   # shares sessions, caps, principal with `http`

    await http.end_principal(principal)           # revocation: ends its sessions, streams, calls; returns how many
    await http.aclose()                           # ends everything in under a second; on_shutdown does it by itself

    session_of(ctx.request) -> Session | None     # the handshake-era session of THIS call; None on 2026-07-28
    http.sessions -> SessionTable                 # len(), iteration, .of(principal)
    http.policy                                   # the OriginPolicy; `.refusal(request)`: a 421 or 403 response or None

`Session` (handshake era only): `.id`, `.principal`, `.closed`, `await .notify(method, params)` (standalone stream,
never blocks, never raises), `.on_close(callback)` (called once, synchronously).

In a handler `ctx.request` is the `aiohttp.web.Request` of that very call (None on stdio): take the caller from it,
never from the session. A reply is plain JSON unless the handler emits a notification, progress or a request first, or
takes longer than `limits.ping_seconds`; then it is an event stream.

`HotPath` answers `tools/call` without the SDK: `await hot_path(request, name, arguments, modern=bool)` gives the
encoded JSON-RPC `result` object (on 2026-07-28 it must hold `"resultType": "complete"`) or None for the ordinary road.
It may raise `MCPError`. It is asked only where the client can't need a stream (no progress token, no log level, no
retry of an `input_required`), and its calls are counted, refused as duplicates and cancelled like all others.

`ReadyPath` is asked before it, with the same arguments, and may not wait: its answer is there before another call can
begin, so that nothing is held, ended or pinged.

stdio, for the command line::

    await serve_stdio(server)                     # both eras; stray output goes to stderr
    await proxy_stdio(url, token)                 # forwards stdin/stdout to a running instance's `/mcp`, until EOF

`kernel.py` is the only file that imports semi-internal modules of the SDK.
"""

from mcp_server.transports.hot_path import HotPath, ReadyPath
from mcp_server.transports.kernel import MODERN_PROTOCOL_VERSIONS
from mcp_server.transports.legacy_sse import LegacySSE
from mcp_server.transports.limits import TransportLimits
from mcp_server.transports.origin import OriginPolicy
from mcp_server.transports.session import Session, session_of
from mcp_server.transports.session_table import SessionTable
from mcp_server.transports.stdio import serve_stdio
from mcp_server.transports.stdio_proxy import proxy_stdio
from mcp_server.transports.streamable_http import StreamableHTTP

__all__ = [
    "MODERN_PROTOCOL_VERSIONS",
    "HotPath",
    "LegacySSE",
    "OriginPolicy",
    "ReadyPath",
    "Session",
    "SessionTable",
    "StreamableHTTP",
    "TransportLimits",
    "proxy_stdio",
    "serve_stdio",
    "session_of",
]
