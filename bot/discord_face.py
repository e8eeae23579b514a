"""Discord's face: what members meet there, each cog built with what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bot.discord_internals import add_menu
from bot.set_up import setup_cog
from bot.status_board import Board
from cogs.agent.commands import AgentCommandsCog
from cogs.agent.menus import AgentMenus
from cogs.approval_cards import PlanCards
from cogs.approval_places import CardPlaces
from cogs.approvals import ApprovalsCog
from cogs.chat_access import chat_access_commands
from cogs.connections import connect_command, mcp_group
from cogs.custom_ids import CustomIds
from cogs.log_buttons import LogButtonsCog
from cogs.log_ids import LogIds
from cogs.pause_concern import PauseConcern
from cogs.policy import policy_group
from cogs.privacy import PrivacyCog
from cogs.slash.about import AboutCog
from cogs.slash.approvals import PlansCog
from cogs.slash.audit import AuditCog
from cogs.slash.autocomplete import Autocompletes
from cogs.slash.button_ids import ButtonIds
from cogs.slash.buttons import SlashButtonsCog
from cogs.slash.case_menus import CaseMenus
from cogs.slash.case_pages import CasePages
from cogs.slash.cases import CasesCog
from cogs.slash.errors import tell
from cogs.slash.faces import FACES, GROUPS
from cogs.slash.plan_buttons import PlanButtons
from cogs.slash.running import SlashRunner
from cogs.slash.status import StatusCog
from cogs.slash.sync import CommandSync
from cogs.slash.synthesis import commands_of
from storage import instance

if TYPE_CHECKING:
    from bot.core import Core


@dataclass(frozen=True, slots=True)
class DiscordFace:
    """``commands``: what tells Discord the slash commands. ``runner``: what runs an operation for somebody who presses
    or types.
    """

    commands: CommandSync
    runner: SlashRunner


async def add_discord_face(core: Core) -> DiscordFace | None:
    """Plans get their cards from now on. Without a gateway nobody can press a button: the cards say so instead, and
    None comes back.
    """
    ids = CustomIds(core.database.keyring)
    core.plan_upkeep.attach(PlanCards(core.client, CardPlaces(core.state, core.facts), ids))
    if not core.settings.enable_gateway:
        return None
    await core.client.add_cog(ApprovalsCog(core.client, core.desk, core.callers, core.state, ids))
    runner = await _add_commands(core)
    return DiscordFace(CommandSync(core.client, core.client.tree, core.database), runner)


async def _add_commands(core: Core) -> SlashRunner:
    """Slash commands and what hangs on them. A cog with commands of its own takes ``runner`` and ``offers``."""
    button_ids = ButtonIds(core.database.keyring)
    plan_buttons = PlanButtons(core.desk, core.callers, core.facts, core.state, button_ids)
    runner = SlashRunner(core.registry, core.executor, core.callers, plan_buttons)
    offers = Autocompletes(core.registry, core.executor, core.desk, core.callers, core.state)
    buttons = SlashButtonsCog(core.client, button_ids)
    runner.answer_presses(buttons)
    await core.client.add_cog(buttons)
    await core.client.add_cog(PrivacyCog(runner, button_ids, buttons))
    await core.client.add_cog(LogButtonsCog(core.client, runner, LogIds(core.database.keyring)))
    await core.client.add_cog(setup_cog(core, runner))
    board, tree = Board(core), core.client.tree
    pages = CasePages(runner, button_ids, buttons)
    for cog in (
        AboutCog(tree, core.registry, core.explainer, core.callers, core.facts, runner, button_ids, buttons),
        StatusCog(
            board,
            runner,
            (board.refused_commands, board.lost_channels, core.log_channels.concern, PauseConcern(core.facts)),
        ),
        AuditCog(runner, plan_buttons, offers, button_ids, buttons),
        PlansCog(core.desk, core.state, runner, plan_buttons, offers, button_ids, buttons),
        CasesCog(runner, core.executor, offers, pages),
        AgentCommandsCog(runner, core.agent),
    ):
        await core.client.add_cog(cog)
    bot_user_id = core.state.source.bot_user_id
    agent_menus = AgentMenus(runner, core.agent, button_ids, buttons, core.database, core.facts, bot_user_id)
    for menu in (*CaseMenus(runner, button_ids, buttons, pages).commands(), *agent_menus.commands()):
        add_menu(tree, menu)
    tree.error(tell)
    for command in commands_of(FACES, GROUPS, core.registry, runner, offers):
        tree.add_command(command)
    tree.add_command(policy_group(core.registry, runner, offers))
    for command in chat_access_commands(core.registry, runner, offers):
        tree.add_command(command)
    tree.add_command(mcp_group(core.registry, runner, offers))
    tree.add_command(connect_command(partial(_address, core)))
    return runner


async def _address(core: Core) -> str | None:
    """Where MCP is served over HTTP: PUBLIC_URL, else where this process listens. Raises DatabaseUnavailable."""
    if core.settings.mcp_transport == "stdio":
        return None
    if core.settings.public_url is not None:
        return core.settings.public_url
    async with core.database.read() as session:
        return await instance.get(session, instance.ADDRESS) or core.settings.address
