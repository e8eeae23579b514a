"""Presses on approval cards: who pressed becomes a caller, the plan is confirmed or denied, the answer is in words.

A press counts only when its custom id is signed, stands on a message of the bot itself, and that message is the plan's
card (the last is for operations.plans to say: it is part of the proof).
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, Self, cast

import discord
import structlog
from discord.ext import commands

from cogs import approval_answers as answers
from cogs.approval_card import rows_of
from cogs.approval_details import full_text, may_see_all
from cogs.card_text import block
from cogs.custom_ids import TEMPLATE, CustomId, CustomIds, Press
from operations.callers import Callers
from operations.errors import Refused
from operations.failures import DISCORD_FAILED, refusal_of
from operations.guild_state import GuildState
from operations.plans import CardPlace, PersonProof, Plans, PlanView
from operations.refusals import DATABASE_DOWN
from operations.sanitise import sanitise
from policy.model import Caller, Face, Tier
from storage.calls import CallState
from storage.outages import DatabaseUnavailable

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
"""What may be looked up before a modal opens: Discord waits 3 seconds for it, and a modal can't be deferred."""
IN_A_MESSAGE = 1900
NAME_FIELD = "name"
_NOBODY = discord.AllowedMentions.none()

Interaction = discord.Interaction[Any]


class Presses(Protocol):
    async def pressed(self, interaction: Interaction, found: CustomId) -> None: ...


class CardButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=TEMPLATE):
    """Any button of a card, of this or an earlier run of the bot. A cog binds a subclass of its own (``bound_to``)."""

    presses: Presses

    def __init__(self, item: discord.ui.Button[Any], found: CustomId) -> None:
        super().__init__(item)
        self._found = found

    @classmethod
    def bound_to(cls, presses: Presses) -> type[CardButton]:
        class Bound(cls, template=TEMPLATE):
            pass

        Bound.presses = presses
        return Bound

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        # Nothing is checked here: discord.py only logs what is raised, and the presser would get no answer.
        return cls(cast("discord.ui.Button[Any]", item), CustomId.matched(match))

    async def callback(self, interaction: Interaction) -> None:
        await self.presses.pressed(interaction, self._found)


