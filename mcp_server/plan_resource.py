"""`discord://plans/{plan_id}`: a plan, and word of it once it is settled."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any

from mcp.shared.uri_template import UriTemplate

from mcp_server.resources import Variables
from operations.plans import LONGEST_WAIT_SECONDS, Plans
from policy.model import Caller


class PlanResource:
    template = UriTemplate.parse("discord://plans/{plan_id}")
    name = "plan"
    title = "Plan"
    description = "A write that awaits its confirmation, or what became of it. Updated when it is settled."

    def __init__(self, plans: Plans) -> None:
        self._plans = plans

    def call(self, variables: Variables) -> tuple[str, dict[str, Any]]:
        return "plan_get", {"plan_id": variables["plan_id"]}

    async def changes(self, variables: Variables, caller: Callable[[], Caller]) -> AsyncGenerator[None]:
        plan_id = variables["plan_id"]
        settled = False
        while not settled:
            settled = (await self._plans.wait(plan_id, caller(), LONGEST_WAIT_SECONDS)).state.terminal
        # He may have lost the right to know of it while this waited.
        await self._plans.view(plan_id, caller())
        yield
