"""A channel's conversation with the assistant: what is kept of it, and where (the store is a Protocol)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

AuthorKind = Literal["human", "bot", "webhook"]


@dataclass(frozen=True, slots=True)
class ConversationKey:
    """One channel or thread of one installation: a new installation starts empty."""

    installation_id: str
    guild_id: int
    channel_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """Something that was said there: by a member to the assistant, or by the assistant.

    ``message_id``: the Discord message that holds it, the first one of several; what happens to that happens to this.
    ``for_user_id``: whose turn it belongs to. ``by_agent``: the assistant's own words, as they were posted.
    """

    message_id: int
    author_id: int
    author_name: str
    kind: AuthorKind
    text: str
    at: float
    for_user_id: int
    by_agent: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """``summary``: of what came before the utterances, '' for none; ``utterances``: oldest first."""

    summary: str = ""
    utterances: tuple[Utterance, ...] = ()


class Conversations(Protocol):
    """Keeps conversations, within retention. Methods raise storage.database.DatabaseUnavailable."""

    async def load(self, key: ConversationKey) -> Conversation: ...

    async def append(self, key: ConversationKey, said: Sequence[Utterance]) -> None: ...

    async def compact(self, key: ConversationKey, summary: str, replaced: Sequence[int]) -> None:
        """Puts a summary in place of the utterances of these messages, and of the summary before.

        What was said meanwhile stays; if one of them is gone by then (it was deleted), nothing is put.
        """
        ...

    async def forget(self, key: ConversationKey) -> None: ...


class MemoryConversations:
    """Kept until the process ends; at most so many channels, of which the longest silent goes first."""

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._kept: dict[ConversationKey, Conversation] = {}

    async def load(self, key: ConversationKey) -> Conversation:
        return self._kept.get(key, Conversation())

    async def append(self, key: ConversationKey, said: Sequence[Utterance]) -> None:
        known = self._kept.pop(key, Conversation())
        self._kept[key] = replace(known, utterances=(*known.utterances, *said))
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]

    async def compact(self, key: ConversationKey, summary: str, replaced: Sequence[int]) -> None:
        known = await self.load(key)
        gone = set(replaced)
        if gone - {said.message_id for said in known.utterances}:
            return
        left = tuple(said for said in known.utterances if said.message_id not in gone)
        self._kept[key] = Conversation(summary, left)

    async def forget(self, key: ConversationKey) -> None:
        self._kept.pop(key, None)