class ApprovalsCog(commands.Cog, name="Approvals"):
    """Buttons and modals of approval cards."""

    def __init__(
        self, client: commands.AutoShardedBot, plans: Plans, callers: Callers, state: GuildState, ids: CustomIds
    ) -> None:
        self._client = client
        self._plans = plans
        self._callers = callers
        self._state = state
        self._ids = ids
        self._button = CardButton.bound_to(self)

    async def cog_load(self) -> None:
        self._client.add_dynamic_items(self._button)

    async def cog_unload(self) -> None:
        self._client.remove_dynamic_items(self._button)

    # ----------------------------------------------------------------- presses
    async def pressed(self, interaction: Interaction, found: CustomId) -> None:
        """A button of a card."""
        if found.press is Press.NAME:
            await self._ask_name(interaction, found)
            return
        await self._answer(interaction, found, typed=None)

    @commands.Cog.listener("on_interaction")
    async def name_sent(self, interaction: Interaction) -> None:
        """A modal in which a name was typed; found by its custom id, since discord.py forgets modals at a restart."""
        if interaction.type is not discord.InteractionType.modal_submit:
            return
        data = cast("Mapping[str, Any]", interaction.data or {})
        found = CustomId.parse(str(data.get("custom_id", "")))
        if found is None or found.press is not Press.NAME:
            return
        await self._answer(interaction, found, typed=typed_name(data))

    async def _answer(self, interaction: Interaction, found: CustomId, *, typed: str | None) -> None:
        """Does what was asked for, and says what came of it; whoever presses always gets words."""
        try:
            # Discord waits 3 seconds. Without `thinking` the answer to a button would be an edit of the card.
            await interaction.response.defer(ephemeral=True, thinking=True)
        except DISCORD_FAILED as error:
            # He is told by Discord that it failed: nothing must happen behind that.
            log.info("a press came too late", plan_id=found.plan_id, reason=refusal_of(error).reason)
            return
        file = None
        try:
            place = self._place(interaction, found)
            caller = self._caller(interaction, found)
            match found.press:
                case Press.APPROVE | Press.NAME:
                    said = await self._approve(found.plan_id, caller, PersonProof("card", place, typed))
                case Press.APPROVE_ALL:
                    said = await self._approve_all(interaction, caller, place)
                case Press.DENY:
                    proof = PersonProof("card", place)
                    said = answers.denied(await self._plans.deny(found.plan_id, caller, proof))
                case Press.DETAILS:
                    said, file = await self._details(found.plan_id, caller, place)
        except _NotACardError as error:
            log.warning("a press counts for nothing", plan_id=found.plan_id, user_id=interaction.user.id)
            said = str(error)
        except Refused as refused:
            said = answers.refused(refused.refusal)
        except DatabaseUnavailable:
            said = answers.refused(DATABASE_DOWN)
        except Exception:  # the presser gets an answer whatever happens; the mistake is in the log
            log.exception("a press failed", plan_id=found.plan_id, press=found.press.value)
            said = answers.DISCORD_DOWN
        await _say(interaction, said, file)

    def _place(self, interaction: Interaction, found: CustomId) -> CardPlace:
        """The message that was pressed. Raises _NotACardError unless it is the bot's own and carries this signed id."""
        message = interaction.message
        if message is None or interaction.channel_id is None or self._client.user is None:
            raise _NotACardError(answers.NOT_A_CARD)
        if message.author.id != self._client.user.id or message.webhook_id is not None:
            raise _NotACardError(answers.NOT_A_CARD)
        together = [row.plan_id for row in rows_of(message)] if found.press is Press.APPROVE_ALL else ()
        if not self._ids.verify(found, together):
            raise _NotACardError(answers.NOT_A_CARD)
        return CardPlace(interaction.guild_id, interaction.channel_id, message.id)

    def _caller(self, interaction: Interaction, found: CustomId) -> Caller:
        """Whoever pressed, as a member of the plan's guild. Raises _NotACardError where it is not installed."""
        caller = self._callers.of_member(found.guild_id, interaction.user.id, Face.SLASH)
        if caller is None:
            raise _NotACardError(answers.NOT_INSTALLED)
        return caller

    # ----------------------------------------------------------------- answers
    async def _approve(self, plan_id: str, caller: Caller, proof: PersonProof) -> str:
        return answers.confirmed(await self._plans.confirm(plan_id, caller, proof))

    async def _approve_all(self, interaction: Interaction, caller: Caller, place: CardPlace) -> str:
        """The risky plans of this card, one after the other; what one comes to keeps none of the others."""
        rows = rows_of(interaction.message) if interaction.message is not None else []
        said: list[tuple[str, str]] = []
        for row in rows:
            try:
                plan = await self._plans.view(row.plan_id, caller)
                if plan.card != place or plan.tier is Tier.CRITICAL:
                    answer = answers.NOT_ITS_CARD
                else:
                    answer = await self._approve(row.plan_id, caller, PersonProof("card", place))
            except Refused as refused:
                answer = answers.refused(refused.refusal)
            said.append((row.plan_id, answer))
        return answers.all_confirmed(said)

    async def _details(self, plan_id: str, caller: Caller, place: CardPlace) -> tuple[str, discord.File | None]:
        plan = await self._plans.view(plan_id, caller)
        if plan.card != place:
            return answers.NOT_ITS_CARD, None
        if caller.user_id is None or not await may_see_all(self._state, plan, caller.user_id):
            return answers.HIDDEN, None
        text = full_text(plan)
        shown = block(text, IN_A_MESSAGE)
        if len(text) < IN_A_MESSAGE - 100:
            return shown, None
        return shown, discord.File(io.BytesIO(text.encode()), f"{plan_id}.txt")

    async def _ask_name(self, interaction: Interaction, found: CustomId) -> None:
        """Opens the modal; what can be refused at once is refused before."""
        refusal: str | None = None
        plan: PlanView | None = None
        try:
            place = self._place(interaction, found)
            caller = self._caller(interaction, found)
            async with asyncio.timeout(LOOK_SECONDS):
                plan = await self._plans.view(found.plan_id, caller)
            if plan.card != place:
                refusal = answers.NOT_ITS_CARD
            elif plan.state is not CallState.PENDING:
                refusal = answers.closed(plan)
        except TimeoutError:
            pass  # everything is looked at again when the name has been typed
        except _NotACardError as error:
            refusal = str(error)
        except Refused as refused:
            refusal = answers.refused(refused.refusal)
        except DatabaseUnavailable:
            refusal = answers.refused(DATABASE_DOWN)
        try:
            if refusal is not None:
                await interaction.response.send_message(refusal, ephemeral=True, allowed_mentions=_NOBODY)
            else:
                await interaction.response.send_modal(name_modal(self._ids, found, plan))
        except DISCORD_FAILED as error:
            log.info("a press came too late", plan_id=found.plan_id, reason=refusal_of(error).reason)


async def _say(interaction: Interaction, said: str, file: discord.File | None) -> None:
    try:
        if file is None:
            await interaction.followup.send(said, ephemeral=True, allowed_mentions=_NOBODY)
        else:
            await interaction.followup.send(said, ephemeral=True, allowed_mentions=_NOBODY, file=file)
    except DISCORD_FAILED as error:
        log.info("an answer to a press did not arrive", reason=refusal_of(error).reason)


class _NotACardError(Exception):
    """The text says what was pressed instead."""


def name_modal(ids: CustomIds, found: CustomId, plan: PlanView | None) -> discord.ui.Modal:
    """Asks for the name of the plan's target. ``plan`` None: it could not be looked up in time."""
    name = sanitise(plan.name_to_type or "") if plan is not None else ""
    kind = plan.targets[0].kind if plan is not None and plan.targets else "target"
    custom_id = ids.make(Press.NAME, found.plan_id, found.guild_id)
    modal = discord.ui.Modal(title="Approve a critical plan", custom_id=custom_id, timeout=None)
    modal.add_item(
        discord.ui.Label(
            text=f"Type the name of the {kind}"[:45],
            description="As the card names it. Nothing happens before you send this.",
            component=discord.ui.TextInput(custom_id=NAME_FIELD, placeholder=name[:100] or None, max_length=200),
        )
    )
    # discord.py need not remember it: its answer is found by the custom id.
    modal.stop()
    return modal


def typed_name(data: Mapping[str, Any]) -> str:
    """What was typed into the modal, as a modal's answer brings it."""
    for field in _fields(data):
        if field.get("custom_id") == NAME_FIELD:
            return str(field.get("value", ""))
    return ""


def _fields(component: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-modal-submit-data-structure"""
    yield component
    inner = component.get("component")
    children: list[Any] = [*component.get("components", ()), *([inner] if inner is not None else [])]
    for child in children:
        if isinstance(child, Mapping):
            yield from _fields(cast("Mapping[str, Any]", child))
