from __future__ import annotations

import io

import discord
import pytest

from tests.sandbox.bot_client import ListeningBot, text_channel
from tests.sandbox_process import ControlError, GuildIds, SandboxProcess


async def test_a_members_message_reaches_the_bot_and_its_reply_stands_in_the_channel(
    sandbox: SandboxProcess, bot: ListeningBot, guild: discord.Guild, ids: GuildIds
) -> None:
    general = ids["channels"]["general"]
    sent = await sandbox.control("send", user=ids["members"]["nina"], channel=general, content="ahoy")
    await bot.until_heard("message")
    message: discord.Message = bot.events("message")[0][0]
    assert (message.content, message.author.name, message.id) == ("ahoy", "nina", int(sent["id"]))

    await message.reply("ahoy yourself")

    history = (await sandbox.control("history", channel=general))["messages"]
    assert [entry["content"] for entry in history] == ["ahoy", "ahoy yourself"]
    assert history[1]["message_reference"]["message_id"] == sent["id"]


async def test_a_message_with_embed_and_file_round_trips_and_the_cdn_serves_the_file(guild: discord.Guild) -> None:
    message = await text_channel(guild, "general").send(
        "see", embed=discord.Embed(title="t"), file=discord.File(io.BytesIO(b"abc"), "a.txt", description="d")
    )
    fetched = await message.channel.fetch_message(message.id)
    assert fetched.embeds[0].title == "t"
    assert fetched.attachments[0].description == "d"
    assert await fetched.attachments[0].read() == b"abc"


async def test_editing_reacting_pinning_and_deleting_are_announced_to_the_bot(
    bot: ListeningBot, guild: discord.Guild
) -> None:
    channel = text_channel(guild, "general")
    message = await channel.send("x")
    assert (await message.edit(content="y")).content == "y"
    await message.add_reaction("👍")
    await bot.until_heard("reaction_add")
    await message.pin()
    assert [pinned.id async for pinned in channel.pins()] == [message.id]
    await message.delete()
    await bot.until_heard("message_delete")
    with pytest.raises(discord.NotFound) as refusal:
        await channel.fetch_message(message.id)
    assert refusal.value.code == 10008


async def test_people_send_with_their_own_permissions(
    sandbox: SandboxProcess, guild: discord.Guild, ids: GuildIds
) -> None:
    mod_room = ids["channels"]["mod-room"]
    with pytest.raises(ControlError, match="50001"):
        await sandbox.control("send", user=ids["members"]["nina"], channel=mod_room, content="let me in")
    await sandbox.control("send", user=ids["members"]["marlow"], channel=mod_room, content="quiet here")
    await sandbox.control("timeout", guild=ids["id"], user=ids["members"]["theo"], seconds=60)
    with pytest.raises(ControlError, match="50013"):
        await sandbox.control("send", user=ids["members"]["theo"], channel=ids["channels"]["general"], content="hm")


async def test_a_member_edits_reacts_to_and_deletes_messages_with_attachments(
    sandbox: SandboxProcess, bot: ListeningBot, guild: discord.Guild, ids: GuildIds
) -> None:
    general, nina = ids["channels"]["general"], ids["members"]["nina"]
    sent = await sandbox.control(
        "send",
        user=nina,
        channel=general,
        content="my notes",
        attachments=[{"name": "notes.txt", "text": "tide at six"}],
        embeds=[{"title": "Tides"}],
    )
    await bot.until_heard("message")
    message: discord.Message = bot.events("message")[0][0]
    assert await message.attachments[0].read() == b"tide at six"
    assert message.embeds[0].title == "Tides"
    await sandbox.control("edit", user=nina, channel=general, message=sent["id"], content="my better notes")
    await bot.until_heard("message_edit")
    await sandbox.control("react", user=ids["members"]["theo"], channel=general, message=sent["id"], emoji="⚓")
    await bot.until_heard("reaction_add")
    await sandbox.control("delete", user=ids["members"]["marlow"], channel=general, message=sent["id"])
    await bot.until_heard("message_delete")
    entry = (await sandbox.control("audit_log", guild=ids["id"]))["entries"][0]
    assert (entry["action_type"], entry["user_id"], entry["target_id"]) == (72, ids["members"]["marlow"], nina)


async def test_direct_messages_work_both_ways(
    sandbox: SandboxProcess, bot: ListeningBot, guild: discord.Guild, ids: GuildIds
) -> None:
    sent = await sandbox.control("send", user=ids["members"]["nina"], content="psst")
    await bot.until_heard("message")
    message: discord.Message = bot.events("message")[0][0]
    assert message.guild is None
    await message.channel.send("yes?")
    history = (await sandbox.control("history", channel=sent["channel"]))["messages"]
    assert [entry["content"] for entry in history] == ["psst", "yes?"]
    assert sent["channel"] in {channel["id"] for channel in (await sandbox.control("world"))["direct_messages"]}


async def test_messages_of_a_hidden_channel_do_not_reach_the_bot(sandbox: SandboxProcess, bot: ListeningBot) -> None:
    ids = await sandbox.make_guild(
        "Blind Spot",
        members=[{"name": "kit"}],
        bot_permissions=["view_channel", "send_messages"],
        channels=[
            {
                "name": "hidden",
                "overwrites": [
                    {"role": "@everyone", "deny": ["view_channel"]},
                    {"member": "kit", "allow": ["view_channel"]},
                ],
            },
            {"name": "open"},
        ],
    )
    await bot.until_guild(ids["id"])
    await sandbox.control("send", user=ids["members"]["kit"], channel=ids["channels"]["hidden"], content="secret")
    await sandbox.control("send", user=ids["members"]["kit"], channel=ids["channels"]["open"], content="hello")
    await bot.until_heard("message")
    assert [args[0].content for args in bot.events("message")] == ["hello"]
