from __future__ import annotations

import asyncio
import datetime
import io
import time
from typing import Any

import aiohttp
import discord
import pytest

from tests.sandbox.bot_client import ListeningBot, text_channel
from tests.sandbox_process import GuildIds, SandboxProcess


async def _post_message(
    sandbox: SandboxProcess, channel_id: str, body: dict[str, Any], *, multipart: bool = False
) -> dict[str, Any]:
    headers = {"Authorization": f"Bot {sandbox.bot_token}"}
    url = f"{sandbox.api_base_url}/channels/{channel_id}/messages"
    async with aiohttp.ClientSession(headers=headers) as session:
        if multipart:
            form = aiohttp.FormData()
            form.add_field("payload_json", discord.utils._to_json(body))  # pyright: ignore[reportPrivateUsage]
            form.add_field("files[0]", io.BytesIO(b"data"), filename="a.txt")
            request = session.post(url, data=form)
        else:
            request = session.post(url, json=body)
        async with request as response:
            assert response.status == 200
            answer: dict[str, Any] = await response.json()
            return answer


async def _contents(sandbox: SandboxProcess, channel_id: str) -> list[str]:
    history = await sandbox.control("history", channel=channel_id)
    return [message["content"] for message in history["messages"]]


@pytest.mark.parametrize("multipart", [False, True])
async def test_an_enforced_nonce_creates_one_message_in_its_window(
    sandbox: SandboxProcess, ids: GuildIds, multipart: bool
) -> None:
    general, other = ids["channels"]["general"], ids["channels"]["random"]
    body = {"content": "once", "nonce": "cl_1", "enforce_nonce": True}
    first = await _post_message(sandbox, general, body, multipart=multipart)
    second = await _post_message(sandbox, general, body, multipart=multipart)
    assert first["id"] == second["id"]
    assert first["nonce"] == "cl_1"
    elsewhere = await _post_message(sandbox, other, body, multipart=multipart)
    assert elsewhere["id"] != first["id"]
    assert await _contents(sandbox, general) == ["once"]
    effects = (await sandbox.control("effects", clear=True))["effects"]
    sent = [effect["duplicate_nonce"] for effect in effects if effect["path"] == f"/channels/{general}/messages"]
    assert sent == [False, True]


async def test_without_enforcement_or_after_the_window_a_nonce_repeats(sandbox: SandboxProcess, ids: GuildIds) -> None:
    general = ids["channels"]["general"]
    await _post_message(sandbox, general, {"content": "a", "nonce": "n"})
    await _post_message(sandbox, general, {"content": "b", "nonce": "n"})
    await sandbox.control("limits", nonce_window_seconds=0)
    await _post_message(sandbox, general, {"content": "c", "nonce": "n", "enforce_nonce": True})
    assert await _contents(sandbox, general) == ["a", "b", "c"]


async def test_a_reset_before_the_effect_leaves_the_world_unchanged_and_after_it_changed(
    sandbox: SandboxProcess, ids: GuildIds
) -> None:
    general = ids["channels"]["general"]
    for when in ("before", "after"):
        fault = {"method": "POST", "path": "^/channels/\\d+/messages$", "reset": True, "when": when, "times": 1}
        await sandbox.control("fault", faults=[fault])
        with pytest.raises(aiohttp.ClientError):
            await _post_message(sandbox, general, {"content": when})
    assert await _contents(sandbox, general) == ["after"]
    requests = (await sandbox.control("requests", clear=True))["requests"]
    mine = [request for request in requests if request["path"] == f"/channels/{general}/messages"]
    assert [(request["faults"], request["status"]) for request in mine] == [
        (["reset before"], None),
        (["reset after"], None),
    ]


async def test_discord_py_retries_what_fails_before_the_effect(
    sandbox: SandboxProcess, guild: discord.Guild, ids: GuildIds
) -> None:
    faults = [{"method": "POST", "path": "/channels/*/messages", "status": 429, "retry_after": 0.1, "times": 2}]
    await sandbox.control("fault", faults=faults)
    await text_channel(guild, "general").send("through")
    assert await _contents(sandbox, ids["channels"]["general"]) == ["through"]


async def test_an_error_after_the_effect_makes_a_second_one_when_it_is_retried_unless_a_nonce_prevents_it(
    sandbox: SandboxProcess, guild: discord.Guild, ids: GuildIds
) -> None:
    fault = {"method": "POST", "path": "*", "status": 502, "when": "after", "times": 1}
    await sandbox.control("fault", faults=[fault])
    await guild.create_role(name="twice")
    world = (await sandbox.control("world", guild=ids["id"]))["guilds"][0]
    assert [role["name"] for role in world["roles"]].count("twice") == 2

    await sandbox.control("fault", faults=[fault])
    await text_channel(guild, "general").send("once")  # discord.py gives each message a nonce
    assert await _contents(sandbox, ids["channels"]["general"]) == ["once"]


async def test_a_hanging_request_is_held_and_then_dropped(sandbox: SandboxProcess, ids: GuildIds) -> None:
    await sandbox.control("fault", faults=[{"path": "/channels/*", "hang": 0.2, "when": "after", "times": 1}])
    began = time.monotonic()
    with pytest.raises(aiohttp.ClientError):
        await _post_message(sandbox, ids["channels"]["general"], {"content": "held"})
    assert time.monotonic() - began >= 0.2
    assert await _contents(sandbox, ids["channels"]["general"]) == ["held"]


