"""Policy facts in memory: decisions never ask the database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

import structlog
from pydantic import ValidationError
from sqlalchemy import select
from sqlmodel import col

from policy.model import PlatformRole
from policy.rules import ChannelRules, ClassRules, GuildRules
from storage import channel_locks, clients, installations, pauses, revisions, tokens
from storage.change_feed import ChangeFeed
from storage.database import Database, Session
from storage.outages import DatabaseUnavailable
from storage.revisions import Noun
from storage.snapshot import Client, ClientKind, Snapshot
from storage.tables import AllowedChatChannel, ChannelPolicy, GuildInstallation, GuildPolicy, WorkspaceMembership

__all__ = ["Client", "ClientKind", "PlatformFacts", "Snapshot"]

FACT_NOUNS = frozenset(
    {
        Noun.WORKSPACES,
        Noun.MEMBERSHIPS,
        Noun.INSTALLATIONS,
        Noun.POLICIES,
        Noun.CHAT_CHANNELS,
        Noun.CLIENTS,
        Noun.LOCKS,
        Noun.PAUSES,
    }
)
# What can't be read must not allow more than what was written there.
DENY_ALL = ClassRules(read="deny", write="deny", destroy="deny")

log = structlog.stdlib.get_logger(__name__)


class PlatformFacts:
    """The snapshot that decisions are made on. It is replaced whole.

    A change by this process is in the snapshot when its unit of work has ended, one by another within a second while
    ``watch`` runs. ``epoch`` grows with each replacement that changed anything.
    """

    def __init__(self, database: Database) -> None:
        self.snapshot = Snapshot(revision=-1)
        self.epoch = 0
        self.feed = ChangeFeed(database)
        self._database = database
        self._current_at = float("-inf")
        self._began_at = float("-inf")
        self._loading = asyncio.Lock()
        self._subscribers: list[Callable[[], None]] = []
        database.on_change(self._own_change)

    def age_seconds(self) -> float:
        """How long ago the snapshot was last known to be current; infinite before the first load."""
        return time.monotonic() - self._current_at

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Calls back after each replacement that changed anything."""
        self._subscribers.append(callback)

    def find_client(self, token: str) -> Client | None:
        """The client of a token, revoked and expired ones too; None for an unknown token."""
        if not tokens.well_formed(token):
            return None
        found: Client | None = None
        # Every key is tried, so that the time taken says nothing of which one fits.
        for mac in self._database.keyring.macs(tokens.MAC_PURPOSE, token, length=tokens.MAC_LENGTH):
            found = found or self.snapshot.clients_by_mac.get(mac)
        return found

    async def load(self) -> None:
        """Brings the snapshot up to date. Raises DatabaseUnavailable, and leaves the old one in place."""
        asked_at = time.monotonic()
        async with self._loading:
            if self._began_at > asked_at:
                return  # another caller has loaded since this one asked
            began_at = time.monotonic()
            async with self._database.read() as session:
                loaded = await _load(session)
            self._began_at = self._current_at = began_at
            self._replace(loaded)

    async def watch(self) -> None:
        """Keeps the snapshot current until cancelled; survives outages, while the age grows."""
        await self.feed.run(self._checked)

    async def _checked(self, found: Mapping[str, int], asked_at: float) -> None:
        if _revision(found) == self.snapshot.revision:
            self._current_at = max(self._current_at, asked_at)
        else:
            await self.load()

    async def _own_change(self, nouns: frozenset[str]) -> None:
        if nouns & FACT_NOUNS:
            try:
                await self.load()
            except DatabaseUnavailable as error:
                log.warning("facts_not_loaded", reason=str(error))

    def _replace(self, loaded: Snapshot) -> None:
        before, self.snapshot = self.snapshot, loaded
        if before == loaded:
            return
        self.epoch += 1
        for callback in self._subscribers:
            callback()


def _revision(found: Mapping[str, int]) -> int:
    return sum(found.get(noun, 0) for noun in FACT_NOUNS)


async def _load(session: Session) -> Snapshot:
    rows = await session.scalars(select(GuildInstallation).where(col(GuildInstallation.removed_at).is_(None)))
    installed = {row.guild_id: installations.of_row(row) for row in rows}
    guilds: dict[str, set[int]] = {}
    for installation in installed.values():
        guilds.setdefault(installation.workspace_id, set()).add(installation.guild_id)
    active = {installation.id for installation in installed.values()}
    guild_rows = await session.scalars(select(GuildPolicy))
    channel_rows = await session.scalars(select(ChannelPolicy))
    chat: dict[str, set[int]] = {}
    for row in await session.scalars(select(AllowedChatChannel)):
        if row.installation_id in active:
            chat.setdefault(row.installation_id, set()).add(row.channel_id)
    members = await session.scalars(select(WorkspaceMembership))
    known = await clients.all(session)
    return Snapshot(
        revision=_revision(await revisions.current(session)),
        installations=installed,
        workspace_guilds={workspace_id: frozenset(ids) for workspace_id, ids in guilds.items()},
        guild_rules={row.installation_id: _guild_rules(row) for row in guild_rows if row.installation_id in active},
        channel_rules={
            (row.installation_id, row.channel_id): _channel_rules(row)
            for row in channel_rows
            if row.installation_id in active
        },
        chat_channels={installation_id: frozenset(ids) for installation_id, ids in chat.items()},
        memberships={(row.workspace_id, row.user_id): PlatformRole(row.role) for row in members},
        channel_locks={key: lock for key, lock in (await channel_locks.every(session)).items() if key[0] in active},
        clients={client.id: client for client in known},
        clients_by_mac={client.token_mac: client for client in known},
        pauses=await pauses.by_scope(session),
    )


def _guild_rules(row: GuildPolicy) -> GuildRules:
    try:
        return GuildRules.model_validate_json(row.rules)
    except ValidationError:
        log.exception("guild_policy_unreadable", installation_id=row.installation_id)
        return GuildRules(rules=DENY_ALL)


def _channel_rules(row: ChannelPolicy) -> ChannelRules:
    try:
        return ChannelRules.model_validate_json(row.rules)
    except ValidationError:
        log.exception("channel_policy_unreadable", installation_id=row.installation_id, channel_id=row.channel_id)
        return ChannelRules(rules=DENY_ALL)
