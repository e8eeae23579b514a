"""Guilds from the gateway's cache and over REST, with their age, in one shape."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
import pytest

from bot.guild_sources import GatewaySource, RestSource
from bot.rest_guilds import RestGuilds
from operations.guild_source import GuildSource, GuildStarting
from tests.bot.guildhall_client import Connected, built_client, connected_client
from tests.sandbox_process import GuildIds, SandboxProcess


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def _requests(sandbox: SandboxProcess, guild_id: int) -> list[str]:
    answer = await sandbox.control("requests")
    return [entry["path"] for entry in answer["requests"] if f"/guilds/{guild_id}" in entry["path"]]


async def test_the_gateway_source_serves_ready_guilds_and_knows_itself(
    sandbox: SandboxProcess, connected: Connected, guild: GuildIds
) -> None:
    source: GuildSource = GatewaySource(connected.client)
    guild_id = int(guild["id"])
    found = await source.guild(guild_id)
    assert found is not None
    assert found is source.cached(guild_id)
    assert (source.name, source.bot_user_id) == ("gateway", int(sandbox.bot_id))
    assert len(source.application_owner_ids) == 1
    assert guild_id in source.guild_ids()
    assert source.members_are_current(guild_id)
    assert source.age_seconds(guild_id) < 60


async def test_a_guild_that_the_bot_is_not_in_is_none_without_waiting(connected: Connected) -> None:
    source = GatewaySource(connected.client, wait_seconds=3600)
    assert await source.guild(123456789012345678) is None
    assert source.cached(123456789012345678) is None


async def test_a_guild_that_is_arriving_is_waited_for_and_then_said_to_be_starting(
    sandbox: SandboxProcess, guild: GuildIds
) -> None:
    await sandbox.control("delay_guild", guild=guild["id"], seconds=600)
    async with connected_client(sandbox) as connected:
        source = GatewaySource(connected.client, wait_seconds=0.05)
        with pytest.raises(GuildStarting) as starting:
            await source.guild(int(guild["id"]))
        assert starting.value.retry_after_seconds > 0
        assert source.cached(int(guild["id"])) is None
        assert not source.members_are_current(int(guild["id"]))


async def test_without_the_members_intent_members_are_not_current(sandbox: SandboxProcess, guild: GuildIds) -> None:
    async with connected_client(sandbox, MEMBERS_INTENT="false") as connected:
        guild_id = await connected.until_ready(guild)
        source = GatewaySource(connected.client)
        assert not source.members_are_current(guild_id)
        found = await source.guild(guild_id)
        assert found is not None
        assert found.me.id == int(sandbox.bot_id)
        assert [member.id for member in found.members] == [found.me.id]


async def test_before_the_gateway_connects_the_age_is_infinite(sandbox: SandboxProcess, guild: GuildIds) -> None:
    async with built_client(sandbox) as (client, _):
        source = GatewaySource(client, wait_seconds=0.01)
        assert source.age_seconds(int(guild["id"])) == float("inf")
        with pytest.raises(GuildStarting):
            await source.guild(int(guild["id"]))


async def test_the_guild_of_a_channel_is_found_and_forgotten_with_the_channel(
    sandbox: SandboxProcess, connected: Connected, guild: GuildIds
) -> None:
    source, channel_id = GatewaySource(connected.client), int(guild["channels"]["general"])
    for _ in range(2):
        assert source.guild_of_channel(channel_id) == int(guild["id"])
    assert source.guild_of_channel(123456789012345678) is None
    await sandbox.control("as_user", user=guild["owner_id"], method="DELETE", path=f"/channels/{channel_id}")
    known = connected.client.get_guild(int(guild["id"]))
    await connected.until(lambda: known is not None and known.get_channel(channel_id) is None, "the deletion")
    assert source.guild_of_channel(channel_id) is None


async def test_members_are_fetched_fresh_and_strangers_are_none(
    sandbox: SandboxProcess, connected: Connected, guild: GuildIds
) -> None:
    source = GatewaySource(connected.client)
    found = await source.guild(int(guild["id"]))
    assert found is not None
    ada = await source.fetch_member(found, int(guild["members"]["ada"]))
    assert ada is not None
    assert [role.name for role in ada.roles] == ["@everyone", "Mod"]
    assert await source.fetch_member(found, 123456789012345678) is None
    await sandbox.control(
        "fault", faults=[{"method": "GET", "path": "/guilds/*/members/*", "status": 403, "code": 50001}]
    )
    with pytest.raises(discord.Forbidden):
        await source.fetch_member(found, int(guild["members"]["ada"]))


async def test_over_rest_a_guild_is_whole(sandbox: SandboxProcess, guild: GuildIds) -> None:
    async with (
        connected_client(sandbox) as connected,
        built_client(sandbox) as (client, _),
        RestSource(client) as source,
    ):
        guild_id = await connected.until_ready(guild)
        by_gateway = connected.client.get_guild(guild_id)
        by_rest = await source.guild(guild_id)
        assert by_gateway is not None
        assert by_rest is not None
        assert {channel.name: _overwrites(channel) for channel in by_rest.channels} == {
            channel.name: _overwrites(channel) for channel in by_gateway.channels
        }
        assert {role.id: (role.name, role.permissions) for role in by_rest.roles} == {
            role.id: (role.name, role.permissions) for role in by_gateway.roles
        }
        assert by_rest.me.roles == by_gateway.me.roles
        assert by_rest.owner_id == by_gateway.owner_id
        channel = by_rest.text_channels[0]
        assert channel.permissions_for(by_rest.me) == by_gateway.text_channels[0].permissions_for(by_gateway.me)


async def test_over_rest_active_threads_are_there_with_the_bot_s_own_membership(
    sandbox: SandboxProcess, guild: GuildIds
) -> None:
    path = f"/channels/{guild['channels']['general']}/threads"
    made = await sandbox.control(
        "as_user", user=guild["owner_id"], method="POST", path=path, body={"name": "talk", "type": 11}
    )
    thread_id = int(made["result"]["id"])
    join = f"/channels/{thread_id}/thread-members/{sandbox.bot_id}"
    await sandbox.control("as_user", user=guild["owner_id"], method="PUT", path=join)
    async with built_client(sandbox) as (client, _), RestSource(client) as source:
        found = await source.guild(int(guild["id"]))
        assert found is not None
        thread = found.get_thread(thread_id)
        assert thread is not None
        assert thread.name == "talk"
        assert thread.me is not None
        assert source.guild_of_channel(thread_id) == found.id


async def test_over_rest_a_guild_is_kept_for_30_seconds_and_fetched_once_for_many(
    sandbox: SandboxProcess, guild: GuildIds
) -> None:
    guild_id, clock = int(guild["id"]), Clock()
    async with built_client(sandbox) as (client, _):
        source = RestSource(client, RestGuilds(client, clock=clock))
        async with source:
            assert source.age_seconds(guild_id) == float("inf")
            assert source.cached(guild_id) is None
            first = await asyncio.gather(*(source.guild(guild_id) for _ in range(5)))
            assert all(found is first[0] for found in first)
            requests = await _requests(sandbox, guild_id)
            assert len(requests) == len(set(requests)) == 4
            clock.now += 29
            assert await source.guild(guild_id) is first[0]
            assert source.cached(guild_id) is first[0]
            assert source.age_seconds(guild_id) == 29
            clock.now += 2
            assert source.cached(guild_id) is None
            assert await source.guild(guild_id) is not first[0]
            assert source.age_seconds(guild_id) == 0
            assert (source.name, source.members_are_current(guild_id)) == ("rest", False)


async def test_over_rest_a_guild_that_the_bot_is_not_in_is_none(sandbox: SandboxProcess) -> None:
    async with built_client(sandbox) as (client, _), RestSource(client) as source:
        assert await source.guild(123456789012345678) is None


async def test_over_rest_another_error_reaches_everyone_who_asked_and_is_not_kept(
    sandbox: SandboxProcess, guild: GuildIds
) -> None:
    guild_id = int(guild["id"])
    async with built_client(sandbox) as (client, _), RestSource(client) as source:
        await sandbox.control(
            "fault", faults=[{"method": "GET", "path": f"/guilds/{guild_id}", "status": 503, "times": 1}]
        )
        answers = await asyncio.gather(*(source.guild(guild_id) for _ in range(2)), return_exceptions=True)
        assert all(isinstance(answer, discord.DiscordServerError) for answer in answers)
        assert await source.guild(guild_id) is not None


async def test_over_rest_one_who_gives_up_does_not_take_the_answer_from_the_others(
    sandbox: SandboxProcess, guild: GuildIds
) -> None:
    guild_id = int(guild["id"])
    async with built_client(sandbox) as (client, _), RestSource(client) as source:
        one, other = (asyncio.create_task(source.guild(guild_id)) for _ in range(2))
        await asyncio.sleep(0)
        one.cancel()
        assert await other is not None


async def test_over_rest_the_list_of_guilds_is_looked_up_again_on_use(sandbox: SandboxProcess, guild: GuildIds) -> None:
    clock = Clock()
    async with built_client(sandbox) as (client, _):
        guilds = RestGuilds(client, clock=clock)
        async with RestSource(client, guilds) as source:
            assert int(guild["id"]) in source.guild_ids()
            joined = int((await sandbox.make_guild("Joined later", owner="otto"))["id"])
            assert joined not in source.guild_ids()
            clock.now += 31
            source.guild_ids()
            await guilds.refresh()
            assert joined in source.guild_ids()


def _overwrites(channel: discord.abc.GuildChannel) -> dict[int, Any]:
    return {target.id: overwrite.pair() for target, overwrite in channel.overwrites.items()}


# ------------------------------------------------------------------- members
@pytest.mark.parametrize("by", ["gateway", "rest"])
async def test_members_are_listed_by_rest_in_pages_and_found_by_how_their_names_begin(
    sandbox: SandboxProcess, guild: GuildIds, by: str
) -> None:
    """Without the members intent too: Discord asks for the switch in the portal alone."""
    async with connected_client(sandbox, MEMBERS_INTENT="false") as connected, RestSource(connected.client) as rest:
        guild_id = await connected.until_ready(guild)
        source: GuildSource = rest if by == "rest" else GatewaySource(connected.client)
        found = await source.guild(guild_id)
        assert found is not None
        everybody = await source.list_members(found, 0, 1000)
        assert {member.name: str(member.id) for member in everybody} == guild["members"]
        ids = [member.id for member in everybody]
        assert ids == sorted(ids)
        pages = [await source.list_members(found, after, 2) for after in (0, ids[1])]
        assert [member.id for page in pages for member in page] == ids[:4]
        assert [member.name for member in await source.search_members(found, "AD")] == ["ada"]


async def test_the_gateway_tells_of_all_members_on_request(connected: Connected, guild: GuildIds) -> None:
    source = GatewaySource(connected.client)
    found = await source.guild(int(guild["id"]))
    assert found is not None
    await source.complete_members(found)
    await connected.until(lambda: {member.name for member in found.members} == set(guild["members"]), "all are there")


async def test_anybody_is_found_by_id_and_nobody_is_none(
    sandbox: SandboxProcess, connected: Connected, guild: GuildIds
) -> None:
    source = GatewaySource(connected.client)
    user = await source.fetch_user(int(guild["owner_id"]))
    assert user is not None
    assert str(user.id) == guild["owner_id"]
    assert await source.fetch_user(123456789012345678) is None
    await sandbox.control("fault", faults=[{"method": "GET", "path": "/users/*", "status": 403, "times": 1}])
    with pytest.raises(discord.Forbidden):
        await source.fetch_user(int(guild["owner_id"]))
