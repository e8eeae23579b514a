"""All keepers at once: what is told to one is told to each, in one transaction."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection

from storage import erasure_requests
from storage.call_messages import MessagePlace
from storage.crypto import Keyring
from storage.keeping import Keeper
from storage.keeping.base import Kept, Periods, Person, Told
from storage.session import Session


class Forgetting:
    """``leaves``: in words, what leaves this instance, and to whom."""

    def __init__(
        self, keepers: tuple[Keeper, ...], keyring: Keyring, periods: Periods, leaves: tuple[str, ...] = ()
    ) -> None:
        self.leaves = leaves
        self._keepers = keepers
        self._keyring = keyring
        self._periods = periods

    def kept(self) -> tuple[Kept, ...]:
        """All that is kept: what the retention jobs run on, and what people are told."""
        return tuple(each for keeper in self._keepers for each in keeper.kept(self._periods))

    async def messages_deleted(self, session: Session, message_ids: Collection[int], now: float) -> int:
        return sum([await each.messages_deleted(session, self._keyring, message_ids, now) for each in self._keepers])

    async def message_edited(self, session: Session, message_id: int, content: str | None) -> int:
        return sum([await each.message_edited(session, self._keyring, message_id, content) for each in self._keepers])

    async def channels_deleted(self, session: Session, channel_ids: Collection[int], now: float) -> int:
        return sum([await each.channels_deleted(session, self._keyring, channel_ids, now) for each in self._keepers])

    async def messages_held(self, session: Session, guild_id: int) -> set[MessagePlace]:
        """The messages of a guild whose text is held somewhere."""
        held: set[MessagePlace] = set()
        for each in self._keepers:
            held |= await each.messages_held(session, guild_id)
        return held

    async def person_forgotten(self, session: Session, person: Person, now: float) -> dict[str, int]:
        """Erases what is somebody's, and asks for the same once more when what is under way has ended."""
        await erasure_requests.put(session, person.workspace_id, person.user_id, now)
        return await self._forget(session, person, now, now)

    async def forgotten_again(self, session: Session, now: float) -> int:
        """What was still being executed when its person asked to be forgotten; how much there was."""
        found = 0
        for request in await erasure_requests.all(session):
            person = Person(request.workspace_id, request.user_id)
            found += sum((await self._forget(session, person, request.asked_at, now)).values())
        return found

    async def _forget(self, session: Session, person: Person, asked_at: float, now: float) -> dict[str, int]:
        counts: dict[str, int] = {}
        for each in self._keepers:
            counts |= await each.person_forgotten(session, self._keyring, person, asked_at, now)
        return counts

    async def data_of(self, session: Session, person: Person) -> AsyncGenerator[Told]:
        for each in self._keepers:
            async for told in each.data_of(session, self._keyring, person):
                yield told

    async def data_of_guild(
        self, session: Session, installation_id: str, reader_id: int | None
    ) -> AsyncGenerator[Told]:
        for each in self._keepers:
            async for told in each.data_of_guild(session, self._keyring, installation_id, reader_id):
                yield told
