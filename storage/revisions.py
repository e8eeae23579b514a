"""Revisions of facts: how processes learn that what they hold in memory has changed."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import func, select
from sqlmodel import col

from storage.session import Session
from storage.tables import FactRevision
from storage.upserts import insert_into, is_postgresql

CHANNEL = "guildhall_facts"
BUMPED = "bumped_nouns"


class Noun(StrEnum):
    WORKSPACES = "workspaces"
    MEMBERSHIPS = "memberships"
    INSTALLATIONS = "installations"
    POLICIES = "policies"
    CLIENTS = "clients"
    CALLS = "calls"
    PAUSES = "pauses"
    LOCKS = "locks"
    CHAT_CHANNELS = "chat_channels"


async def bump(session: Session, *nouns: Noun) -> None:
    """Says that rows of these nouns change in this transaction; other processes hear of it after its commit."""
    bumped: set[str] = session.info.setdefault(BUMPED, set())
    bumped.update(noun.value for noun in nouns)


async def write(session: Session) -> frozenset[str]:
    """Writes down what was bumped; the nouns. Done by the unit of work, last of all.

    Last and in one order, so that two transactions never wait for each other.
    """
    bumped: set[str] = session.info.get(BUMPED, set())
    for noun in sorted(bumped):
        statement = insert_into(session, FactRevision).values(noun=noun, revision=1)
        grown = {"revision": col(FactRevision.revision) + 1}
        await session.execute(statement.on_conflict_do_update(index_elements=["noun"], set_=grown))
        if is_postgresql(session):
            await session.execute(select(func.pg_notify(CHANNEL, noun)))
    return frozenset(bumped)


async def current(session: Session) -> dict[str, int]:
    """The revision of every noun that has changed at least once."""
    rows = await session.execute(select(col(FactRevision.noun), col(FactRevision.revision)))
    return {noun: revision for noun, revision in rows}  # noqa: C416 - rows are no pairs to dict()
