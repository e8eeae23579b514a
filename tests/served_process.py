"""Guildhall as processes of their own: an instance that serves, and commands that run to their end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.app import until
from tests.sandbox_process import REPOSITORY

START_SECONDS = 30.0
STOP_SECONDS = 5.0
COMMAND_SECONDS = 60.0
# discord.py plays voice through audioop, as pyproject.toml says; what a process leaves open at its end, the SDK's pipes
# among it, is closed by that.
WARNINGS = "error,ignore::DeprecationWarning:discord.player,ignore::ResourceWarning"


def process_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Nothing of this machine's own settings reaches the process."""
    kept = {name: value for name in ("PATH", "HOME", "LANG", "TMPDIR") if (value := os.environ.get(name)) is not None}
    return {**kept, "PYTHONPATH": str(REPOSITORY), "PYTHONWARNINGS": WARNINGS, **settings}


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    code: int
    output: str
    errors: str


async def command(settings: Mapping[str, str], folder: Path, *arguments: str) -> Finished:
    """``guildhall <arguments>`` to its end, in this folder (where no .env lies)."""

    def run() -> Finished:
        done = subprocess.run(
            [sys.executable, "-m", "bot", *arguments],
            env=process_environment(settings),
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return await asyncio.to_thread(run)


@dataclass(frozen=True, slots=True)
class Served:
    """An instance that is ready. ``log``: the file that its standard error goes to."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code."""
        self.process.send_signal(number)
        return await asyncio.to_thread(self.process.wait, STOP_SECONDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def served(settings: Mapping[str, str], folder: Path) -> AsyncGenerator[Served]:
    """``guildhall run``, from the moment that /ready says so; it is killed if it doesn't end by itself."""
    port, log = free_port(), folder / "log.txt"
    given = process_environment({**settings, "PORT": str(port)})
    with log.open("wb") as errors:
        process = await asyncio.to_thread(
            subprocess.Popen,
            [sys.executable, "-m", "bot", "run"],
            env=given,
            cwd=folder,
            stdout=errors,
            stderr=errors,
        )
    try:
        async with aiohttp.ClientSession() as session:

            async def is_ready() -> bool:
                assert process.poll() is None, log.read_text()
                with contextlib.suppress(aiohttp.ClientConnectionError):
                    async with session.get(f"http://127.0.0.1:{port}/ready") as response:
                        return response.status == 200
                return False

            await until(is_ready, "the instance is ready", START_SECONDS)
        yield Served(process, port, log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                await asyncio.to_thread(process.wait, STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                await asyncio.to_thread(process.wait)
