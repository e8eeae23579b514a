"""Buttons and modals under answers to commands, over a restart of the whole process."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from cogs import texts
from tests.app import environment, until
from tests.databases import fresh_database_url
from tests.harbor import HARBOR
from tests.sandbox_process import ControlError, SandboxProcess
from tests.served_process import served

Answer = dict[str, Any]
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_waited_for_a_press_before_a_restart_is_done_by_it_after(tmp_path: Path) -> None:
    async with SandboxProcess() as sandbox, fresh_database_url("sqlite", tmp_path) as url:
        guild = await sandbox.make_guild("Harbor", **HARBOR)
        settings = environment(sandbox, tmp_path, DATABASE_URL=url)
        who = {"user": int(guild["members"]["ada"]), "channel": int(guild["channels"]["general"])}

        async def uses(command: str, **options: Any) -> Answer:
            return await sandbox.control("slash", **who, name=command, options=options, wait=10)

        async def works() -> bool:
            """The guild is installed a moment after the start."""
            told = await uses("whoami")
            return "member" in str(told["message"]) or "workspace" in str(told["message"])

        async def commands_sent() -> list[str]:
            log = (await sandbox.control("requests", clear=True))["requests"]
            return [each["method"] for each in log if each["path"].endswith("/commands") and each["method"] == "PUT"]

        async with served(settings, tmp_path) as first:
            await until(lambda: _has_commands(sandbox, who), "Discord has the commands")
            await until(works, "the guild is installed")
            assert await commands_sent() == ["PUT"]
            deletion = await uses("channel delete", channel={"channel": int(guild["channels"]["news"])})
            listed = await uses("audit", mine=True)
            assert await first.stop(signal.SIGTERM) == 0

        async with served(settings, tmp_path):
            await until(works, "the guild is there again")
            assert await commands_sent() == []
            opened = await press(sandbox, who, deletion, "Confirm")
            assert opened["kind"] == "modal", opened
            await sandbox.control(
                "modal", **who, interaction=int(opened["interaction"]), values={"name": "news"}, wait=10
            )

            async def is_gone() -> bool:
                world = await sandbox.control("world", guild=int(guild["id"]))
                return "news" not in [each["name"] for each in world["guilds"][0]["channels"]]

            await until(is_gone, "the channel is gone")
            # What was listed before can still be looked at.
            (menu,) = [item for item in items(listed) if item.get("placeholder") == texts.AUDIT_PICK]
            details = await sandbox.control(
                "select",
                **who,
                message=message_id(listed),
                custom_id=menu["custom_id"],
                values=[menu["options"][0]["value"]],
                wait=10,
            )
            assert "channel_delete" in details["message"]["content"], details


async def _has_commands(sandbox: SandboxProcess, who: dict[str, int]) -> bool:
    try:
        await sandbox.control("slash", **who, name="whoami", options={}, wait=10)
    except ControlError:
        return False
    return True


def items(answer: Answer) -> list[dict[str, Any]]:
    return [each for row in answer["message"]["components"] for each in row["components"]]


def message_id(answer: Answer) -> int:
    return int(answer["message"]["id"])


async def press(sandbox: SandboxProcess, who: dict[str, int], answer: Answer, label: str) -> Answer:
    (custom_id,) = [each["custom_id"] for each in items(answer) if each.get("label") == label]
    return await sandbox.control("click", **who, message=message_id(answer), custom_id=custom_id, wait=10)
