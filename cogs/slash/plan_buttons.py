"""The buttons of plans under answers to commands: confirm, take back, deny, details; and that of undoing a call."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast

import discord

from cogs import texts
from cogs.approval_answers import GONE
from cogs.approval_card import header
from cogs.approval_details import full_text, may_see_all
from cogs.approvals import typed_name
from cogs.slash import answers
from cogs.slash.answering import Answer, Interaction, answer, deferred, row, say
from cogs.slash.button_ids import ButtonId, ButtonIds
from cogs.slash.buttons import SlashButtonsCog
from operations.base import Status
from operations.callers import Callers
from operations.errors import Refused
from operations.failures import DISCORD_FAILED
from operations.guild_state import GuildState
from operations.plans import PersonProof, Plans, PlanView
from operations.sanitise import sanitise
from policy.model import Caller, Face, Refuse, Step, Tier
from policy.rules import GuildRules
from storage.calls import CallState
from storage.facts import PlatformFacts

CONFIRM, NAME, CANCEL, DENY, DETAILS, UNDO = "ok", "name", "back", "no", "see", "undo"
LOOK_SECONDS = 2.0
"""What may be looked up before a modal opens: Discord waits 3 seconds for it, and a modal can't be deferred."""
NAME_FIELD = "name"
NOT_INSTALLED = Refuse(Step.INSTALLATION, "not_installed", "Guildhall is not set up in this guild.", "Run /setup.")

Button = discord.ui.Button[Any]


