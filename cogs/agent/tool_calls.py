"""Tool calls of a model, as calls of the member: through the executor, with guild and channel of the event."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import structlog

from cogs.agent.messages import Block, ToolUse
from cogs.agent.tools import SEARCH, Here, Toolbox, arguments_of
from cogs.agent.turns import Stopped, Turn
from operations.base import Executor, Operation, Outcome, Status
from operations.errors import Refused
from operations.outcomes import text as in_words
from operations.plans import LONGEST_WAIT_SECONDS, Asking, Plans, PlanView
from operations.sanitise import cap, sanitise
from policy.model import Caller, Kind
from policy.taint import Source
from storage.calls import CallState
from storage.database import DatabaseUnavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")

CLICK_SECONDS = 60.0
MOST_CALLS = 16
MOST_AT_ONCE = 4
LONGEST_RESULT = 60_000
_CLOSING = re.compile(r"</\s*data", re.IGNORECASE)
_ENDED = {
    CallState.DENIED: "NOT DONE: somebody who may decide it said no. Don't ask for it again.",
    CallState.EXPIRED: "NOT DONE: nobody confirmed it in time.",
    CallState.CANCELLED: "NOT DONE: it was taken back.",
}


class Shown(Protocol):
    """What the member sees meanwhile (cogs.agent.reply.Reply)."""

    def waiting(self) -> None: ...


@dataclass(slots=True)
class Results:
    """What a round of calls came to. ``seen``: the places that one must see to know of it. ``pending``: plans that
    still wait for a click.
    """

    blocks: list[Block] = field(default_factory=list[Block])
    seen: set[Source] = field(default_factory=set[Source])
    pending: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    is_error: bool = False
    outcome: Outcome | None = None


class ToolCalls:
    def __init__(
        self,
        executor: Executor,
        plans: Plans,
        *,
        click_seconds: float = CLICK_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._executor = executor
        self._plans = plans
        self._click_seconds = click_seconds
        self._monotonic = monotonic

    async def run(self, uses: Sequence[ToolUse], turn: Turn, caller: Caller, toolbox: Toolbox, shown: Shown) -> Results:
        """The results, one for each call and in their order. Reads run together, writes one after the other.

        Raises Stopped: a write that was committed goes to its end all the same.
        """
        here = Here(turn.mention.guild_id, turn.mention.channel_id)
        answers: list[_Answer] = []
        at = 0
        while at < len(uses):
            together = [uses[at]]
            while (
                self._reads(together[-1], toolbox) and len(together) < MOST_AT_ONCE and at + len(together) < len(uses)
            ):
                if not self._reads(uses[at + len(together)], toolbox):
                    break
                together.append(uses[at + len(together)])
            calls = [self._call(use, at + n, caller, toolbox, here) for n, use in enumerate(together)]
            answers += await turn.unless_stopped(_all(calls))
            at += len(together)
        return await self._settled(uses, answers, turn, caller, shown)

    @staticmethod
    def _reads(use: ToolUse, toolbox: Toolbox) -> bool:
        operation = toolbox.get(use.name)
        return operation is not None and operation.kind is Kind.READ

    async def _call(self, use: ToolUse, at: int, caller: Caller, toolbox: Toolbox, here: Here) -> _Answer:
        if at >= MOST_CALLS:
            return _Answer(f"Not run: at most {MOST_CALLS} calls at once. Call it again in the next step.", True)
        if use.arguments is None:
            return _Answer("Not run: the arguments are no JSON object.", True)
        if use.name == SEARCH and toolbox.get(use.name) is None:
            return _Answer(_found(toolbox.search(str(use.arguments.get("query", "")))))
        operation = toolbox.get(use.name)
        if operation is None:
            return _Answer("There is no such tool for this member. Find the right one with a search of tools.", True)
        arguments = arguments_of(operation, use.arguments, here)
        outcome = await self._executor.run(operation.name, arguments, caller, asking=Asking(channel_id=here.channel_id))
        return _Answer(_told(outcome), outcome.is_error, outcome)

    # ------------------------------------------------------------------- plans
    async def _settled(
        self, uses: Sequence[ToolUse], answers: Sequence[_Answer], turn: Turn, caller: Caller, shown: Shown
    ) -> Results:
        """Waits for the clicks on all cards together."""
        results = Results()
        waiting = [plan_id for answer in answers if (plan_id := _awaited(answer.outcome)) is not None]
        views: dict[str, PlanView] = {}
        if waiting:
            shown.waiting()
            until = self._monotonic() + self._click_seconds
            try:
                found = await turn.unless_stopped(_all([self._wait(plan_id, caller, until) for plan_id in waiting]))
            except Stopped:
                await self._take_back(waiting, caller)
                raise
            views = {plan_id: view for plan_id, view in zip(waiting, found, strict=True) if view is not None}
        for use, answer in zip(uses, answers, strict=True):
            outcome, text, is_error = answer.outcome, answer.text, answer.is_error
            if outcome is not None:
                results.seen |= outcome.seen
                if (plan_id := _awaited(outcome)) is not None:
                    view = views.get(plan_id)
                    text, is_error = _of_plan(outcome, view), False
                    if view is None or not view.state.terminal:
                        results.pending.append(plan_id)
            block: Block = {"type": "tool_result", "tool_use_id": use.id, "content": text}
            results.blocks.append({**block, "is_error": True} if is_error else block)
        return results

    async def _take_back(self, plan_ids: Sequence[str], caller: Caller) -> None:
        for plan_id in plan_ids:
            try:
                await self._plans.cancel(plan_id, caller, "The turn was stopped.")
            except (Refused, DatabaseUnavailable) as error:
                log.info("a stopped turn's plan stays", plan_id=plan_id, reason=str(error))

    async def _wait(self, plan_id: str, caller: Caller, until: float) -> PlanView | None:
        """The plan once it is settled, or as it is when the time is over. No request to the provider is open."""
        view: PlanView | None = None
        while view is None or not view.state.terminal:
            left = until - self._monotonic()
            if left <= 0:
                break
            try:
                view = await self._plans.wait(plan_id, caller, min(left, LONGEST_WAIT_SECONDS))
            except (Refused, DatabaseUnavailable) as error:
                log.info("a plan could not be waited for", plan_id=plan_id, reason=str(error))
                break
        return view


async def _all(calls: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    return list(await asyncio.gather(*calls))


def _awaited(outcome: Outcome | None) -> str | None:
    """The plan that waits for a person."""
    if outcome is None or outcome.plan is None or outcome.status is not Status.NEEDS_CONFIRMATION:
        return None
    return outcome.plan.plan_id


def _told(outcome: Outcome) -> str:
    """As data of others, capped. Whatever stands in it, a plan's token does not."""
    if outcome.plan is not None:
        outcome = replace(outcome, plan=replace(outcome.plan, plan_token=None))
    return marked(in_words(outcome))


