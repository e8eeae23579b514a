"""What Discord's menu on a message offers of the assistant: Summarise from here, Draft a warning, Why did the bot do
this?
"""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from cogs.agent import texts
from cogs.agent.commands import LAST_MESSAGES, aside, summarise, tell
from cogs.agent.running import Running
from cogs.slash import case_texts
from cogs.slash.answering import Answer, Interaction, answer, deferred, row
from cogs.slash.button_ids import ButtonId, ButtonIds
from cogs.slash.buttons import SlashButtonsCog
from cogs.slash.case_menus import REASON, WARN
from cogs.slash.cases import MAX_REASON, MODERATORS
from cogs.slash.modals import Question, ask
from cogs.slash.running import SlashRunner
from storage import call_lookup
from storage.database import Database
from storage.facts import PlatformFacts

DRAFT = "draft"

Menu = app_commands.ContextMenu


class AgentMenus:
    def __init__(
        self,
        runner: SlashRunner,
        agent: Running,
        ids: ButtonIds,
        buttons: SlashButtonsCog,
        database: Database,
        facts: PlatformFacts,
        bot_user_id: int,
    ) -> None:
        self._runner = runner
        self._agent = agent
        self._ids = ids
        self._database = database
        self._facts = facts
        self._bot_user_id = bot_user_id
        buttons.on(DRAFT, self._send_draft)

    def commands(self) -> list[Menu]:
        draft = Menu(name=texts.MENU_DRAFT, callback=self.draft)
        draft.default_permissions = MODERATORS
        made = [
            Menu(name=texts.MENU_SUMMARISE, callback=self.summarise),
            draft,
            Menu(name=texts.MENU_WHY, callback=self.why),
        ]
        for menu in made:
            menu.guild_only = True
        return made

    async def summarise(self, interaction: Interaction, message: discord.Message) -> None:
        """That message and what came after it, up to a hundred."""
        await summarise(self._agent, interaction, {"after": str(message.id - 1), "limit": LAST_MESSAGES})

    # ------------------------------------------------------------------ warnings
    async def draft(self, interaction: Interaction, message: discord.Message) -> None:
        """The draft, and a button that opens it for warning: nothing is sent before that."""
        arguments = {"channel": str(message.channel.id), "message": str(message.id)}
        said = await aside(self._agent, interaction, "message_get", arguments, texts.DRAFT_TASK)
        if said is not None:
            await tell(interaction, said.text, self._button(interaction, message.author.id) if said.ok else None)

    def _button(self, interaction: Interaction, author_id: int) -> discord.ui.View:
        custom_id = self._id(interaction, DRAFT, str(author_id))
        return row(discord.ui.Button[Any](label=texts.DRAFT_SEND, custom_id=custom_id))

    async def _send_draft(self, interaction: Interaction, found: ButtonId) -> None:
        """Opens the modal of *Warn* with the draft in it: whoever warns reads and changes it first."""
        drafted = "" if interaction.message is None else interaction.message.content
        await ask(
            interaction,
            texts.DRAFT_SEND,
            self._id(interaction, WARN, found.subject),
            Question(
                REASON, case_texts.REASON_LABEL, case_texts.WARN_LABEL_WHY, MAX_REASON, filled=drafted[:MAX_REASON]
            ),
        )

    def _id(self, interaction: Interaction, press: str, subject: str) -> str:
        return self._ids.make(press, subject, guild_id=interaction.guild_id or 0, user_id=interaction.user.id)

    # ----------------------------------------------------------------------- why
    async def why(self, interaction: Interaction, message: discord.Message) -> None:
        """The audit's entry of what made the bot post it; whether one may see that, audit_get decides."""
        if not await deferred(interaction):
            return
        if message.author.id != self._bot_user_id:
            await answer(interaction, Answer(texts.NOT_THE_BOTS))
            return
        installation = self._facts.snapshot.installations.get(interaction.guild_id or 0)
        call_id = None
        if installation is not None:
            async with self._database.read() as session:
                call_id = await call_lookup.of_message(session, installation, message.channel.id, message.id)
        if call_id is None:
            await answer(interaction, Answer(texts.WHY_UNKNOWN))
            return
        await self._runner.run(interaction, "audit_get", {"call": call_id})
