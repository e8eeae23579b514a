"""Conversations with the agent, by channel: what was said is sealed, and condensed or forgotten in time.

A row that was condensed stays with no more than a keyed hash of its text: when its message is deleted or edited, or its
time has come, the summary that may tell of it goes too.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from sqlalchemy import ColumnElement, Select, delete, func, select, tuple_, update
from sqlmodel import col

from storage.call_messages import MessagePlace
from storage.crypto import Keyring
from storage.session import Session, keyring_of
from storage.tables import Conversation as ConversationRow
from storage.tables import ConversationMessage, ConversationPart, GuildInstallation
from storage.upserts import insert_into

AuthorKind = Literal["human", "bot", "webhook"]
LOADED = 500
"""So many of the last things said go into memory: far more than a model is sent."""
BATCH = 1_000
PURPOSE = "condensed text"


@dataclass(frozen=True, slots=True)
class ConversationKey:
    """One channel or thread of one installation: a new installation starts empty."""

    installation_id: str
    guild_id: int
    channel_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """Something that was said there: by a member to the agent, or by the agent.

    ``message_id``: the Discord message that holds it, the first one of several; ``part_ids``: the others. What happens
    to one of them happens to this. ``for_user_id``: whose turn it belongs to. ``by_agent``: the agent's own words, as
    they were posted. ``text``: as Discord has it.
    """

    message_id: int
    author_id: int
    author_name: str
    kind: AuthorKind
    text: str
    at: float
    for_user_id: int
    by_agent: bool = False
    part_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """``summary``: of what came before the utterances, '' for none; ``utterances``: oldest first."""

    summary: str = ""
    utterances: tuple[Utterance, ...] = ()


# ---------------------------------------------------------------------- the agent's
async def load(session: Session, key: ConversationKey) -> Conversation:
    keyring = keyring_of(session)
    row = await session.get(ConversationRow, (key.installation_id, key.channel_id))
    if row is None:
        return Conversation()
    wanted = (
        select(ConversationMessage)
        .where(*_of(key), col(ConversationMessage.condensed).is_(False))
        .order_by(col(ConversationMessage.at).desc(), col(ConversationMessage.message_id).desc())
        .limit(LOADED)
    )
    found = [_utterance(keyring, each) for each in await session.scalars(wanted)]
    return Conversation(keyring.open(row.summary) if row.summary else "", tuple(reversed(found)))


async def append(session: Session, key: ConversationKey, said: Sequence[Utterance]) -> None:
    """Told twice, it is kept once."""
    if not said:
        return
    keyring = keyring_of(session)
    row = {"installation_id": key.installation_id, "channel_id": key.channel_id}
    await session.execute(insert_into(session, ConversationRow).values(summary=b"", **row).on_conflict_do_nothing())
    rows = [
        {
            **row,
            "message_id": each.message_id,
            "author_id": each.author_id,
            "author_kind": each.kind,
            "for_user_id": each.for_user_id,
            "by_agent": each.by_agent,
            "condensed": False,
            "text": _sealed(keyring, each.author_name, each.text),
            "at": each.at,
        }
        for each in said
    ]
    await session.execute(insert_into(session, ConversationMessage).on_conflict_do_nothing(), rows)
    parts = [{"part_id": part, "message_id": each.message_id} for each in said for part in each.part_ids]
    if parts:
        await session.execute(insert_into(session, ConversationPart).on_conflict_do_nothing(), parts)


class MessagesGone(Exception):
    """Of what was condensed something was deleted meanwhile: what was written must be rolled back."""


async def compact(session: Session, key: ConversationKey, summary: str, replaced: Collection[int]) -> None:
    """Puts a summary in place of the texts of these messages, and of the summary before. Raises MessagesGone."""
    keyring = keyring_of(session)
    mine = (*_of(key), col(ConversationMessage.message_id).in_(replaced), col(ConversationMessage.condensed).is_(False))
    rows = (await session.scalars(select(ConversationMessage).where(*mine).with_for_update())).all()
    if {row.message_id for row in rows} != set(replaced):
        raise MessagesGone
    for row in rows:
        # Enough to tell whether an edit changed anything.
        row.condensed, row.text = True, _sealed(keyring, "", keyring.mac(PURPOSE, _opened(keyring, row.text)[1]))
    await session.flush()
    await _set_summary(session, keyring.seal(summary), _at(key))


async def count(session: Session, key: ConversationKey, *, user_id: int | None = None) -> int:
    """How much was said that is kept; of the turns of one person where he is named."""
    mine = () if user_id is None else (col(ConversationMessage.for_user_id) == user_id,)
    return await session.scalar(select(func.count()).select_from(ConversationMessage).where(*_of(key), *mine)) or 0


async def forget(session: Session, key: ConversationKey, *, user_id: int | None = None) -> int:
    """All of it, or what belongs to the turns of one person; how many things were said in that."""
    if user_id is None:
        said = await count(session, key)
        await session.execute(delete(ConversationRow).where(_at(key)))
        return said
    return await _delete(session, (*_of(key), col(ConversationMessage.for_user_id) == user_id))


# --------------------------------------------------------------------- the keeper's
async def messages_deleted(session: Session, message_ids: Collection[int]) -> int:
    of_parts = select(col(ConversationPart.message_id)).where(col(ConversationPart.part_id).in_(message_ids))
    ids = col(ConversationMessage.message_id)
    return await _delete(session, (ids.in_(message_ids) | ids.in_(of_parts),))


async def message_edited(session: Session, keyring: Keyring, message_id: int, content: str | None) -> int:
    """Somebody's words are those of now; where they are not known, or were condensed, the old ones only go. The
    agent's own were edited by itself, while they grew.
    """
    row = await session.get(ConversationMessage, message_id)
    if row is None or row.by_agent:
        return 0
    name, text = _opened(keyring, row.text)
    is_same = content is not None and (keyring.verify(PURPOSE, content, text) if row.condensed else content == text)
    if is_same:
        return 0
    if row.condensed or content is None:
        return await _delete(session, (col(ConversationMessage.message_id) == message_id,))
    row.text = _sealed(keyring, name, content)
    session.add(row)
    await session.flush()
    return 1


async def channels_deleted(session: Session, channel_ids: Collection[int]) -> int:
    gone = await session.scalars(
        delete(ConversationRow)
        .where(col(ConversationRow.channel_id).in_(channel_ids))
        .returning(col(ConversationRow.channel_id))
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


async def held_in_guild(session: Session, guild_id: int) -> set[MessagePlace]:
    here = select(col(GuildInstallation.id)).where(col(GuildInstallation.guild_id) == guild_id)
    rows = await session.execute(
        select(col(ConversationMessage.channel_id), col(ConversationMessage.message_id)).where(
            col(ConversationMessage.installation_id).in_(here)
        )
    )
    parts = await session.execute(
        select(col(ConversationMessage.channel_id), col(ConversationPart.part_id))
        .join(ConversationMessage, col(ConversationMessage.message_id) == col(ConversationPart.message_id))
        .where(col(ConversationMessage.installation_id).in_(here))
    )
    return {MessagePlace(channel_id, message_id) for found in (rows, parts) for channel_id, message_id in found}


async def erase_older(session: Session, keyring: Keyring, before: float) -> int:
    """What was said by then, and the summaries that may tell of it; how much."""
    some = select(col(ConversationMessage.message_id)).where(col(ConversationMessage.at) <= before).limit(BATCH)
    return await _delete(session, (col(ConversationMessage.message_id).in_(some),))


async def person_forgotten(session: Session, workspace_id: str, user_id: int, asked_at: float) -> int:
    """What somebody said, what he was answered, and the summaries that may tell of it."""
    here = select(col(GuildInstallation.id)).where(col(GuildInstallation.workspace_id) == workspace_id)
    his = (col(ConversationMessage.for_user_id) == user_id) | (col(ConversationMessage.author_id) == user_id)
    return await _delete(
        session,
        (col(ConversationMessage.installation_id).in_(here), his, col(ConversationMessage.at) <= asked_at),
    )


def of_person(workspace_id: str, user_id: int) -> Select[ConversationMessage]:
    here = select(col(GuildInstallation.id)).where(col(GuildInstallation.workspace_id) == workspace_id)
    return select(ConversationMessage).where(
        col(ConversationMessage.installation_id).in_(here),
        col(ConversationMessage.for_user_id) == user_id,
        col(ConversationMessage.condensed).is_(False),
    )


def told(keyring: Keyring, row: ConversationMessage) -> dict[str, object]:
    """For the person whose turn it was."""
    return {
        "channel_id": str(row.channel_id),
        "message_id": str(row.message_id),
        "by": "agent" if row.by_agent else "you",
        "text": _opened(keyring, row.text)[1],
        "at": row.at,
    }


# --------------------------------------------------------------------------- inside
async def _delete(session: Session, wanted: tuple[ColumnElement[bool], ...]) -> int:
    gone = await session.execute(
        delete(ConversationMessage)
        .where(*wanted)
        .returning(
            col(ConversationMessage.installation_id),
            col(ConversationMessage.channel_id),
            col(ConversationMessage.condensed),
        )
        .execution_options(synchronize_session=False)
    )
    rows = gone.all()
    outdated = {(row.installation_id, row.channel_id) for row in rows if row.condensed}
    if outdated:
        where = tuple_(col(ConversationRow.installation_id), col(ConversationRow.channel_id)).in_(outdated)
        await _set_summary(session, b"", where)
        # What had been condensed together with it is told by nothing any more.
        mine = tuple_(col(ConversationMessage.installation_id), col(ConversationMessage.channel_id)).in_(outdated)
        await session.execute(
            delete(ConversationMessage)
            .where(mine, col(ConversationMessage.condensed).is_(True))
            .execution_options(synchronize_session=False)
        )
    return len(rows)


async def _set_summary(session: Session, sealed: bytes, where: ColumnElement[bool]) -> None:
    await session.execute(
        update(ConversationRow).where(where).values(summary=sealed).execution_options(synchronize_session=False)
    )


def _of(key: ConversationKey) -> tuple[ColumnElement[bool], ...]:
    return (
        col(ConversationMessage.installation_id) == key.installation_id,
        col(ConversationMessage.channel_id) == key.channel_id,
    )


def _at(key: ConversationKey) -> ColumnElement[bool]:
    return (col(ConversationRow.installation_id) == key.installation_id) & (
        col(ConversationRow.channel_id) == key.channel_id
    )


def _sealed(keyring: Keyring, name: str, text: str) -> bytes:
    return keyring.seal(json.dumps([name, text], ensure_ascii=False))


def _opened(keyring: Keyring, sealed: bytes) -> tuple[str, str]:
    if not sealed:
        return "", ""
    name, text = json.loads(keyring.open(sealed))
    return str(name), str(text)


def _utterance(keyring: Keyring, row: ConversationMessage) -> Utterance:
    name, text = _opened(keyring, row.text)
    return Utterance(
        message_id=row.message_id,
        author_id=row.author_id,
        author_name=name,
        kind=cast("AuthorKind", row.author_kind),
        text=text,
        at=row.at,
        for_user_id=row.for_user_id,
        by_agent=row.by_agent,
    )
