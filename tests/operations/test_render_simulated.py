"""Messages as a simulated Discord makes them."""

from __future__ import annotations

import datetime
from collections.abc import AsyncGenerator

import discord
import pytest_asyncio
import simcord
from discord.ext import commands
from simcord.enums import MessageType

from operations.render import message_line, message_row, message_text


@pytest_asyncio.fixture
async def env() -> AsyncGenerator[simcord.Env]:
    env = simcord.Env(commands.Bot("!", intents=discord.Intents.all()))
    await env.start()
    try:
        yield env
    finally:
        await env.shutdown()


async def test_a_conversation_reads_without_blanks(env: simcord.Env) -> None:
    guild = env.create_guild("Harbor")
    general = guild.create_text_channel("general")
    ada = guild.add_member(env.create_user("ada"))
    bo = guild.add_member(env.create_user("bo"))

    hello = await ada.send(general, f"hello {bo.mention} in {general.mention}")
    answer = await bo.send(general, "", reply_to=hello, attachments=[("cat.png", b"1234")])
    forwarded = await ada.forward(hello, general)
    webhook = await guild.create_webhook(general, "deploys").send(username="CI", embed=discord.Embed(title="Built"))
    pinned = guild.create_system_message(general, MessageType.PINS_ADD, author=bo, referenced_message=hello)

    assert message_text(hello) == f"hello @bo (<@{bo.id}>) in <#{general.id}>"
    assert message_text(answer).startswith("[attachment] cat.png (")
    assert message_row(answer).get("reply_to", {}).get("id") == str(hello.id)
    assert message_text(forwarded).splitlines()[1].startswith("hello @bo")
    assert message_row(webhook)["author"]["kind"] == "webhook"
    assert message_row(webhook)["author"]["name"] == "CI"
    assert message_text(webhook) == "[embed] Built"
    assert message_text(pinned) == f"[bo pinned a message (message {hello.id})]"
    for message in general.history():
        assert not message_line(message).splitlines()[0].endswith("): ")


async def test_what_the_bot_sends_reads_as_a_bot_with_everything_in_it(env: simcord.Env) -> None:
    guild = env.create_guild("Harbor")
    handle = guild.create_text_channel("general")
    channel = env.bot.get_channel(handle.id)
    assert isinstance(channel, discord.TextChannel)
    view = discord.ui.View().add_item(discord.ui.Button(label="Docs", url="https://example.com"))
    poll = discord.Poll("Lunch?", datetime.timedelta(hours=1))
    poll.add_answer(text="Pizza")

    await channel.send("see", view=view, allowed_mentions=discord.AllowedMentions.none())
    await channel.send(poll=poll, allowed_mentions=discord.AllowedMentions.none())

    with_button, with_poll = handle.history()
    assert message_text(with_button) == "see\n[button] Docs https://example.com"
    assert message_row(with_button)["author"]["kind"] == "bot"
    assert message_text(with_poll).splitlines()[0].endswith("Lunch?")
    assert message_text(with_poll).splitlines()[1] == "  1. Pizza – 0 votes"
