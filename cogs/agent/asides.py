"""Answers to one person alone: a summary, a draft. One request, without tools, of what he may read himself.

What goes to the model was read in his name, and he alone sees the answer, so nothing reaches anybody who may not know.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from cogs.agent import words
from cogs.agent.budget import Budget, OutOfBudget
from cogs.agent.messages import Answered, Provider, ProviderError, Request, TextDelta, Usage
from cogs.agent.prompt import ASIDE
from cogs.agent.reply_text import OwnLinks, inert
from cogs.agent.tool_calls import told
from operations import call_ids
from operations.agent_accounts import AgentAccounts
from operations.base import Executor, Outcome, Status
from operations.callers import Callers
from operations.guild_state import GuildState
from operations.member_rights import role_ids_of
from operations.outcomes import text as in_words
from operations.sanitise import sanitise
from operations.turn_journal import TurnJournal, TurnRecord
from policy.model import Caller, Face
from storage.database import DatabaseUnavailable

log = structlog.get_logger(__name__)

MOST_TOKENS = 1_500


@dataclass(frozen=True, slots=True)
class Wanted:
    """``operation`` and ``arguments``: what is read first, as the person who asks. ``task``: what is to be done with
    it.
    """

    guild_id: int
    channel_id: int
    user_id: int
    operation: str
    arguments: Mapping[str, Any]
    task: str


@dataclass(frozen=True, slots=True)
class Said:
    """``ok`` False: the text says why there is no answer. ``read``: what was read."""

    text: str
    ok: bool = False
    read: Outcome | None = None


@dataclass(slots=True)
class _Spent:
    usage: Usage
    micros: int = 0
    requests: int = 0


class Asides:
    """``provider`` None: no key is set."""

    def __init__(
        self,
        *,
        provider: Provider | None,
        budget: Budget,
        accounts: AgentAccounts,
        executor: Executor,
        callers: Callers,
        state: GuildState,
        journal: TurnJournal,
    ) -> None:
        self._provider = provider
        self._budget = budget
        self._accounts = accounts
        self._executor = executor
        self._callers = callers
        self._state = state
        self._journal = journal

    async def answer(self, wanted: Wanted) -> Said:
        """Whatever happens, there are words for it."""
        caller = self._callers.of_member(wanted.guild_id, wanted.user_id, Face.AGENT)
        if caller is None:
            return Said(words.NOT_INSTALLED)
        if self._provider is None:
            return Said(words.NOT_CONFIGURED)
        began_at, turn_id, spent = time.monotonic(), call_ids.new_call_id(), _Spent(Usage())
        status, reason = "failed", ""
        try:
            said = await self._answer(self._provider, wanted, caller, spent)
            status = "done" if said.ok else "refused"
        except ProviderError as error:
            reason, said = error.trouble.value, Said(words.of_error(error))
        except OutOfBudget as error:
            status, reason = "refused", f"budget of the {error.account.scope}"
            said = Said(words.out_of_budget(error.account))
        except DatabaseUnavailable:
            reason, said = "database", Said(words.DATABASE_DOWN)
        record = TurnRecord(
            turn_id=turn_id,
            guild_id=wanted.guild_id,
            channel_id=wanted.channel_id,
            status=status,
            reason=reason,
            details={
                "requests": spent.requests,
                "tools": 1,
                "tokens": spent.usage.total,
                "cost_micros": spent.micros,
                "private": True,
            },
            duration_seconds=time.monotonic() - began_at,
        )
        await self._journal.record(caller, record)
        return said

    async def _answer(self, provider: Provider, wanted: Wanted, caller: Caller, spent: _Spent) -> Said:
        outcome = await self._executor.run(wanted.operation, dict(wanted.arguments), caller)
        if outcome.status is not Status.DONE:
            return Said(in_words(outcome))
        view = await self._state.view(wanted.guild_id, wanted.user_id)
        if view is None or caller.workspace_id is None:
            return Said(words.NOT_INSTALLED)
        roles = role_ids_of(view.actor)
        accounts = self._accounts.of(caller.workspace_id, wanted.guild_id, wanted.user_id, roles)
        model = await self._budget.model(accounts, self._accounts.rules(wanted.guild_id).model)
        content = [{"type": "text", "text": told(outcome)}, {"type": "text", "text": f"<task>{wanted.task}</task>"}]
        request = Request(model.name, ASIDE, (), [{"role": "user", "content": content}], MOST_TOKENS)
        reservation = await self._budget.reserve(accounts, model, request)
        answered: Answered | None = None
        began = False
        spent.requests += 1
        try:
            async for event in provider.stream(request):
                began = began or isinstance(event, TextDelta | Answered)
                answered = event if isinstance(event, Answered) else answered
        finally:
            used = answered.usage if answered is not None else None
            if used is None:
                # Not told, or broken off: the most that it can have been.
                used = Usage(reservation.input_tokens, MOST_TOKENS) if began else Usage()
            spent.usage, spent.micros = used, model.cost(used)
            await self._budget.settle(reservation, used)
        text = "" if answered is None else answered.text.strip()
        if answered is None or answered.stop_reason == "refusal" or not text:
            return Said(words.REFUSED if answered and answered.stop_reason == "refusal" else words.NOTHING_TO_SAY)
        if answered.stop_reason == "max_tokens":
            text += f"\n\n{words.CUT_SHORT}"
        return Said(inert(sanitise(text), OwnLinks.of((), wanted.guild_id)), True, outcome)
