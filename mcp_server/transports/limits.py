"""How much one client, and all of them together, may take of a transport."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportLimits:
    """Caps of the HTTP transports; each one refuses with an error that names it.

    Raises:
        ValueError: a limit is zero or negative.
    """

    body_bytes: int = 4 * 1024 * 1024
    """Largest request body, after decompression. The SDK's own default."""
    body_seconds: float = 30.0
    """How long a client may take to send a body."""
    threaded_body_bytes: int = 256 * 1024
    """Bodies above this are parsed in a thread."""
    json_depth: int = 128
    """Deepest nesting of arrays and objects. orjson reads 1,024 levels but writes 254."""
    json_values: int = 50_000
    """Most values in a body, estimated from its commas and brackets. The parser holds the interpreter lock, so a thread
    alone would not keep the event loop free: a dense body of 4 MiB takes it for half a second."""
    sessions: int = 10_000
    sessions_per_principal: int = 32
    session_idle_seconds: float = 30 * 60.0
    """A session without a connected stream or call for this long is ended."""
    session_spare_seconds: float = 60.0
    """At the cap of a principal, its own session that was unused longest makes room once it was for this long. Many
    clients never DELETE theirs: without this, 32 restarts of one would lock its user out for half an hour."""
    streams_per_principal: int = 64
    """Open GET streams, `subscriptions/listen` streams and legacy SSE connections of one principal."""
    calls_per_principal: int = 64
    """Requests of one principal being answered at the same time."""
    stream_messages: int = 256
    """Messages that may wait for a stream's reader; one more and the reader is cut off."""
    stream_bytes: int = 1024 * 1024
    """The same in bytes. A single larger message still passes when nothing else waits."""
    write_seconds: float = 30.0
    """How long a reader may take to accept a write before it is cut off."""
    ping_seconds: float = 15.0
    """Silence after which a reply becomes an event stream and a comment line is sent, below what proxies allow."""
    poll_seconds: float = 0.25
    """How often vanished clients and idle sessions are looked for: aiohttp tells a handler of neither."""
    shutdown_seconds: float = 0.8
    """How long `aclose` waits for cancelled calls."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) <= 0:
                raise ValueError(f"{field.name} must be above zero")
