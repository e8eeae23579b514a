"""Webhooks and invites as Discord documents them, where simcord leaves something out."""

from __future__ import annotations

import discord
import pytest

from tests.sandbox.bot_client import text_channel
from tests.sandbox_process import GuildIds, SandboxProcess

pytestmark = pytest.mark.asyncio


async def test_names_and_numbers_of_webhooks_are_bounded(guild: discord.Guild) -> None:
    general = text_channel(guild, "general")
    for name in ("Clyde", "my discord", "x" * 81):
        with pytest.raises(discord.HTTPException) as refused:
            await general.create_webhook(name=name)
        assert refused.value.code == 50035
    made = [await general.create_webhook(name=f"hook {number}") for number in range(15)]
    with pytest.raises(discord.HTTPException) as full:
        await general.create_webhook(name="one more")
    assert full.value.code == 30007
    assert made[0].token is not None
    assert len(made[0].token) == 68


async def test_pictures_names_and_places_of_webhooks_change(guild: discord.Guild) -> None:
    general, random = text_channel(guild, "general"), text_channel(guild, "random")
    webhook = await general.create_webhook(name="hook")
    assert webhook.avatar is None
    await webhook.edit(name="other", avatar=b"\x89PNG\r\n\x1a\n", channel=random)
    (found,) = await random.webhooks()
    assert (found.name, found.avatar is None) == ("other", False)
    sent = await found.send("hello", wait=True)
    assert sent.author.name == "other"
    assert await found.send("unseen") is None


async def test_the_token_of_another_application_is_not_given(
    sandbox: SandboxProcess, guild: discord.Guild, ids: GuildIds
) -> None:
    other = await sandbox.control("add_member", guild=ids["id"], name="Rival", bot=True, roles=[ids["roles"]["Admin"]])
    path = f"/channels/{ids['channels']['general']}/webhooks"
    for user in (other["id"], ids["members"]["ada"]):
        await sandbox.control("as_user", user=user, method="POST", path=path, body={"name": "hook"})
    theirs, by_hand = await text_channel(guild, "general").webhooks()
    assert (theirs.token, by_hand.token is None) == (None, False)


async def test_a_webhook_posts_to_threads_of_its_channel_alone(sandbox: SandboxProcess, guild: discord.Guild) -> None:
    general, random = text_channel(guild, "general"), text_channel(guild, "random")
    inside = await (await general.send("topic")).create_thread(name="aside")
    outside = await (await random.send("topic")).create_thread(name="elsewhere")
    webhook = await general.create_webhook(name="hook")
    await webhook.send("in it", thread=inside, wait=True)
    seen = (await sandbox.control("history", channel=str(inside.id)))["messages"]
    assert [message["content"] for message in seen][-1] == "in it"
    with pytest.raises(discord.NotFound):
        await webhook.send("not there", thread=outside, wait=True)


async def test_invites_are_bounded_reused_and_deleted_by_who_manages_the_guild(
    sandbox: SandboxProcess, guild: discord.Guild, ids: GuildIds
) -> None:
    general = text_channel(guild, "general")
    for max_age, max_uses in ((5_184_001, 0), (0, 101)):
        with pytest.raises(discord.HTTPException) as refused:
            await general.create_invite(max_age=max_age, max_uses=max_uses)
        assert refused.value.code == 50035
    first = await general.create_invite(max_uses=3, unique=False)
    assert (await general.create_invite(max_uses=3, unique=False)).code == first.code
    assert (await general.create_invite(max_uses=3)).code != first.code
    role = await guild.create_role(name="Host", permissions=discord.Permissions(manage_guild=True))
    nina = ids["members"]["nina"]
    path = f"/invites/{first.code}"
    with pytest.raises(Exception, match="50013"):
        await sandbox.control("as_user", user=nina, method="DELETE", path=path)
    await sandbox.control("set_roles", guild=ids["id"], user=nina, roles=[str(role.id)])
    await sandbox.control("as_user", user=nina, method="DELETE", path=path)
    assert first.code not in {invite.code for invite in await guild.invites()}
    entry = (await sandbox.control("audit_log", guild=ids["id"]))["entries"][0]
    assert (entry["action_type"], {"key": "code", "old_value": first.code} in entry["changes"]) == (42, True)
