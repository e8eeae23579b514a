"""Without a gateway: everything is fetched over REST, and readiness says what that leaves out."""

from __future__ import annotations

from pathlib import Path

from tests.faults.effects import channel_create, listed_channels, message_send
from tests.faults.instance import Instance
from tests.sandbox_process import GuildIds, SandboxProcess


async def test_without_a_gateway_reads_and_writes_work_and_readiness_says_so(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    async with Instance(
        sandbox, tmp_path, sqlite_url, ALLOWED_GUILD_IDS=guild["id"], ENABLE_GATEWAY="false"
    ) as instance:
        token = await instance.token(guild, "ada")
        listed = await instance.call(token, "channel_list", guild=guild["id"])
        assert {"general", "mod-room"} <= listed_channels(listed)
        seen = await instance.call(await instance.token(guild, "nina"), "channel_list", guild=guild["id"])
        assert "mod-room" not in listed_channels(seen)
        for write in (message_send(sandbox, guild), channel_create(sandbox, guild)):
            assert (await write.by(instance, token)).status == "done"
            assert await write.effects() == 1
        ready = await instance.ready()
        assert (ready["code"], ready["gateway"]["state"], ready["subscriptions"]["state"]) == (200, "off", "off")
        assert "REST" in ready["subscriptions"]["detail"]
        log = (await sandbox.control("requests"))["requests"]
        fetched = [each for each in log if each["method"] == "GET" and each["path"] == f"/guilds/{guild['id']}"]
        # Kept for 30 seconds, however many calls there are.
        assert len(fetched) == 1, fetched
        assert "IDENTIFY" not in instance.log
        assert "connected to Gateway" not in instance.log


async def test_without_a_gateway_discord_out_of_reach_is_told_and_survived(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    async with Instance(
        sandbox, tmp_path, sqlite_url, ALLOWED_GUILD_IDS=guild["id"], ENABLE_GATEWAY="false"
    ) as instance:
        token = await instance.token(guild, "ada")
        await sandbox.control("fault", faults=[{"reset": True, "path": f"/guilds/{guild['id']}*"}])
        answer = await instance.call(token, "channel_list", guild=guild["id"])
        assert answer.code == "discord_unreachable", answer
        await sandbox.control("fault", faults=[{"status": 429, "retry_after": 90, "path": f"/guilds/{guild['id']}*"}])
        answer = await instance.call(token, "channel_list", guild=guild["id"])
        assert answer.code == "discord_rate_limited", answer
        assert answer.data["retry_after_seconds"] > 0
        await sandbox.control("fault", faults=[])
        assert not (await instance.call(token, "channel_list", guild=guild["id"])).is_error
