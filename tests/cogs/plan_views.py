"""Plans as the desk shows them, for what is pure of a card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from operations.base import Change
from operations.plans import PlanView
from policy.model import CallerKind, Face, Strength, Target, Tier
from storage.calls import CallState

PLAN_ID = "cl_" + "a" * 17
GUILD_ID = 1_100_000_000_000_000_001
CHANNEL_ID = 1_100_000_000_000_000_002
MEMBER_ID = 1_100_000_000_000_000_003
REQUESTER_ID = 1_100_000_000_000_000_004
NOW = 1_800_000_000.0


def plan_view(text: str = "general", **changed: Any) -> PlanView:
    """A plan in which every foreign string is ``text``."""
    plan = PlanView(
        plan_id=PLAN_ID,
        operation="channel_delete",
        title="Channel delete",
        tier=Tier.CRITICAL,
        strength=Strength.PERSON,
        state=CallState.PENDING,
        workspace_id="ws_1",
        installation_id="in_1",
        guild_id=GUILD_ID,
        requester_id=REQUESTER_ID,
        requester_kind=CallerKind.TOKEN,
        client_id="mc_1",
        client_name=text,
        face=Face.MCP,
        tainted=True,
        sources=frozenset(),
        reason=text,
        targets=(Target("channel", CHANNEL_ID, GUILD_ID, text),),
        name_to_type=text,
        summary=text,
        changes=(Change(target=text, field=text, before=text, after={text: [text]}),),
        unknowns=(text,),
        reversible=False,
        created_at=NOW,
        expires_at=NOW + 86_400,
        asked=True,
        origin_channel_id=None,
        card=None,
        confirmed_by=None,
        settled_at=None,
        outcome=None,
        detail="",
    )
    return replace(plan, **changed)
