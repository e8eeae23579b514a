"""What a `tools/call` answers when its plan awaits a confirmation: the client is asked, in the way of its era.

A client's answer confirms what any proof confirms, and nothing that needs a person (the plans themselves decide it).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mcp.types as t
import structlog
from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from pydantic import ValidationError

from mcp_server import elicitation
from mcp_server.identities import Identities
from mcp_server.plan_outcomes import outcome_of
from mcp_server.request_state import AskedFor
from mcp_server.results import tool_result
from mcp_server.transports import MODERN_PROTOCOL_VERSIONS
from operations.base import Outcome, PlanInfo, Status
from operations.errors import Refused
from operations.plans import ClientProof, Plans
from operations.refusals import DATABASE_DOWN
from policy.model import Kind, Refuse, Strength
from storage.database import DatabaseUnavailable

_INPUT = "confirmation"
"""Under which key 2026-07-28 asks and answers."""
_ANSWER_SECONDS = 600.0
"""The longest that the handshake era's call waits for a person; the plan outlives an answer that never comes."""
_DECLINED = "The person declined. Do not ask for it again unless they say so."
_UNANSWERED = "The question was dismissed without an answer."

log = structlog.stdlib.get_logger(__name__)

Context = ServerRequestContext[Any, Any]
Result = t.CallToolResult | t.InputRequiredResult


def awaits(outcome: Outcome) -> bool:
    """Whether a plan of this outcome is stored and waits, so that its client can be asked."""
    return outcome.status is Status.NEEDS_CONFIRMATION and outcome.plan is not None


class Confirmations:
    def __init__(self, plans: Plans, identities: Identities, clock: Callable[[], float] = time.time) -> None:
        """``clock``: seconds since the epoch."""
        self._plans = plans
        self._identities = identities
        self._clock = clock

    async def answer(self, ctx: Context, outcome: Outcome) -> Result:
        """The answer to a call that came to ``outcome``. Where a plan waits, its client is asked, if it can be."""
        plan = outcome.plan
        if plan is None or not awaits(outcome):
            return tool_result(outcome)
        if plan.strength >= Strength.PERSON:
            return await self._offer_card(ctx, outcome, plan)
        if not elicitation.takes_forms(ctx.session.client_capabilities):
            return tool_result(outcome)
        asked = elicitation.form(outcome)
        if _is_modern(ctx):
            return _input_required(asked, AskedFor(plan_id=plan.plan_id, asked="form"))
        answer = await self._ask(ctx, asked, plan)
        if answer is not None and answer.action == "accept":
            return await self._confirm(ctx, plan.plan_id)
        return tool_result(_left_pending(outcome, answer))

    async def resume(self, ctx: Context, params: t.CallToolRequestParams, state: str) -> t.CallToolResult:
        """2026-07-28: the same call again, with the client's answer. ``state`` has passed the boundary.

        Raises MCPError for a state that says nothing of a plan.
        """
        asked = AskedFor.read(state)
        given = (params.input_responses or {}).get(_INPUT)
        answer = given if isinstance(given, t.ElicitResult) else None
        if asked.asked == "form" and answer is not None and answer.action == "accept":
            return await self._confirm(ctx, asked.plan_id)
        try:
            view = await self._plans.view(asked.plan_id, self._identities.caller(ctx.request))
        except Refused as refused:
            return tool_result(_refusal(asked.plan_id, refused.refusal))
        except DatabaseUnavailable:
            return tool_result(_refusal(asked.plan_id, DATABASE_DOWN))
        outcome = outcome_of(view)
        return tool_result(_left_pending(outcome, answer) if asked.asked == "form" and awaits(outcome) else outcome)

    async def _confirm(self, ctx: Context, plan_id: str) -> t.CallToolResult:
        # The rights of now: while a person thought about it, the token may have been revoked.
        caller = self._identities.caller(ctx.request)
        try:
            return tool_result(await self._plans.confirm(plan_id, caller, ClientProof()))
        except Refused as refused:
            return tool_result(_refusal(plan_id, refused.refusal))
        except DatabaseUnavailable:
            return tool_result(_refusal(plan_id, DATABASE_DOWN))

    async def _offer_card(self, ctx: Context, outcome: Outcome, plan: PlanInfo) -> Result:
        """Whatever the client answers to the link, the card decides: an auto-accepting client has opened a page."""
        url = plan.approve_url
        if url is None or not elicitation.takes_urls(ctx.session.client_capabilities):
            return tool_result(outcome)
        if _is_modern(ctx):
            asked = elicitation.link(outcome, plan.plan_id, url, named=False)
            return _input_required(asked, AskedFor(plan_id=plan.plan_id, asked="link"))
        await self._ask(ctx, elicitation.link(outcome, plan.plan_id, url, named=True), plan)
        return tool_result(outcome)

    async def _ask(self, ctx: Context, asked: t.ElicitRequest, plan: PlanInfo) -> t.ElicitResult | None:
        """Asks in the handshake era, on this call's own stream; None where no answer can be had."""
        if not ctx.session.can_send_request:
            return None
        seconds = min(_ANSWER_SECONDS, max(plan.expires_at - self._clock(), 1.0))
        try:
            return await ctx.session.send_request(
                asked,
                t.ElicitResult,
                request_read_timeout_seconds=seconds,
                metadata=ServerMessageMetadata(related_request_id=ctx.request_id),
            )
        except (MCPError, ValidationError) as error:
            # Not the error itself: it may quote what the person has typed.
            log.info("elicitation_unanswered", plan_id=plan.plan_id, error=type(error).__name__)
            return None


def _is_modern(ctx: Context) -> bool:
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS


def _input_required(asked: t.ElicitRequest, state: AskedFor) -> t.InputRequiredResult:
    return t.InputRequiredResult(input_requests={_INPUT: asked}, request_state=state.model_dump_json())


def _left_pending(outcome: Outcome, answer: t.ElicitResult | None) -> Outcome:
    """The plan waits on. A model gets no token for what the person has just declined."""
    if answer is None or answer.action != "decline" or outcome.plan is None:
        return replace(outcome, detail=_UNANSWERED)
    return replace(outcome, detail=_DECLINED, plan=replace(outcome.plan, plan_token=None))


def _refusal(plan_id: str, refusal: Refuse) -> Outcome:
    return Outcome(Status.REFUSED, "plan_confirm", Kind.CONTROL, plan_id, refusal=refusal)
