"""Runs operations for people who name them in Discord, and tells them in words what came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from cogs import texts
from cogs.card_text import words
from cogs.slash import answers
from cogs.slash.answering import Answer, Interaction, answer, deferred
from cogs.slash.button_ids import ButtonId
from cogs.slash.buttons import SlashButtonsCog
from cogs.slash.plan_buttons import UNDO, PlanButtons
from operations.base import Executor, Outcome, Status
from operations.callers import Callers
from operations.plans import Asking, PersonProof
from operations.registry import Registry
from policy.model import Caller, Face, Kind

log = structlog.get_logger(__name__)

PROGRESS_SECONDS = 2.0
"""Between two tellings of progress: Discord limits edits, and nobody reads faster."""
BY_HAND = Asking(proof=PersonProof("slash"))


class SlashRunner:
    """One for all commands, menus and buttons in which a member himself names an operation and its arguments."""

    def __init__(self, registry: Registry, executor: Executor, callers: Callers, plan_buttons: PlanButtons) -> None:
        self._registry = registry
        self._executor = executor
        self._callers = callers
        self._plan_buttons = plan_buttons

    def answer_presses(self, cog: SlashButtonsCog) -> None:
        self._plan_buttons.answer_presses(cog)
        cog.on(UNDO, self.undo)

    def caller(self, interaction: Interaction) -> Caller | None:
        """Whoever interacts, as a member of the guild in which he does; None where that is not installed."""
        if interaction.guild_id is None:
            return None
        return self._callers.of_member(interaction.guild_id, interaction.user.id, Face.SLASH)

    async def run(
        self,
        interaction: Interaction,
        name: str,
        arguments: Mapping[str, Any],
        *,
        reason: str | None = None,
        preview: bool = False,
    ) -> Outcome | None:
        """Runs an operation and answers the interaction, seen by its member alone. What is critical is answered with
        what would happen, and a button that does it.

        ``arguments``: the operation's own; those that are None count as not given. The guild is the interaction's.
        The outcome is for whoever wants to go on from it; None where nothing was run. May have been deferred before.
        """
        if not await deferred(interaction):
            return None
        outcome = await self.outcome(interaction, name, arguments, reason=reason, preview=preview)
        if outcome is not None:
            await answer(interaction, await self.said(interaction, outcome))
        return outcome

    async def outcome(
        self,
        interaction: Interaction,
        name: str,
        arguments: Mapping[str, Any],
        *,
        reason: str | None = None,
        preview: bool = False,
    ) -> Outcome | None:
        """The same for an interaction that was deferred, with the answer left to the command; only where there is no
        outcome has it been answered.
        """
        caller = self.caller(interaction)
        if caller is None:
            said = texts.NOT_IN_A_GUILD if interaction.guild_id is None else texts.NOT_SET_UP
            await answer(interaction, Answer(said))
            return None
        given = self._given(name, arguments, interaction.guild_id, reason, preview=preview)
        try:
            return await self._executor.run(name, given, caller, progress=_Told(interaction), asking=BY_HAND)
        except Exception:  # whoever asked gets an answer whatever happens; the mistake is in the log
            log.exception("a command failed", operation=name)
            await answer(interaction, Answer(texts.BROKEN))
            return None

    async def said(self, interaction: Interaction, outcome: Outcome) -> Answer:
        """The outcome in words, with the buttons that go with it."""
        four_eyes = interaction.guild_id is not None and self._plan_buttons.four_eyes(interaction.guild_id)
        said = answers.with_token(answers.of(outcome, four_eyes=four_eyes), outcome, own=True)
        caller = self.caller(interaction)
        if caller is None or interaction.guild_id is None:
            return said
        if answers.can_be_undone(outcome):
            return replace(said, buttons=self._plan_buttons.undo(outcome.call_id, interaction))
        if outcome.status in (Status.PREVIEW, Status.NEEDS_CONFIRMATION) and outcome.plan is not None and not four_eyes:
            return replace(said, buttons=await self._plan_buttons.of(outcome.plan.plan_id, caller, interaction))
        return said

    async def undo(self, interaction: Interaction, found: ButtonId) -> None:
        """The press of *Undo*: he names the call, so that counts as his proof."""
        await self.run(interaction, "audit_revert", {"call": found.subject})

    def _given(
        self, name: str, arguments: Mapping[str, Any], guild_id: int | None, reason: str | None, *, preview: bool
    ) -> dict[str, Any]:
        given = {key: value for key, value in arguments.items() if value is not None}
        operation = self._registry.get(name)
        if operation is None:
            return given
        if "guild" in operation.Input.model_fields:
            given["guild"] = str(guild_id)
        if operation.kind is Kind.WRITE:
            given["dry_run"] = preview
            if reason:
                given["reason"] = reason
        return given


class _Told:
    """Progress, as the deferred answer: at most every two seconds."""

    def __init__(self, interaction: Interaction) -> None:
        self._interaction = interaction
        self._told_at = time.monotonic()

    async def __call__(self, done: float, total: float | None = None, message: str | None = None) -> None:
        now = time.monotonic()
        if now - self._told_at < PROGRESS_SECONDS:
            return
        self._told_at = now
        template = texts.WORKING_ON if total is None else texts.WORKING
        total_text = "" if total is None else f"{total:g}"
        said = template.format(done=f"{done:g}", total=total_text, message=words(message or "", 200))
        await answer(self._interaction, Answer(said.strip()))
