"""The gateway lost, half-open or late: a guild is served with the rights of now, or it says that it is starting."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.app import HARBOR, Answer, until
from tests.faults.effects import listed_channels, message_send
from tests.faults.instance import Instance
from tests.sandbox_process import GuildIds, SandboxProcess

REFUSED_SECONDS = 3.0
STALE_AFTER_SECONDS = 3.0


async def _hide_general_from_nina(sandbox: SandboxProcess, guild: GuildIds) -> None:
    await sandbox.control(
        "set_overwrite",
        channel=int(guild["channels"]["general"]),
        member=int(guild["members"]["nina"]),
        deny=["view_channel"],
    )


async def _until_served(instance: Instance, guild: GuildIds, token: str) -> Answer:
    served: list[Answer] = []

    async def is_served() -> bool:
        served[:] = [await instance.call(token, "channel_list", guild=guild["id"])]
        return not served[0].is_error

    await until(is_served, "the guild is served", 30)
    return served[0]


@pytest.mark.parametrize(
    # Three, not more: discord.py waits longer with each loss of one process.
    "fault",
    [{"abort": True}, {"op": 7}, {"op": 9, "d": False}],
    ids=["abort", "reconnect", "invalid session"],
)
async def test_a_lost_gateway_refuses_until_what_was_missed_is_known(
    steady_instance: Instance, sandbox: SandboxProcess, guild: GuildIds, fault: dict[str, Any]
) -> None:
    await steady_instance.install(guild)
    token = await steady_instance.token(guild, "nina")
    before = await _until_served(steady_instance, guild, token)
    assert "general" in listed_channels(before)
    await sandbox.control("gateway", refuse_seconds=REFUSED_SECONDS, **fault)

    async def is_starting() -> bool:
        answer = await steady_instance.call(token, "channel_list", guild=guild["id"])
        if not answer.is_error:
            return False
        assert answer.code == "guild_starting", answer
        assert answer.data["retry_after_seconds"] > 0
        return True

    await until(is_starting, "the guild is starting")
    await _hide_general_from_nina(sandbox, guild)
    after = await _until_served(steady_instance, guild, token)
    assert listed_channels(after) == listed_channels(before) - {"general"}
    refused = await message_send(sandbox, guild).by(steady_instance, token)
    assert refused.status == "refused", refused
    assert "unknown_channel" in str(refused.code)


async def test_a_half_open_gateway_is_not_believed_for_long(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    constants = {
        "policy.checks.MAX_FACT_AGE_SECONDS": STALE_AFTER_SECONDS,
        # Members that were fetched are to be fresh meanwhile: this test is about the gateway.
        "operations.decider.MEMBER_MAX_AGE_SECONDS": STALE_AFTER_SECONDS / 2,
        "operations.guild_state.MEMBER_MAX_AGE_SECONDS": STALE_AFTER_SECONDS / 2,
    }
    async with Instance(sandbox, tmp_path, sqlite_url, constants=constants, ALLOWED_GUILD_IDS=guild["id"]) as instance:
        token = await instance.token(guild, "nina")
        await sandbox.control("gateway", pause=True)
        await _hide_general_from_nina(sandbox, guild)

        async def is_stale() -> bool:
            return (await instance.call(token, "channel_list", guild=guild["id"])).code == "stale"

        await until(is_stale, "what is known is too old")
        write = message_send(sandbox, guild)
        assert (await write.by(instance, token)).code == "stale"
        # What is risky asks Discord for its requester anew, and is not judged by the old cache either.
        risky = await instance.call(
            await instance.token(guild, "ada"), "channel_delete", channel=guild["channels"]["general"], dry_run=False
        )
        assert risky.code == "stale", risky
        await sandbox.control("gateway", resume=True)
        bela, news = int(guild["members"]["bela"]), int(guild["channels"]["news"])
        after: list[Answer] = []

        async def is_served() -> bool:
            # Any event will do: what the gateway says is no older than it.
            await sandbox.control("send", user=bela, channel=news, content="event")
            after[:] = [await instance.call(token, "channel_list", guild=guild["id"])]
            return not after[0].is_error

        await until(is_served, "the guild is served", 30)
        assert "general" not in listed_channels(after[0])
        assert await write.effects() == 0


async def test_a_guild_that_arrives_late_says_so_while_others_are_served(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    late = await sandbox.make_guild("Late Harbor", **HARBOR)
    await sandbox.control("delay_guild", guild=late["id"], seconds=600)
    both = f"{guild['id']},{late['id']}"
    async with Instance(sandbox, tmp_path, sqlite_url, ALLOWED_GUILD_IDS=both) as instance:
        token, late_token = await instance.token(guild, "ada"), await instance.token(late, "ada")
        assert not (await instance.call(token, "channel_list", guild=guild["id"])).is_error
        answer = await instance.call(late_token, "channel_list", guild=late["id"])
        assert answer.code == "guild_starting", answer
        assert answer.data["retry_after_seconds"] > 0
        assert await instance.part("gateway") == "starting"
        await sandbox.control("delay_guild", guild=late["id"], seconds=0)
        assert not (await _until_served(instance, late, late_token)).is_error
        await instance.until_part("gateway", "up")
    await sandbox.control("remove_guild", guild=late["id"])


async def test_a_call_in_a_guild_that_arrives_late_is_recovered_as_soon_as_it_has_arrived(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    async with Instance(sandbox, tmp_path, sqlite_url, ALLOWED_GUILD_IDS=guild["id"]) as instance:
        token = await instance.token(guild, "ada")
        await _leave_a_call_behind(instance, sandbox, guild, token)
        await sandbox.control("fault", faults=[])
        await sandbox.control("delay_guild", guild=guild["id"], seconds=600)
        await instance.let_the_lease_run_out()
        await instance.start()
        answer = await instance.call(token, "channel_list", guild=guild["id"])
        assert answer.code == "guild_starting", answer
        await sandbox.control("delay_guild", guild=guild["id"], seconds=0)

        async def is_settled() -> bool:
            return "executing" not in (await instance.calls()).values()

        await until(is_settled, "the call is settled", 30)
        assert list((await instance.calls()).values())[-1] == "done"


async def _leave_a_call_behind(instance: Instance, sandbox: SandboxProcess, guild: GuildIds, token: str) -> None:
    """A message whose answer never comes, and a process that is killed meanwhile."""
    write = message_send(sandbox, guild, "left behind")
    await write.suffers({"hang": 300, "when": "after"})
    call = asyncio.create_task(write.by(instance, token))

    async def has_effect() -> bool:
        return await write.effects() == 1

    await until(has_effect, "it takes effect")
    await instance.kill()
    await asyncio.wait([call])
