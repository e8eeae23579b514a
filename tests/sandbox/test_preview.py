"""The preview over HTTP: who may come in, what one person sees there, and that it is live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, cast

import aiohttp
import discord
import pytest
import pytest_asyncio
from discord import app_commands

from tests.sandbox.bot_client import ListeningBot
from tests.sandbox_process import ControlError, GuildIds, SandboxProcess, controlled


class Preview:
    """The page's own requests, without the page."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.page_url, _, self.token = sandbox.preview_url.partition("#")
        self.act_url = f"{self.page_url}act"

    async def act(self, action: str, **body: Any) -> dict[str, Any]:
        return await controlled(self.act_url, self.token, action, body)

    async def see(self, user: str, channel: str | None = None, **more: Any) -> dict[str, Any]:
        return await self.act("see", user=user, channel=channel, **more)


@pytest.fixture
def preview(sandbox: SandboxProcess) -> Preview:
    return Preview(sandbox)


@pytest_asyncio.fixture
async def page() -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(skip_auto_headers=["Content-Type"]) as session:
        yield session


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {}, 200),
        ("GET", {}, 405),
        ("POST", {"Authorization": None}, 401),
        ("POST", {"Authorization": "Bearer wrong"}, 401),
        ("POST", {"Origin": "https://evil.example"}, 403),
        ("POST", {"Origin": "null"}, 403),
        ("POST", {"Host": "rebound.example"}, 403),
        ("POST", {"Content-Type": "text/plain"}, 415),
        ("POST", {"Content-Type": None}, 415),
    ],
)
async def test_the_page_has_a_door_of_its_own(
    preview: Preview, page: aiohttp.ClientSession, method: str, headers: dict[str, str | None], status: int
) -> None:
    good = {"Authorization": f"Bearer {preview.token}", "Content-Type": "application/json"}
    merged = {name: value for name, value in {**good, **headers}.items() if value is not None}
    async with page.request(method, f"{preview.act_url}/see", headers=merged, data=b"{}") as response:
        assert response.status == status


async def test_neither_token_opens_the_others_door(sandbox: SandboxProcess, preview: Preview) -> None:
    with pytest.raises(ControlError) as at_the_page:
        await controlled(preview.act_url, sandbox.control_token, "see", {})
    with pytest.raises(ControlError) as at_the_control:
        await controlled(sandbox.control_url, preview.token, "world", {})
    assert (at_the_page.value.status, at_the_control.value.status) == (401, 401)


async def test_the_page_acts_as_people_and_arranges_nothing(preview: Preview) -> None:
    with pytest.raises(ControlError) as refusal:
        await preview.act("fault", faults=[])
    assert refusal.value.status == 404
    people = {"send", "edit", "delete", "react", "slash", "autocomplete", "context_menu", "click", "select", "modal"}
    assert set(refusal.value.answer["actions"]) == people | {"see", "commands"}


async def test_the_pages_files_hold_no_token_and_let_nothing_foreign_run(
    preview: Preview, page: aiohttp.ClientSession
) -> None:
    assert preview.page_url.startswith("http://127.0.0.1:")
    for name in ("", "app.js", "preview.css", "icon.svg"):
        async with page.get(preview.page_url + name) as response:
            text = await response.text()
            policy = response.headers["Content-Security-Policy"]
            assert response.status == 200
            assert preview.token not in text
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "require-trusted-types-for 'script'" in policy
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert response.headers["X-Frame-Options"] == "DENY"
    for name in ("nonesuch.js", "..%2fpages.py", "%2e%2e/pages.py"):
        async with page.get(preview.page_url + name) as response:
            assert response.status == 404


async def test_one_sees_who_there_is_and_what_they_are(preview: Preview, ids: GuildIds) -> None:
    people = {
        person["name"]: person for person in (await preview.act("see"))["people"] if ids["id"] in person["guilds"]
    }
    assert {name: person["guilds"][ids["id"]] for name, person in people.items()} == {
        "olive": "owner",
        "ada": "Admin",
        "marlow": "Mod",
        "nina": "Member",
        "theo": "",
    }


