"""Installations: which guild belongs to which workspace, from when to when."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Table as SQLTable
from sqlalchemy import delete, select, update
from sqlmodel import col

from policy.model import Installation
from storage import plans, row_ids
from storage.crypto import Keyring
from storage.database import Session
from storage.revisions import Noun, bump
from storage.tables import GuildInstallation, metadata
from storage.upserts import insert_into

# The audit is append-only, and goes when its own time has come.
OUTLIVING = frozenset({"audit_event"})
FACTS = (Noun.INSTALLATIONS, Noun.POLICIES)


class GuildTaken(Exception):
    """The guild is installed already. Remove it there first."""


@dataclass(frozen=True, slots=True)
class Removed:
    """An installation that has ended, and the plans that were cancelled with it."""

    installation: Installation
    call_ids: tuple[str, ...]


async def install(
    session: Session, workspace_id: str, guild_id: int, now: float, *, claimed_by: int | None = None
) -> Installation:
    """A new, empty installation. Raises GuildTaken when the guild has an active one, in whatever workspace."""
    installation_id = row_ids.new("in")
    statement = insert_into(session, GuildInstallation).values(
        id=installation_id, workspace_id=workspace_id, guild_id=guild_id, installed_at=now, claimed_by=claimed_by
    )
    made = await session.scalar(statement.on_conflict_do_nothing().returning(col(GuildInstallation.id)))
    if made is None:
        raise GuildTaken("This guild is installed already. It must be removed from its workspace first.")
    await bump(session, Noun.INSTALLATIONS)
    return Installation(installation_id, workspace_id, guild_id, claimed_by=claimed_by)


async def active_guild_ids(session: Session) -> frozenset[int]:
    found = await session.scalars(
        select(col(GuildInstallation.guild_id)).where(col(GuildInstallation.removed_at).is_(None))
    )
    return frozenset(found.all())


async def active(session: Session, guild_id: int) -> Installation | None:
    row = await session.scalar(
        select(GuildInstallation).where(
            col(GuildInstallation.guild_id) == guild_id, col(GuildInstallation.removed_at).is_(None)
        )
    )
    return None if row is None else of_row(row)


def of_row(row: GuildInstallation) -> Installation:
    """An active one."""
    return Installation(row.id, row.workspace_id, row.guild_id, claimed_by=row.claimed_by)


async def all_active(session: Session) -> list[Installation]:
    rows = await session.scalars(
        select(GuildInstallation)
        .where(col(GuildInstallation.removed_at).is_(None))
        .order_by(col(GuildInstallation.guild_id))
    )
    return [of_row(row) for row in rows]


async def remove(session: Session, guild_id: int, now: float) -> Removed | None:
    """Ends the guild's active installation and cancels its open plans. None when there is no active one."""
    found = await active(session, guild_id)
    if found is None:
        return None
    ended = await session.scalar(
        update(GuildInstallation)
        .where(col(GuildInstallation.id) == found.id, col(GuildInstallation.removed_at).is_(None))
        .values(removed_at=now)
        .returning(col(GuildInstallation.id))
        .execution_options(synchronize_session=False)
    )
    if ended is None:
        return None
    cancelled = await plans.cancel_plans_of(session, installation_id=found.id, now=now)
    await bump(session, Noun.INSTALLATIONS)
    return Removed(Installation(found.id, found.workspace_id, guild_id, active=False), tuple(cancelled))


async def purge(session: Session, keyring: Keyring, removed_before: float) -> int:
    """Deletes what hangs on installations that ended by this time, save the audit; how many installations."""
    wanted = select(col(GuildInstallation.id)).where(col(GuildInstallation.removed_at) <= removed_before)
    ids = list((await session.scalars(wanted)).all())
    if ids:
        for table in tables_of_an_installation():
            await session.execute(delete(table).where(table.c.installation_id.in_(ids)))
        await session.execute(delete(GuildInstallation).where(col(GuildInstallation.id).in_(ids)))
        await bump(session, *FACTS)
    return len(ids)


def tables_of_an_installation() -> list[SQLTable]:
    """Every table whose rows name an installation, children before parents. What refers to those goes with them."""
    return [
        table
        for table in reversed(metadata.sorted_tables)
        if "installation_id" in table.c and table.name not in OUTLIVING
    ]


async def installed_at(session: Session, installation_id: str) -> float | None:
    """Seconds since the epoch; None when there is no such installation."""
    found: float | None = await session.scalar(
        select(col(GuildInstallation.installed_at)).where(col(GuildInstallation.id) == installation_id)
    )
    return found
