from __future__ import annotations

from typing import Any

import discord
import pytest
import pytest_asyncio
from discord import app_commands
from discord.ext import commands

from tests.sandbox.bot_client import ListeningBot
from tests.sandbox_process import ControlError, GuildIds, SandboxProcess


class _Form(discord.ui.Modal, title="Form"):
    name: discord.ui.TextInput[Any] = discord.ui.TextInput(label="Name", custom_id="name")

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"hi {self.name.value}", ephemeral=True)


class _Panel(discord.ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Press", custom_id="press")
    async def press(self, interaction: discord.Interaction, _button: discord.ui.Button[Any]) -> None:
        await interaction.response.send_modal(_Form())

    @discord.ui.select(
        custom_id="choose", options=[discord.SelectOption(label="A", value="a"), discord.SelectOption(label="B")]
    )
    async def choose(self, interaction: discord.Interaction, select: discord.ui.Select[Any]) -> None:
        await interaction.response.edit_message(content=f"chose {select.values[0]}")


class _Commands(commands.Cog):
    @app_commands.command(description="says hello")
    async def hello(self, interaction: discord.Interaction, who: discord.Member, times: int = 1) -> None:
        await interaction.response.send_message(f"hello {who.name} x{times}", view=_Panel())

    @app_commands.command(description="takes its time")
    async def slow(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        await interaction.followup.send("done")

    @app_commands.command(description="completes")
    async def suggest(self, interaction: discord.Interaction, word: str) -> None:
        await interaction.response.send_message(word)

    @suggest.autocomplete("word")
    async def complete(self, _interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{current}!", value="1")]

    @app_commands.command(description="never answers")
    async def silent(self, _interaction: discord.Interaction) -> None:
        return


@app_commands.context_menu(name="Report")
async def report(interaction: discord.Interaction, message: discord.Message) -> None:
    await interaction.response.send_message(f"reported {message.content}", ephemeral=True)


@pytest_asyncio.fixture
async def bot_with_commands(bot: ListeningBot, ids: GuildIds) -> ListeningBot:
    await bot.until_guild(ids["id"])
    await bot.add_cog(_Commands())
    bot.tree.add_command(report)
    await bot.tree.sync()
    return bot


@pytest.mark.usefixtures("bot_with_commands")
async def test_slash_button_modal_and_select_go_to_the_bot_and_back(sandbox: SandboxProcess, ids: GuildIds) -> None:
    nina, general = ids["members"]["nina"], ids["channels"]["general"]
    where = {"user": nina, "channel": general}
    said = await sandbox.control(
        "slash", **where, name="hello", options={"who": {"user": ids["members"]["theo"]}, "times": 3}
    )
    assert said["message"]["content"] == "hello theo x3"
    message = said["message"]["id"]

    clicked = await sandbox.control("click", **where, message=message, custom_id="press")
    assert (clicked["kind"], clicked["modal"]["title"]) == ("modal", "Form")
    submitted = await sandbox.control("modal", **where, interaction=clicked["interaction"], values={"name": "Bob"})
    assert (submitted["ephemeral"], submitted["message"]["content"]) == (True, "hi Bob")

    chosen = await sandbox.control("select", **where, message=message, values=["a"], custom_id="choose")
    assert chosen["message"]["content"] == "chose a"


@pytest.mark.usefixtures("bot_with_commands")
async def test_a_deferred_answer_counts_when_it_is_complete(sandbox: SandboxProcess, ids: GuildIds) -> None:
    answer = await sandbox.control(
        "slash", user=ids["members"]["nina"], channel=ids["channels"]["general"], name="slow"
    )
    assert (answer["thinking"], answer["message"]["content"]) == (False, "done")


@pytest.mark.usefixtures("bot_with_commands")
async def test_autocomplete_returns_the_bots_choices(sandbox: SandboxProcess, ids: GuildIds) -> None:
    where = {"user": ids["members"]["nina"], "channel": ids["channels"]["general"]}
    answer = await sandbox.control("autocomplete", **where, name="suggest", option="word", value="q")
    assert [choice["name"] for choice in answer["choices"]] == ["q!"]


@pytest.mark.usefixtures("bot_with_commands")
async def test_an_interaction_that_is_never_answered_says_so(sandbox: SandboxProcess, ids: GuildIds) -> None:
    where = {"user": ids["members"]["nina"], "channel": ids["channels"]["general"]}
    answer = await sandbox.control("slash", **where, name="silent", wait=0.1)
    assert (answer["acknowledged"], answer["message"]) == (False, None)


@pytest.mark.usefixtures("bot_with_commands")
async def test_a_context_menu_acts_on_a_message(sandbox: SandboxProcess, ids: GuildIds) -> None:
    where = {"user": ids["members"]["nina"], "channel": ids["channels"]["general"]}
    sent = await sandbox.control("send", **where, content="spam")
    answer = await sandbox.control("context_menu", **where, name="Report", target_message=sent["id"])
    assert (answer["ephemeral"], answer["message"]["content"]) == (True, "reported spam")


async def test_a_command_that_does_not_exist_is_refused(sandbox: SandboxProcess, ids: GuildIds) -> None:
    with pytest.raises(ControlError, match="No application command named 'nonesuch'"):
        await sandbox.control("slash", user=ids["members"]["nina"], channel=ids["channels"]["general"], name="nonesuch")


@pytest.mark.usefixtures("bot_with_commands")
async def test_a_button_in_a_direct_message_opens_its_modal(
    sandbox: SandboxProcess, ids: GuildIds, bot: ListeningBot
) -> None:
    nina = ids["members"]["nina"]
    sent = await sandbox.control("send", user=nina, content="hi")
    await bot.until_heard("message")
    panel = await bot.events("message")[0][0].channel.send("panel", view=_Panel())
    where = {"user": nina, "channel": sent["channel"]}
    clicked = await sandbox.control("click", **where, message=str(panel.id), label="Press")
    submitted = await sandbox.control("modal", **where, interaction=clicked["interaction"], values={"name": "Nina"})
    assert submitted["message"]["content"] == "hi Nina"
