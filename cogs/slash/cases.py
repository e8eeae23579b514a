"""/warn, /note, /report and /cases."""

from __future__ import annotations

from typing import Any, Literal

import discord
from discord import app_commands
from discord.ext import commands

from cogs.card_text import words
from cogs.slash import case_texts as said
from cogs.slash.answering import Answer, Interaction, answer, deferred, say
from cogs.slash.autocomplete import Autocompletes, Choice, Offer
from cogs.slash.case_pages import CasePages
from cogs.slash.options import BadValue
from cogs.slash.running import SlashRunner
from operations.base import Executor, Status
from operations.case_records import CaseKindName, CaseStateName
from operations.outcomes import plain
from policy.model import Caller

MODERATORS = discord.Permissions(moderate_members=True)
OFFERED = 100
MAX_TEXT, MAX_REASON = 1000, 400

Number = app_commands.Range[str, 1, 10]
Text = app_commands.Range[str, 1, MAX_TEXT]


class CasesCog(commands.Cog, name="Cases"):
    """Thin over operations: whom Discord shows a command is a hint, rights are decided at each call."""

    cases = app_commands.Group(name="cases", description=said.CASES, default_permissions=MODERATORS, guild_only=True)

    def __init__(self, runner: SlashRunner, executor: Executor, offers: Autocompletes, pages: CasePages) -> None:
        self._runner = runner
        self._executor = executor
        self._pages = pages
        offers.add("case", self._numbers)
        self._offer_cases = offers.of("case")

    # ------------------------------------------------------------------ members
    @app_commands.command(name="warn", description=said.WARN_COMMAND, extras={"operation": "member_warn"})
    @app_commands.describe(member=said.WARN_MEMBER, reason=said.WARN_REASON, notify=said.WARN_NOTIFY)
    @app_commands.default_permissions(moderate_members=True)
    @app_commands.guild_only()
    async def warn(
        self,
        interaction: Interaction,
        member: discord.User,
        reason: app_commands.Range[str, 1, MAX_REASON],
        notify: bool = True,
    ) -> None:
        await self._runner.run(interaction, "member_warn", {"member": str(member.id), "notify": notify}, reason=reason)

    @app_commands.command(name="note", description=said.NOTE_COMMAND, extras={"operation": "member_note"})
    @app_commands.describe(member=said.NOTE_MEMBER, text=said.NOTE_TEXT)
    @app_commands.default_permissions(moderate_members=True)
    @app_commands.guild_only()
    async def note(self, interaction: Interaction, member: discord.User, text: Text) -> None:
        await self._runner.run(interaction, "member_note", {"member": str(member.id), "text": text})

    @app_commands.command(name="report", description=said.REPORT_COMMAND, extras={"operation": "member_report"})
    @app_commands.describe(text=said.REPORT_TEXT, member=said.REPORT_MEMBER, message=said.REPORT_MESSAGE)
    @app_commands.guild_only()
    async def report(
        self,
        interaction: Interaction,
        text: Text,
        member: discord.User | None = None,
        message: app_commands.Range[str, 1, 200] | None = None,
    ) -> None:
        if (member is None) == (message is None):
            await say(interaction, said.REPORT_ONE)
            return
        bare = message is not None and message.isdigit()
        await reported(
            self._runner,
            interaction,
            member=None if member is None else str(member.id),
            message=message,
            channel=str(interaction.channel_id) if bare else None,
            text=text,
        )

    # -------------------------------------------------------------------- cases
    @cases.command(name="list", description=said.LIST_COMMAND, extras={"operation": "case_list"})
    @app_commands.describe(member=said.LIST_MEMBER, kind=said.LIST_KIND, state=said.LIST_STATE)
    async def listed(
        self,
        interaction: Interaction,
        member: discord.User | None = None,
        kind: CaseKindName | None = None,
        state: CaseStateName | None = None,
    ) -> None:
        of = None if member is None else str(member.id)
        await self._pages.show_list(interaction, "case_list", member=of, kind=kind, state=state)

    @cases.command(name="history", description=said.HISTORY_COMMAND, extras={"operation": "member_history"})
    @app_commands.describe(member=said.LIST_MEMBER)
    async def history(self, interaction: Interaction, member: discord.User) -> None:
        await self._pages.show_list(interaction, "member_history", member=str(member.id))

    @cases.command(name="show", description=said.SHOW_COMMAND, extras={"operation": "case_get"})
    @app_commands.describe(case=said.CASE_OPTION)
    async def show(self, interaction: Interaction, case: Number) -> None:
        await self._pages.case(interaction, number(case))

    @cases.command(name="edit", description=said.EDIT_COMMAND, extras={"operation": "case_edit"})
    @app_commands.describe(
        case=said.CASE_OPTION, new_reason=said.EDIT_REASON, note=said.EDIT_NOTE, state=said.EDIT_STATE
    )
    async def edit(
        self,
        interaction: Interaction,
        case: Number,
        new_reason: Text | None = None,
        note: Text | None = None,
        state: Literal["open", "closed"] | None = None,
    ) -> None:
        arguments = {"case": number(case), "new_reason": new_reason, "note": note, "state": state}
        await self._runner.run(interaction, "case_edit", arguments)

    @cases.command(name="close", description=said.CLOSE_COMMAND, extras={"operation": "case_edit"})
    @app_commands.describe(case=said.CASE_OPTION, note=said.EDIT_NOTE)
    async def close(self, interaction: Interaction, case: Number, note: Text | None = None) -> None:
        await self._runner.run(interaction, "case_edit", {"case": number(case), "note": note, "state": "closed"})

    @show.autocomplete("case")
    @edit.autocomplete("case")
    @close.autocomplete("case")
    async def _cases(self, interaction: Interaction, current: str) -> list[Choice]:
        return await self._offer_cases(interaction, current)

    async def _numbers(self, caller: Caller, guild_id: int) -> list[Offer]:
        outcome = await self._executor.run("case_list", {"guild": str(guild_id), "limit": OFFERED}, caller)
        if outcome.status is not Status.DONE:
            return []
        rows: list[dict[str, Any]] = plain(outcome.data)["cases"]
        return [Offer(_label(row), str(row["case"])) for row in rows]


async def reported(runner: SlashRunner, interaction: Interaction, **arguments: Any) -> None:
    """Runs a report, and thanks for it in words that tell nothing of cases."""
    if not await deferred(interaction):
        return
    outcome = await runner.outcome(interaction, "member_report", arguments)
    if outcome is None:
        return
    done = outcome.status is Status.DONE
    await answer(interaction, Answer(said.REPORTED) if done else await runner.said(interaction, outcome))


def number(text: str) -> int:
    """Of a case. Raises BadValue."""
    digits = text.strip().removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or not 0 < int(digits) < 1 << 31:
        raise BadValue(said.BAD_NUMBER.format(value=words(text, 20)))
    return int(digits)


def _label(row: dict[str, Any]) -> str:
    member: dict[str, Any] = row.get("member") or {}
    name = member.get("name") or member.get("id", "")
    return f"{row['case']} {row['kind'].replace('_', ' ')} {name}".strip()
