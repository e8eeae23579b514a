"""What the sandbox adds to simcord about members and bans."""

from __future__ import annotations

import discord
import pytest

from tests.sandbox.bot_client import ListeningBot
from tests.sandbox_process import GuildIds, SandboxProcess


async def _strangers(sandbox: SandboxProcess, ids: GuildIds, count: int) -> list[int]:
    """Banned accounts, in the order of their ids; they are banned in the other order."""
    found: list[int] = []
    for number in range(count):
        added = await sandbox.control("add_member", guild=ids["id"], name=f"raider{number}")
        found.append(int(added["id"]))
    for user_id in sorted(found, reverse=True):
        await sandbox.control("ban", guild=ids["id"], user=user_id)
    return sorted(found)


async def test_bans_come_in_pages_by_user_id(sandbox: SandboxProcess, ids: GuildIds, guild: discord.Guild) -> None:
    banned = await _strangers(sandbox, ids, 4)
    assert [entry.user.id async for entry in guild.bans(limit=2)] == banned[:2]
    after = discord.Object(banned[1])
    assert [entry.user.id async for entry in guild.bans(limit=2, after=after)] == banned[2:]
    before = discord.Object(banned[3])
    assert [entry.user.id async for entry in guild.bans(limit=2, before=before)] == banned[1:3]


async def test_a_page_of_bans_has_1000_at_most(guild: discord.Guild, bot: ListeningBot) -> None:
    for limit in (0, 1001):
        with pytest.raises(discord.HTTPException) as refused:
            await bot.http.get_bans(guild.id, limit=limit)
        assert refused.value.code == 50035


async def test_an_empty_nickname_is_none_and_a_long_one_is_refused(ids: GuildIds, guild: discord.Guild) -> None:
    member = await guild.fetch_member(int(ids["members"]["theo"]))
    named = await member.edit(nick="x" * 32)
    assert named is not None
    assert named.nick == "x" * 32
    plain = await member.edit(nick="")
    assert plain is not None
    assert plain.nick is None
    with pytest.raises(discord.HTTPException) as refused:
        await member.edit(nick="x" * 33)
    assert refused.value.code == 50035


async def test_the_bots_own_nickname_is_logged(sandbox: SandboxProcess, ids: GuildIds, guild: discord.Guild) -> None:
    await guild.me.edit(nick="Harbour Master", reason="because")
    entry = (await sandbox.control("audit_log", guild=ids["id"]))["entries"][0]
    assert (entry["action_type"], entry["target_id"], entry["reason"]) == (24, str(guild.me.id), "because")
    (change,) = entry["changes"]
    assert (change["key"], change["new_value"]) == ("nick", "Harbour Master")


async def test_who_takes_no_direct_messages_gets_none(sandbox: SandboxProcess, guild: discord.Guild) -> None:
    added = await sandbox.control("add_member", guild=guild.id, name="shy")
    await sandbox.control("direct_messages", user=int(added["id"]), open=False)
    member = await guild.fetch_member(int(added["id"]))
    with pytest.raises(discord.Forbidden) as refused:
        await member.send("hello")
    assert refused.value.code == 50007
    await sandbox.control("direct_messages", user=int(added["id"]), open=True)
    await member.send("hello")


async def test_the_audit_log_after_an_entry_begins_with_the_oldest(
    sandbox: SandboxProcess, ids: GuildIds, guild: discord.Guild
) -> None:
    await _strangers(sandbox, ids, 4)
    newest_first = [entry.id async for entry in guild.audit_logs(limit=10)]
    oldest_first = [entry.id async for entry in guild.audit_logs(limit=10, oldest_first=True)]
    assert oldest_first == newest_first[::-1]
    after = discord.Object(oldest_first[0])
    found = [entry.id async for entry in guild.audit_logs(limit=2, after=after, oldest_first=True)]
    assert found == oldest_first[1:3]
