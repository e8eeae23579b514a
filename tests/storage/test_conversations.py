"""Conversations: sealed, by channel, condensed, and forgotten with what they were made of."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from policy.model import Installation
from storage import conversations
from storage.call_messages import MessagePlace
from storage.conversations import Conversation, ConversationKey, MessagesGone, Utterance
from storage.database import Database
from storage.forgetting import Forgetting
from storage.keeping import KEEPERS
from storage.keeping.base import DAY_SECONDS, Periods, Person
from storage.tables import Conversation as ConversationRow
from storage.tables import ConversationMessage, ConversationPart
from tests.storage import rows
from tests.storage.rows import CHANNEL, GUILD, NOW, OWNER

OTHER = OWNER + 1
BOT = OWNER + 9


def forgetting(database: Database) -> Forgetting:
    return Forgetting(KEEPERS, database.keyring, Periods())


def key_of(installation: Installation, channel_id: int = CHANNEL) -> ConversationKey:
    return ConversationKey(installation.id, GUILD, channel_id)


def said(number: int, text: str, *, by: int = OTHER, at: float | None = None) -> Utterance:
    return Utterance(
        message_id=number,
        author_id=by,
        author_name="nina",
        kind="human",
        text=text,
        at=NOW + number if at is None else at,
        for_user_id=by,
    )


def answer(number: int, text: str, *, to: int = OTHER, parts: tuple[int, ...] = ()) -> Utterance:
    return Utterance(
        message_id=number,
        author_id=BOT,
        author_name="assistant",
        kind="bot",
        text=text,
        at=NOW + number,
        for_user_id=to,
        by_agent=True,
        part_ids=parts,
    )


async def put(database: Database, key: ConversationKey, *each: Utterance) -> None:
    async with database.unit_of_work() as session:
        await conversations.append(session, key, each)


async def load(database: Database, key: ConversationKey) -> Conversation:
    async with database.read() as session:
        return await conversations.load(session, key)


async def texts(database: Database, key: ConversationKey) -> list[str]:
    return [each.text for each in (await load(database, key)).utterances]


async def condense(database: Database, key: ConversationKey, *ids: int) -> None:
    async with database.unit_of_work() as session:
        await conversations.compact(session, key, "they spoke of boats", ids)


async def test_what_was_said_is_kept_in_order_and_by_channel(database: Database) -> None:
    here = await rows.installed(database)
    key = key_of(here)
    await put(database, key, said(2, "second"), said(1, "first"))
    await put(database, key, answer(3, "third"), said(2, "told twice"))
    assert await texts(database, key) == ["first", "second", "third"]
    found = (await load(database, key)).utterances
    assert (found[0].author_name, found[0].kind, found[2].by_agent) == ("nina", "human", True)
    assert await load(database, key_of(here, CHANNEL + 1)) == Conversation()
    other = await rows.installed(database, GUILD + 1)
    assert await load(database, key_of(other)) == Conversation()


async def test_no_text_stands_in_clear(database: Database) -> None:
    key = key_of(await rows.installed(database))
    await put(database, key, said(1, "canary"), answer(2, "canary"))
    await condense(database, key, 1)
    async with database.read() as session:
        messages = (await session.scalars(select(ConversationMessage))).all()
        summaries = (await session.scalars(select(ConversationRow))).all()
    everything = str([each.model_dump() for each in (*messages, *summaries)])
    assert "canary" not in everything
    assert "boats" not in everything


async def test_a_summary_stands_for_what_it_was_made_of(database: Database) -> None:
    key = key_of(await rows.installed(database))
    await put(database, key, said(1, "one"), answer(2, "two"), said(3, "three"))
    await condense(database, key, 1, 2)
    found = await load(database, key)
    assert (found.summary, [each.text for each in found.utterances]) == ("they spoke of boats", ["three"])


async def test_nothing_is_condensed_of_which_something_is_gone(database: Database) -> None:
    key = key_of(await rows.installed(database))
    await put(database, key, said(1, "one"), said(3, "three"))
    with pytest.raises(MessagesGone):
        await condense(database, key, 1, 2)
    found = await load(database, key)
    assert (found.summary, [each.text for each in found.utterances]) == ("", ["one", "three"])


async def test_a_deleted_message_is_gone_and_with_it_the_summary_that_may_tell_of_it(database: Database) -> None:
    key = key_of(await rows.installed(database))
    await put(database, key, said(1, "one"), said(2, "two"), answer(3, "three", parts=(4, 5)), said(6, "six"))
    await condense(database, key, 1, 2)
    async with database.unit_of_work() as session:
        assert await forgetting(database).messages_deleted(session, [5], NOW) == 1
    assert (await load(database, key)).summary == "they spoke of boats"
    assert await texts(database, key) == ["six"]
    async with database.unit_of_work() as session:
        assert await forgetting(database).messages_deleted(session, [2], NOW) == 1
        assert await forgetting(database).messages_deleted(session, [2], NOW) == 0
    assert await load(database, key) == Conversation("", (await load(database, key)).utterances)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(ConversationMessage)) == 1
        assert await session.scalar(select(func.count()).select_from(ConversationPart)) == 0


async def test_an_edited_message_says_what_it_says_now(database: Database) -> None:
    key = key_of(await rows.installed(database))
    await put(database, key, said(1, "one"), said(2, "two"), answer(3, "three"), said(4, "four"))
    await condense(database, key, 1)
    changes: list[tuple[int, str | None, int]] = [
        (2, "two", 0),
        (2, "another", 1),
        (3, "what the agent's message showed while it grew", 0),
        (1, "one", 0),
        (4, None, 1),
        (99, "unknown", 0),
    ]
    for message_id, content, count in changes:
        async with database.unit_of_work() as session:
            assert await forgetting(database).message_edited(session, message_id, content) == count, message_id
    assert await texts(database, key) == ["another", "three"]
    assert (await load(database, key)).summary
    async with database.unit_of_work() as session:
        assert await forgetting(database).message_edited(session, 1, "something else") == 1
    assert (await load(database, key)).summary == ""


async def test_a_deleted_channel_takes_its_conversation_with_it(database: Database) -> None:
    here = await rows.installed(database)
    await put(database, key_of(here), said(1, "one"))
    await put(database, key_of(here, CHANNEL + 1), said(2, "two"))
    async with database.unit_of_work() as session:
        assert await forgetting(database).channels_deleted(session, [CHANNEL], NOW) == 1
    assert await texts(database, key_of(here)) == []
    assert await texts(database, key_of(here, CHANNEL + 1)) == ["two"]


async def test_what_is_held_is_told_with_all_its_messages(database: Database) -> None:
    key = key_of(await rows.installed(database))
    await put(database, key, said(1, "one"), answer(2, "two", parts=(3,)))
    async with database.read() as session:
        held = await forgetting(database).messages_held(session, GUILD)
    assert held == {MessagePlace(CHANNEL, number) for number in (1, 2, 3)}


async def test_what_is_thirty_days_old_goes_with_the_summary_of_it(database: Database) -> None:
    key = key_of(await rows.installed(database))
    await put(database, key, said(1, "one"), said(2, "two"), said(3, "three", at=NOW + DAY_SECONDS))
    await condense(database, key, 1)
    (kept,) = [each for each in forgetting(database).kept() if each.erase is conversations.erase_older]
    assert kept.seconds == 30 * DAY_SECONDS
    async with database.unit_of_work() as session:
        assert await conversations.erase_older(session, database.keyring, NOW) == 0
        assert await conversations.erase_older(session, database.keyring, NOW + 2) == 2
    found = await load(database, key)
    assert (found.summary, [each.text for each in found.utterances]) == ("", ["three"])


async def test_a_person_takes_away_what_is_his_and_has_it_forgotten(database: Database) -> None:
    here = await rows.installed(database)
    key = key_of(here)
    await put(database, key, said(1, "mine"), answer(2, "to me"), said(3, "another's", by=OWNER), said(4, "later"))
    person = Person(here.workspace_id, OTHER)
    async with database.read() as session:
        told = [thing async for _, thing in forgetting(database).data_of(session, person)]
    assert [(each["text"], each["by"]) for each in told] == [("later", "you"), ("to me", "agent"), ("mine", "you")]
    await condense(database, key, 1, 2)
    async with database.unit_of_work() as session:
        counts = await forgetting(database).person_forgotten(session, person, NOW + 3.5)
    assert counts["conversation_messages_deleted"] == 2
    found = await load(database, key)
    assert (found.summary, [each.text for each in found.utterances]) == ("", ["another's", "later"])


async def test_a_conversation_begins_anew_for_all_or_for_one(database: Database) -> None:
    key = key_of(await rows.installed(database))
    await put(database, key, said(1, "mine"), answer(2, "to me"), said(3, "another's", by=OWNER))
    async with database.unit_of_work() as session:
        assert await conversations.forget(session, key, user_id=OTHER) == 2
    assert await texts(database, key) == ["another's"]
    async with database.unit_of_work() as session:
        assert await conversations.forget(session, key) == 1
    assert await load(database, key) == Conversation()
