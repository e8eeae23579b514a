"""A turn from mention to reply: who asks and what he may use, the conversation before it, the loop, what is kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from cogs.agent import words
from cogs.agent.attachments import Files, blocks_of
from cogs.agent.budget import Budget, OutOfBudget
from cogs.agent.conversations import Conversation, ConversationKey, Conversations, Utterance
from cogs.agent.history import Asked, condensable, messages_for, transcript
from cogs.agent.loop import Loop, Round, Tally
from cogs.agent.messages import Answered, Provider, ProviderError, Request, Usage
from cogs.agent.messenger import From, Messenger, typing
from cogs.agent.plan_outcomes import PlanOutcomes
from cogs.agent.prompt import SUMMARY
from cogs.agent.reply import EditPace, Reply
from cogs.agent.reply_text import OwnLinks
from cogs.agent.tool_calls import ToolCalls
from cogs.agent.tools import ToolCatalogue
from cogs.agent.turns import Mention, Stopped, Turn
from operations.agent_accounts import AgentAccounts
from operations.audience import leaks
from operations.callers import Callers
from operations.failures import DISCORD_FAILED, refusal_of
from operations.guild_state import GuildState, GuildVanished, GuildView
from operations.member_rights import role_ids_of
from operations.outcomes import sentence
from operations.pauses import held
from operations.services import Decisions
from operations.turn_journal import TurnJournal, TurnRecord
from policy.model import Caller, Face
from policy.permissions import Bits
from policy.presets import ALL, PresetName
from policy.taint import Source
from storage.database import DatabaseUnavailable
from storage.facts import PlatformFacts

log = structlog.get_logger(__name__)

SUMMARY_TOKENS = 600


@dataclass(frozen=True, slots=True)
class Limits:
    """``output_tokens``: of one answer. ``history_tokens``: of the conversation that goes with a request."""

    output_tokens: int = 8_192
    history_tokens: int = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a turn needs; built in the composition root. ``provider`` None: no key is set."""

    provider: Provider | None
    calls: ToolCalls
    catalogue: ToolCatalogue
    budget: Budget
    accounts: AgentAccounts
    conversations: Conversations
    messenger: Messenger
    outcomes: PlanOutcomes
    journal: TurnJournal
    pace: EditPace
    callers: Callers
    decisions: Decisions
    facts: PlatformFacts
    state: GuildState
    files: Files
    limits: Limits


@dataclass(slots=True)
class _Course:
    """How a turn goes. Mutable: it ends with a status. ``kept``: how much of ``said`` is kept already."""

    key: ConversationKey
    caller: Caller
    said: list[Utterance]
    asked: dict[int, Asked] = field(default_factory=dict[int, Asked])
    tally: Tally = field(default_factory=Tally)
    kept: int = 0
    status: str = "done"
    reason: str = ""


