"""A brake on guessing tokens: how many refused ones an address may send."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable


class FailedAttempts:
    """A bucket of attempts an address, that fills up again; addresses that were quiet longest are forgotten first.

    Only refused credentials count and only they are slowed down: behind a proxy all clients have one address, and one
    of them must not lock the others out.
    """

    def __init__(
        self, *, per_minute: int = 60, addresses: int = 4096, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Raises ValueError for a number below one."""
        if per_minute < 1 or addresses < 1:
            raise ValueError("per_minute and addresses must be at least one")
        self._capacity = float(per_minute)
        self._per_second = per_minute / 60
        self._most = addresses
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def record(self, address: str | None) -> float:
        """Counts a refused credential; 0 while the address may go on, else the seconds until its next attempt."""
        network, now = _network(address), self._clock()
        left, at = self._left.pop(network, (self._capacity, now))
        left = min(self._capacity, left + (now - at) * self._per_second)
        waits = left < 1
        self._left[network] = (left if waits else left - 1, now)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        return (1 - left) / self._per_second if waits else 0.0


def _network(address: str | None) -> str:
    """The address, or for IPv6 the /64 that one subscriber has to choose from."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return ""
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
