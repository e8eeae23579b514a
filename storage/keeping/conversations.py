"""Conversations with the agent, and what they cost."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection

from sqlalchemy import select
from sqlmodel import col

from storage import conversations, usage
from storage.call_messages import MessagePlace
from storage.crypto import Keyring
from storage.keeping.base import Keeper, Kept, Periods, Person, Told
from storage.paging import newest_first
from storage.session import Session
from storage.tables import ConversationMessage, UsageRecord


class ConversationKeeper(Keeper):
    """What a member said to the agent is his, and so is what he was answered."""

    tables = ("conversation", "conversation_message", "conversation_part", "usage_record", "usage_reservation")

    def kept(self, periods: Periods) -> tuple[Kept, ...]:
        return (
            Kept(
                what="What you said to the agent in a channel, what it answered there, and summaries of that "
                "(encrypted)",
                seconds=periods.conversations_seconds,
                since="after it was said",
                erase=conversations.erase_older,
            ),
            Kept(
                what="How much of the agent's budgets you, your roles, the guild and the workspace used on which day",
                seconds=periods.conversations_seconds,
                since="after that day",
                erase=usage.erase_older,
            ),
            Kept(what="What calls to a model under way may cost at most", until="until the call has ended"),
        )

    async def messages_deleted(
        self, session: Session, keyring: Keyring, message_ids: Collection[int], now: float
    ) -> int:
        return await conversations.messages_deleted(session, message_ids)

    async def message_edited(self, session: Session, keyring: Keyring, message_id: int, content: str | None) -> int:
        return await conversations.message_edited(session, keyring, message_id, content)

    async def channels_deleted(
        self, session: Session, keyring: Keyring, channel_ids: Collection[int], now: float
    ) -> int:
        return await conversations.channels_deleted(session, channel_ids)

    async def messages_held(self, session: Session, guild_id: int) -> set[MessagePlace]:
        return await conversations.held_in_guild(session, guild_id)

    async def person_forgotten(
        self, session: Session, keyring: Keyring, person: Person, asked_at: float, now: float
    ) -> dict[str, int]:
        said = await conversations.person_forgotten(session, person.workspace_id, person.user_id, asked_at)
        today = usage.day_of(now)
        days = await usage.forget_person(session, person.workspace_id, person.user_id, today)
        return {"conversation_messages_deleted": said, "usage_days_deleted": days}

    async def data_of(self, session: Session, keyring: Keyring, person: Person) -> AsyncGenerator[Told]:
        his = conversations.of_person(person.workspace_id, person.user_id)
        async for row in newest_first(session, his, ConversationMessage.at, ConversationMessage.message_id):
            yield "conversations", conversations.told(keyring, row)
        days = select(UsageRecord).where(
            col(UsageRecord.workspace_id) == person.workspace_id,
            col(UsageRecord.scope) == "user",
            col(UsageRecord.subject_id) == person.user_id,
        )
        async for day in newest_first(session, days, UsageRecord.day):
            yield "agent_usage", {"day": day.day, "tokens": day.tokens, "cost_usd": day.micros / 1_000_000}
