"""Redis gone and back: limits are counted locally and let half as much through, and calls go on."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from storage.limits import Rates
from tests import databases
from tests.faults.effects import message_send
from tests.faults.instance import Instance
from tests.sandbox_process import GuildIds, SandboxProcess


class RedisServer:
    """A Redis of the test's own, which remembers nothing."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            self.port: int = bound.getsockname()[1]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @asynccontextmanager
    async def running(cls, folder: Path) -> AsyncGenerator[RedisServer]:
        server = cls(folder)
        server.start()
        try:
            yield server
        finally:
            server.kill()

    def start(self) -> None:
        executable = shutil.which("redis-server")
        if executable is None:
            databases.missing("redis-server")
            return
        command = [executable, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        self._process = subprocess.Popen([*command, "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


async def test_without_redis_half_as_many_calls_pass_and_with_it_again_all(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    async with (
        RedisServer.running(tmp_path) as redis,
        Instance(
            sandbox,
            tmp_path,
            sqlite_url,
            ALLOWED_GUILD_IDS=guild["id"],
            REDIS_URL=f"redis://127.0.0.1:{redis.port}/0",
        ) as instance,
    ):
        await instance.until_part("redis", "up")
        token = await instance.token(guild, "ada")
        write = message_send(sandbox, guild)
        assert (await write.by(instance, token)).status == "done"

        redis.kill()
        await instance.until_part("redis", "degraded")
        assert (await instance.ready())["code"] == 200
        allowed = Rates().halved().writes_a_caller
        answers = [await write.by(instance, token) for _ in range(allowed + 1)]
        assert [answer.status for answer in answers] == ["done"] * allowed + ["refused"]
        assert answers[-1].data["step"] == "rate"
        assert answers[-1].data["retry_after_seconds"] > 0

        redis.start()
        await instance.until_part("redis", "up")
        assert (await write.by(instance, token)).status == "done"
        assert await write.effects() == allowed + 2
