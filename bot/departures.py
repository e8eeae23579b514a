"""What ends with a membership: whoever leaves a guild loses his plans there, and with the last one his tokens."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from operations.events import MemberChanged, Subscription
from operations.failures import DISCORD_FAILED
from operations.guild_state import GuildState
from policy.model import Installation
from storage import memberships, plans
from storage.database import Database, DatabaseUnavailable
from storage.facts import PlatformFacts

log = structlog.get_logger(__name__)


class Departures:
    """Every call asks for the membership anew, so nothing here decides; it ends what would otherwise linger."""

    def __init__(
        self,
        database: Database,
        facts: PlatformFacts,
        state: GuildState,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._facts = facts
        self._state = state
        self._clock = clock

    async def watch(self, events: Subscription) -> None:
        """Until cancelled."""
        while True:
            event = await events.queue.get()
            if not isinstance(event, MemberChanged) or not event.left:
                continue
            installation = self._facts.snapshot.installations.get(event.guild_id)
            if installation is None:
                continue
            try:
                await self._left(installation, event.user_id)
            except DatabaseUnavailable:
                log.warning("a departure waits for the database", guild_id=event.guild_id)

    async def _left(self, installation: Installation, user_id: int) -> None:
        """Raises DatabaseUnavailable."""
        now, workspace_id = self._clock(), installation.workspace_id
        async with self._database.unit_of_work() as session:
            await plans.cancel_plans_of(session, user_id=user_id, installation_id=installation.id, now=now)
        if (workspace_id, user_id) in self._facts.snapshot.memberships or await self._is_elsewhere(
            installation, user_id
        ):
            return
        async with self._database.unit_of_work() as session:
            ended = await memberships.depart(session, workspace_id, user_id, now)
        if ended.client_ids:
            log.info(
                "a member left the last guild: his tokens have ended", user_id=user_id, count=len(ended.client_ids)
            )

    async def _is_elsewhere(self, left: Installation, user_id: int) -> bool:
        """Whether he is in another guild of the workspace; one that cannot be asked counts as one that he is in."""
        for guild_id in self._facts.snapshot.workspace_guilds.get(left.workspace_id, frozenset()) - {left.guild_id}:
            try:
                if await self._state.view(guild_id, user_id) is not None:
                    return True
            except DISCORD_FAILED:
                return True
        return False
