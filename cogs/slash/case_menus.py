"""What Discord's menus on a member and on a message offer: Warn, Time out, Report, Cases of this member."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from cogs.card_text import words
from cogs.slash import case_texts as said
from cogs.slash.answering import Interaction, say
from cogs.slash.button_ids import ButtonId, ButtonIds
from cogs.slash.buttons import SlashButtonsCog
from cogs.slash.case_pages import CasePages
from cogs.slash.cases import MAX_REASON, MAX_TEXT, MODERATORS, reported
from cogs.slash.modals import Question, answered, ask, is_sent
from cogs.slash.running import SlashRunner
from operations import durations

WARN, TIME_OUT, REPORT = "warn", "timeout", "report"
REASON, LENGTH, TEXT = "reason", "length", "text"
USUAL_LENGTH = "1h"
# What a report's modal is about, before the id.
MEMBER, MESSAGE = "u", "m"

Menu = app_commands.ContextMenu


class CaseMenus:
    """Makes the menus' commands, and answers the modals that they open."""

    def __init__(self, runner: SlashRunner, ids: ButtonIds, buttons: SlashButtonsCog, pages: CasePages) -> None:
        self._runner = runner
        self._ids = ids
        self._pages = pages
        buttons.on(WARN, self._warned)
        buttons.on(TIME_OUT, self._timed_out)
        buttons.on(REPORT, self._reported)

    def commands(self) -> list[Menu]:
        """On a member and on a message. Reporting is everybody's."""
        made = [
            Menu(name=said.MENU_WARN, callback=self.warn_member),
            Menu(name=said.MENU_TIME_OUT, callback=self.time_out_member),
            Menu(name=said.MENU_CASES, callback=self.cases_of_member),
            Menu(name=said.MENU_WARN, callback=self.warn_author),
            Menu(name=said.MENU_TIME_OUT, callback=self.time_out_author),
            Menu(name=said.MENU_CASES, callback=self.cases_of_author),
        ]
        for menu in made:
            menu.default_permissions = MODERATORS
        made += [
            Menu(name=said.MENU_REPORT, callback=self.report_member),
            Menu(name=said.MENU_REPORT, callback=self.report_message),
        ]
        for menu in made:
            menu.guild_only = True
        return made

    # -------------------------------------------------------------- on a member
    async def warn_member(self, interaction: Interaction, member: discord.User) -> None:
        await self._ask_warning(interaction, member)

    async def time_out_member(self, interaction: Interaction, member: discord.User) -> None:
        await self._ask_length(interaction, member)

    async def cases_of_member(self, interaction: Interaction, member: discord.User) -> None:
        await self._pages.show_list(interaction, "member_history", member=str(member.id))

    async def report_member(self, interaction: Interaction, member: discord.User) -> None:
        await self._ask_report(interaction, f"{MEMBER}{member.id}", required=True)

    # ------------------------------------------------------------- on a message
    async def warn_author(self, interaction: Interaction, message: discord.Message) -> None:
        await self._ask_warning(interaction, message.author)

    async def time_out_author(self, interaction: Interaction, message: discord.Message) -> None:
        await self._ask_length(interaction, message.author)

    async def cases_of_author(self, interaction: Interaction, message: discord.Message) -> None:
        await self._pages.show_list(interaction, "member_history", member=str(message.author.id))

    async def report_message(self, interaction: Interaction, message: discord.Message) -> None:
        await self._ask_report(interaction, f"{MESSAGE}{message.id}", required=False)

    # ------------------------------------------------------------------- modals
    async def _ask_warning(self, interaction: Interaction, whom: discord.abc.User) -> None:
        await ask(
            interaction,
            said.WARN_TITLE.format(name=words(whom.name, 32)),
            self._id(interaction, WARN, str(whom.id)),
            Question(REASON, said.REASON_LABEL, said.WARN_LABEL_WHY, MAX_REASON),
        )

    async def _ask_length(self, interaction: Interaction, whom: discord.abc.User) -> None:
        await ask(
            interaction,
            said.TIME_OUT_TITLE.format(name=words(whom.name, 32)),
            self._id(interaction, TIME_OUT, str(whom.id)),
            Question(LENGTH, said.LENGTH_LABEL, said.LENGTH_WHY, 20, long=False, filled=USUAL_LENGTH),
            Question(REASON, said.REASON_LABEL, said.TIME_OUT_WHY, MAX_REASON, required=False),
        )

    async def _ask_report(self, interaction: Interaction, subject: str, *, required: bool) -> None:
        await ask(
            interaction,
            said.REPORT_TITLE,
            self._id(interaction, REPORT, subject),
            Question(TEXT, said.REPORT_LABEL, said.REPORT_WHY, MAX_TEXT, required=required),
        )

    def _id(self, interaction: Interaction, press: str, subject: str) -> str:
        return self._ids.make(press, subject, guild_id=interaction.guild_id or 0, user_id=interaction.user.id)

    # ------------------------------------------------------------------ answers
    async def _warned(self, interaction: Interaction, found: ButtonId) -> None:
        if is_sent(interaction):
            reason = answered(interaction).get(REASON)
            await self._runner.run(interaction, "member_warn", {"member": found.subject}, reason=reason)

    async def _timed_out(self, interaction: Interaction, found: ButtonId) -> None:
        if not is_sent(interaction):
            return
        given = answered(interaction)
        seconds = durations.parsed(given.get(LENGTH, ""))
        if seconds is None:
            await say(interaction, said.BAD_LENGTH.format(value=words(given.get(LENGTH, ""), 20)))
            return
        arguments: dict[str, Any] = {"member": found.subject, "duration_seconds": seconds}
        await self._runner.run(interaction, "member_timeout", arguments, reason=given.get(REASON))

    async def _reported(self, interaction: Interaction, found: ButtonId) -> None:
        """A message is reported in the channel in which its menu was opened: a modal's answer comes from there."""
        if not is_sent(interaction):
            return
        kind, subject = found.subject[:1], found.subject[1:]
        of_message = kind == MESSAGE
        await reported(
            self._runner,
            interaction,
            member=None if of_message else subject,
            message=subject if of_message else None,
            channel=str(interaction.channel_id) if of_message else None,
            text=answered(interaction).get(TEXT, ""),
        )
