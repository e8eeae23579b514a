"""The client: readiness of each guild, sessions lost and found, refusals in one line, and a clean end."""

from __future__ import annotations

import asyncio
import time

import discord
import pytest

from bot.client import ConnectionRefusedByDiscord
from bot.intents import intents_for, members_to_cache
from bot.settings import load
from operations.events import GuildReady, MessageChanged
from operations.ledger import LEDGER, SendRefused, phase
from tests.bot.guildhall_client import Connected, built_client, connected_client, guilds_ready
from tests.sandbox_process import GuildIds, SandboxProcess


async def test_a_guild_is_ready_before_discord_py_says_so(sandbox: SandboxProcess, guild: GuildIds) -> None:
    async with connected_client(sandbox) as connected:
        await connected.until_ready(guild)
        assert not connected.client.is_ready()


async def test_a_guild_that_comes_late_is_waited_for_and_the_others_are_not_held_up(
    sandbox: SandboxProcess, guild: GuildIds
) -> None:
    late = await sandbox.make_guild("Late", owner="otto")
    await sandbox.control("delay_guild", guild=late["id"], seconds=600)
    async with connected_client(sandbox) as connected:
        await connected.until_ready(guild)
        readiness = connected.client.readiness
        assert not readiness.is_ready(int(late["id"]))
        assert not readiness.is_absent(int(late["id"]))
        assert not await readiness.wait(int(late["id"]), 0.01)
        waiting = asyncio.create_task(readiness.wait(int(late["id"]), 15))
        await sandbox.control("delay_guild", guild=late["id"], seconds=0)
        assert await waiting


async def test_a_resumed_session_keeps_its_guilds_ready(
    sandbox: SandboxProcess, connected: Connected, guild: GuildIds
) -> None:
    resumed = asyncio.Event()
    connected.client.add_listener(_setting(resumed), "on_shard_resumed")
    await sandbox.control("gateway", close=4000)
    await asyncio.wait_for(resumed.wait(), 15)
    assert connected.client.readiness.is_ready(int(guild["id"]))
    assert connected.events.count(GuildReady(int(guild["id"]))) == 1


@pytest.mark.usefixtures("identifies_at_once")
async def test_no_guild_is_ready_while_its_shard_is_away(
    sandbox: SandboxProcess, connected: Connected, guild: GuildIds
) -> None:
    readiness = connected.client.readiness
    closed = asyncio.Event()
    connected.client.add_listener(_setting(closed), "on_shard_disconnect")
    await sandbox.control("gateway", close=4000, refuse_seconds=600)
    await asyncio.wait_for(closed.wait(), 15)
    assert not readiness.is_ready(int(guild["id"]))
    assert readiness.connected_shards() == (0, 1)
    await sandbox.control("reset")
    assert await readiness.wait(int(guild["id"]), 15)


@pytest.mark.usefixtures("identifies_at_once")
async def test_after_a_new_session_guilds_are_ready_again_one_by_one(
    sandbox: SandboxProcess, connected: Connected, guild: GuildIds
) -> None:
    late = await sandbox.make_guild("Late again", owner="otto")
    late_id = await connected.until_ready(late)
    await sandbox.control("delay_guild", guild=late["id"], seconds=600)
    connected.events.clear()
    await sandbox.control("gateway", forget=True, op=7)
    await connected.until(lambda: int(guild["id"]) in guilds_ready(connected), "the guild anew")
    assert not connected.client.readiness.is_ready(late_id)
    await sandbox.control("delay_guild", guild=late["id"], seconds=0)
    await connected.until_ready(late)


async def test_a_half_open_socket_shows_in_its_age(
    sandbox: SandboxProcess, connected: Connected, guild: GuildIds
) -> None:
    before = time.perf_counter()
    await sandbox.control("send", user=guild["members"]["nina"], channel=guild["channels"]["general"], content="hi")
    await connected.until(lambda: any(isinstance(e, MessageChanged) for e in connected.events), "the message")
    assert connected.client.seconds_since_frame(0) <= time.perf_counter() - before
    await sandbox.control("gateway", pause=True)
    earlier = connected.client.seconds_since_frame(0)
    await sandbox.control("send", user=guild["members"]["nina"], channel=guild["channels"]["general"], content="ho")
    assert connected.client.seconds_since_frame(0) > earlier
    assert connected.client.seconds_since_frame(7) == float("inf")


async def test_each_shard_has_its_own_readiness(sandbox: SandboxProcess, guild: GuildIds) -> None:
    async with connected_client(sandbox, shard_count=2) as connected:
        await connected.until(lambda: connected.client.readiness.connected_shards() == (2, 2), "both shards")
        guild_id = await connected.until_ready(guild)
        shard_id = (guild_id >> 22) % 2
        await sandbox.control("gateway", shard=shard_id, close=4000, refuse_seconds=600)
        closed = asyncio.Event()
        connected.client.add_listener(_setting(closed), "on_shard_disconnect")
        await asyncio.wait_for(closed.wait(), 15)
        assert not connected.client.readiness.is_ready(guild_id)
        assert connected.client.readiness.is_connected(1 - shard_id)


async def test_a_refused_intent_is_explained_in_one_line(sandbox: SandboxProcess, guild: GuildIds) -> None:
    await sandbox.control("intents", approved=["message_content"])
    async with built_client(sandbox) as (client, _):
        with pytest.raises(ConnectionRefusedByDiscord) as refused:
            await client.connect()
    text = str(refused.value)
    assert "\n" not in text
    assert "Server Members Intent" in text
    assert "MEMBERS_INTENT=false" in text
    async with connected_client(sandbox, MEMBERS_INTENT="false") as connected:
        await connected.until_ready(guild)


async def test_a_token_that_discord_does_not_know_is_explained(sandbox: SandboxProcess) -> None:
    with pytest.raises(ConnectionRefusedByDiscord, match="refused DISCORD_BOT_TOKEN"):
        async with built_client(sandbox, DISCORD_BOT_TOKEN="sandbox.wrong"):
            pass


async def test_the_gateway_s_own_requests_and_messages_of_the_library_pass_the_guard(
    connected: Connected, guild: GuildIds
) -> None:
    known = connected.client.get_guild(int(guild["id"]))
    assert known is not None
    channel = known.text_channels[0]
    with pytest.raises(SendRefused):
        await channel.send("outside of a call")
    with phase("execute", "cl_1") as ledger:
        message = await channel.send("@everyone hello", nonce="cl_1")
        await message.edit(content="edited")
        await message.add_reaction("👍")
        await message.delete()
    assert ledger.sent == 4
    assert ledger.sends == {}
    assert not message.mention_everyone
    assert LEDGER.get() is None


def test_only_needed_intents_are_asked_for() -> None:
    all_on = intents_for(load(env_file=None, needs_token=False))
    assert all_on.members
    assert all_on.message_content
    assert not all_on.presences
    assert not all_on.dm_messages
    assert not all_on.typing
    assert not all_on.guild_reactions
    fewer = load({"MEMBERS_INTENT": "false", "MESSAGE_CONTENT_INTENT": "false"}, env_file=None, needs_token=False)
    assert not intents_for(fewer).members
    assert not intents_for(fewer).message_content
    assert members_to_cache(intents_for(fewer)) == discord.MemberCacheFlags.none()
    assert members_to_cache(all_on).joined


def _setting(event: asyncio.Event):
    async def listener(*_: object) -> None:
        event.set()

    return listener
