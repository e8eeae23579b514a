"""The log of a guild is whole and without doubles, wherever the process that tells it ends."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from policy.rules import GuildRules
from storage import installations, notices, policies
from storage.session import Session
from storage.tables import LogPosition
from tests.app import until
from tests.faults.instance import Instance
from tests.sandbox_process import GuildIds, SandboxProcess

QUICK = {"cogs.log_channel.PACE_SECONDS": 0.1, "cogs.log_channel.GATHER_SECONDS": 0.02}


async def keeps_log(instance: Instance, guild: GuildIds) -> None:
    await instance.installed(guild)
    async with instance.database() as database, database.unit_of_work() as session:
        installation = await _installation(session, guild)
        rules = GuildRules(log_channel_id=int(guild["channels"]["mod-room"]))
        await policies.set_guild(session, installation, rules, by=None, now=time.time())


async def _installation(session: Session, guild: GuildIds) -> str:
    found = await installations.active(session, int(guild["id"]))
    assert found is not None
    return found.id


async def told(sandbox: SandboxProcess, guild: GuildIds) -> Counter[str]:
    """How often each call stands in the log."""
    history = (await sandbox.control("history", channel=int(guild["channels"]["mod-room"])))["messages"]
    return Counter(embed["footer"]["text"] for message in history for embed in message["embeds"])


async def sends(instance: Instance, guild: GuildIds, token: str, count: int) -> set[str]:
    """The calls of so many messages."""
    made: set[str] = set()
    for number in range(count):
        answer = await instance.call(
            token, "message_send", channel=guild["channels"]["general"], content=str(number), dry_run=False
        )
        assert answer.status == "done", answer
        made.add(answer.data["call_id"])
    return made


async def restarted(instance: Instance) -> None:
    await instance.let_the_lease_run_out()
    await instance.start()
    await instance.until_part("gateway", "up")


async def test_a_log_is_told_on_after_a_kill_without_doubles_or_gaps(
    sandbox: SandboxProcess, guild: GuildIds, sqlite_url: str, tmp_path: Path
) -> None:
    async with Instance(sandbox, tmp_path, sqlite_url, constants=QUICK) as instance:
        await keeps_log(instance, guild)
        token = await instance.token(guild, "ada")
        made = await sends(instance, guild, token, 8)
        sending = asyncio.create_task(sends(instance, guild, token, 8))

        async def begun() -> bool:
            return len(await told(sandbox, guild)) >= 4

        await until(begun, "the log has begun")
        made |= await sending
        await instance.kill()
        await restarted(instance)
        made |= await sends(instance, guild, token, 3)

        async def whole() -> bool:
            return set(await told(sandbox, guild)) >= made

        await until(whole, "the log is whole", 20)
        assert set((await told(sandbox, guild)).values()) == {1}
        assert instance.mistakes == []


@pytest.mark.parametrize("seconds_ago", [1.0, 3_600.0])
async def test_a_message_that_was_sent_right_before_the_end_is_not_sent_again(
    sandbox: SandboxProcess, guild: GuildIds, sqlite_url: str, tmp_path: Path, seconds_ago: float
) -> None:
    """Within minutes Discord knows its nonce; later it is looked for in the channel."""
    async with Instance(sandbox, tmp_path, sqlite_url, constants=QUICK) as instance:
        await keeps_log(instance, guild)
        token = await instance.token(guild, "ada")
        await sandbox.control("effects", clear=True)
        made = await sends(instance, guild, token, 1)
        position = await settled(instance)
        await instance.kill()
        effects = (await sandbox.control("effects", clear=True))["effects"]
        (nonce,) = [each["nonce"] for each in effects if (each["nonce"] or "").startswith("lg_")]
        async with instance.database() as database, database.unit_of_work() as session:
            # As if it had ended between the message and the row.
            values: dict[str, Any] = {
                "seq": 0,
                "sending_to": position.seq,
                "sending_at": time.time() - seconds_ago,
                "channel_id": int(guild["channels"]["mod-room"]),
                "nonce": nonce if seconds_ago < 60 else "lg_forgotten",
            }
            await session.execute(update(LogPosition).values(**values))
        await restarted(instance)
        made |= await sends(instance, guild, token, 1)

        async def stands() -> bool:
            return set(await told(sandbox, guild)) >= made

        await until(stands, "the next is told", 20)
        assert set((await told(sandbox, guild)).values()) == {1}


async def settled(instance: Instance) -> notices.Position:
    """How far the log of the one guild was told, once no message is on its way."""
    found: list[notices.Position] = []

    async def is_settled() -> bool:
        async with instance.database() as database, database.read() as session:
            positions = list((await notices.positions(session)).values())
        found[:] = [each for each in positions if each.sending_to is None and each.seq > 0]
        return bool(found)

    await until(is_settled, "the log is told")
    return found[0]