def marked(text: str) -> str:
    """A result between marks that nothing inside can end."""
    inner = _CLOSING.sub("&lt;/data", sanitise(cap(text, LONGEST_RESULT)))
    return f"<data>\n{inner}\n</data>"


def _of_plan(outcome: Outcome, view: PlanView | None) -> str:
    summary = outcome.preview.summary if outcome.preview is not None else outcome.operation
    if view is None or not view.state.terminal:
        where = view.approve_url if view is not None and view.approve_url else outcome.plan and outcome.plan.approve_url
        card = f" on the card at {where}" if where else " on the card"
        return marked(
            f"NOT DONE YET: {summary}. A person has to confirm it{card}; until then nothing happens, and nobody "
            "pressed within a minute. Tell that, and end here: what becomes of it is told below the card."
        )
    if view.state in _ENDED:
        return marked(f"{_ENDED[view.state]} ({summary})")
    confirmed = f", confirmed by <@{view.confirmed_by}>" if view.confirmed_by is not None else ""
    told = json.dumps(dict(view.outcome), ensure_ascii=False, default=str) if view.outcome is not None else view.detail
    return marked(f"{view.state.value.upper()}: {summary}{confirmed}. {told}")


def _found(operations: Sequence[Operation]) -> str:
    if not operations:
        return "Nothing found. Try other words; what this member may not do is not listed."
    lines = [f"- {operation.name}: {operation.description}" for operation in operations]
    return "\n".join(["Found; they can be called from the next step on:", *lines])
