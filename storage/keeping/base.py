"""What every store says of what it keeps: what it is, how long, and how it is forgotten."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, ClassVar

from storage.call_messages import MessagePlace
from storage.crypto import Keyring
from storage.session import Session

DAY_SECONDS = 86_400.0
Erase = Callable[[Session, Keyring, float], Awaitable[int]]
"""Erases what ended before a moment, some at a time: how many; to be called again until that is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """How long things are kept. An operator may shorten these, and never lengthens them."""

    arguments_seconds: float = 7 * DAY_SECONDS
    inverses_seconds: float = 30 * DAY_SECONDS
    conversations_seconds: float = 30 * DAY_SECONDS
    audit_seconds: float = 180 * DAY_SECONDS
    left_guild_seconds: float = 30 * DAY_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One kind of thing that is kept. The retention jobs run on it, and people are told of it, from this one place.

    ``seconds``: how long after ``since`` (0: ``since`` says it all); then ``erase`` takes it away. Where no time ends
    it, ``until`` says what does.
    """

    what: str
    seconds: float | None = None
    since: str = ""
    until: str = ""
    erase: Erase | None = None

    def __post_init__(self) -> None:
        timed = self.seconds is not None and self.erase is not None and bool(self.since)
        if not timed and (self.seconds is not None or self.erase is not None or not self.until):
            raise ValueError(f"{self.what}: a time needs what erases it, and what has no time needs an end in words")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a workspace."""

    workspace_id: str
    user_id: int


Told = tuple[str, dict[str, Any]]
"""The section that something belongs to, and the thing as JSON."""


class Keeper(ABC):
    """What one store keeps, in which tables. Whatever does not concern it stays as it is here.

    Methods run inside the caller's unit of work, can be repeated at will, and say how much they changed.
    """

    tables: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def kept(self, periods: Periods) -> tuple[Kept, ...]:
        """All that it keeps."""

    async def messages_deleted(
        self, session: Session, keyring: Keyring, message_ids: Collection[int], now: float
    ) -> int:
        """Discord deleted these messages: their text and what refers to them goes."""
        return 0

    async def message_edited(self, session: Session, keyring: Keyring, message_id: int, content: str | None) -> int:
        """Discord shows another text now; ``content`` None: which one is not known, so the old one only goes."""
        return 0

    async def channels_deleted(
        self, session: Session, keyring: Keyring, channel_ids: Collection[int], now: float
    ) -> int:
        """Channels or threads are gone, with the messages in them."""
        return 0

    async def messages_held(self, session: Session, guild_id: int) -> set[MessagePlace]:
        """The messages of a guild whose text is held, for looking whether they are still there."""
        return set()

    async def person_forgotten(
        self, session: Session, keyring: Keyring, person: Person, asked_at: float, now: float
    ) -> dict[str, int]:
        """Erases what is somebody's, as far as it was there at ``asked_at``: what, and how much of it."""
        return {}

    async def data_of_guild(
        self, session: Session, keyring: Keyring, installation_id: str, reader_id: int | None
    ) -> AsyncGenerator[Told]:
        """What administrators may take away of a guild, newest first: never a secret, and nothing that ``reader_id``
        may not know of himself.
        """
        return
        yield  # an asynchronous generator without anything

    async def data_of(self, session: Session, keyring: Keyring, person: Person) -> AsyncGenerator[Told]:
        """All that is kept of somebody, newest first; never a secret, nothing that he may not see."""
        return
        yield  # an asynchronous generator without anything
