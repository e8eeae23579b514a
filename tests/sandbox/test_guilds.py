from __future__ import annotations

import aiohttp
import discord
import pytest

from tests.sandbox.bot_client import ListeningBot, text_channel
from tests.sandbox_process import ControlError, GuildIds, SandboxProcess


async def test_a_guild_made_at_run_time_reaches_the_bot_whole(sandbox: SandboxProcess, bot: ListeningBot) -> None:
    ids = await sandbox.make_guild(
        "Run Time",
        owner="olive",
        roles=[{"name": "High", "permissions": ["manage_roles"]}, {"name": "Low", "mentionable": True}],
        members=[{"name": "kit", "roles": ["Low"], "nick": "Kitten"}, {"name": "helper-bot", "bot": True}],
        channels=[
            {"name": "inside", "category": "Later"},
            {"name": "Later", "type": "category"},
            {"name": "posts", "type": "forum", "tags": ["Question", "Solved"]},
            {"name": "stage", "type": "stage"},
            {"name": "news", "type": "announcement"},
        ],
        bot_permissions=["view_channel", "kick_members"],
        bot_position=2,
    )
    guild = await bot.until_guild(ids["id"])
    assert [role.name for role in sorted(guild.roles, reverse=True)] == ["High", "Guildhall", "Low", "@everyone"]
    assert guild.me.guild_permissions.kick_members
    assert not guild.me.guild_permissions.administrator
    inside = text_channel(guild, "inside")
    assert inside.category is not None
    assert inside.category.name == "Later"
    forum = discord.utils.get(guild.forums, name="posts")
    assert forum is not None
    assert [tag.name for tag in forum.available_tags] == ["Question", "Solved"]
    assert (guild.owner_id, str(guild.owner_id)) == (int(ids["owner_id"]), ids["members"]["olive"])


async def test_a_guild_with_a_mistake_is_not_made_at_all(sandbox: SandboxProcess) -> None:
    with pytest.raises(ControlError, match="no role 'Ghost'"):
        await sandbox.make_guild("Half Made", members=[{"name": "kit", "roles": ["Ghost"]}])
    names = {guild["name"] for guild in (await sandbox.control("world"))["guilds"]}
    assert "Half Made" not in names


async def test_an_account_can_be_a_member_of_two_guilds(sandbox: SandboxProcess, ids: GuildIds) -> None:
    nina = ids["members"]["nina"]
    second = await sandbox.make_guild("Second", members=[{"name": "nina", "user": nina}])
    assert second["members"]["nina"] == nina


async def test_the_bot_learns_that_it_was_removed(
    sandbox: SandboxProcess, bot: ListeningBot, guild: discord.Guild
) -> None:
    await sandbox.control("remove_guild", guild=str(guild.id))
    await bot.until_heard("guild_remove")


async def test_moderation_by_hand_is_logged_with_who_did_it(
    sandbox: SandboxProcess, bot: ListeningBot, guild: discord.Guild, ids: GuildIds
) -> None:
    people = ids["members"]
    by_marlow = {"guild": ids["id"], "by": people["marlow"], "reason": "spam"}
    await sandbox.control("timeout", **by_marlow, user=people["theo"], seconds=600)
    await sandbox.control("kick", **by_marlow, user=people["theo"])
    await sandbox.control("ban", **by_marlow, user=people["nina"])
    await bot.until_heard("member_ban")
    await bot.until(lambda: guild.get_member(int(people["theo"])) is None, "theo's leaving")
    await sandbox.control("unban", guild=ids["id"], user=people["nina"])
    entries = (await sandbox.control("audit_log", guild=ids["id"]))["entries"]
    assert [(entry["action_type"], entry["user_id"], entry["reason"]) for entry in entries] == [
        (23, ids["owner_id"], None),
        (22, people["marlow"], "spam"),
        (20, people["marlow"], "spam"),
        (24, people["marlow"], "spam"),
    ]
    seen = [entry async for entry in guild.audit_logs(limit=1)]
    assert seen[0].user_id == int(ids["owner_id"])


async def test_moderation_by_hand_obeys_permissions_and_hierarchy(sandbox: SandboxProcess, ids: GuildIds) -> None:
    people = ids["members"]
    with pytest.raises(ControlError, match="50013"):
        await sandbox.control("kick", guild=ids["id"], user=people["theo"], by=people["nina"])
    with pytest.raises(ControlError, match="50013"):
        await sandbox.control("ban", guild=ids["id"], user=people["ada"], by=people["marlow"])
    with pytest.raises(ControlError, match="50013"):
        await sandbox.control(
            "set_roles", guild=ids["id"], user=people["theo"], roles=[ids["roles"]["Mod"]], by=people["marlow"]
        )
    await sandbox.control("set_roles", guild=ids["id"], user=people["theo"], roles=[ids["roles"]["Mod"]])
    await sandbox.control("set_nick", guild=ids["id"], user=people["theo"], nick="Teddy", by=people["ada"])
    world = (await sandbox.control("world", guild=ids["id"]))["guilds"][0]
    theo = next(member for member in world["members"] if member["name"] == "theo")
    assert (theo["roles"], theo["nick"]) == ([ids["roles"]["Mod"]], "Teddy")


