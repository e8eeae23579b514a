"""/whoami and /help: what somebody is here, and what he may use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs import texts
from cogs.slash.answering import Answer, Interaction, answer, deferred, row
from cogs.slash.autocomplete import Choice, Offer, choices
from cogs.slash.button_ids import ButtonId, ButtonIds
from cogs.slash.buttons import SlashButtonsCog
from cogs.slash.running import SlashRunner
from operations.base import Operation, Status
from operations.callers import Callers
from operations.outcomes import plain
from operations.registry import Registry, could_use
from operations.services import Decisions
from policy.model import Face, PlatformRole
from policy.rules import GuildRules
from storage.facts import PlatformFacts

PAGE = 12
HELP = "help"

Tree = app_commands.CommandTree[Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """A command that can be used. ``operation``: the one that it is the face of."""

    command: app_commands.Command[Any, ..., Any]
    operation: Operation | None

    @property
    def name(self) -> str:
        return self.command.qualified_name


class AboutCog(commands.Cog, name="About"):
    def __init__(
        self,
        tree: Tree,
        registry: Registry,
        decisions: Decisions,
        callers: Callers,
        facts: PlatformFacts,
        runner: SlashRunner,
        ids: ButtonIds,
        buttons: SlashButtonsCog,
    ) -> None:
        self._tree = tree
        self._registry = registry
        self._decisions = decisions
        self._callers = callers
        self._facts = facts
        self._runner = runner
        self._ids = ids
        buttons.on(HELP, self._turned)

    # ------------------------------------------------------------------- whoami
    @app_commands.command(name="whoami", description=texts.WHOAMI_COMMAND)
    async def whoami(self, interaction: Interaction) -> None:
        if not await deferred(interaction):
            return
        outcome = await self._runner.outcome(interaction, "whoami", {})
        if outcome is None:
            return
        if outcome.status is not Status.DONE:
            await answer(interaction, await self._runner.said(interaction, outcome))
            return
        found = plain(outcome.data)
        role: str | None = found.get("workspace_role")
        lines = [texts.WHOAMI.format(user_id=interaction.user.id, role=role or texts.NO_ROLE)]
        if role in texts.ROLES:
            lines.append(texts.ROLES[role])
        rules = self._rules(interaction.guild_id or 0)
        held = {each.id for each in getattr(interaction.user, "roles", ())}
        if held & set(rules.approver_role_ids):
            lines.append(texts.WHOAMI_APPROVER)
        if rules.four_eyes:
            lines.append(texts.WHOAMI_FOUR_EYES)
        if found.get("tainted"):
            lines.append(texts.WHOAMI_TAINTED)
        lines.append(texts.WHOAMI_HELP)
        await answer(interaction, Answer("\n".join(lines)))

    def _rules(self, guild_id: int) -> GuildRules:
        installation = self._facts.snapshot.installations.get(guild_id)
        if installation is None:
            return GuildRules()
        return self._facts.snapshot.guild_rules.get(installation.id, GuildRules())

    # --------------------------------------------------------------------- help
    @app_commands.command(name="help", description=texts.HELP_COMMAND)
    @app_commands.describe(command=texts.HELP_OPTION)
    async def helped(self, interaction: Interaction, command: app_commands.Range[str, 1, 100] | None = None) -> None:
        if not await deferred(interaction):
            return
        usable = await self._usable(interaction)
        if command is None:
            await answer(interaction, self._page(interaction, usable, 0))
            return
        wanted = command.strip().lstrip("/").casefold()
        found = next((entry for entry in usable if wanted in (entry.name, _operation_name(entry))), None)
        await answer(interaction, Answer(texts.HELP_UNKNOWN if found is None else _detail(found)))

    @helped.autocomplete("command")
    async def _commands(self, interaction: Interaction, current: str) -> list[Choice]:
        usable = await self._usable(interaction)
        return choices([Offer(entry.name, entry.name) for entry in usable], current.lstrip("/"))

    async def _turned(self, interaction: Interaction, found: ButtonId) -> None:
        if await deferred(interaction, in_place=True):
            page = int(found.subject) if found.subject.isdigit() else 0
            await answer(interaction, self._page(interaction, await self._usable(interaction), page))

    async def _usable(self, interaction: Interaction) -> list[Entry]:
        """What this member is shown, and what his role in the workspace allows; in alphabetical order."""
        caller = None
        if interaction.guild_id is not None:
            caller = self._callers.of_member(interaction.guild_id, interaction.user.id, Face.SLASH)
        role = None if caller is None else await self._decisions.role(caller)
        found: list[Entry] = []
        for command in self._visible(interaction.permissions):
            operation = self._registry.get(str(command.extras.get("operation", "")))
            if operation is not None and (caller is None or not could_use(caller, operation)):
                continue
            if operation is not None and not _has_role(role, operation):
                continue
            if operation is not None and not _may_hold(interaction.permissions, operation):
                continue
            found.append(Entry(command, operation))
        return sorted(found, key=lambda entry: entry.name)

    def _visible(self, held: discord.Permissions) -> Iterator[app_commands.Command[Any, ..., Any]]:
        for top in self._tree.get_commands(type=discord.AppCommandType.chat_input):
            asked = top.default_permissions
            if asked is not None and not held.administrator and not held.is_superset(asked):
                continue
            if isinstance(top, app_commands.Group):
                yield from (each for each in top.walk_commands() if isinstance(each, app_commands.Command))
            else:
                yield top

    def _page(self, interaction: Interaction, usable: Sequence[Entry], page: int) -> Answer:
        last = max(0, (len(usable) - 1) // PAGE)
        page = min(max(page, 0), last)
        shown = usable[page * PAGE : (page + 1) * PAGE]
        first = page * PAGE + 1
        lines = [texts.HELP_TITLE.format(first=first, last=first + len(shown) - 1, total=len(usable))]
        lines += [texts.HELP_LINE.format(command=each.name, description=each.command.description) for each in shown]
        lines.append(texts.HELP_ONE)
        moves = ((texts.PREVIOUS, page - 1), (texts.NEXT, page + 1))
        items = [
            discord.ui.Button[Any](
                label=label,
                custom_id=self._ids.make(
                    HELP, str(to), guild_id=interaction.guild_id or 0, user_id=interaction.user.id
                ),
            )
            for label, to in moves
            if 0 <= to <= last
        ]
        return Answer("\n".join(lines), buttons=row(*items) if items else None)


def _has_role(role: PlatformRole | None, operation: Operation) -> bool:
    asked = operation.base_requirement().min_role
    return role is not None and role >= asked


def _may_hold(held: discord.Permissions, operation: Operation) -> bool:
    """Whether a write's declared rights are held where the command is used; elsewhere they may differ, so a read is
    told of anyway.
    """
    if held.administrator or not operation.actor_permissions:
        return True
    return held.is_superset(discord.Permissions(**dict.fromkeys(operation.actor_permissions, True)))


def _operation_name(entry: Entry) -> str:
    return "" if entry.operation is None else entry.operation.name


def _detail(entry: Entry) -> str:
    operation = entry.operation
    lines = [f"**/{entry.name}**", entry.command.description if operation is None else operation.description]
    if operation is not None:
        tier = operation.tier.label
        lines.append(texts.HELP_OPERATION.format(name=operation.name, tier=tier, means=texts.TIERS[tier]))
        names = ", ".join(f"`{name}`" for name in operation.actor_permissions)
        lines.append(texts.HELP_NEEDS.format(names=names) if names else texts.HELP_OPEN)
    if entry.command.parameters:
        lines.append(texts.HELP_OPTIONS)
    for each in entry.command.parameters:
        optional = "" if each.required else f" {texts.HELP_OPTIONAL}"
        lines.append(f"- `{each.display_name}`{optional} {each.description}")
    return "\n".join(lines)[:2000]
