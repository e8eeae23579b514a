"""``guildhall demo`` as a process of its own, and a hand in its simulated Discord."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.sandbox_process import REPOSITORY, GuildIds, controlled
from tests.served_process import process_environment

START_SECONDS = 60.0
STOP_SECONDS = 3.0
"""How long Ctrl-C may take, as people are told."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo said when it was ready; its first guild is the one that its tokens are for."""

    mcp_url: str
    sse_url: str
    token: str
    viewer_token: str
    control_url: str
    control_token: str
    bot_id: str
    guild: GuildIds

    @classmethod
    def of(cls, line: str) -> Demo:
        ready = json.loads(line)
        urls = ("mcp_url", "sse_url", "token", "viewer_token", "control_url", "control_token", "bot_id")
        return cls(**{name: ready[name] for name in urls}, guild=ready["guilds"][0])

    async def control(self, action: str, **body: Any) -> dict[str, Any]:
        """One action of the sandbox's control API. Raises ControlError."""
        return await controlled(self.control_url, self.control_token, action, body)

    async def history(self, channel: str) -> list[dict[str, Any]]:
        """The messages of a channel of the first guild as Discord has them, oldest first."""
        found = await self.control("history", channel=int(self.guild["channels"][channel]))
        messages: list[dict[str, Any]] = found["messages"]
        return messages

    async def sent(self, channel: str, content: str) -> list[str]:
        """The ids of the bot's messages with this content."""
        return [
            message["id"]
            for message in await self.history(channel)
            if message["content"] == content and message["author"]["id"] == self.bot_id
        ]

    async def make_private_channel(self, name: str, content: str) -> None:
        """In the first guild, for administrators and the bot; an administrator has written in it."""
        guild, view_channel = self.guild, str(1 << 10)
        user_id = int(guild["members"]["ada"])
        overwrites = [
            {"id": guild["roles"]["@everyone"], "type": 0, "deny": view_channel},
            {"id": guild["roles"]["Guildhall"], "type": 0, "allow": view_channel},
        ]
        made = await self.control(
            "as_user",
            user=user_id,
            method="POST",
            path=f"/guilds/{guild['id']}/channels",
            body={"name": name, "type": 0, "permission_overwrites": overwrites},
        )
        guild["channels"][name] = made["result"]["id"]
        await self.control("send", user=user_id, channel=int(made["result"]["id"]), content=content)


@contextmanager
def running_demo(folder: Path) -> Generator[Demo]:
    """From the line that says it is ready. Its log goes to ``folder``."""
    log = folder / "demo.log"
    command = [REPOSITORY / ".venv" / "bin" / "guildhall", "demo", "--port", "0", "--json"]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder, env=process_environment({})
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, log.read_text()
            yield Demo.of(line)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
