"""What tests look at: the world, what the bot asked for, what took effect, the audit log."""

from __future__ import annotations

from typing import Any

from sandbox.control import Action, ActionBody
from sandbox.describe import direct_message_channels, guild_description
from sandbox.gateway import Gateway
from sandbox.internals import serializers
from sandbox.journal import Journal
from sandbox.world import World


class Look(ActionBody):
    """At one guild, or at all of them."""

    guild: int | None = None


class ReadLog(ActionBody):
    clear: bool = False


class ReadRequests(ReadLog):
    """`cleared`: also those that were cleared, as far as they are kept."""

    cleared: bool = False


class ReadAuditLog(ActionBody):
    guild: int
    limit: int = 100


class ObservationActions:
    def __init__(self, world: World, gateway: Gateway, journal: Journal) -> None:
        self._world = world
        self._backend = world.backend
        self._gateway = gateway
        self._journal = journal

    def actions(self) -> list[Action]:
        return [
            Action("world", Look, self.world),
            Action("requests", ReadRequests, self.requests),
            Action("effects", ReadLog, self.effects),
            Action("audit_log", ReadAuditLog, self.audit_log),
        ]

    async def world(self, body: Look) -> dict[str, Any]:
        guilds = self._world.bot_guilds() if body.guild is None else [self._backend.get_guild(body.guild)]
        return {
            "bot_id": str(self._world.bot_id),
            "guilds": [guild_description(self._backend, guild, self._world.webhooks) for guild in guilds],
            "direct_messages": direct_message_channels(self._backend),
            "sessions": [
                {
                    "id": session.id,
                    "shard": session.shard_id,
                    "sequence": session.sequence,
                    "live": session.connection is not None,
                    "paused": session.connection is not None and session.connection.paused,
                }
                for session in self._gateway.sessions
            ],
            "stats": dict(self._world.stats),
        }

    async def requests(self, body: ReadRequests) -> dict[str, Any]:
        entries = self._journal.requests(cleared=body.cleared)
        if body.clear:
            self._journal.clear_requests()
        return {"requests": entries}

    async def effects(self, body: ReadLog) -> dict[str, Any]:
        entries = self._journal.effects()
        if body.clear:
            self._journal.clear_effects()
        return {"effects": entries}

    async def audit_log(self, body: ReadAuditLog) -> dict[str, Any]:
        entries = self._backend.get_guild(body.guild).audit_log_entries
        newest_first = entries[::-1][: body.limit]
        return {"entries": [serializers.audit_log_entry_payload(entry) for entry in newest_first]}
