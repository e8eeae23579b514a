"""What becomes of a plan after its turn has ended: told below its card, and kept in the conversation."""

from __future__ import annotations

import asyncio
import time

import structlog

from cogs.agent import words
from cogs.agent.conversations import ConversationKey, Conversations, Utterance
from cogs.agent.messenger import From, Messenger, NotDelivered
from cogs.agent.turns import Turn
from operations.errors import Refused
from operations.guild_source import GuildSource
from operations.plans import LONGEST_WAIT_SECONDS, Plans, PlanView
from policy.model import Caller
from storage.database import DatabaseUnavailable

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 5.0


class PlanOutcomes:
    """Watches plans until they are settled, within a day. ``aclose`` forgets them: their cards tell it as well."""

    def __init__(self, plans: Plans, messenger: Messenger, conversations: Conversations, source: GuildSource) -> None:
        self._plans = plans
        self._messenger = messenger
        self._conversations = conversations
        self._source = source
        self._tasks: set[asyncio.Task[None]] = set()

    def watch(self, plan_id: str, turn: Turn, caller: Caller, key: ConversationKey) -> None:
        task = asyncio.create_task(self._watch(plan_id, turn, caller, key), name="plan outcome")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _watch(self, plan_id: str, turn: Turn, caller: Caller, key: ConversationKey) -> None:
        while True:
            try:
                view = await self._plans.wait(plan_id, caller, LONGEST_WAIT_SECONDS)
            except Refused as refused:
                # He has left, or the guild is gone: nobody is waiting for it.
                log.info("a plan is no longer watched", plan_id=plan_id, reason=str(refused))
                return
            except DatabaseUnavailable:
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            if view.state.terminal:
                break
        await self._tell(view, turn, key)

    async def _tell(self, view: PlanView, turn: Turn, key: ConversationKey) -> None:
        mention = turn.mention
        text = words.later(view.title, view.state)
        below = view.card.message_id if view.card and view.card.channel_id == key.channel_id else mention.message_id
        sender = From(turn.turn_id, key.guild_id, mention.author_id)
        nonce = f"pl{view.plan_id[3:]}"
        try:
            message_id = await self._messenger.send(
                sender, key.channel_id, f"<@{mention.author_id}> {text}", nonce=nonce, reply_to=below
            )
        except NotDelivered as error:
            log.info("an outcome was not told", plan_id=view.plan_id, reason=str(error))
            return
        said = Utterance(
            message_id=message_id,
            author_id=self._source.bot_user_id,
            author_name="assistant",
            kind="bot",
            text=text,
            at=time.time(),
            for_user_id=mention.author_id,
            by_agent=True,
        )
        try:
            await self._conversations.append(key, [said])
        except DatabaseUnavailable:
            log.warning("an outcome is not kept in its conversation", plan_id=view.plan_id)
