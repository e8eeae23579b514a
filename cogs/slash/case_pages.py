"""Cases as people read them: lists with pages, and one whole with what can be done about it."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import discord

from cogs.card_text import block, words
from cogs.slash import case_texts
from cogs.slash.answering import LIMIT, Answer, Interaction, answer, deferred, row
from cogs.slash.button_ids import ButtonId, ButtonIds
from cogs.slash.buttons import SlashButtonsCog, chosen
from cogs.slash.modals import Question, answered, ask, is_sent
from cogs.slash.paging import page_buttons
from cogs.slash.running import SlashRunner
from operations.base import Status
from operations.outcomes import plain
from operations.sanitise import inline

PAGE = 10
MOST_KEPT = 500
TURN, PICK, CLOSE, OPEN, NOTE = "cases", "case", "shut", "reopen", "jot"
REASON_IN_LINE = 80
MAX_NOTE = 1000
NOTE_FIELD = "note"

Row = Mapping[str, Any]


@dataclass(slots=True)
class _List:
    """A list that somebody looks at. ``cursors``: where its pages begin, as far as they are known."""

    operation: str
    arguments: Mapping[str, Any]
    cursors: list[str | None] = field(default_factory=lambda: [None])


class CasePages:
    """Shows lists and cases to whoever asks, and answers the presses under them."""

    def __init__(self, runner: SlashRunner, ids: ButtonIds, buttons: SlashButtonsCog) -> None:
        self._runner = runner
        self._ids = ids
        self._lists: OrderedDict[str, _List] = OrderedDict()
        buttons.on(TURN, self._turned)
        buttons.on(PICK, self._picked)
        buttons.on(CLOSE, self._closed)
        buttons.on(OPEN, self._opened)
        buttons.on(NOTE, self._noted)

    # -------------------------------------------------------------------- lists
    async def show_list(self, interaction: Interaction, operation: str, **arguments: Any) -> None:
        """The first page of case_list or member_history."""
        if not await deferred(interaction):
            return
        key = secrets.token_hex(6)
        given = {name: value for name, value in arguments.items() if value is not None}
        self._lists[key] = _List(operation, {**given, "limit": PAGE})
        while len(self._lists) > MOST_KEPT:
            self._lists.popitem(last=False)
        await self._show(interaction, key, 0)

    async def _turned(self, interaction: Interaction, found: ButtonId) -> None:
        if await deferred(interaction, in_place=True):
            key, _, page = found.subject.partition(".")
            await self._show(interaction, key, int(page) if page.isdigit() else 0)

    async def _show(self, interaction: Interaction, key: str, page: int) -> None:
        listed = self._lists.get(key)
        if listed is None or page >= len(listed.cursors):
            await answer(interaction, Answer(case_texts.LIST_OLD))
            return
        found = await self._read(interaction, listed.operation, {**listed.arguments, "cursor": listed.cursors[page]})
        if found is None:
            return
        older: str | None = found.get("cursor")
        if older is not None and len(listed.cursors) == page + 1:
            listed.cursors.append(older)
        rows: list[Row] = found["cases"]
        head = _head(found)
        if not rows:
            await answer(interaction, Answer("\n".join(head[:1]) if "member" in found else case_texts.LIST_NOTHING))
            return
        ids = partial(self._id, interaction, TURN)
        turns = page_buttons(ids, key, page, has_older=older is not None)
        view = row(
            self._menu(interaction, rows),
            *turns,
        )
        await answer(interaction, Answer("\n".join([*head, *map(_line, rows)])[:LIMIT], buttons=view))

    def _menu(self, interaction: Interaction, rows: list[Row]) -> discord.ui.Select[Any]:
        options = [
            discord.SelectOption(
                label=f"#{each['case']} {_kind(each)}", value=str(each["case"]), description=each["at"]
            )
            for each in rows
        ]
        return discord.ui.Select[Any](
            custom_id=self._id(interaction, PICK, ""), placeholder=case_texts.LIST_PICK, options=options
        )

    def _id(self, interaction: Interaction, press: str, subject: str) -> str:
        return self._ids.make(press, subject, guild_id=interaction.guild_id or 0, user_id=interaction.user.id)

    # ----------------------------------------------------------------- one case
    async def _picked(self, interaction: Interaction, found: ButtonId) -> None:
        number = chosen(interaction)
        if number is not None and number.isdigit():
            await self.case(interaction, int(number))

    async def case(self, interaction: Interaction, number: int) -> None:
        """One case whole."""
        if not await deferred(interaction):
            return
        found = await self._read(interaction, "case_get", {"case": number})
        if found is not None:
            await answer(interaction, self._told(interaction, found))

    def _told(self, interaction: Interaction, found: Mapping[str, Any]) -> Answer:
        case: Row = found["case"]
        number = str(case["case"])
        is_open = case["state"] == "open"
        buttons = [
            (CLOSE, case_texts.CLOSE) if is_open else (OPEN, case_texts.OPEN_AGAIN),
            (NOTE, case_texts.ADD_NOTE),
        ]
        view = row(
            *(
                discord.ui.Button[Any](label=label, custom_id=self._id(interaction, press, number))
                for press, label in buttons
            )
        )
        return Answer("\n".join(_whole(found))[:LIMIT], buttons=view)

    async def _closed(self, interaction: Interaction, found: ButtonId) -> None:
        await self._edit(interaction, found.subject, state="closed")

    async def _opened(self, interaction: Interaction, found: ButtonId) -> None:
        await self._edit(interaction, found.subject, state="open")

    async def _noted(self, interaction: Interaction, found: ButtonId) -> None:
        """The press of the button, which opens the modal; and the modal when it is sent."""
        if is_sent(interaction):
            await self._edit(interaction, found.subject, note=answered(interaction).get(NOTE_FIELD))
            return
        await ask(
            interaction,
            case_texts.NOTE_TITLE.format(number=found.subject),
            self._id(interaction, NOTE, found.subject),
            Question(NOTE_FIELD, case_texts.NOTE_LABEL, case_texts.NOTE_WHY, MAX_NOTE),
        )

    async def _edit(self, interaction: Interaction, number: str, **changes: Any) -> None:
        """Edits, and shows the case as it is then, in its place."""
        if not number.isdigit() or not await deferred(interaction, in_place=interaction.message is not None):
            return
        outcome = await self._runner.outcome(interaction, "case_edit", {"case": int(number), **changes})
        if outcome is None:
            return
        if outcome.status is not Status.DONE:
            await answer(interaction, await self._runner.said(interaction, outcome))
            return
        await self.case(interaction, int(number))

    async def _read(self, interaction: Interaction, name: str, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
        """None where it was refused: then he has been told."""
        outcome = await self._runner.outcome(interaction, name, arguments)
        if outcome is None:
            return None
        if outcome.status is not Status.DONE:
            await answer(interaction, await self._runner.said(interaction, outcome))
            return None
        found: dict[str, Any] = plain(outcome.data)
        return found


def _head(found: Mapping[str, Any]) -> list[str]:
    member: Row | None = found.get("member")
    if member is None:
        return [case_texts.LIST_TITLE]
    if not found["cases"]:
        return [case_texts.HISTORY_NOTHING.format(user_id=member["id"])]
    totals = ", ".join(f"{kind} {count}" for kind, count in found["totals"].items())
    return [
        case_texts.HISTORY_TITLE.format(user_id=member["id"]),
        case_texts.HISTORY_TOTALS.format(totals=totals),
    ]


def _line(case: Row) -> str:
    by: Row | None = case.get("by")
    member: Row | None = case.get("member")
    reason = case_texts.LINE_WITHHELD if case.get("withheld") else words(case.get("reason", ""), REASON_IN_LINE)
    said = case_texts.LINE.format(
        number=case["case"],
        kind=_kind(case),
        state=case_texts.LINE_OPEN if case["state"] == "open" else "",
        member="" if member is None else f"<@{member['id']}>",
        by="" if by is None else case_texts.LINE_BY.format(user_id=by["id"]),
        at=_seconds(case["at"]),
        reason=reason,
    )
    return " ".join(said.split())


def _whole(found: Mapping[str, Any]) -> list[str]:
    case: Row = found["case"]
    at, by = _seconds(case["at"]), case.get("by")
    told = [case_texts.CASE_TITLE.format(number=case["case"], kind=_kind(case), state=case["state"])]
    if "member" in case:
        told.append(case_texts.CASE_MEMBER.format(user_id=case["member"]["id"]))
    told.append(
        case_texts.CASE_BY_NOBODY.format(at=at) if by is None else case_texts.CASE_BY.format(user_id=by["id"], at=at)
    )
    if "expires_at" in case:
        told.append(case_texts.CASE_UNTIL.format(at=_seconds(case["expires_at"])))
    if "message_link" in case:
        told.append(case_texts.CASE_LINK.format(link=case["message_link"]))
    if "notice" in case:
        told.append(case_texts.CASE_NOTICE[case["notice"]])
    if case.get("withheld"):
        told.append(case_texts.CASE_WITHHELD)
    texts_of_members = [case["reason"]] if case.get("reason") else []
    texts_of_members += [f"{inline(_author(note))}: {note['text']}" for note in found["notes"]]
    if texts_of_members:
        told.append(block("\n".join(texts_of_members), LIMIT - len("\n".join(told)) - 100))
    return told


def _author(note: Row) -> str:
    by: Row = note.get("by") or {}
    return str(by.get("name") or by.get("id") or note["at"])


def _kind(case: Row) -> str:
    return str(case["kind"]).replace("_", " ")


def _seconds(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp())
