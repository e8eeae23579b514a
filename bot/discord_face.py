"""Discord's face: what members meet there, each cog built with what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cogs.approval_cards import PlanCards
from cogs.approval_places import CardPlaces
from cogs.approvals import ApprovalsCog
from cogs.custom_ids import CustomIds

if TYPE_CHECKING:
    from bot.core import Core


async def add_discord_face(core: Core) -> None:
    """Plans get their cards from now on. Without a gateway nobody can press a button: the cards say so instead."""
    ids = CustomIds(core.database.keyring)
    core.plan_upkeep.attach(PlanCards(core.client, CardPlaces(core.state, core.facts), ids))
    if not core.settings.enable_gateway:
        return
    await core.client.add_cog(ApprovalsCog(core.client, core.desk, core.callers, core.state, ids))
