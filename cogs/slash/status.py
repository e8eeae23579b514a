"""/status: how Guildhall is, what it lacks in this guild, and who uses up what Discord allows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from discord import app_commands
from discord.ext import commands

from cogs import texts
from cogs.slash.answering import Answer, Interaction, answer, deferred
from cogs.slash.running import SlashRunner

log = structlog.get_logger(__name__)

CALLERS_SHOWN = 10
MARKS = {"up": "🟢", "degraded": "🟡", "starting": "🟡", "off": "⚪", "down": "🔴"}


@dataclass(frozen=True, slots=True)
class Part:
    """``state``: up, degraded, off, starting or down. ``detail``: a sentence without names or secrets."""

    name: str
    state: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Requests to Discord within the last minute. ``callers``: of this guild, by who they are counted as; an empty key
    is the bot itself. ``waiting``: those of everybody that wait for their turn.
    """

    total: int
    waiting: int
    per_second: int
    callers: Mapping[str, int]


class StatusBoard(Protocol):
    """What the process knows of itself."""

    async def parts(self) -> Sequence[Part]: ...

    def usage(self, guild_id: int) -> Usage: ...


Concern = Callable[[int], Awaitable[str | None]]
"""Looks at a guild, by id: what is wrong there, a sentence with what to do; None while nothing is."""


class StatusCog(commands.Cog, name="Status"):
    def __init__(self, board: StatusBoard, runner: SlashRunner, concerns: Sequence[Concern]) -> None:
        self._board = board
        self._runner = runner
        self._concerns = concerns

    @app_commands.command(name="status", description=texts.STATUS_COMMAND)
    async def status(self, interaction: Interaction) -> None:
        if not await deferred(interaction):
            return
        guild_id = interaction.guild_id or 0
        lines = [_line(part) for part in await self._board.parts()]
        if self._runner.caller(interaction) is None:
            lines.append(texts.NOT_SET_UP)
            await answer(interaction, Answer("\n".join(lines)))
            return
        lines += [f"⚠️ {said}" for concern in self._concerns if (said := await _asked(concern, guild_id)) is not None]
        usage = self._board.usage(guild_id)
        lines.append(texts.BUDGET.format(total=usage.total, limit=usage.per_second, waiting=usage.waiting))
        lines.append(texts.BUDGET_HERE.format(count=sum(usage.callers.values())))
        if interaction.permissions.manage_guild or interaction.permissions.administrator:
            heaviest = sorted(usage.callers.items(), key=lambda item: -item[1])[:CALLERS_SHOWN]
            lines += [texts.BUDGET_OF.format(who=_who(caller), count=count) for caller, count in heaviest]
        await answer(interaction, Answer("\n".join(lines)))


async def _asked(concern: Concern, guild_id: int) -> str | None:
    try:
        return await concern(guild_id)
    except Exception:  # what cannot be looked at must not hide the rest
        log.exception("a concern could not be looked at", guild_id=guild_id)
        return texts.NOT_LOOKED_AT


def _line(part: Part) -> str:
    return f"{MARKS.get(part.state, '⚪')} **{part.name}** {part.state}{f' – {part.detail}' if part.detail else ''}"


def _who(caller: str) -> str:
    """Members are told by mention, which pings nobody here; clients by their id."""
    kind, _, user_id = caller.partition(":")
    if kind == "discord" and user_id.isdigit():
        return f"<@{user_id}>"
    return f"`{caller}`" if caller else texts.ITSELF
