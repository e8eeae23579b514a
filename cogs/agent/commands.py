"""/stop, /reset, /usage, /model and /summarize: the assistant by command, answered to who asks alone."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs.agent import texts
from cogs.agent.asides import Said, Wanted
from cogs.agent.reply_text import pieces
from cogs.agent.running import Running
from cogs.card_text import words
from cogs.slash.answering import NOBODY, Answer, Interaction, answer, deferred, say
from cogs.slash.running import SlashRunner
from operations.base import Status
from operations.failures import DISCORD_FAILED
from operations.outcomes import plain

USAGE, MODEL, RESET = "agent_usage_get", "agent_model_set", "conversation_reset"
LAST_MESSAGES = 100


class AgentCommandsCog(commands.Cog, name="Agent commands"):
    def __init__(self, runner: SlashRunner, agent: Running) -> None:
        self._runner = runner
        self._agent = agent

    # --------------------------------------------------------------------- turns
    @app_commands.command(name="stop", description=texts.STOP_COMMAND)
    @app_commands.guild_only()
    async def stop(self, interaction: Interaction) -> None:
        turns = self._agent.turns
        if turns is None:
            await say(interaction, texts.OFF)
            return
        may_manage = interaction.permissions.manage_messages
        stopped = turns.stop(interaction.channel_id or 0, interaction.user.id, may_manage=may_manage)
        await say(interaction, texts.STOPPED if stopped else texts.NOTHING_RUNS)

    @app_commands.command(name="reset", description=texts.RESET_COMMAND, extras={"operation": RESET})
    @app_commands.guild_only()
    async def reset(self, interaction: Interaction) -> None:
        await self._runner.run(interaction, RESET, {"channel": str(interaction.channel_id)})

    # --------------------------------------------------------------------- money
    @app_commands.command(name="usage", description=texts.USAGE_COMMAND, extras={"operation": USAGE})
    @app_commands.guild_only()
    async def usage(self, interaction: Interaction) -> None:
        found = await self._usage(interaction)
        if found is None:
            return
        lines = [texts.USAGE.format(day=found["day"]), *(_budget(each) for each in found["budgets"])]
        if not found["enabled"]:
            lines.append(texts.OFF)
        await answer(interaction, Answer("\n".join(lines)))

    @app_commands.command(name="model", description=texts.MODEL_COMMAND, extras={"operation": USAGE})
    @app_commands.describe(choice=texts.MODEL_OPTION)
    @app_commands.choices(choice=[app_commands.Choice(name=name, value=name) for name in ("standard", "small")])
    @app_commands.guild_only()
    async def model(self, interaction: Interaction, choice: str | None = None) -> None:
        if choice is not None:
            await self._runner.run(interaction, MODEL, {"model": choice})
            return
        found = await self._usage(interaction)
        if found is None:
            return
        models: dict[str, str] = found["models"]
        lines = [texts.MODEL.format(model=words(found["model"], 100)), texts.MODELS]
        lines += [texts.MODEL_ON.format(name=name, model=words(model, 100)) for name, model in models.items()]
        if len(models) > 1:
            lines += [texts.MODEL_LOW, texts.MODEL_CHOOSE]
        if not found["enabled"]:
            lines.append(texts.OFF)
        await answer(interaction, Answer("\n".join(lines)))

    async def _usage(self, interaction: Interaction) -> dict[str, Any] | None:
        """None where something else was answered."""
        if not await deferred(interaction):
            return None
        outcome = await self._runner.outcome(interaction, USAGE, {})
        if outcome is None:
            return None
        if outcome.status is not Status.DONE:
            await answer(interaction, await self._runner.said(interaction, outcome))
            return None
        found: dict[str, Any] = plain(outcome.data)
        return found

    # ------------------------------------------------------------------- summary
    @app_commands.command(name="summarize", description=texts.SUMMARIZE_COMMAND)
    @app_commands.describe(messages=texts.SUMMARIZE_OPTION)
    @app_commands.guild_only()
    async def summarize(
        self, interaction: Interaction, messages: app_commands.Range[int, 1, LAST_MESSAGES] = LAST_MESSAGES
    ) -> None:
        await summarise(self._agent, interaction, {"limit": messages})


async def summarise(agent: Running, interaction: Interaction, which: dict[str, Any]) -> None:
    """``which``: the messages of this channel, as message_list_recent takes them."""
    channel = str(interaction.channel_id)
    said = await aside(agent, interaction, "message_list_recent", {"channel": channel, **which}, texts.SUMMARY_TASK)
    if said is not None:
        await tell(interaction, said.text)


async def aside(
    agent: Running, interaction: Interaction, operation: str, arguments: dict[str, Any], task: str
) -> Said | None:
    """What the assistant says to the one who asks; None where he has been told that there is nothing."""
    if not await deferred(interaction):
        return None
    if agent.asides is None or interaction.guild_id is None:
        await answer(interaction, Answer(texts.OFF))
        return None
    wanted = Wanted(interaction.guild_id, interaction.channel_id or 0, interaction.user.id, operation, arguments, task)
    return await agent.asides.answer(wanted)


async def tell(interaction: Interaction, text: str, buttons: discord.ui.View | None = None) -> None:
    """All of it, in as many messages as it takes."""
    first, *more = pieces(text) or [text]
    await answer(interaction, Answer(first, buttons=buttons))
    for each in more:
        try:
            await interaction.followup.send(each, ephemeral=True, allowed_mentions=NOBODY, suppress_embeds=True)
        except DISCORD_FAILED:
            return


def _budget(used: dict[str, Any]) -> str:
    limits = [] if used.get("limit_tokens") is None else [texts.USAGE_TOKENS.format(tokens=used["limit_tokens"])]
    limits += [] if used.get("limit_usd") is None else [texts.USAGE_COST.format(cost=used["limit_usd"])]
    return texts.USAGE_LINE.format(
        of=texts.OF[used["of"]].format(role=words(used.get("role") or "", 100)),
        tokens=used["tokens"],
        cost=used["cost_usd"],
        limit=texts.USAGE_LIMIT.format(limits=", ".join(limits)) if limits else "",
    )
