from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable
from typing import Any

import aiohttp
import discord
import pytest
import zstandard

from tests.sandbox.bot_client import ListeningBot, connected_bot, discord_pointed_at, text_channel
from tests.sandbox_process import GuildIds, SandboxProcess


async def _say(sandbox: SandboxProcess, ids: GuildIds, content: str) -> None:
    await sandbox.control("send", user=ids["members"]["nina"], channel=ids["channels"]["general"], content=content)


def _contents(bot: ListeningBot) -> list[str]:
    return [args[0].content for args in bot.events("message")]


async def test_guild_members_roles_and_channels_arrive(guild: discord.Guild, ids: GuildIds) -> None:
    await guild.chunk()
    assert {member.name for member in guild.members} >= {"olive", "ada", "marlow", "nina", "theo"}
    assert {role.name: str(role.id) for role in guild.roles} == ids["roles"]
    assert {channel.name: str(channel.id) for channel in guild.channels} == ids["channels"]
    found = await guild.query_members("marl")
    assert [member.nick for member in found] == ["Captain"]


@pytest.mark.parametrize("fault", [{"op": 7}, {"close": 4000}, {"abort": True}])
async def test_after_a_lost_connection_the_bot_resumes_and_hears_what_it_missed(
    sandbox: SandboxProcess, bot: ListeningBot, guild: discord.Guild, ids: GuildIds, fault: dict[str, Any]
) -> None:
    assert guild.id == int(ids["id"])
    assert (await sandbox.control("gateway", **fault))["sockets"] == 1
    await _say(sandbox, ids, "while you were away")
    await bot.until_heard("resumed")
    await bot.until(lambda: "while you were away" in _contents(bot), "the missed message")


async def test_a_forgotten_session_is_identified_anew(
    sandbox: SandboxProcess, bot: ListeningBot, guild: discord.Guild, ids: GuildIds
) -> None:
    assert guild.id == int(ids["id"])
    bot.heard.clear()
    await sandbox.control("gateway", forget=True, op=7)
    await bot.until_heard("connect")
    await bot.until_heard("guild_available")
    await _say(sandbox, ids, "and again")
    await bot.until(lambda: "and again" in _contents(bot), "a message after the new identify")


async def test_a_paused_socket_delivers_nothing_until_it_is_resumed(
    sandbox: SandboxProcess, bot: ListeningBot, guild: discord.Guild, ids: GuildIds
) -> None:
    await sandbox.control("gateway", pause=True)
    assert (await sandbox.control("world"))["sessions"][-1]["paused"]
    await _say(sandbox, ids, "into the void")
    assert await text_channel(guild, "general").fetch_message(await _last(sandbox, ids))  # REST still answers
    assert _contents(bot) == []
    await sandbox.control("gateway", resume=True)
    await bot.until(lambda: _contents(bot) == ["into the void"], "the held message")


async def _last(sandbox: SandboxProcess, ids: GuildIds) -> int:
    history = await sandbox.control("history", channel=ids["channels"]["general"])
    return int(history["messages"][-1]["id"])


async def test_an_unapproved_privileged_intent_is_refused_with_4014(sandbox: SandboxProcess) -> None:
    await sandbox.control("intents", approved=["message_content"])
    with discord_pointed_at(sandbox.base_url):
        async with discord.Client(intents=discord.Intents.all()) as client:
            with pytest.raises(discord.PrivilegedIntentsRequired):
                await client.start(sandbox.bot_token)


async def test_without_the_message_content_intent_content_is_withheld(sandbox: SandboxProcess, ids: GuildIds) -> None:
    intents = discord.Intents.default()
    async with connected_bot(sandbox, intents=intents) as bot:
        await bot.until_guild(ids["id"])
        await _say(sandbox, ids, "private talk")
        await bot.until_heard("message")
        assert _contents(bot) == [""]
        await sandbox.control("add_member", guild=ids["id"], name="newcomer")
        await _say(sandbox, ids, f"hello <@{sandbox.bot_id}>")
        await bot.until(lambda: len(_contents(bot)) == 2, "the mention")
        assert _contents(bot)[1].startswith("hello")
        assert bot.events("member_join") == []