async def test_a_person_sees_no_channel_that_is_hidden_from_them(preview: Preview, ids: GuildIds) -> None:
    room = ids["channels"]["mod-room"]
    await preview.act("send", user=ids["members"]["marlow"], channel=room, content="between us")

    def names(seen: dict[str, Any]) -> set[str]:
        (guild,) = [each for each in seen["guilds"] if each["id"] == ids["id"]]
        return {channel["name"] for channel in guild["channels"]}

    moderator, member = [await preview.see(ids["members"][name], room) for name in ("marlow", "nina")]
    assert [message["content"] for message in moderator["messages"]] == ["between us"]
    assert names(moderator) - names(member) == {"mod-room"}
    assert (member["channel"], member["messages"], member["may_send"]) == (None, [], False)
    with pytest.raises(ControlError, match="does not see this channel"):
        await preview.act("commands", user=ids["members"]["nina"], channel=room)


async def test_the_page_hears_of_a_change_at_once_and_of_nothing_while_there_is_none(
    preview: Preview, ids: GuildIds
) -> None:
    nina, general = ids["members"]["nina"], ids["channels"]["general"]
    before = await preview.see(nina, general)
    same = await preview.see(nina, general, known=before["state"], wait=0)
    assert same["state"] == before["state"]
    waiting = asyncio.ensure_future(preview.see(nina, general, known=before["state"], wait=30))
    await preview.act("send", user=ids["members"]["ada"], channel=general, content="news")
    async with asyncio.timeout(10):
        after = await waiting
    assert after["messages"][-1]["content"] == "news"
    assert after["state"] != before["state"]


async def test_direct_messages_are_between_the_bot_and_one_person(preview: Preview, ids: GuildIds) -> None:
    nina, theo = ids["members"]["nina"], ids["members"]["theo"]
    assert (await preview.see(nina))["channel"] is None
    sent = await preview.act("send", user=nina, content="psst")
    seen = await preview.see(nina)
    assert [message["content"] for message in seen["messages"]] == ["psst"]
    assert seen["direct_message_id"] == sent["id"]
    assert (await preview.see(theo, sent["channel"]))["messages"] == []
    with pytest.raises(ControlError, match="between the bot and somebody else"):
        await preview.act("send", user=theo, channel=sent["channel"], content="hello?")


@app_commands.command(description="says it softly")
async def whisper(interaction: discord.Interaction, text: str) -> None:
    await interaction.response.send_message(text, ephemeral=True)


@app_commands.command(description="for moderators")
@app_commands.default_permissions(ban_members=True)
async def banish(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("banished")


@app_commands.context_menu(name="Look up")
async def look_up(interaction: discord.Interaction, member: discord.Member) -> None:
    await interaction.response.send_message(f"{member.name}, looked up", ephemeral=True)


async def test_commands_are_those_that_discord_offers_and_their_answers_whose_they_are(
    preview: Preview, bot: ListeningBot, ids: GuildIds
) -> None:
    await bot.until_guild(ids["id"])
    for command in cast("list[Any]", [whisper, banish, look_up]):
        bot.tree.add_command(command)
    await bot.tree.sync()
    nina, marlow, general = ids["members"]["nina"], ids["members"]["marlow"], ids["channels"]["general"]
    offered = await preview.act("commands", user=nina, channel=general)
    assert [command["name"] for command in offered["slash"]] == ["whisper"]
    assert [option["name"] for option in offered["slash"][0]["options"]] == ["text"]
    assert (offered["user"], offered["message"]) == (["Look up"], [])
    moderators = await preview.act("commands", user=marlow, channel=general)
    assert [command["name"] for command in moderators["slash"]] == ["banish", "whisper"]

    await preview.act("slash", user=nina, channel=general, name="whisper", options={"text": "for me"})
    await preview.act("context_menu", user=nina, channel=general, name="Look up", target_user=marlow)
    hers, his = [await preview.see(user, general) for user in (nina, marlow)]
    assert [message["content"] for message in hers["messages"]] == ["for me", "marlow, looked up"]
    assert his["messages"] == []
