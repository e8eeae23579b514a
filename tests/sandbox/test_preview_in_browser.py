"""The preview as somebody uses it, in Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import discord
import pytest
from discord import app_commands

from tests.chromium import BrowserPage, browser_page
from tests.sandbox.bot_client import ListeningBot
from tests.sandbox_process import GuildIds, SandboxProcess

HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"> <script>document.title='owned'</script> "
    "[press](javascript:document.title='owned') **strong**"
)


class _Form(discord.ui.Modal, title="Form"):
    name: discord.ui.TextInput[Any] = discord.ui.TextInput(label="Name", custom_id="name")

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"hi {self.name.value}", ephemeral=True)


class _Panel(discord.ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Sign", custom_id="sign")
    async def sign(self, interaction: discord.Interaction, _button: discord.ui.Button[Any]) -> None:
        await interaction.response.send_modal(_Form())


@app_commands.command(description="greets a member")
async def greet(interaction: discord.Interaction, who: discord.Member, word: str) -> None:
    await interaction.response.send_message(f"{word}, {who.name}", view=_Panel())


@greet.autocomplete("word")
async def words(_interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=f"{current}… the long one", value=f"{current} indeed")]


def button(label: str, within: str = "document") -> str:
    return f"[...{within}.querySelectorAll('button')].findLast((each) => each.textContent.trim() === '{label}')"


def last_message(text: str) -> str:
    return f"[...document.querySelectorAll('#messages .message')].at(-1)?.innerText.includes({text!r})"


async def _come_in(page: BrowserPage, sandbox: SandboxProcess, ids: GuildIds) -> None:
    """As this guild's ada, into its #general."""
    await page.open(sandbox.preview_url)
    await page.until("document.querySelector('#people option')")
    await _become(page, ids["members"]["ada"])
    assert await page.value("document.querySelector('#text').placeholder.includes('#general as ada')")


async def _become(page: BrowserPage, user_id: str) -> None:
    await page.value(f"dispatchEvent(new CustomEvent('become', {{ detail: '{user_id}' }}))")
    await page.until(f"document.querySelector('#people').value === '{user_id}'")


async def test_text_goes_out_and_hostile_text_stays_text(
    sandbox: SandboxProcess, ids: GuildIds, tmp_path: Path
) -> None:
    nina, general = ids["members"]["nina"], ids["channels"]["general"]
    async with browser_page(tmp_path) as page:
        await _come_in(page, sandbox, ids)
        address = await page.value("location.href")
        assert address == sandbox.preview_url.partition("#")[0], "the token does not stay in the address"

        await page.click("document.querySelector('#text')")
        await page.type("Hello @nina")
        await page.press("Escape")
        await page.press("Enter")
        await page.until(last_message("Hello @nina"))
        (sent,) = (await sandbox.control("history", channel=general))["messages"]
        assert (sent["author"]["username"], sent["content"]) == ("ada", f"Hello <@{nina}>")

        embed = {"title": "<b>bold</b>", "url": "https://evil.example/", "image": {"url": "https://evil.example/x.png"}}
        await sandbox.control("send", user=nina, channel=general, content=HOSTILE, embeds=[embed])
        await page.until(last_message("<img src=x onerror"))
        assert await page.value("document.querySelectorAll('#messages :is(script, img, b)').length") == 0
        assert await page.value("document.querySelector('#messages strong').textContent") == "strong"
        assert await page.value("document.querySelectorAll('#messages a[href^=javascript]').length") == 0
        assert await page.value("document.title") == "Guildhall's simulated Discord"
        assert page.complaints == [], "nothing was fetched from elsewhere, and nothing that the policy had to stop"


async def test_a_command_is_filled_in_and_its_button_opens_a_modal(
    sandbox: SandboxProcess, bot: ListeningBot, ids: GuildIds, tmp_path: Path
) -> None:
    await bot.until_guild(ids["id"])
    bot.tree.add_command(cast("Any", greet))
    await bot.tree.sync()
    async with browser_page(tmp_path) as page:
        await _come_in(page, sandbox, ids)
        await page.click("document.querySelector('#text')")
        await page.type("/gre")
        await page.until("document.querySelector('#picker .option')?.innerText.includes('/greet')")
        await page.press("Enter")
        await page.until("document.activeElement.closest('form.command')")
        await page.type("theo")
        await page.until("document.querySelector('#picker .option')?.innerText.includes('@theo')")
        await page.press("Enter")
        await page.click("document.querySelectorAll('form.command .options input')[1]")
        await page.type("Ahoy")
        await page.until("document.querySelector('#picker .option')?.innerText.includes('Ahoy… the long one')")
        await page.press("Enter")
        await page.press("Enter")
        await page.until(last_message("Ahoy indeed, theo"))

        await page.click(button("Sign", "document.querySelector('#messages')"))
        await page.until("document.querySelector('#modal').open")
        await page.value("document.querySelector('#modal input').focus()")
        await page.type("Ada L.")
        await page.click(button("Submit", "document.querySelector('#modal')"))
        await page.until(last_message("hi Ada L."))
        await page.until(last_message("Only you can see this"))

        # Whoever else looks at the channel sees the command's answer alone.
        await _become(page, ids["members"]["nina"])
        await page.until(last_message("Ahoy indeed, theo"))
        assert page.complaints == []


async def test_an_address_of_another_start_says_so(sandbox: SandboxProcess, tmp_path: Path) -> None:
    async with browser_page(tmp_path) as page:
        await page.open(sandbox.preview_url.partition("#")[0] + "#of-yesterday")
        await page.until("document.querySelector('#banner').innerText.includes('another start of the demo')")


pytestmark = pytest.mark.usefixtures("sandbox")