async def test_coming_and_going_is_announced(
    sandbox: SandboxProcess, bot: ListeningBot, guild: discord.Guild, ids: GuildIds
) -> None:
    role = ids["roles"]["Member"]
    added = await sandbox.control("add_member", guild=ids["id"], name="newcomer", roles=[role])
    await bot.until_heard("member_join")
    joined: discord.Member = bot.events("member_join")[0][0]
    assert (str(joined.id), [str(held.id) for held in joined.roles[1:]]) == (added["id"], [role])
    await sandbox.control("leave", guild=ids["id"], user=added["id"])
    await bot.until_heard("member_remove")
    await sandbox.control("add_member", guild=str(guild.id), user=added["id"], pending=True)
    await bot.until(lambda: len(bot.events("member_join")) == 2, "the return")
    assert bot.events("member_join")[1][0].pending


async def test_overwrites_and_role_order_can_be_changed_by_hand(
    sandbox: SandboxProcess, bot: ListeningBot, guild: discord.Guild, ids: GuildIds
) -> None:
    general = text_channel(guild, "general")
    member_role = guild.get_role(int(ids["roles"]["Member"]))
    assert member_role is not None
    await sandbox.control("set_overwrite", channel=str(general.id), role=str(member_role.id), deny=["send_messages"])
    await bot.until(lambda: general.overwrites_for(member_role).send_messages is False, "the overwrite")
    await sandbox.control("set_overwrite", channel=str(general.id), role=str(member_role.id))
    await bot.until(lambda: general.overwrites_for(member_role).is_empty(), "the overwrite's end")
    entries = (await sandbox.control("audit_log", guild=ids["id"]))["entries"]
    assert [(entry["action_type"], entry["user_id"]) for entry in entries[:2]] == [
        (15, ids["owner_id"]),
        (13, ids["owner_id"]),
    ]

    await sandbox.control("move_role", guild=ids["id"], role=ids["roles"]["Admin"], position=1)
    await bot.until(lambda: guild.roles[1].name == "Admin", "the new order")
    with pytest.raises(ControlError, match="50013"):
        await sandbox.control(
            "move_role", guild=ids["id"], role=ids["roles"]["Admin"], position=3, by=ids["members"]["nina"]
        )


async def test_anything_else_can_be_done_by_hand_with_a_persons_own_rights(
    sandbox: SandboxProcess, bot: ListeningBot, guild: discord.Guild, ids: GuildIds
) -> None:
    request = {"method": "PATCH", "path": f"/channels/{ids['channels']['general']}", "body": {"topic": "new"}}
    with pytest.raises(ControlError, match="50013"):
        await sandbox.control("as_user", user=ids["members"]["nina"], **request)
    await sandbox.control("as_user", user=ids["members"]["ada"], **request, reason="spring cleaning")
    await bot.until(lambda: text_channel(guild, "general").topic == "new", "the topic")
    entry = (await sandbox.control("audit_log", guild=ids["id"]))["entries"][0]
    assert (entry["user_id"], entry["reason"]) == (ids["members"]["ada"], "spring cleaning")


async def test_the_world_is_described_by_names_and_ids(sandbox: SandboxProcess, ids: GuildIds) -> None:
    world = await sandbox.control("world", guild=ids["id"])
    guild = world["guilds"][0]
    marlow = next(member for member in guild["members"] if member["name"] == "marlow")
    assert (marlow["nick"], marlow["roles"], marlow["pending"]) == ("Captain", [ids["roles"]["Mod"]], False)
    mod_room = next(channel for channel in guild["channels"] if channel["name"] == "mod-room")
    assert mod_room["overwrites"][0]["deny"] == ["view_channel"]
    assert world["bot_id"] == sandbox.bot_id


async def test_a_login_at_the_oauth2_pages_ends_in_the_persons_guilds(sandbox: SandboxProcess, ids: GuildIds) -> None:
    redirect_uri = "http://127.0.0.1:9/callback"
    query = {
        "client_id": sandbox.application_id,
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "scope": "identify guilds",
        "state": "s1",
    }
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{sandbox.base_url}/oauth2/authorize", params=query) as response:
            page = await response.text()
        links = [part.split('"')[0].replace("&amp;", "&") for part in page.split('href="')[1:]]
        names = [part.split("</a>")[0].split(">")[-1] for part in page.split('href="')[1:]]
        link = dict(reversed(list(zip(names, links, strict=True))))["nina"]
        assert link.startswith(redirect_uri)
        assert "state=s1" in link
        form = {
            "grant_type": "authorization_code",
            "code": link.split("code=")[1].split("&")[0],
            "redirect_uri": redirect_uri,
            "client_id": sandbox.application_id,
            "client_secret": sandbox.oauth_client_secret,
        }
        token_url = f"{sandbox.api_base_url}/oauth2/token"
        async with session.post(token_url, data={**form, "client_secret": "wrong"}) as response:
            assert response.status == 401
        async with session.post(token_url, data=form) as response:
            token = (await response.json())["access_token"]
        async with session.post(token_url, data=form) as response:
            assert response.status == 400  # a code works once
        headers = {"Authorization": f"Bearer {token}"}
        async with session.get(f"{sandbox.api_base_url}/users/@me", headers=headers) as response:
            assert (await response.json())["username"] == "nina"
        elsewhere = {**query, "redirect_uri": "https://evil.example/"}
        async with session.get(f"{sandbox.base_url}/oauth2/authorize", params=elsewhere) as response:
            assert response.status == 400
    assert ids["name"] == "Test Harbor"