async def test_buckets_are_announced_and_obeyed_by_discord_py(
    sandbox: SandboxProcess, guild: discord.Guild, ids: GuildIds
) -> None:
    await sandbox.control("limits", per_bucket=5, window_seconds=0.2)
    channel = text_channel(guild, "general")
    await asyncio.gather(*(channel.send(str(number)) for number in range(12)))
    assert len(await _contents(sandbox, ids["channels"]["general"])) == 12


async def test_past_its_limit_a_bucket_answers_429_with_discords_headers(
    sandbox: SandboxProcess, ids: GuildIds
) -> None:
    await sandbox.control("limits", per_bucket=1, window_seconds=60)
    headers = {"Authorization": f"Bot {sandbox.bot_token}"}
    url = f"{sandbox.api_base_url}/channels/{ids['channels']['general']}"
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.get(url) as response:
            assert response.headers["X-RateLimit-Remaining"] == "0"
        async with session.get(url) as response:
            assert response.status == 429
            assert response.headers["Via"]
            assert int(response.headers["Retry-After"]) > 0
            assert 0 < (await response.json())["retry_after"] <= 60
        await sandbox.control("limits", per_bucket=0, global_per_second=1)
        statuses = [(await session.get(url)).status for _ in range(2)]
        assert statuses == [200, 429]


async def test_a_file_beyond_the_limit_is_refused(sandbox: SandboxProcess, guild: discord.Guild) -> None:
    await sandbox.control("limits", filesize_limit_bytes=10)
    with pytest.raises(discord.HTTPException) as refusal:
        await text_channel(guild, "general").send(file=discord.File(io.BytesIO(b"x" * 11), "big.bin"))
    assert (refusal.value.status, refusal.value.code) == (413, 40005)


async def test_the_reason_header_reaches_the_audit_log_and_the_bot(
    sandbox: SandboxProcess, bot: ListeningBot, guild: discord.Guild
) -> None:
    await guild.create_text_channel("made", reason="why ü")
    entries = (await sandbox.control("audit_log", guild=str(guild.id)))["entries"]
    assert (entries[0]["reason"], entries[0]["user_id"]) == ("why ü", sandbox.bot_id)
    await bot.until_heard("audit_log_entry_create")


async def test_documented_rules_that_simcord_lacks_are_enforced(
    sandbox: SandboxProcess, guild: discord.Guild, ids: GuildIds
) -> None:
    ada = await guild.fetch_member(int(ids["members"]["ada"]))
    theo = await guild.fetch_member(int(ids["members"]["theo"]))
    with pytest.raises(discord.Forbidden):  # an administrator can't be timed out
        await ada.timeout(datetime.timedelta(minutes=1))
    with pytest.raises(discord.HTTPException) as refusal:
        await theo.edit(timed_out_until=discord.utils.utcnow() + datetime.timedelta(days=29))
    assert refusal.value.code == 50035
    await theo.timeout(datetime.timedelta(days=27))
    world = (await sandbox.control("world", guild=ids["id"]))["guilds"][0]
    assert next(member for member in world["members"] if member["name"] == "theo")["timed_out_until"]


async def test_an_unknown_route_and_a_malformed_id_are_errors_not_crashes(
    sandbox: SandboxProcess, ids: GuildIds
) -> None:
    headers = {"Authorization": f"Bot {sandbox.bot_token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.get(f"{sandbox.api_base_url}/nonesuch") as response:
            assert response.status == 501
        async with session.get(f"{sandbox.api_base_url}/channels/abc") as response:
            assert (response.status, (await response.json())["code"]) == (400, 50035)
        url = f"{sandbox.api_base_url}/channels/{ids['channels']['general']}/messages"
        async with session.post(url, data=b"{", headers={"Content-Type": "application/json"}) as response:
            assert (response.status, (await response.json())["code"]) == (400, 50109)


async def test_a_ban_takes_the_members_recent_messages_with_it(
    sandbox: SandboxProcess, guild: discord.Guild, ids: GuildIds
) -> None:
    general = ids["channels"]["general"]
    await sandbox.control("send", user=ids["members"]["theo"], channel=general, content="spam")
    await sandbox.control("send", user=ids["members"]["nina"], channel=general, content="no spam")
    await guild.ban(discord.Object(int(ids["members"]["theo"])), delete_message_seconds=3600, reason="spam")
    assert await _contents(sandbox, general) == ["no spam"]


async def test_threads_webhooks_and_invites_work_and_are_logged(
    sandbox: SandboxProcess, guild: discord.Guild, ids: GuildIds
) -> None:
    general = text_channel(guild, "general")
    thread = await (await general.send("topic")).create_thread(name="aside")
    await thread.send("in the thread")
    webhook = await general.create_webhook(name="hook", reason="for the tides")
    hooked = await webhook.send("by hook", username="zed", wait=True)
    assert (hooked.webhook_id, hooked.author.name) == (webhook.id, "zed")
    invite = await general.create_invite()
    assert invite.code
    sent = await sandbox.control("send", user=ids["members"]["nina"], channel=str(general.id), content="oops")
    await general.get_partial_message(int(sent["id"])).delete()
    entries = (await sandbox.control("audit_log", guild=ids["id"]))["entries"]
    assert [entry["action_type"] for entry in entries] == [72, 40, 50, 110]
    assert (entries[0]["target_id"], entries[2]["reason"]) == (ids["members"]["nina"], "for the tides")
