"""Every measurement, in the order of the table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from benchmarks.bench import Bench
from benchmarks.measures.against_sdk import against_sdk
from benchmarks.measures.audit_latency import audit_latency
from benchmarks.measures.event_latency import event_latency
from benchmarks.measures.first_call import first_call
from benchmarks.measures.garbage_pause import garbage_pause
from benchmarks.measures.guild_memory import guild_memory
from benchmarks.measures.identify_memory import identify_memory
from benchmarks.measures.last_guild import last_guild
from benchmarks.measures.list_sizes import list_sizes
from benchmarks.measures.read_latency import read_latency
from benchmarks.measures.read_throughput import read_throughput
from benchmarks.measures.write_latency import write_latency
from benchmarks.rows import Row

Measurement = Callable[[Bench], Awaitable[list[Row]]]

CATALOGUE: dict[str, Measurement] = {
    "read_latency": read_latency,
    "read_throughput": read_throughput,
    "against_sdk": against_sdk,
    "write_latency": write_latency,
    "audit_latency": audit_latency,
    "event_latency": event_latency,
    # The crowd of guilds only grows, so what begins with few of them comes first.
    "guild_memory": guild_memory,
    "garbage_pause": garbage_pause,
    "last_guild": last_guild,
    "identify_memory": identify_memory,
    "first_call": first_call,
    "list_sizes": list_sizes,
}
