"""Typed events come after the cache has changed, for cached and uncached members alike, and never end the process."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import structlog
from discord.ext import commands

from bot import discord_internals
from bot.discord_internals import DiscordPyMovedError
from bot.parser_hook import ParserHook
from operations.events import (
    Event,
    GuildGone,
    GuildReady,
    GuildStructureChanged,
    MemberChanged,
    MessageChanged,
    ThreadMembersChanged,
)
from tests.bot.guildhall_client import Connected, connected_client
from tests.sandbox_process import GuildIds, SandboxProcess


async def _by_hand(sandbox: SandboxProcess, guild: GuildIds, method: str, path: str, body: Any = None) -> Any:
    answer = await sandbox.control("as_user", user=guild["owner_id"], method=method, path=path, body=body)
    return answer["result"]


async def test_messages_are_published_when_they_come_change_and_go(
    sandbox: SandboxProcess, connected: Connected, guild: GuildIds
) -> None:
    guild_id, channel_id = int(guild["id"]), int(guild["channels"]["general"])
    user = guild["members"]["nina"]
    sent = [(await sandbox.control("send", user=user, channel=channel_id, content=text)) for text in "abc"]
    ids = [int(message["id"]) for message in sent]
    await sandbox.control("edit", user=user, channel=channel_id, message=ids[0], content="new")
    await connected.until_published(MessageChanged(guild_id, channel_id, ids[0], "created"))
    await connected.until_published(MessageChanged(guild_id, channel_id, ids[0], "edited"))
    await sandbox.control("delete", user=user, channel=channel_id, message=ids[0])
    await connected.until_published(MessageChanged(guild_id, channel_id, ids[0], "deleted"))
    path = f"/channels/{channel_id}/messages/bulk-delete"
    await _by_hand(sandbox, guild, "POST", path, {"messages": [str(message_id) for message_id in ids[1:]]})
    for message_id in ids[1:]:
        await connected.until_published(MessageChanged(guild_id, channel_id, message_id, "deleted"))


async def test_structure_changes_are_published_with_the_cache_already_changed(
    sandbox: SandboxProcess, connected: Connected, guild: GuildIds
) -> None:
    guild_id = int(guild["id"])
    seen: list[set[str]] = []

    def look(event: Event) -> None:
        if event == GuildStructureChanged(guild_id):
            known = connected.client.get_guild(guild_id)
            assert known is not None
            seen.append({channel.name for channel in known.channels} | {role.name for role in known.roles})

    connected.hub.listen(look)
    await _by_hand(sandbox, guild, "POST", f"/guilds/{guild_id}/channels", {"name": "new-channel", "type": 0})
    await connected.until(lambda: seen and "new-channel" in seen[-1], "the new channel")
    await _by_hand(sandbox, guild, "POST", f"/guilds/{guild_id}/roles", {"name": "New role"})
    await connected.until(lambda: seen and "New role" in seen[-1], "the new role")
    await _by_hand(sandbox, guild, "PATCH", f"/guilds/{guild_id}", {"name": "Renamed"})
    await connected.until(lambda: connected.client.get_guild(guild_id).name == "Renamed", "the new name")  # pyright: ignore[reportOptionalMemberAccess]
    before = len(seen)
    await sandbox.control(
        "set_overwrite",
        channel=guild["channels"]["general"],
        role=guild["roles"]["Mod"],
        allow=["send_messages"],
    )
    await connected.until(lambda: len(seen) > before, "the new overwrite")


async def test_members_are_published_whether_they_are_cached_or_not(
    sandbox: SandboxProcess, connected: Connected, guild: GuildIds
) -> None:
    guild_id, nina = int(guild["id"]), int(guild["members"]["nina"])
    known = connected.client.get_guild(guild_id)
    assert known is not None
    assert known.get_member(nina) is None
    await sandbox.control("set_nick", guild=guild_id, user=nina, nick="N")
    await connected.until_published(MemberChanged(guild_id, nina))
    joined = await sandbox.control("add_member", guild=guild_id, name="theo")
    await connected.until_published(MemberChanged(guild_id, int(joined["id"])))
    await sandbox.control("leave", guild=guild_id, user=nina)
    await connected.until_published(MemberChanged(guild_id, nina, left=True))


async def test_joining_a_private_thread_is_published(
    sandbox: SandboxProcess, connected: Connected, guild: GuildIds
) -> None:
    guild_id = int(guild["id"])
    path = f"/channels/{guild['channels']['general']}/threads"
    thread = await _by_hand(sandbox, guild, "POST", path, {"name": "secret", "type": 12, "invitable": False})
    bot_id = sandbox.bot_id
    await _by_hand(sandbox, guild, "PUT", f"/channels/{thread['id']}/thread-members/{bot_id}")
    await _by_hand(sandbox, guild, "PUT", f"/channels/{thread['id']}/thread-members/{guild['members']['nina']}")
    await connected.until_published(ThreadMembersChanged(guild_id, int(thread["id"])))


async def test_a_guild_that_is_joined_and_left_is_published(sandbox: SandboxProcess, connected: Connected) -> None:
    joined = await sandbox.make_guild("Joined later", owner="otto")
    guild_id = int(joined["id"])
    await connected.until_published(GuildReady(guild_id))
    await sandbox.control("remove_guild", guild=guild_id)
    await connected.until_published(GuildGone(guild_id, left=True))
    assert guild_id not in connected.client.readiness.guild_ids()


async def test_after_an_outage_channels_that_were_deleted_meanwhile_are_gone(
    sandbox: SandboxProcess, connected: Connected, guild: GuildIds
) -> None:
    guild_id, channel_id = int(guild["id"]), int(guild["channels"]["general"])
    await sandbox.control("guild_outage", guild=guild_id, available=False)
    await connected.until_published(GuildGone(guild_id, left=False))
    assert not connected.client.readiness.is_ready(guild_id)
    await _by_hand(sandbox, guild, "DELETE", f"/channels/{channel_id}")
    await sandbox.control("guild_outage", guild=guild_id, available=True)
    await connected.until_ready(guild)
    known = connected.client.get_guild(guild_id)
    assert known is not None
    assert known.get_channel(channel_id) is None


@pytest.mark.usefixtures("identifies_at_once")
async def test_a_guild_left_while_disconnected_is_gone_after_the_new_session(
    sandbox: SandboxProcess, guild: GuildIds
) -> None:
    doomed = await sandbox.make_guild("Doomed", owner="otto")
    async with connected_client(sandbox) as connected:
        doomed_id = await connected.until_ready(doomed)
        await sandbox.control("gateway", forget=True, op=7)
        await sandbox.control("remove_guild", guild=doomed_id)
        await connected.until_published(GuildGone(doomed_id, left=True))
        await connected.until_ready(guild)
        assert connected.client.get_guild(doomed_id) is None
        assert connected.client.readiness.is_absent(doomed_id)


async def test_a_listener_that_fails_is_logged_and_the_next_event_goes_on(
    sandbox: SandboxProcess, connected: Connected, guild: GuildIds
) -> None:
    channel_id = int(guild["channels"]["general"])

    def fail(event: Event) -> None:
        raise RuntimeError("a listener broke")

    connected.hub.listen(fail)
    with structlog.testing.capture_logs() as lines:
        for text in ("one", "two"):
            await sandbox.control("send", user=guild["members"]["nina"], channel=channel_id, content=text)
        await connected.until(
            lambda: sum(isinstance(event, MessageChanged) for event in connected.events) == 2, "both messages"
        )
    assert [line["discord_event"] for line in lines] == ["MESSAGE_CREATE", "MESSAGE_CREATE"]
    assert not connected.connecting.done()


async def test_an_event_that_discord_py_chokes_on_does_not_end_the_connection(
    sandbox: SandboxProcess, connected: Connected, guild: GuildIds
) -> None:
    parsers = discord_internals.parsers(connected.client, ["MESSAGE_CREATE", "GUILD_CREATE"])
    parsers["MESSAGE_CREATE"]({"id": "1"})
    parsers["GUILD_CREATE"]({"id": "123456789012345678", "channels": [{"id": "x", "type": 0}]})
    assert not connected.client.readiness.is_ready(123456789012345678)
    await sandbox.control("send", user=guild["members"]["nina"], channel=guild["channels"]["general"], content="on")
    await connected.until(lambda: any(isinstance(event, MessageChanged) for event in connected.events), "a message")


async def test_a_parser_that_discord_py_no_longer_has_is_named(connected: Connected) -> None:
    client: commands.AutoShardedBot = connected.client
    parsers = discord_internals.parsers(client, ["READY"])
    del parsers["MESSAGE_DELETE_BULK"]
    with pytest.raises(DiscordPyMovedError, match="parser MESSAGE_DELETE_BULK"):
        ParserHook(client, connected.hub, connected.client.readiness, lambda shard_id, is_new: None)
    await asyncio.sleep(0)
