"""What is chosen on the set-up card, done by the operations of administration, as the one who chose."""

from __future__ import annotations

from typing import Any

from cogs.setup import texts
from cogs.setup.ids import Press
from cogs.setup.state import SetupStates
from cogs.slash import answers
from cogs.slash.answering import Answer, Interaction
from cogs.slash.running import BY_HAND, SlashRunner
from operations.base import Executor, Status
from operations.callers import Callers
from operations.guild_source import GuildSource
from policy.model import Caller, Face

Call = tuple[str, dict[str, Any]]


class Choices:
    def __init__(
        self,
        executor: Executor,
        callers: Callers,
        source: GuildSource,
        states: SetupStates,
        runner: SlashRunner,
    ) -> None:
        self._executor = executor
        self._callers = callers
        self._source = source
        self._states = states
        self._runner = runner

    def member(self, guild_id: int, user_id: int) -> Caller | None:
        return self._callers.of_member(guild_id, user_id, Face.SLASH)

    async def claim(self, interaction: Interaction, guild_id: int) -> Answer:
        caller = self._callers.of_claimant(guild_id, interaction.user.id, Face.SLASH)
        outcome = await self._executor.run("guild_claim", {"guild": str(guild_id)}, caller, asking=BY_HAND)
        return Answer(texts.CLAIMED_NOW) if outcome.status is Status.DONE else answers.of(outcome)

    async def choose(self, interaction: Interaction, press: Press, guild_id: int, values: tuple[str, ...]) -> Answer:
        """One call for each difference between what was set and what is chosen; the first that is not done ends it."""
        said = Answer(texts.SAME)
        for name, arguments in self._calls(press, guild_id, values):
            outcome = await self._runner.outcome(interaction, name, arguments)
            if outcome is None:
                return Answer(texts.MISTAKE)
            said = await self._runner.said(interaction, outcome)
            if outcome.status is not Status.DONE:
                break
        return said

    def _calls(self, press: Press, guild_id: int, values: tuple[str, ...]) -> list[Call]:
        guild = self._source.cached(guild_id)
        if guild is None:
            return []
        state = self._states.of(guild)
        match press:
            case Press.CHAT_CHANNELS:
                chosen, before = set(values), {str(each) for each in state.chat_channel_ids}
                allowed: list[Call] = [("chat_channel_allow", {"channel": each}) for each in sorted(chosen - before)]
                return allowed + [("chat_channel_disallow", {"channel": each}) for each in sorted(before - chosen)]
            case Press.LOG_CHANNEL:
                before = "" if state.log_channel_id is None else str(state.log_channel_id)
                if values == ((before,) if before else ()):
                    return []
                return [("log_channel_set", {"channel": values[0]} if values else {"off": True})]
            case Press.APPROVERS:
                if set(values) == {str(each) for each in state.approver_role_ids}:
                    return []
                return [("approvers_set", {"roles": list(values)})]
            case Press.PRESET:
                if not values or values[0] == state.preset:
                    return []
                return [("preset_set", {"preset": values[0]})]
            case _:
                return []
