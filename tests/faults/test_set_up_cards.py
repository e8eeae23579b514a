"""Set-up cards over restarts, and claiming where nobody can press a button."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from storage import installations
from tests.app import HARBOR, until
from tests.faults.instance import Instance
from tests.sandbox_process import GuildIds, SandboxProcess


async def cards(sandbox: SandboxProcess, guild: GuildIds) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for name in ("general", "mod-room", "vault"):
        channel = guild["channels"][name]
        history = (await sandbox.control("history", channel=int(channel)))["messages"]
        found += [(channel, each) for each in history if "Set up Guildhall" in str(each["embeds"])]
    return found


async def is_served(instance: Instance, guild: GuildIds) -> bool:
    async with instance.database() as database, database.read() as session:
        return await installations.active(session, int(guild["id"])) is not None


async def test_a_restart_between_joining_and_claiming_posts_no_second_card_and_its_button_works(
    sandbox: SandboxProcess, guild: GuildIds, sqlite_url: str, tmp_path: Path
) -> None:
    async with Instance(sandbox, tmp_path, sqlite_url, SET_UP_CARDS="true") as instance:
        await instance.installed(guild)
        later = await sandbox.make_guild("Later Harbor", **HARBOR)

        async def stands() -> bool:
            return bool(await cards(sandbox, later))

        await until(stands, "the card stands there", 20)
        await instance.kill()
        await instance.let_the_lease_run_out()
        await instance.start()
        # A guild that joins now is told after the comparison with what is remembered.
        newest = await sandbox.make_guild("Newest Harbor", **HARBOR)

        async def newest_stands() -> bool:
            return bool(await cards(sandbox, newest))

        await until(newest_stands, "the newest guild has its card", 30)
        ((channel, card),) = await cards(sandbox, later)
        assert await cards(sandbox, guild) == []
        answer = await sandbox.control(
            "click",
            user=int(later["members"]["ada"]),
            channel=int(channel),
            message=int(card["id"]),
            label="Claim",
            wait=10,
            followups=1,
        )
        assert "Claimed" in str(answer["followups"]), answer
        assert await is_served(instance, later)
        assert instance.mistakes == []
        for each in (later, newest):
            await sandbox.control("remove_guild", guild=each["id"])


async def test_without_a_gateway_the_doctor_says_how_to_claim_and_the_command_line_does_it(
    sandbox: SandboxProcess, guild: GuildIds, sqlite_url: str, tmp_path: Path
) -> None:
    ada, nina = guild["members"]["ada"], guild["members"]["nina"]
    async with Instance(
        sandbox, tmp_path, sqlite_url, SINGLE_WORKSPACE="false", ENABLE_GATEWAY="false", SET_UP_CARDS="true"
    ) as instance:
        looked = await instance.run_command("doctor")
        (line,) = [line for line in looked.out.splitlines() if line.split()[1] == "guilds"]
        assert guild["id"] in line
        assert "guildhall guild claim --guild" in line
        assert await cards(sandbox, guild) == []

        claim = ("guild", "claim", "--guild", guild["id"], "--as")
        refused = await instance.run_command(*claim, nina)
        assert refused.code == 1, refused
        assert "manage_guild" in refused.err
        unknown = await instance.run_command(*claim, "123456789012345678")
        assert "is no member" in unknown.err, unknown
        assert not await is_served(instance, guild)

        done = await instance.run_command(*claim, ada)
        assert done.code == 0, done
        assert await is_served(instance, guild)
        again = await instance.run_command(*claim, ada)
        assert (again.code, "claimed already" in again.err) == (1, True), again
        async with instance.database() as database, database.read() as session:
            installation = await installations.active(session, int(guild["id"]))
        assert installation is not None
        assert installation.claimed_by == int(ada)
        created = await instance.run_command(
            "token", "create", "--name", "first", "--as", ada, "--guild", guild["id"], "--scope", "all"
        )
        token = created.out.strip().rpartition(" ")[2]
        await instance.accepts(token)
        assert not (await instance.call(token, "channel_list", guild=guild["id"])).is_error
