"""A channel's conversation with the assistant: where it is kept (the store is a Protocol)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from storage import conversations
from storage.conversations import AuthorKind, Conversation, ConversationKey, MessagesGone, Utterance
from storage.database import Database

__all__ = ["AuthorKind", "Conversation", "ConversationKey", "Conversations", "StoredConversations", "Utterance"]


class Conversations(Protocol):
    """Keeps conversations, within retention. Methods raise storage.database.DatabaseUnavailable."""

    async def load(self, key: ConversationKey) -> Conversation: ...

    async def append(self, key: ConversationKey, said: Sequence[Utterance]) -> None: ...

    async def compact(self, key: ConversationKey, summary: str, replaced: Sequence[int]) -> None:
        """Puts a summary in place of the utterances of these messages, and of the summary before.

        What was said meanwhile stays; if one of them is gone by then (it was deleted), nothing is put.
        """
        ...


class StoredConversations:
    """In the database, sealed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, key: ConversationKey) -> Conversation:
        async with self._database.read() as session:
            return await conversations.load(session, key)

    async def append(self, key: ConversationKey, said: Sequence[Utterance]) -> None:
        async with self._database.unit_of_work() as session:
            await conversations.append(session, key, said)

    async def compact(self, key: ConversationKey, summary: str, replaced: Sequence[int]) -> None:
        try:
            async with self._database.unit_of_work() as session:
                await conversations.compact(session, key, summary, replaced)
        except MessagesGone:
            return
