"""The loop between model and tools: at most ten requests, the last one without tools, so that a turn ends in words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import structlog

from cogs.agent import words
from cogs.agent.budget import Account, Budget, Model
from cogs.agent.history import Asked, request_blocks, tokens_of
from cogs.agent.messages import Answered, Block, Provider, ProviderError, Request, TextDelta, ToolNamed, Usage
from cogs.agent.prompt import SYSTEM
from cogs.agent.reply import Reply
from cogs.agent.tool_calls import Results, ToolCalls
from cogs.agent.tools import Toolbox
from cogs.agent.turns import Mention, Turn
from policy.model import Caller
from policy.taint import Source

log = structlog.get_logger(__name__)

MOST_REQUESTS = 10
TRIES = 3
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
MOST_CONTINUATIONS = 3
_GO_ON = "Your answer was cut off by its length limit. Go on exactly where it stopped, without repeating anything."


@dataclass(slots=True)
class Tally:
    """What a turn took. Mutable: it grows."""

    requests: int = 0
    tools: list[str] = field(default_factory=list[str])
    usage: Usage = field(default_factory=Usage)
    micros: int = 0

    def add(self, usage: Usage, micros: int) -> None:
        known = self.usage
        self.usage = Usage(
            known.input + usage.input,
            known.output + usage.output,
            known.cache_read + usage.cache_read,
            known.cache_written + usage.cache_written,
        )
        self.micros += micros


@dataclass(frozen=True, slots=True)
class Round:
    """What stays the same over a turn. ``accounts``: whose budgets pay."""

    turn: Turn
    caller: Caller
    toolbox: Toolbox
    reply: Reply
    model: Model
    accounts: tuple[Account, ...]
    tally: Tally


@dataclass(slots=True)
class _Heard:
    """Of one request, so far. Mutable: it grows."""

    began: bool = False
    text: str = ""
    answered: Answered | None = None


class Loop:
    """``leaks``: whether somebody in the request's channel can't see one of these places."""

    def __init__(
        self,
        provider: Provider,
        budget: Budget,
        calls: ToolCalls,
        *,
        leaks: Callable[[Mention, set[Source]], bool],
        on_pending: Callable[[Round, str], None],
        on_follow_ups: Callable[[Round, list[Mention]], None],
        max_tokens: int,
    ) -> None:
        """``on_pending``: a plan waits for a click beyond the turn. ``on_follow_ups``: its author wrote on."""
        self._provider = provider
        self._budget = budget
        self._calls = calls
        self._leaks = leaks
        self._on_pending = on_pending
        self._on_follow_ups = on_follow_ups
        self._max_tokens = max_tokens

    async def run(
        self, this: Round, messages: list[dict[str, Any]], asked_of: Callable[[Mention], Awaitable[Asked]]
    ) -> None:
        """``messages`` grows. ``asked_of``: a follow-up as what it asks. Raises ProviderError, OutOfBudget, Stopped and
        DatabaseUnavailable.
        """
        must_end, continued = False, 0
        for step in range(1, MOST_REQUESTS + 1):
            last = must_end or step == MOST_REQUESTS
            answered = await self._ask(this, messages, tools_allowed=not last, goes_on=continued > 0)
            match answered.stop_reason:
                case "tool_use" if answered.uses and not last:
                    messages.append({"role": "assistant", "content": list(answered.content)})
                    results = await self._use(this, answered)
                    must_end = bool(results.pending)
                    content = [*results.blocks, *await self._follow_ups(this, asked_of)]
                    messages.append({"role": "user", "content": content})
                    continued = 0
                    continue
                case "pause_turn" if answered.content and not last:
                    messages.append({"role": "assistant", "content": list(answered.content)})
                    continue
                case "max_tokens" if answered.text.strip() and continued < MOST_CONTINUATIONS and not last:
                    # A call that was cut off is none: of the answer the words alone are kept.
                    continued += 1
                    messages.append({"role": "assistant", "content": [_text(answered.text.rstrip())]})
                    messages.append({"role": "user", "content": [_text(_GO_ON)]})
                    continue
                case "max_tokens":
                    this.reply.paragraph(words.CUT_SHORT)
                case "model_context_window_exceeded":
                    this.reply.paragraph(words.CONTEXT_FULL)
                case "refusal":
                    this.reply.paragraph(words.REFUSED)
                case _:
                    if not last and (more := await self._follow_ups(this, asked_of)):
                        messages.append({"role": "assistant", "content": list(answered.content) or [_text("…")]})
                        messages.append({"role": "user", "content": more})
                        continued = 0
                        continue
                    if last and not must_end and not answered.text.strip():
                        this.reply.paragraph(words.TOO_MANY_STEPS)
            return

    async def _follow_ups(self, this: Round, asked_of: Callable[[Mention], Awaitable[Asked]]) -> list[Block]:
        taken = this.turn.taken()
        if taken:
            self._on_follow_ups(this, taken)
        return [block for mention in taken for block in request_blocks(await asked_of(mention))]

    async def _use(self, this: Round, answered: Answered) -> Results:
        names = [use.name for use in answered.uses]
        this.tally.tools += names
        this.reply.using(names)
        results = await self._calls.run(answered.uses, this.turn, this.caller, this.toolbox, this.reply)
        if self._leaks(this.turn.mention, results.seen):
            # Before the model can say a word about it.
            await this.reply.go_private()
        for plan_id in results.pending:
            self._on_pending(this, plan_id)
        return results

    async def _ask(
        self, this: Round, messages: list[dict[str, Any]], *, tools_allowed: bool, goes_on: bool
    ) -> Answered:
        """One answer. What fails in passing is asked again, unless some of it was shown already."""
        request = Request(
            this.model.name, SYSTEM, this.toolbox.definitions(), messages, self._max_tokens, tools_allowed=tools_allowed
        )
        for attempt in range(1, TRIES + 1):
            heard = _Heard()
            try:
                return await self._once(this, request, heard, goes_on=goes_on)
            except ProviderError as error:
                pause = _pause(error, attempt)
                log.info("the provider failed", trouble=error.trouble.value, text=str(error), attempt=attempt)
                if not error.passing or heard.text or attempt == TRIES or pause > LONGEST_PAUSE_SECONDS:
                    raise
            await this.turn.unless_stopped(asyncio.sleep(pause))
        raise AssertionError("the last try returns or raises")

    async def _once(self, this: Round, request: Request, heard: _Heard, *, goes_on: bool) -> Answered:
        reservation = await self._budget.reserve(this.accounts, this.model, request)
        this.tally.requests += 1
        try:
            return await this.turn.unless_stopped(self._listen(this, request, heard, goes_on=goes_on))
        finally:
            usage = heard.answered.usage if heard.answered is not None else None
            if usage is None:
                # Not told, or broken off: what it must have been, as far as it is known.
                said = heard.text if heard.answered is None else str(heard.answered.content)
                usage = Usage(reservation.input_tokens, tokens_of(said)) if heard.began else Usage()
            this.tally.add(usage, this.model.cost(usage))
            await self._budget.settle(reservation, usage)

    async def _listen(self, this: Round, request: Request, heard: _Heard, *, goes_on: bool) -> Answered:
        names: list[str] = []
        async with aclosing(self._provider.stream(request)) as events:
            async for event in events:
                heard.began = True
                match event:
                    case TextDelta(text):
                        if heard.text or goes_on or not this.reply.has_text:
                            this.reply.add(text)
                        else:
                            this.reply.paragraph(text)
                        heard.text += text
                    case ToolNamed(name):
                        names.append(name)
                        this.reply.using(names)
                    case Answered():
                        heard.answered = event
        if heard.answered is None:
            raise AssertionError("the last event of a stream is the answer")
        return heard.answered


def _pause(error: ProviderError, attempt: int) -> float:
    told = error.retry_after_seconds
    return FIRST_PAUSE_SECONDS * 2 ** (attempt - 1) if told is None else told


def _text(text: str) -> Block:
    return {"type": "text", "text": text}
