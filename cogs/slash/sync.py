"""Tells Discord the commands when they differ from those that it has, and only then."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import discord
import orjson
import structlog
from discord import app_commands

from operations.failures import DISCORD_FAILED, refusal_of
from operations.outcomes import sentence
from storage import instance
from storage.database import Database, DatabaseUnavailable

log = structlog.get_logger(__name__)

REMEMBERED, REFUSED = "commands", "commands_refused"
"""Keys of storage.instance: what Discord was told last, and why it refused that."""
LOOK_AGAIN_SECONDS = 24 * 3600.0
"""How long it is believed that nobody else has changed the commands."""
AGAIN_SECONDS = 600.0
# What Discord fills in, and what means the same as leaving it out.
_ITS_OWN = frozenset({"id", "application_id", "version", "guild_id", "default_permission", "dm_permission", "handler"})

Json = Any


@dataclass(frozen=True, slots=True)
class Told:
    """``digest``: of what was told; ``at``: when it was last seen to stand there."""

    application_id: int
    digest: str
    at: float


class CommandSync:
    def __init__(
        self,
        client: discord.Client,
        tree: app_commands.CommandTree[Any],
        database: Database,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._tree = tree
        self._database = database
        self._clock = clock
        self.done = asyncio.Event()
        """Set once Discord has the commands, or has refused them."""

    async def run(self) -> None:
        """Until Discord has them. What it refuses is told in the log, kept for `guildhall doctor`, and tried again."""
        while True:
            try:
                refusal = await self.sync()
            except DatabaseUnavailable:
                log.warning("commands wait for the database")
                refusal = ""
            self.done.set()
            if refusal is None:
                return
            await asyncio.sleep(AGAIN_SECONDS)

    async def sync(self) -> str | None:
        """Why Discord refused; None when it has the commands. Raises DatabaseUnavailable."""
        wanted = payload(self._tree)
        digest = hashlib.sha256(orjson.dumps(wanted, option=orjson.OPT_SORT_KEYS)).hexdigest()
        application_id, now = self._client.application_id or 0, self._clock()
        told = await self._told()
        known = told is not None and now - told.at < LOOK_AGAIN_SECONDS
        if told is not None and known and (told.application_id, told.digest) == (application_id, digest):
            return None
        try:
            there = await self._client.http.get_global_commands(application_id)
            if not same(wanted, cast("list[Json]", there)):
                await self._tree.sync()
                log.info("Discord was told the commands", count=len(wanted))
        except (*DISCORD_FAILED, app_commands.CommandSyncFailure) as error:
            refusal = refusal_of(error)
            said = sentence(refusal.reason, refusal.remedy)
            log.warning("Discord did not take the commands", reason=said)
            await self._remember(REFUSED, said)
            return said
        await self._remember(REFUSED, "")
        await self._remember(REMEMBERED, orjson.dumps(Told(application_id, digest, now)).decode())
        return None

    async def _told(self) -> Told | None:
        async with self._database.read() as session:
            kept = await instance.get(session, REMEMBERED)
        if kept is None:
            return None
        found: Mapping[str, Any] = orjson.loads(kept)
        return Told(found["application_id"], found["digest"], found["at"])

    async def _remember(self, key: str, value: str) -> None:
        async with self._database.unit_of_work() as session:
            await instance.put(session, key, value)


def payload(tree: app_commands.CommandTree[Any]) -> list[Json]:
    """The global commands as they are told to Discord."""
    commands = [
        *tree.get_commands(type=discord.AppCommandType.chat_input),
        *tree.get_commands(type=discord.AppCommandType.user),
        *tree.get_commands(type=discord.AppCommandType.message),
    ]
    return [command.to_dict(tree) for command in commands]


def same(wanted: list[Json], there: list[Json]) -> bool:
    """Whether Discord has these commands already, in whatever order, with whatever it adds of its own."""

    def by_name(commands: list[Json]) -> dict[tuple[str, int], Json]:
        return {(command["name"], command.get("type", 1)): _plain(command) for command in commands}

    return by_name(wanted) == by_name(there)


def _plain(value: Json) -> Json:
    if isinstance(value, dict):
        fields = cast("dict[str, Json]", value)
        found = {key: _plain(each) for key, each in fields.items() if key not in _ITS_OWN}
        if found.get("default_member_permissions") is not None:
            # A text there, a number here.
            found["default_member_permissions"] = str(found["default_member_permissions"])
        # False, none and empty are what Discord takes for what is left out; a choice may well be 0.
        return {key: each for key, each in found.items() if key == "value" or each not in (None, False, [], {}, "")}
    if isinstance(value, list):
        return [_plain(each) for each in cast("list[Json]", value)]
    return value
