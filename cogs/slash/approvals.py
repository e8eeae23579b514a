"""/approvals and /confirm: the plans that wait, with what is pressed about them; also where their card is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs import texts
from cogs.approval_card import Showing, waiting_embed
from cogs.approval_details import may_see_all
from cogs.slash.answering import Answer, Interaction, answer, deferred, row, say
from cogs.slash.answers import refused, when
from cogs.slash.autocomplete import Autocompletes, Choice
from cogs.slash.button_ids import ButtonId, ButtonIds
from cogs.slash.buttons import SlashButtonsCog
from cogs.slash.plan_buttons import LOOK_SECONDS, PlanButtons, closed
from cogs.slash.running import SlashRunner
from operations.errors import Refused
from operations.guild_state import GuildState
from operations.plans import Plans, PlanView
from operations.refusals import DATABASE_DOWN
from policy.model import Caller, Tier
from storage.calls import CallState
from storage.outages import DatabaseUnavailable

PAGE = 4
"""Plans of a page: a message has five rows of buttons, and the last one turns the page."""
TURN = "plans"


class PlansCog(commands.Cog, name="Plans"):
    def __init__(
        self,
        plans: Plans,
        state: GuildState,
        runner: SlashRunner,
        plan_buttons: PlanButtons,
        offers: Autocompletes,
        ids: ButtonIds,
        buttons: SlashButtonsCog,
    ) -> None:
        self._plans = plans
        self._state = state
        self._runner = runner
        self._plan_buttons = plan_buttons
        self._ids = ids
        self._offer_plans = offers.of("plan")
        buttons.on(TURN, self._turned)

    # ---------------------------------------------------------------- approvals
    @app_commands.command(name="approvals", description=texts.APPROVALS_COMMAND)
    async def approvals(self, interaction: Interaction) -> None:
        if await deferred(interaction):
            await self._show(interaction, 0)

    async def _turned(self, interaction: Interaction, found: ButtonId) -> None:
        if await deferred(interaction, in_place=True):
            await self._show(interaction, int(found.subject) if found.subject.isdigit() else 0)

    async def _show(self, interaction: Interaction, page: int) -> None:
        caller = self._runner.caller(interaction)
        if caller is None or interaction.guild_id is None:
            await answer(interaction, Answer(texts.NOT_SET_UP))
            return
        try:
            found = await self._plans.open(caller, interaction.guild_id)
        except DatabaseUnavailable:
            await answer(interaction, Answer(refused(DATABASE_DOWN)))
            return
        if not found:
            await answer(interaction, Answer(texts.APPROVALS_NOTHING))
            return
        last = (len(found) - 1) // PAGE
        page = min(page, last)
        shown = found[page * PAGE : (page + 1) * PAGE]
        first = page * PAGE + 1
        title = texts.APPROVALS_TITLE.format(first=first, last=first + len(shown) - 1, total=len(found))
        embeds = [await self._embed(plan, interaction, number) for number, plan in enumerate(shown, start=first)]
        await answer(interaction, Answer(title, tuple(embeds), self._buttons(interaction, shown, page, last)))

    async def _embed(self, plan: PlanView, interaction: Interaction, number: int) -> discord.Embed:
        sees = await may_see_all(self._state, plan, interaction.user.id)
        embed = waiting_embed(plan, Showing(discreet=not sees, number=number))
        if plan.requester_id == interaction.user.id:
            embed.title = f"{embed.title} ({texts.APPROVALS_MINE})"
        if plan.approve_url is not None:
            embed.add_field(name=texts.CARD, value=plan.approve_url, inline=False)
        return embed

    def _buttons(self, interaction: Interaction, shown: Sequence[PlanView], page: int, last: int) -> discord.ui.View:
        items: list[discord.ui.Item[Any]] = []
        for line, plan in enumerate(shown):
            items += self._plan_buttons.items(plan, interaction, str(page * PAGE + line + 1), line)
        for label, to in ((texts.PREVIOUS, page - 1), (texts.NEXT, page + 1)):
            if 0 <= to <= last:
                custom_id = self._ids.make(
                    TURN, str(to), guild_id=interaction.guild_id or 0, user_id=interaction.user.id
                )
                items.append(discord.ui.Button[Any](label=label, custom_id=custom_id, row=4))
        return row(*items)

    # ------------------------------------------------------------------ confirm
    @app_commands.command(name="confirm", description=texts.CONFIRM_COMMAND)
    @app_commands.describe(plan=texts.CONFIRM_OPTION)
    async def confirm(self, interaction: Interaction, plan: app_commands.Range[str, 1, 64]) -> None:
        """Whoever names a plan is shown what it would do, and presses once; or types its target's name."""
        caller = self._runner.caller(interaction)
        if caller is None:
            await say(interaction, texts.NOT_SET_UP)
            return
        try:
            await self._confirm(interaction, plan.strip(), caller)
        except Refused as error:
            await say(interaction, refused(error.refusal))
        except DatabaseUnavailable:
            await say(interaction, refused(DATABASE_DOWN))

    async def _confirm(self, interaction: Interaction, plan_id: str, caller: Caller) -> None:
        """Raises Refused and DatabaseUnavailable."""
        found: PlanView | None = None
        try:
            # A modal can't be deferred, so what it takes has to be known in time.
            async with asyncio.timeout(LOOK_SECONDS):
                found = await self._plans.view(plan_id, caller)
        except TimeoutError:
            pass
        if found is not None and found.state is CallState.PENDING and found.name_to_type is not None:
            await self._plan_buttons.ask_name(interaction, plan_id)
            return
        if not await deferred(interaction):
            return
        found = found or await self._plans.view(plan_id, caller)
        if found.state is not CallState.PENDING:
            await answer(interaction, Answer(closed(found)))
        elif found.tier is Tier.CRITICAL or found.requester_id != interaction.user.id:
            await answer(interaction, await self._asked(interaction, found))
        else:
            # He asked for it himself, and now names it himself.
            await self._plan_buttons.confirm(interaction, plan_id)

    async def _asked(self, interaction: Interaction, plan: PlanView) -> Answer:
        embed = await self._embed(plan, interaction, 0)
        buttons = row(*self._plan_buttons.items(plan, interaction))
        return Answer(texts.CONFIRM_SHOWN.format(until=when(plan.expires_at)), (embed,), buttons)

    @confirm.autocomplete("plan")
    async def _open_plans(self, interaction: Interaction, current: str) -> list[Choice]:
        return await self._offer_plans(interaction, current)
