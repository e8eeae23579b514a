"""Rate limits as Discord announces and enforces them: buckets by route and major parameter, and a global one.

https://discord.com/developers/docs/topics/rate-limits
"""

from __future__ import annotations

import dataclasses
import hashlib
import time

# "Top-level resources … channels (channel_id), guilds (guild_id), and webhooks (webhook_id or webhook_id + token)"
_MAJOR = ("channels", "guilds", "webhooks")
_MAX_WINDOWS = 5_000


@dataclasses.dataclass(slots=True)
class _Window:
    ends_at: float
    hits: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """The headers of an answer; `retry_after` seconds where the request is refused, `scope` global or user."""

    headers: dict[str, str]
    retry_after: float | None = None
    scope: str = "user"


class RateLimits:
    """Fixed windows. A limit of 0 is off, which is how a sandbox starts."""

    def __init__(self) -> None:
        self.per_bucket = 0
        self.window_seconds = 5.0
        self.global_per_second = 0
        self._windows: dict[str, _Window] = {}

    def forget(self) -> None:
        self._windows.clear()

    def check(self, method: str, path: str) -> Verdict:
        """Count one request and say whether it may pass."""
        now = time.time()
        # "Interaction endpoints are not bound to the bot's Global Rate Limit."
        if self.global_per_second and not path.startswith(("/interactions/", "/webhooks/")):
            window = self._hit("global", now, 1.0)
            if window.hits > self.global_per_second:
                return Verdict({}, window.ends_at - now, "global")
        if not self.per_bucket:
            return Verdict({})
        route, major = _route_of(method, path)
        window = self._hit(f"{route}:{major}", now, self.window_seconds)
        left = window.ends_at - now
        headers = {
            "X-RateLimit-Limit": str(self.per_bucket),
            "X-RateLimit-Remaining": str(max(0, self.per_bucket - window.hits)),
            "X-RateLimit-Reset": f"{window.ends_at:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(route.encode()).hexdigest()[:32],
        }
        return Verdict(headers, left if window.hits > self.per_bucket else None)

    def _hit(self, key: str, now: float, seconds: float) -> _Window:
        window = self._windows.get(key)
        if window is None or now >= window.ends_at:
            if len(self._windows) >= _MAX_WINDOWS:
                self._windows = {name: kept for name, kept in self._windows.items() if kept.ends_at > now}
            window = self._windows[key] = _Window(now + seconds)
        window.hits += 1
        return window


def _route_of(method: str, path: str) -> tuple[str, str]:
    """The bucket's route with ids struck out, and the major parameter that divides it."""
    segments = path.strip("/").split("/")
    major = segments[1] if len(segments) > 1 and segments[0] in _MAJOR else ""
    # Emoji count as one: "routes for reactions" share a bucket whatever the emoji.
    template = [
        "{}" if segment.isdigit() or (index and segments[index - 1] == "reactions") else segment
        for index, segment in enumerate(segments)
    ]
    return f"{method}:{'/'.join(template)}", major