class Engine:
    """Implements cogs.agent.turns.Answering."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._condensing: dict[ConversationKey, asyncio.Task[None]] = {}

    async def aclose(self) -> None:
        for task in self._condensing.values():
            task.cancel()
        await asyncio.gather(*self._condensing.values(), return_exceptions=True)

    async def answer(self, turn: Turn) -> None:
        parts, mention, began_at = self._parts, turn.mention, time.monotonic()
        sender = From(turn.turn_id, mention.guild_id, mention.author_id)
        caller = parts.callers.of_member(mention.guild_id, mention.author_id, Face.AGENT)
        async with typing(parts.messenger, sender, mention.channel_id) as answered:
            reply = Reply(
                parts.messenger,
                sender,
                parts.pace,
                channel_id=mention.channel_id,
                reply_to=mention.message_id,
                own_links=OwnLinks.of([mention.text], mention.guild_id),
                on_post=answered.set,
            )
            if caller is None:
                async with reply:
                    reply.paragraph(words.NOT_INSTALLED)
                    await reply.finish()
                return
            course = _Course(self._key(mention), caller, [_said(mention)])
            try:
                async with reply:
                    await self._go(turn, course, reply)
                    if not reply.has_text:
                        reply.paragraph(words.NOTHING_TO_SAY)
                    await reply.finish()
            except asyncio.CancelledError:
                course.status, course.reason = "stopped", "the process ends"
                raise
            finally:
                # What stands in the channel is kept and audited, also when the process ends just then.
                await asyncio.shield(self._closed(turn, course, reply, time.monotonic() - began_at))

    async def _closed(self, turn: Turn, course: _Course, reply: Reply, duration_seconds: float) -> None:
        await self._keep(turn, course, reply)
        await self._parts.journal.record(course.caller, _record(turn, course, reply, duration_seconds))

    async def _go(self, turn: Turn, course: _Course, reply: Reply) -> None:
        """Whatever happens, there are words for it."""
        try:
            await self._run(turn, course, reply)
        except Stopped:
            course.status, said = "stopped", words.STOPPED
        except ProviderError as error:
            log.warning("a turn without an answer", trouble=error.trouble.value, text=str(error), turn_id=turn.turn_id)
            course.status, course.reason, said = "failed", error.trouble.value, words.of_error(error)
        except OutOfBudget as error:
            course.status, course.reason = "refused", f"budget of the {error.account.scope}"
            said = words.out_of_budget(error.account)
        except DatabaseUnavailable:
            course.status, course.reason, said = "failed", "database", words.DATABASE_DOWN
        except DISCORD_FAILED as error:
            refusal = refusal_of(error)
            course.status, course.reason, said = "failed", refusal.code, sentence(refusal.reason, refusal.remedy)
        except GuildVanished:
            course.status, course.reason, said = "refused", "no member", words.NOT_INSTALLED
        except Exception:
            log.exception("a turn failed", turn_id=turn.turn_id)
            course.status, course.reason, said = "failed", "unexpected", words.BROKEN
        else:
            return
        reply.paragraph(said)

    async def _run(self, turn: Turn, course: _Course, reply: Reply) -> None:
        parts, mention, caller = self._parts, turn.mention, course.caller
        if parts.provider is None:
            course.status, course.reason = "refused", "not configured"
            reply.paragraph(words.NOT_CONFIGURED)
            return
        paused = held(parts.facts, mention.guild_id, caller)
        if paused is not None:
            course.status, course.reason = "refused", "paused"
            reply.paragraph(sentence(paused.reason, paused.remedy))
            return
        view = await parts.state.view(mention.guild_id, mention.author_id)
        if view is None or caller.workspace_id is None:
            raise GuildVanished
        # It reads what others wrote here, without a call: the same taint as if it had asked for it.
        parts.decisions.taint(caller, (Source(mention.guild_id, mention.channel_id),))
        conversation = _seen_by(mention, view, await parts.conversations.load(course.key))
        # Before it is answered: when its message is deleted meanwhile, it is forgotten, and stays so.
        await parts.conversations.append(course.key, course.said)
        course.kept = len(course.said)
        reply.allow_links(_links(mention, conversation, course.said))
        course.asked[mention.message_id] = await turn.unless_stopped(self._asked(mention))
        messages = messages_for(
            conversation, course.asked[mention.message_id], budget_tokens=parts.limits.history_tokens
        )
        accounts = parts.accounts.of(caller.workspace_id, mention.guild_id, mention.author_id, role_ids_of(view.actor))
        this = Round(
            turn=turn,
            caller=caller,
            toolbox=parts.catalogue.toolbox(
                caller,
                view,
                parts.facts.snapshot.memberships.get((caller.workspace_id, mention.author_id)),
                server_searches=parts.provider.searches_tools,
                preset=self._preset(course.key),
            ),
            reply=reply,
            model=await parts.budget.model(accounts, parts.accounts.rules(mention.guild_id).model),
            accounts=accounts,
            tally=course.tally,
        )

        def joined(_this: Round, more: list[Mention]) -> None:
            course.said += [_said(each) for each in more]
            reply.allow_links(_links(mention, conversation, course.said))

        loop = Loop(
            parts.provider,
            parts.budget,
            parts.calls,
            leaks=self._leaks,
            on_pending=lambda _this, plan_id: parts.outcomes.watch(plan_id, turn, caller, course.key),
            on_follow_ups=joined,
            max_tokens=parts.limits.output_tokens,
        )
        await loop.run(this, messages, self._asked)
        self._condense(course.key, this)

    async def _asked(self, mention: Mention) -> Asked:
        blocks = await blocks_of(mention.attached, self._parts.files)
        return Asked(replace(_said(mention), text=mention.text), mention.quoted, blocks)

    def _leaks(self, mention: Mention, seen: set[Source]) -> bool:
        if not seen:
            return False
        view = self._parts.state.view_at_once(mention.guild_id, None)
        return view is None or leaks(view, mention.channel_id, seen)

    def _key(self, mention: Mention) -> ConversationKey:
        installation = self._parts.facts.snapshot.installations.get(mention.guild_id)
        return ConversationKey(installation.id if installation else "", mention.guild_id, mention.channel_id)

    def _preset(self, key: ConversationKey) -> PresetName:
        rules = self._parts.facts.snapshot.guild_rules.get(key.installation_id)
        return ALL if rules is None or rules.preset is None else rules.preset

    # -------------------------------------------------------------------- after
    async def _keep(self, turn: Turn, course: _Course, reply: Reply) -> None:
        """Of a turn stays what was asked and what stands in the channel; results of tools are gone."""
        message_id, text = reply.posted_here
        said = course.said[course.kept :]
        if message_id and text:
            said.append(
                Utterance(
                    message_id=message_id,
                    author_id=self._parts.state.source.bot_user_id,
                    author_name="assistant",
                    kind="bot",
                    text=text,
                    at=time.time(),
                    for_user_id=turn.mention.author_id,
                    by_agent=True,
                    part_ids=reply.further_here,
                )
            )
        if not said:
            return
        try:
            await self._parts.conversations.append(course.key, said)
        except DatabaseUnavailable:
            log.warning("a turn is not kept: the database does not answer", turn_id=turn.turn_id)

    def _condense(self, key: ConversationKey, this: Round) -> None:
        """After the reply, beside the next turn: nobody waits for it."""
        known = self._condensing.get(key)
        if known is None or known.done():
            self._condensing = {each: task for each, task in self._condensing.items() if not task.done()}
            self._condensing[key] = asyncio.create_task(self._condensed(key, this), name="summary")

    async def _condensed(self, key: ConversationKey, this: Round) -> None:
        parts = self._parts
        try:
            conversation = await parts.conversations.load(key)
            older = condensable(conversation, parts.limits.history_tokens)
            if not older or parts.provider is None:
                return
            text = transcript(conversation, older)
            content = [{"type": "text", "text": text}]
            request = Request(
                this.model.name, SUMMARY, (), [{"role": "user", "content": content}], max(SUMMARY_TOKENS, 1024)
            )
            reservation = await parts.budget.reserve(this.accounts, this.model, request)
            answered: Answered | None = None
            try:
                async for event in parts.provider.stream(request):
                    answered = event if isinstance(event, Answered) else answered
            finally:
                usage = (answered.usage if answered else None) or Usage(reservation.input_tokens, SUMMARY_TOKENS)
                await parts.budget.settle(reservation, usage)
            if answered is not None and answered.stop_reason in ("end_turn", "stop_sequence") and answered.text.strip():
                await parts.conversations.compact(key, answered.text.strip(), [said.message_id for said in older])
        except (ProviderError, OutOfBudget, DatabaseUnavailable) as error:
            # What does not fit is left out meanwhile; after the next turn it is tried again.
            log.info("a conversation was not condensed", reason=str(error))


def _said(mention: Mention) -> Utterance:
    return Utterance(
        message_id=mention.message_id,
        author_id=mention.author_id,
        author_name=mention.author_name,
        kind="human",
        text=mention.content or mention.text,
        at=mention.at,
        for_user_id=mention.author_id,
    )


def _seen_by(mention: Mention, view: GuildView, conversation: Conversation) -> Conversation:
    """What he may read of it: without the channel's history, no more than his own turns."""
    channel = view.channel(mention.channel_id)
    if channel is not None and view.bits(channel) & Bits.read_message_history:
        return conversation
    his = tuple(said for said in conversation.utterances if said.for_user_id == mention.author_id)
    return Conversation("", his)


def _links(mention: Mention, conversation: Conversation, said: Sequence[Utterance]) -> OwnLinks:
    """URLs that this very requester wrote, now or before: another member's are not his."""
    before = [each for each in conversation.utterances if each.author_id == mention.author_id and not each.by_agent]
    return OwnLinks.of([each.text for each in (*before, *said)], mention.guild_id)


def _record(turn: Turn, course: _Course, reply: Reply, duration_seconds: float) -> TurnRecord:
    tally = course.tally
    return TurnRecord(
        turn_id=turn.turn_id,
        guild_id=turn.mention.guild_id,
        channel_id=turn.mention.channel_id,
        status=course.status,
        reason=course.reason,
        message_ids=reply.message_ids,
        details={
            "requests": tally.requests,
            "tools": len(tally.tools),
            "tokens": tally.usage.total,
            "cost_micros": tally.micros,
            "private": reply.private,
        },
        duration_seconds=duration_seconds,
    )