async def test_a_wrong_token_is_refused_by_rest_and_gateway(sandbox: SandboxProcess) -> None:
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": "Bot sandbox.wrong"}
        async with session.get(f"{sandbox.api_base_url}/users/@me", headers=headers) as response:
            assert response.status == 401
            assert response.headers["Content-Type"] == "application/json"
        async with session.ws_connect(f"{sandbox.base_url}/gateway") as socket:
            assert (await socket.receive_json())["op"] == 10
            await socket.send_json({"op": 2, "d": {"token": "sandbox.wrong", "intents": 0, "properties": {}}})
            assert (await socket.receive()).data == 4004


@pytest.mark.parametrize("compression", ["zlib-stream", "zstd-stream", None])
async def test_every_transport_compression_carries_ready(sandbox: SandboxProcess, compression: str | None) -> None:
    query = f"?v=10&encoding=json&compress={compression}" if compression else "?v=10&encoding=json"
    inflate: Callable[[bytes], bytes] = (
        zlib.decompressobj().decompress
        if compression == "zlib-stream"
        else zstandard.ZstdDecompressor().decompressobj().decompress
    )
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{sandbox.base_url}/gateway{query}") as socket,
    ):

        async def receive() -> dict[str, Any]:
            data: str | bytes = (await socket.receive()).data
            frame: dict[str, Any] = json.loads(inflate(data) if isinstance(data, bytes) else data)
            return frame

        assert (await receive())["op"] == 10
        await socket.send_json({"op": 2, "d": {"token": sandbox.bot_token, "intents": 1, "properties": {}}})
        assert (await receive())["t"] == "READY"


async def test_shards_get_their_own_guilds(sandbox: SandboxProcess) -> None:
    made = [await sandbox.make_guild(f"Sharded {index}") for index in range(4)]
    by_shard: list[set[str]] = []
    for shard_id in range(2):
        async with connected_bot(sandbox, shard_id=shard_id, shard_count=2) as bot:
            mine = {ids["id"] for ids in made if (int(ids["id"]) >> 22) % 2 == shard_id}
            for guild_id in mine:
                await bot.until_guild(guild_id)
            by_shard.append({str(guild.id) for guild in bot.guilds} & {ids["id"] for ids in made})
    assert by_shard[0] | by_shard[1] == {ids["id"] for ids in made}
    assert not by_shard[0] & by_shard[1]


async def test_a_delayed_guild_comes_late_and_can_be_released(sandbox: SandboxProcess) -> None:
    await sandbox.control("delay_guild", guild="Latecomer", seconds=300)
    late = await sandbox.make_guild("Latecomer", members=[{"name": "zoe"}], channels=[{"name": "general"}])
    async with connected_bot(sandbox) as bot:
        punctual = await sandbox.make_guild("Punctual")
        await bot.until_guild(punctual["id"])
        unavailable = bot.get_guild(int(late["id"]))
        assert unavailable is None or unavailable.unavailable
        await sandbox.control("delay_guild", guild="Latecomer", seconds=0)
        await bot.until_guild(late["id"])


async def test_an_outage_makes_a_guild_unavailable_and_available_again(
    sandbox: SandboxProcess, bot: ListeningBot, guild: discord.Guild
) -> None:
    await sandbox.control("guild_outage", guild=str(guild.id), available=False)
    await bot.until_heard("guild_unavailable")
    await sandbox.control("guild_outage", guild=str(guild.id), available=True)
    await bot.until_heard("guild_available")


async def test_connections_are_refused_for_as_long_as_asked(sandbox: SandboxProcess) -> None:
    await sandbox.control("gateway", refuse_seconds=600)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            async with asyncio.timeout(5), session.ws_connect(f"{sandbox.base_url}/gateway"):
                pass
        assert refusal.value.status == 503
