"""What Discord deletes or edits is deleted or edited here: at once by its events, after an outage by looking."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from bot.lost_messages import LostMessages
from operations.events import ChannelDeleted, Event, GuildReady, MessageChanged, Subscription
from operations.failures import DISCORD_FAILED
from storage.database import Database, DatabaseUnavailable
from storage.facts import PlatformFacts
from storage.forgetting import Forgetting

log = structlog.get_logger(__name__)

QUEUE_SIZE = 8192
BATCH = 500
# A message may be deleted before its call has written that it was sent. An execution takes 45 seconds at most, and
# what it sends is there long before.
SECOND_LOOK_SECONDS = 40.0
MOST_SECOND_LOOKS = 1_000
RETRY_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 60.0


def is_wanted(event: Event) -> bool:
    """What this listens to."""
    return isinstance(event, GuildReady | ChannelDeleted) or (
        isinstance(event, MessageChanged) and event.change != "created"
    )


@dataclass(slots=True)
class _Batch:
    deleted: set[int] = field(default_factory=set[int])
    edited: dict[int, str | None] = field(default_factory=dict[int, "str | None"])
    channels: set[int] = field(default_factory=set[int])

    def __bool__(self) -> bool:
        return bool(self.deleted or self.edited or self.channels)

    def take(self, event: Event) -> None:
        match event:
            case MessageChanged(change="deleted"):
                self.deleted.add(event.message_id)
                self.edited.pop(event.message_id, None)
            case MessageChanged(change="edited") if event.message_id not in self.deleted:
                self.edited[event.message_id] = event.content
            case ChannelDeleted():
                self.channels.add(event.channel_id)
            case _:
                pass


class Deletions:
    """``every_seconds``: how often all guilds are looked at where no events come; None: they do."""

    def __init__(
        self,
        database: Database,
        facts: PlatformFacts,
        forgetting: Forgetting,
        lost: LostMessages,
        *,
        every_seconds: float | None = None,
        second_look_seconds: float = SECOND_LOOK_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._facts = facts
        self._forgetting = forgetting
        self._lost = lost
        self._every_seconds = every_seconds
        self._second_look_seconds = second_look_seconds
        self._clock = clock
        self._again: deque[tuple[float, _Batch]] = deque()
        self._to_look_at: set[int] = set()
        self._woken = asyncio.Event()

    # ----------------------------------------------------------------- events
    async def watch(self, events: Subscription) -> None:
        """Until cancelled."""
        missed = 0
        while True:
            batch = await self._next(events)
            if events.dropped > missed:
                missed = events.dropped
                log.warning("deletions were missed; all guilds are looked at", missed=missed)
                self.look_at(*self._facts.snapshot.installations)
            if batch:
                await self._forget(batch)
                self._look_again_at(batch)
            while self._again and self._again[0][0] <= time.monotonic():
                await self._forget(self._again.popleft()[1])

    async def _next(self, events: Subscription) -> _Batch:
        """What has come, or nothing when a second look is due."""
        batch, taken = _Batch(), 0
        wait = max(0.0, self._again[0][0] - time.monotonic()) if self._again else None
        try:
            async with asyncio.timeout(wait):
                self._take(await events.queue.get(), batch)
        except TimeoutError:
            return batch
        while taken < BATCH and not events.queue.empty():
            self._take(events.queue.get_nowait(), batch)
            taken += 1
        return batch

    def _take(self, event: Event, batch: _Batch) -> None:
        if isinstance(event, GuildReady):
            # What happened since this guild was last heard of, nobody tells.
            self.look_at(event.guild_id)
            return
        if isinstance(event, ChannelDeleted):
            # Discord does not tell of the threads that went with it.
            self.look_at(event.guild_id)
        batch.take(event)

    def _look_again_at(self, batch: _Batch) -> None:
        self._again.append((time.monotonic() + self._second_look_seconds, batch))
        if len(self._again) > MOST_SECOND_LOOKS:
            self._again.popleft()
            self.look_at(*self._facts.snapshot.installations)

    async def _forget(self, batch: _Batch) -> None:
        """Waits for the database as long as it takes: what comes meanwhile waits in the queue."""
        while True:
            try:
                async with self._database.unit_of_work() as session:
                    if batch.deleted:
                        await self._forgetting.messages_deleted(session, batch.deleted, self._clock())
                    if batch.channels:
                        await self._forgetting.channels_deleted(session, batch.channels, self._clock())
                    for message_id, content in batch.edited.items():
                        await self._forgetting.message_edited(session, message_id, content)
                return
            except DatabaseUnavailable:
                log.warning("deletions wait for the database")
                await asyncio.sleep(RETRY_SECONDS)

    # ---------------------------------------------------------------- looking
    def look_at(self, *guild_ids: int) -> None:
        """Whether the messages that are held of these guilds are still there is looked up soon."""
        self._to_look_at.update(guild_ids)
        self._woken.set()

    async def look(self) -> None:
        """Until cancelled: one guild after the other."""
        while True:
            try:
                async with asyncio.timeout(self._every_seconds):
                    await self._woken.wait()
            except TimeoutError:
                self.look_at(*self._facts.snapshot.installations)
            self._woken.clear()
            failed: set[int] = set()
            while self._to_look_at:
                guild_id = self._to_look_at.pop()
                try:
                    await self._look_at(guild_id)
                except (DatabaseUnavailable, *DISCORD_FAILED) as error:
                    log.warning("deleted messages are looked for later", guild_id=guild_id, error=type(error).__name__)
                    failed.add(guild_id)
            if failed:
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
                self.look_at(*failed)

    async def _look_at(self, guild_id: int) -> None:
        if guild_id not in self._facts.snapshot.installations:
            return
        async with self._database.read() as session:
            held = await self._forgetting.messages_held(session, guild_id)
        if not held:
            return
        async for found in self._lost.look(guild_id, held):
            await self._forget(_Batch(set(found.deleted), dict(found.edited), set(found.channels)))