class PlanButtons:
    """Makes them, and answers their presses."""

    def __init__(self, plans: Plans, callers: Callers, facts: PlatformFacts, state: GuildState, ids: ButtonIds) -> None:
        self._plans = plans
        self._callers = callers
        self._facts = facts
        self._state = state
        self._ids = ids

    def answer_presses(self, cog: SlashButtonsCog) -> None:
        cog.on(CONFIRM, self._confirmed)
        cog.on(NAME, self._named)
        cog.on(CANCEL, self._cancelled)
        cog.on(DENY, self._denied)
        cog.on(DETAILS, self._details)

    def four_eyes(self, guild_id: int) -> bool:
        """Whether another person has to approve whatever needs a confirmation in this guild."""
        installation = self._facts.snapshot.installations.get(guild_id)
        if installation is None:
            return False
        return self._facts.snapshot.guild_rules.get(installation.id, GuildRules()).four_eyes

    # ------------------------------------------------------------------- making
    def undo(self, call_id: str, interaction: Interaction) -> discord.ui.View:
        return row(self._button(UNDO, call_id, interaction, texts.UNDO, discord.ButtonStyle.secondary))

    async def of(self, plan_id: str, caller: Caller, interaction: Interaction) -> discord.ui.View | None:
        """Confirm and cancel, for a plan that waits and that this caller may know of; None for any other."""
        try:
            plan = await self._plans.view(plan_id, caller)
        except Refused:
            return None
        if plan.state is not CallState.PENDING:
            return None
        return row(*self.items(plan, interaction)[:2])

    def items(
        self, plan: PlanView, interaction: Interaction, number: str = "", line: int | None = None
    ) -> list[Button]:
        """Confirm, take back or deny, details. ``number``: of the plan where several are shown."""
        own = plan.requester_id == interaction.user.id
        confirm = CONFIRM if plan.name_to_type is None else NAME
        style = discord.ButtonStyle.danger if plan.tier is Tier.CRITICAL else discord.ButtonStyle.success
        made = (
            (confirm, texts.CONFIRM, style),
            (CANCEL, texts.CANCEL, discord.ButtonStyle.secondary)
            if own
            else (DENY, texts.DENY, discord.ButtonStyle.secondary),
            (DETAILS, texts.DETAILS, discord.ButtonStyle.secondary),
        )
        return [
            self._button(press, plan.plan_id, interaction, f"{label} {number}".strip(), style, line)
            for press, label, style in made
        ]

    def _button(
        self,
        press: str,
        subject: str,
        interaction: Interaction,
        label: str,
        style: discord.ButtonStyle,
        line: int | None = None,
    ) -> Button:
        custom_id = self._ids.make(press, subject, guild_id=interaction.guild_id or 0, user_id=interaction.user.id)
        return discord.ui.Button(label=label, style=style, custom_id=custom_id, row=line)

    # ------------------------------------------------------------------ presses
    def _caller(self, interaction: Interaction) -> Caller:
        """Raises Refused where the guild is not installed any more."""
        caller = self._callers.of_member(interaction.guild_id or 0, interaction.user.id, Face.SLASH)
        if caller is None:
            raise Refused(NOT_INSTALLED)
        return caller

    async def _confirmed(self, interaction: Interaction, found: ButtonId) -> None:
        if await deferred(interaction, in_place=True):
            await self._confirm(interaction, found.subject, PersonProof("slash"))

    async def _named(self, interaction: Interaction, found: ButtonId) -> None:
        """The press of the button, which opens the modal; and the modal when it is sent."""
        if interaction.type is not discord.InteractionType.modal_submit:
            await self.ask_name(interaction, found.subject)
        elif await deferred(interaction, in_place=interaction.message is not None):
            typed = typed_name(cast("dict[str, Any]", interaction.data or {}))
            await self._confirm(interaction, found.subject, PersonProof("slash", typed=typed))

    async def confirm(self, interaction: Interaction, plan_id: str, *, typed: str | None = None) -> None:
        """For a command that names the plan; deferred already. Raises Refused where the guild is not installed."""
        await self._confirm(interaction, plan_id, PersonProof("slash", typed=typed))

    async def _confirm(self, interaction: Interaction, plan_id: str, proof: PersonProof) -> None:
        caller = self._caller(interaction)
        own = await self._is_own(plan_id, caller)
        outcome = await self._plans.confirm(plan_id, caller, proof)
        if outcome.status in (Status.PREVIEW, Status.NEEDS_CONFIRMATION):
            await answer(interaction, Answer(texts.APPROVED))
            return
        said = answers.with_token(answers.of(outcome), outcome, own=own)
        if answers.can_be_undone(outcome):
            said = replace(said, buttons=self.undo(outcome.call_id, interaction))
        elif outcome.status is Status.REFUSED:
            # What waits still can be tried again: a name was mistyped, a limit was met.
            said = replace(said, buttons=await self.of(plan_id, caller, interaction))
        await answer(interaction, said)

    async def _is_own(self, plan_id: str, caller: Caller) -> bool:
        try:
            return (await self._plans.view(plan_id, caller)).requester_id == caller.user_id
        except Refused:
            return False

    async def ask_name(self, interaction: Interaction, plan_id: str) -> None:
        """Opens the modal; what can be refused at once is refused before. Raises Refused."""
        plan: PlanView | None = None
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                plan = await self._plans.view(plan_id, self._caller(interaction))
        except TimeoutError:
            pass  # everything is looked at again when the name has been typed
        if plan is not None and plan.state is not CallState.PENDING:
            await say(interaction, closed(plan))
            return
        try:
            await interaction.response.send_modal(self._modal(interaction, plan_id, plan))
        except DISCORD_FAILED:
            await say(interaction, texts.TOO_LATE)

    def _modal(self, interaction: Interaction, plan_id: str, plan: PlanView | None) -> discord.ui.Modal:
        name = sanitise(plan.name_to_type or "") if plan is not None else ""
        kind = plan.targets[0].kind if plan is not None and plan.targets else "target"
        custom_id = self._ids.make(NAME, plan_id, guild_id=interaction.guild_id or 0, user_id=interaction.user.id)
        modal = discord.ui.Modal(title=texts.TYPE_NAME_TITLE, custom_id=custom_id, timeout=None)
        modal.add_item(
            discord.ui.Label(
                text=texts.TYPE_NAME.format(kind=kind)[:45],
                description=texts.TYPE_NAME_WHY,
                component=discord.ui.TextInput(custom_id=NAME_FIELD, placeholder=name[:100] or None, max_length=200),
            )
        )
        # discord.py need not remember it: its answer is found by the custom id.
        modal.stop()
        return modal

    async def _cancelled(self, interaction: Interaction, found: ButtonId) -> None:
        if await deferred(interaction, in_place=True):
            plan = await self._plans.cancel(found.subject, self._caller(interaction))
            await answer(interaction, Answer(texts.TAKEN_BACK if plan.state is CallState.CANCELLED else closed(plan)))

    async def _denied(self, interaction: Interaction, found: ButtonId) -> None:
        if await deferred(interaction, in_place=True):
            plan = await self._plans.deny(found.subject, self._caller(interaction), PersonProof("slash"))
            await answer(interaction, Answer(texts.DENIED if plan.state is CallState.DENIED else closed(plan)))

    async def _details(self, interaction: Interaction, found: ButtonId) -> None:
        if await deferred(interaction):
            await answer(interaction, await self.details(interaction, found.subject))

    async def details(self, interaction: Interaction, plan_id: str) -> Answer:
        """All of a plan, for those who may see where it comes from; else its facts. Raises Refused."""
        plan = await self._plans.view(plan_id, self._caller(interaction))
        if not await may_see_all(self._state, plan, interaction.user.id):
            return Answer(f"{header(plan)}\n{texts.HIDDEN_TEXT}")
        return answers.boxed(header(plan), full_text(plan).splitlines(), limit=1200)


def closed(plan: PlanView) -> str:
    return texts.ENDED.format(why=GONE.get(plan.state, ""))
