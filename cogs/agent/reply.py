"""The assistant's reply: one message that grows by edits, continued in further ones, privately where it has to be."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

import structlog

from cogs.agent import words
from cogs.agent.messenger import From, Messenger, NotDelivered
from cogs.agent.reply_text import LIMIT, OwnLinks, inert, pieces
from operations.sanitise import sanitise

log = structlog.get_logger(__name__)

SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 5.0
EDITS_SHARE = 1 / 3
# The first edit comes with the first sentence; of a long one, after this many characters.
FIRST_CHARACTERS = 160
FIRST_SECONDS = 1.0
MOST_NAMED = 3
_SENTENCE = re.compile(r"[.!?…:。！？](?:\s|$)|\n")


class EditPace:
    """How often replies are edited: together at most a third of the requests that are free. One for all replies."""

    def __init__(self, free: Callable[[], int]) -> None:
        """``free``: how many requests could leave within this second."""
        self._free = free
        self.growing = 0

    def seconds(self) -> float:
        share = self._free() * EDITS_SHARE
        if share <= 0:
            return LONGEST_SECONDS
        return min(LONGEST_SECONDS, max(SHORTEST_SECONDS, self.growing / share))


@dataclass(slots=True)
class _Posted:
    message_id: int
    text: str


@dataclass(slots=True)
class _Strand:
    """A text in one channel, and the messages that show it. Mutable: it grows.

    ``closed``: Discord takes no more of it.
    """

    channel_id: int
    reply_to: int | None
    text: str = ""
    posted: list[_Posted] = field(default_factory=list["_Posted"])
    closed: bool = False


class Reply:
    """``async with``; then ``add`` text as it comes. What is added after ``go_private`` goes to the requester directly.

    Only one task paints. Nothing here raises for what Discord refuses: the turn goes on without being seen.
    """

    def __init__(
        self,
        messenger: Messenger,
        sender: From,
        pace: EditPace,
        *,
        channel_id: int,
        reply_to: int,
        own_links: OwnLinks,
        on_post: Callable[[], None] = lambda: None,
    ) -> None:
        self._messenger = messenger
        self._sender = sender
        self._pace = pace
        self._own_links = own_links
        self._on_post = on_post
        self._here = _Strand(channel_id, reply_to)
        self._direct: _Strand | None = None
        self._quiet = ""
        self._sent = 0
        self._dirty = asyncio.Event()
        self._finishing = asyncio.Event()
        self._painter: asyncio.Task[None] | None = None
        self._began_at: float | None = None

    async def __aenter__(self) -> Self:
        self._pace.growing += 1
        self._painter = asyncio.create_task(self._paint(), name="reply")
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self._pace.growing -= 1
        if self._painter is not None:
            self._painter.cancel()
            await asyncio.gather(self._painter, return_exceptions=True)

    # ------------------------------------------------------------------ writing
    @property
    def _strand(self) -> _Strand:
        return self._here if self._direct is None else self._direct

    @property
    def private(self) -> bool:
        return self._direct is not None

    @property
    def has_text(self) -> bool:
        return bool(self._here.text.strip() or (self._direct is not None and self._direct.text.strip()))

    @property
    def posted_here(self) -> tuple[int, str]:
        """The first message in the channel and all that stands there; (0, '') for nothing."""
        here = self._here
        return (here.posted[0].message_id, here.text.strip()) if here.posted else (0, "")

    @property
    def message_ids(self) -> tuple[int, ...]:
        direct = () if self._direct is None else self._direct.posted
        return tuple(posted.message_id for posted in (*self._here.posted, *direct))

    def allow_links(self, links: OwnLinks) -> None:
        self._own_links = links

    def add(self, text: str) -> None:
        self._quiet = ""
        self._strand.text += text
        if self._began_at is None:
            self._began_at = time.monotonic()
        self._dirty.set()

    def paragraph(self, text: str) -> None:
        """A text of its own, below what stands there."""
        before = self._strand.text
        gap = "" if not before.strip() else "\n" * max(0, 2 - (len(before) - len(before.rstrip("\n"))))
        self.add(gap + text)

    def using(self, tools: Sequence[str]) -> None:
        """Tools at work, as one quiet line until text comes."""
        named = [name.replace("_", " ") for name in dict.fromkeys(tools)]
        self._quiet = f"-# using {', '.join(named[:MOST_NAMED])}{' and more' if len(named) > MOST_NAMED else ''} …"
        self._dirty.set()

    def waiting(self) -> None:
        """Somebody has to press a button first."""
        self._quiet = "-# waiting for the button on the card …"
        self._dirty.set()

    async def go_private(self) -> None:
        """From here on the text holds what not everyone in the channel can see."""
        if self._direct is not None:
            return
        strand = _Strand(0, None)
        self._direct = strand
        try:
            strand.channel_id = await self._messenger.direct_channel(self._sender)
        except NotDelivered as error:
            log.info("no direct message to a requester", reason=str(error))
            strand.closed = True

    async def finish(self) -> None:
        """Shows all of it; ends the growing."""
        self._quiet = ""
        self._finishing.set()
        self._dirty.set()
        if self._painter is not None:
            await self._painter
        if self._direct is not None and self._direct.text.strip():
            before = self._here.text.rstrip()
            delivered = bool(self._direct.posted) and not self._direct.closed
            note = words.SENT_PRIVATELY if delivered else words.DMS_CLOSED
            self._here.text = f"{before}\n\n{note}" if before else note
            await self._show(self._here)

    # ----------------------------------------------------------------- painting
    async def _paint(self) -> None:
        while not self._finishing.is_set():
            await self._dirty.wait()
            await self._first_sentence()
            self._dirty.clear()
            await self._show_all()
            await self._rest(self._pace.seconds())
        await self._show_all()

    async def _first_sentence(self) -> None:
        """Waits for it, where nothing is shown yet."""
        while not self._finishing.is_set() and not self._strand.posted and not self._quiet:
            text = self._strand.text
            waited = 0.0 if self._began_at is None else time.monotonic() - self._began_at
            if _SENTENCE.search(text) or len(text) >= FIRST_CHARACTERS or (text.strip() and waited >= FIRST_SECONDS):
                return
            self._dirty.clear()
            try:
                async with asyncio.timeout(max(0.01, FIRST_SECONDS - waited)):
                    await self._dirty.wait()
            except TimeoutError:
                continue

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._finishing.wait()
        except TimeoutError:
            return

    async def _show_all(self) -> None:
        await self._show(self._here)
        if self._direct is not None and self._direct.channel_id:
            await self._show(self._direct)

    async def _show(self, strand: _Strand) -> None:
        wanted = self._wanted(strand)
        for at, text in enumerate(wanted):
            if strand.closed:
                return
            try:
                if at >= len(strand.posted):
                    await self._post(strand, text)
                elif strand.posted[at].text != text:
                    await self._messenger.edit(self._sender, strand.channel_id, strand.posted[at].message_id, text)
                    strand.posted[at].text = text
            except NotDelivered as error:
                log.info("a reply was not shown", reason=str(error), closed=error.closed)
                strand.closed = strand.closed or error.closed
                if not error.closed:
                    # The next painting tries again; the order of the messages stays.
                    return

    def _wanted(self, strand: _Strand) -> list[str]:
        """The messages as they should stand now."""
        found = pieces(inert(sanitise(strand.text), self._own_links))
        if self._quiet and strand is self._here:
            if found and len(found[-1]) + len(self._quiet) + 2 <= LIMIT:
                found[-1] = f"{found[-1]}\n\n{self._quiet}"
            elif not found:
                found.append(self._quiet)
        return found

    async def _post(self, strand: _Strand, text: str) -> None:
        nonce = f"{self._sender.turn_id[3:]}{self._sent}"
        first = not strand.posted
        message_id = await self._messenger.send(
            self._sender, strand.channel_id, text, nonce=nonce, reply_to=strand.reply_to if first else None
        )
        self._sent += 1
        strand.posted.append(_Posted(message_id, text))
        self._on_post()
