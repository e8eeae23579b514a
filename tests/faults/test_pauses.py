"""A pause that one process writes holds the others within a second, also what waits to be confirmed there."""

from __future__ import annotations

from pathlib import Path

from tests.app import until
from tests.faults.instance import Instance
from tests.faults.planned import card_of
from tests.faults.test_two_processes import pair
from tests.sandbox_process import GuildIds, SandboxProcess


async def until_refused(instance: Instance, guild: GuildIds, token: str) -> None:
    async def is_refused() -> bool:
        answer = await instance.call(token, "message_send", channel=guild["channels"]["general"], content="x")
        return answer.code == "paused"

    await until(is_refused, "writes are refused", 2)


async def test_the_command_line_pauses_a_running_instance_and_lets_it_go_on(
    sandbox: SandboxProcess, guild: GuildIds, sqlite_url: str, tmp_path: Path
) -> None:
    async with Instance(sandbox, tmp_path, sqlite_url) as instance:
        token = await instance.token(guild, "ada")
        asked = await instance.call(token, "channel_delete", channel=guild["channels"]["news"], dry_run=False)
        await card_of(sandbox, guild, asked.data["plan_id"])

        ended = await instance.run_command("pause")
        assert (ended.code, ended.err) == (0, ""), ended
        assert "Plans cancelled: 1." in ended.out
        await until_refused(instance, guild, token)
        await instance.until_part("writes", "degraded", 5)

        async def says_so() -> bool:
            card = await card_of(sandbox, guild, asked.data["plan_id"])
            return "Guildhall was paused by whoever runs this instance." in str(card.message["embeds"])

        await until(says_so, "the card says so")
        assert (await instance.run_command("resume")).code == 0
        await instance.until_part("writes", "up", 5)
        answer = await instance.call(
            token, "message_send", channel=guild["channels"]["general"], content="again", dry_run=False
        )
        assert answer.status == "done"
        assert instance.mistakes == []


async def test_a_pause_holds_every_process_on_the_database(
    sandbox: SandboxProcess, guild: GuildIds, sqlite_url: str, tmp_path: Path
) -> None:
    async with pair(sandbox, guild, tmp_path, sqlite_url) as both:
        ended = await both.accepting.run_command("pause", "--guild", guild["id"], "--minutes", "5")
        assert ended.code == 0, ended
        for instance in (both.accepting, both.active):
            await until_refused(instance, guild, both.ada)
            assert not (await instance.call(both.ada, "channel_list", guild=guild["id"])).is_error
