"""Typed events of the gateway, and the hub that hands them on.

Events are frozen and hold ids (and of an edited message its text), never Discord objects: those mutate in place. They
are published after discord.py's cache changed: first to synchronous listeners (which drop what they memoised), then to
bounded queues.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Literal

import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GuildReady:
    """A guild's own GUILD_CREATE is parsed: it can be served."""

    guild_id: int


@dataclass(frozen=True, slots=True)
class GuildGone:
    """A guild became unavailable (``left`` False) or the bot was removed from it (``left`` True)."""

    guild_id: int
    left: bool


@dataclass(frozen=True, slots=True)
class GuildStructureChanged:
    """Roles, channels, overwrites or threads changed: visibility and permissions may differ."""

    guild_id: int


@dataclass(frozen=True, slots=True)
class ThreadMembersChanged:
    """Somebody joined or left a thread: who sees a private thread may differ."""

    guild_id: int
    thread_id: int


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """A member joined, left or changed (roles, nickname, timeout)."""

    guild_id: int
    user_id: int
    left: bool = False


@dataclass(frozen=True, slots=True)
class MessageChanged:
    """A message appeared, was edited or deleted. ``content``: its text after an edit, where Discord tells of it."""

    guild_id: int
    channel_id: int
    message_id: int
    change: Literal["created", "edited", "deleted"]
    content: str | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ChannelDeleted:
    """A channel or thread was deleted, and with it what stood there. GuildStructureChanged comes with it."""

    guild_id: int
    channel_id: int


@dataclass(frozen=True, slots=True)
class AuditLogEntryCreated:
    """Discord's audit log has a new entry. ``user_id``: who did it; ``action``: a discord.AuditLogAction value.

    ``reason``: written by a member. ``timed_out_until``: where a timeout was changed, its new end as Discord says it,
    or "" where it was ended.
    """

    guild_id: int
    entry_id: int
    action: int
    user_id: int | None
    target_id: int | None
    reason: str
    timed_out_until: str | None


Event = (
    GuildReady
    | GuildGone
    | GuildStructureChanged
    | ThreadMembersChanged
    | MemberChanged
    | MessageChanged
    | ChannelDeleted
    | AuditLogEntryCreated
)


@dataclass(slots=True)
class Subscription:
    """A bounded queue of events; when it is full the oldest goes and ``dropped`` counts it. ``wanted``: which ones."""

    queue: asyncio.Queue[Event]
    dropped: int = field(default=0)
    wanted: Callable[[Event], bool] | None = None

    def put(self, event: Event) -> None:
        if self.wanted is not None and not self.wanted(event):
            return
        if self.queue.full():
            self.queue.get_nowait()
            self.dropped += 1
        self.queue.put_nowait(event)


class EventHub:
    """Hands events on, in the order of the gateway. ``publish`` never blocks."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []
        self._subscriptions: list[Subscription] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Calls ``listener`` synchronously at each event, before any queue sees it. It must be quick."""
        self._listeners.append(listener)

    @contextlib.contextmanager
    def subscribe(self, size: int = 1024, wanted: Callable[[Event], bool] | None = None) -> Generator[Subscription]:
        """``wanted``: which events; None: all."""
        subscription = Subscription(asyncio.Queue(size), wanted=wanted)
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)

    @property
    def dropped(self) -> int:
        """How many events the present subscribers have missed because their queues were full."""
        return sum(subscription.dropped for subscription in self._subscriptions)

    def publish(self, event: Event) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                # One that fails must not keep the others from dropping what they memoised.
                log.exception("a listener failed", listener=repr(listener), event=type(event).__name__)
        for subscription in self._subscriptions:
            subscription.put(event)
