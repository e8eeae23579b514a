from __future__ import annotations

import datetime
from collections.abc import AsyncGenerator

import discord
import pytest_asyncio

from tests.sandbox.bot_client import connected_bot, text_channel
from tests.sandbox_process import SandboxProcess


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo() -> AsyncGenerator[SandboxProcess]:
    async with SandboxProcess(world="demo") as sandbox:
        yield sandbox


async def test_the_demo_has_two_guilds_with_people_ranks_and_a_bot_below_admin(demo: SandboxProcess) -> None:
    assert [guild["name"] for guild in demo.guilds] == ["Harbor Commons", "Pixel Foundry"]
    harbor = demo.guilds[0]
    assert {"ada", "marlow", "olive", "nina"} <= set(harbor["members"])
    assert harbor["owner_id"] != harbor["members"]["ada"]
    for description in (await demo.control("world"))["guilds"]:
        names = [role["name"] for role in description["roles"]]
        assert names[1] == "Guildhall"
        assert len(description["members"]) >= 10
        kinds = {channel["type"] for channel in description["channels"]}
        assert {"text", "voice", "category", "forum", "announcement", "public_thread"} <= kinds


async def test_its_history_lies_in_the_past_in_the_order_of_time(demo: SandboxProcess) -> None:
    now = datetime.datetime.now(datetime.UTC)
    total = 0
    for guild in (await demo.control("world"))["guilds"]:
        for channel in guild["channels"]:
            messages = (await demo.control("history", channel=channel["id"], limit=1000))["messages"]
            total += len(messages)
            for message in messages:
                written = datetime.datetime.fromisoformat(message["timestamp"])
                assert written < now
                assert abs(discord.utils.snowflake_time(int(message["id"])) - written) < datetime.timedelta(seconds=1)
            timestamps = [message["timestamp"] for message in messages]
            assert timestamps == sorted(timestamps)
    assert 250 <= total <= 800


async def test_a_bot_finds_threads_posts_polls_files_and_pins(demo: SandboxProcess) -> None:
    async with connected_bot(demo) as bot:
        guild = await bot.until_guild(demo.guilds[0]["id"])
        repair = text_channel(guild, "repair-cafe")
        pins = [message async for message in repair.pins()]
        assert await pins[0].attachments[0].read()
        photos = text_channel(guild, "photos")
        picture = await anext(message async for message in photos.history() if message.attachments)
        assert (await picture.attachments[0].read()).startswith(b"\x89PNG")
        assert any([message.poll async for message in text_channel(guild, "general").history(limit=200)])
        assert "Awning: thread and eyelets" in {thread.name for thread in guild.threads}
        forum = guild.forums[0]
        post = next(thread for thread in guild.threads if thread.parent_id == forum.id)
        assert (await post.fetch_message(post.id)).content
        assert post.applied_tags
        bans = [entry.user.name async for entry in guild.bans()]
        assert bans == ["coinflip99"]
        actors = {entry.user.name async for entry in guild.audit_logs() if entry.user}
        assert {"marlow", "ada"} <= actors
