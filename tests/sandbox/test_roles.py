"""Discord's documented rules of roles and of channels in sync, which simcord leaves out."""

from __future__ import annotations

import discord
import pytest

from tests.sandbox.bot_client import ListeningBot
from tests.sandbox_process import GuildIds, SandboxProcess


async def overwritten(sandbox: SandboxProcess, ids: GuildIds, channel: str) -> list[tuple[str, list[str]]]:
    """Whom the channel's overwrites are for, and what they deny."""
    seen = await sandbox.control("world", guild=ids["id"])
    (found,) = (each for each in seen["guilds"][0]["channels"] if each["name"] == channel)
    return [(each["id"], each["deny"]) for each in found["overwrites"]]


async def test_a_role_has_a_name_of_1_to_100_characters(guild: discord.Guild) -> None:
    for name in ("x" * 101, ""):
        with pytest.raises(discord.HTTPException, match="between 1 and 100"):
            await guild.create_role(name=name)
    role = await guild.create_role(name="x" * 100)
    with pytest.raises(discord.HTTPException, match="between 1 and 100"):
        await role.edit(name="x" * 101)


async def test_a_guild_has_at_most_250_roles(guild: discord.Guild) -> None:
    roles = await guild.fetch_roles()
    for number in range(250 - len(roles)):
        await guild.create_role(name=str(number))
    with pytest.raises(discord.HTTPException) as refused:
        await guild.create_role(name="one more")
    assert refused.value.code == 30005


async def test_everybodys_role_and_managed_ones_are_neither_given_nor_taken(
    bot: ListeningBot, guild: discord.Guild, ids: GuildIds
) -> None:
    nina = await guild.fetch_member(int(ids["members"]["nina"]))
    for role_id in (guild.id, int(ids["roles"]["Guildhall"])):
        role = discord.Object(role_id)
        for change in (nina.add_roles, nina.remove_roles):
            with pytest.raises(discord.Forbidden) as refused:
                await change(role)
            assert refused.value.code == 50028


async def test_channels_in_sync_follow_their_category(
    sandbox: SandboxProcess, guild: discord.Guild, ids: GuildIds
) -> None:
    talk = guild.get_channel(int(ids["channels"]["Talk"]))
    voice = guild.get_channel(int(ids["channels"]["voice"]))
    member = guild.get_role(int(ids["roles"]["Member"]))
    assert talk is not None
    assert voice is not None
    assert member is not None
    await voice.set_permissions(guild.default_role, speak=False)
    own = await overwritten(sandbox, ids, "voice")
    await talk.set_permissions(member, send_messages=False)
    expected = [(ids["roles"]["Member"], ["send_messages"])]
    assert await overwritten(sandbox, ids, "Talk") == expected
    assert await overwritten(sandbox, ids, "general") == expected, "it followed"
    assert await overwritten(sandbox, ids, "voice") == own, "it has permissions of its own"
    await talk.set_permissions(member, overwrite=None)
    assert await overwritten(sandbox, ids, "general") == []
