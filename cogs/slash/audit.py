"""/audit: what went through Guildhall, as far as one may see it; with filters, pages, details and undoing."""

from __future__ import annotations

import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs import texts
from cogs.card_text import code, words
from cogs.slash import results
from cogs.slash.answering import Answer, Interaction, answer, deferred, row
from cogs.slash.answers import boxed
from cogs.slash.autocomplete import Autocompletes, Choice
from cogs.slash.button_ids import ButtonId, ButtonIds
from cogs.slash.buttons import SlashButtonsCog, chosen
from cogs.slash.options import BadValue
from cogs.slash.paging import page_buttons
from cogs.slash.plan_buttons import PlanButtons
from cogs.slash.running import SlashRunner
from operations import durations
from operations.base import Status
from operations.outcomes import plain, timestamp
from operations.sanitise import inline

PAGE = 10
MOST_KEPT = 500
TURN, PICK = "audit", "entry"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(slots=True)
class _List:
    """A list that somebody looks at. ``cursors``: where its pages begin, as far as they are known."""

    arguments: Mapping[str, Any]
    cursors: list[str | None] = field(default_factory=lambda: [None])


class AuditCog(commands.Cog, name="Audit"):
    def __init__(
        self,
        runner: SlashRunner,
        plan_buttons: PlanButtons,
        offers: Autocompletes,
        ids: ButtonIds,
        buttons: SlashButtonsCog,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._runner = runner
        self._plan_buttons = plan_buttons
        self._ids = ids
        self._clock = clock
        self._lists: OrderedDict[str, _List] = OrderedDict()
        self._offer_operations = offers.of("operation")
        self._offer_calls = offers.of("call")
        buttons.on(TURN, self._turned)
        buttons.on(PICK, self._picked)

    @app_commands.command(name="audit", description=texts.AUDIT_COMMAND)
    @app_commands.describe(
        member=texts.AUDIT_MEMBER,
        operation=texts.AUDIT_OPERATION,
        status=texts.AUDIT_STATUS,
        since=texts.AUDIT_SINCE,
        mine=texts.AUDIT_MINE,
        call=texts.AUDIT_CALL,
    )
    @app_commands.choices(
        status=[
            app_commands.Choice(name=status, value=status)
            for status in ("done", "refused", "failed", "unknown", "pending", "denied", "cancelled", "expired")
        ]
    )
    async def audit(
        self,
        interaction: Interaction,
        member: discord.User | None = None,
        operation: app_commands.Range[str, 1, 64] | None = None,
        status: str | None = None,
        since: app_commands.Range[str, 1, 40] | None = None,
        mine: bool = False,
        call: app_commands.Range[str, 1, 64] | None = None,
    ) -> None:
        if not await deferred(interaction):
            return
        if call is not None:
            await self._detail(interaction, call)
            return
        arguments = {
            "member": None if member is None else str(member.id),
            "operation": operation,
            "status": status,
            "since": None if since is None else timestamp(moment(since, self._clock())),
            "mine": mine,
            "limit": PAGE,
        }
        key = secrets.token_hex(6)
        self._lists[key] = _List({name: value for name, value in arguments.items() if value is not None})
        while len(self._lists) > MOST_KEPT:
            self._lists.popitem(last=False)
        await self._show(interaction, key, 0)

    @audit.autocomplete("operation")
    async def _operations(self, interaction: Interaction, current: str) -> list[Choice]:
        return await self._offer_operations(interaction, current)

    @audit.autocomplete("call")
    async def _calls(self, interaction: Interaction, current: str) -> list[Choice]:
        return await self._offer_calls(interaction, current)

    # ------------------------------------------------------------------- a page
    async def _turned(self, interaction: Interaction, found: ButtonId) -> None:
        if await deferred(interaction, in_place=True):
            key, _, page = found.subject.partition(".")
            await self._show(interaction, key, int(page) if page.isdigit() else 0)

    async def _show(self, interaction: Interaction, key: str, page: int) -> None:
        listed = self._lists.get(key)
        if listed is None or page >= len(listed.cursors):
            await answer(interaction, Answer(texts.AUDIT_OLD_LIST))
            return
        outcome = await self._runner.outcome(
            interaction, "audit_list", {**listed.arguments, "cursor": listed.cursors[page]}
        )
        if outcome is None:
            return
        if outcome.status is not Status.DONE:
            await answer(interaction, await self._runner.said(interaction, outcome))
            return
        found = plain(outcome.data)
        older: str | None = found.get("cursor")
        if older is not None and len(listed.cursors) == page + 1:
            listed.cursors.append(older)
        calls: list[Mapping[str, Any]] = found["calls"]
        if not calls:
            await answer(interaction, Answer(texts.AUDIT_NOTHING))
            return
        lines = [texts.AUDIT_TITLE, *(_line(call) for call in calls)]
        ids = partial(self._id, interaction, TURN)
        turns = page_buttons(ids, key, page, has_older=older is not None)
        view = row(
            self._menu(interaction, calls),
            *turns,
        )
        await answer(interaction, Answer("\n".join(lines), buttons=view))

    def _menu(self, interaction: Interaction, calls: list[Mapping[str, Any]]) -> discord.ui.Select[Any]:
        options = [
            discord.SelectOption(
                label=inline(f"{call['operation']} – {call['status']}", 100),
                value=call["call_id"],
                description=call["at"],
            )
            for call in calls
        ]
        return discord.ui.Select[Any](
            custom_id=self._id(interaction, PICK, ""), placeholder=texts.AUDIT_PICK, options=options
        )

    def _id(self, interaction: Interaction, press: str, subject: str) -> str:
        return self._ids.make(press, subject, guild_id=interaction.guild_id or 0, user_id=interaction.user.id)

    # ----------------------------------------------------------------- one call
    async def _picked(self, interaction: Interaction, found: ButtonId) -> None:
        call = chosen(interaction)
        if call is not None and await deferred(interaction):
            await self._detail(interaction, call)

    async def _detail(self, interaction: Interaction, call_id: str) -> None:
        outcome = await self._runner.outcome(interaction, "audit_get", {"call": call_id})
        if outcome is None:
            return
        if outcome.status is not Status.DONE:
            await answer(interaction, await self._runner.said(interaction, outcome))
            return
        await answer(interaction, self.told(interaction, plain(outcome.data)))

    def told(self, interaction: Interaction, found: Mapping[str, Any]) -> Answer:
        """One call in words, from audit_get; with the button that undoes it where that can be done."""
        call: Mapping[str, Any] = found["call"]
        title = texts.AUDIT_ONE.format(
            operation=words(call["operation"], 64), status=words(call["status"], 20), call_id=call["call_id"]
        )
        rest = {key: value for key, value in call.items() if key not in ("operation", "status", "call_id")}
        told = [*results.lines(rest), *results.lines({"steps": found["steps"]})]
        if not found["revertible"]:
            return boxed(title, told)
        said = boxed(title, told, texts.AUDIT_REVERTIBLE.format(call_id=call["call_id"]))
        return replace(said, buttons=self._plan_buttons.undo(call["call_id"], interaction))


def moment(text: str, now: float) -> float:
    """A time in the past, as people write it. Raises BadValue."""
    seconds = durations.parsed(text)
    if seconds is not None and seconds <= now:
        return now - seconds
    if _DATE.fullmatch(text.strip()):
        try:
            return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC).timestamp()
        except ValueError:
            pass
    raise BadValue(texts.BAD_TIME.format(value=words(text, 40)))


def _line(call: Mapping[str, Any]) -> str:
    user_id = call["by"].get("user_id")
    return " ".join(
        texts.AUDIT_LINE.format(
            at=int(datetime.fromisoformat(call["at"]).timestamp()),
            who=f"<@{user_id}>" if user_id is not None else texts.NOBODY_BEHIND,
            operation=code(call["operation"], 64),
            status=words(call["status"], 20),
            code=words(call.get("code", ""), 40),
            call_id=call["call_id"],
        ).split()
    )
