"""What the page may do: look, and act as one of the people. It arranges nothing: no faults, no guilds, no past."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from pydantic import Field

from sandbox.actions.interactions import InteractionActions
from sandbox.actions.messages import MessageActions
from sandbox.control import Action, ActionBody
from sandbox.internals import SetupError
from sandbox.preview.views import Views
from sandbox.world import World

_OF_MESSAGES = {"send", "edit", "delete", "react"}


class See(ActionBody):
    """Without a user, who there is; without a channel, the user's direct messages with the bot.

    `known`: the `state` of the last answer. The next one comes when the state is another, or after `wait` seconds.
    """

    user: int | None = None
    channel: int | None = None
    known: str = ""
    wait: float = Field(default=0, ge=0, le=30)


class Offer(ActionBody):
    user: int
    channel: int


class PreviewActions:
    def __init__(self, world: World) -> None:
        self._world = world
        self._views = Views(world)

    def actions(self) -> list[Action]:
        messages = [each for each in MessageActions(self._world).actions() if each.name in _OF_MESSAGES]
        return [
            Action("see", See, self.see),
            Action("commands", Offer, self.commands),
            *messages,
            *InteractionActions(self._world).actions(),
        ]

    async def see(self, body: See) -> dict[str, Any]:
        await self._world.wait_until(lambda: _state(self._seen(body)) != body.known, body.wait)
        seen = self._seen(body)
        return {"state": _state(seen), **seen}

    def _seen(self, body: See) -> dict[str, Any]:
        seen: dict[str, Any] = {
            "bot_id": str(self._world.bot_id),
            "guild_names": {str(guild.id): guild.name for guild in self._world.bot_guilds()},
            "people": self._views.people(),
        }
        if body.user is not None and body.user in self._world.backend.users:
            seen["guilds"] = self._views.guilds(body.user)
            seen["direct_message_id"] = self._views.last_direct_message(body.user)
            seen |= self._views.room(body.user, body.channel)
        return seen

    async def commands(self, body: Offer) -> dict[str, Any]:
        self._world.backend.get_user(body.user)
        if not self._views.room(body.user, body.channel)["channel"]:
            raise SetupError("that person does not see this channel")
        return self._views.commands(body.user, body.channel)


def _state(seen: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(seen)).hexdigest()
