"""What people do with the bot's commands and components; each waits for the bot's answer."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sandbox.actions.actors import Actors
from sandbox.control import Action, ActionBody
from sandbox.internals import (
    InteractionResult,
    MemberActor,
    ResponseMessage,
    SetupError,
    autocomplete,
    interaction_state,
)
from sandbox.world import World


class Interaction(ActionBody):
    """`wait`: how many seconds the answer may take. A deferred answer counts when it is complete, with `followups` when
    so many messages have followed it.
    """

    user: int
    channel: int
    wait: float = Field(default=3.0, ge=0, le=60)
    followups: int = Field(default=0, ge=0, le=10)


class Slash(Interaction):
    """`name` with its subcommands: "policy show". Options are plain or as in Actors.value."""

    name: str
    options: dict[str, Any] = {}


class Autocomplete(Slash):
    option: str
    value: str = ""


class ContextMenu(Interaction):
    name: str
    target_user: int | None = None
    target_message: int | None = None


class Click(Interaction):
    message: int
    label: str | None = None
    custom_id: str | None = None


class Select(Interaction):
    message: int
    values: list[Any]
    custom_id: str | None = None


class Modal(Interaction):
    """`interaction`: the id of the interaction that the bot answered with the modal."""

    interaction: int
    values: dict[str, Any] = {}


class InteractionActions:
    def __init__(self, world: World) -> None:
        self._world = world
        self._actors = Actors(world)

    def actions(self) -> list[Action]:
        return [
            Action("slash", Slash, self.slash),
            Action("autocomplete", Autocomplete, self.autocomplete),
            Action("context_menu", ContextMenu, self.context_menu),
            Action("click", Click, self.click),
            Action("select", Select, self.select),
            Action("modal", Modal, self.modal),
        ]

    def _values(self, values: dict[str, Any], channel_id: int) -> dict[str, Any]:
        return {name: self._actors.value(value, channel_id) for name, value in values.items()}

    async def slash(self, body: Slash) -> dict[str, Any]:
        options = self._values(body.options, body.channel)
        actor = self._actors.in_channel(body.user, body.channel)
        if isinstance(actor, MemberActor):
            result = await actor.slash(self._actors.channel(body.channel), body.name, **options)
        else:
            result = await actor.slash(body.name, **options)
        return await self._answer(result, body)

    async def autocomplete(self, body: Autocomplete) -> dict[str, Any]:
        actor = self._actors.in_channel(body.user, body.channel)
        filled = self._values(body.options, body.channel)
        channel = self._actors.channel(body.channel)
        result = await autocomplete(actor, channel, body.name, body.option, body.value, filled)
        return await self._answer(result, body)

    async def context_menu(self, body: ContextMenu) -> dict[str, Any]:
        actor = self._actors.in_channel(body.user, body.channel)
        if not isinstance(actor, MemberActor):
            raise SetupError("context menus are used in guild channels here")
        if body.target_user is not None:
            target = self._actors.member(actor.guild.id, body.target_user)
        elif body.target_message is not None:
            target = self._actors.message(body.channel, body.target_message)
        else:
            raise SetupError("a context menu needs target_user or target_message")
        result = await actor.context_menu(self._actors.channel(body.channel), body.name, target)
        return await self._answer(result, body)

    async def click(self, body: Click) -> dict[str, Any]:
        message = self._actors.message(body.channel, body.message)
        actor = self._actors.in_channel(body.user, body.channel)
        result = await actor.click(message, label=body.label, custom_id=body.custom_id)
        return await self._answer(result, body)

    async def select(self, body: Select) -> dict[str, Any]:
        message = self._actors.message(body.channel, body.message)
        values = self._actors.value(body.values, body.channel)
        actor = self._actors.in_channel(body.user, body.channel)
        result = await actor.select(message, values, custom_id=body.custom_id)
        return await self._answer(result, body)

    async def modal(self, body: Modal) -> dict[str, Any]:
        record = self._world.backend.interactions.get(body.interaction)
        if record is None:
            raise SetupError(f"no interaction {body.interaction}; interactions are kept for 15 minutes")
        shown = InteractionResult(self._world.env, record)
        actor = self._actors.in_channel(body.user, body.channel)
        result = await actor.submit_modal(shown, self._values(body.values, body.channel))
        return await self._answer(result, body)

    async def _answer(self, result: InteractionResult, body: Interaction) -> dict[str, Any]:
        """How the bot answered, once it has; `acknowledged` is false when it never did."""

        def answered() -> bool:
            _, _, loading = interaction_state(result)
            return result.acknowledged and not loading and len(result.followups) >= body.followups

        await self._world.wait_until(answered, body.wait)
        interaction_id, kind, loading = interaction_state(result)
        response = result.response
        return {
            "interaction": str(interaction_id),
            "acknowledged": result.acknowledged,
            "kind": kind,
            "thinking": loading,
            "ephemeral": result.ephemeral,
            "modal": result.modal,
            "choices": result.autocomplete_choices,
            "message": _message(response) if response is not None else None,
            "followups": [_message(followup) for followup in result.followups],
        }


def _message(message: ResponseMessage) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "channel": str(message.channel_id),
        "content": message.content,
        "embeds": [embed.to_dict() for embed in message.embeds],
        "components": message.components,
        "ephemeral": message.ephemeral,
    }
