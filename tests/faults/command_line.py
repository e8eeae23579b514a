"""Guildhall's own command line in processes of their own, which a test may kill.

They are forked from a process that has imported everything once: starting one takes no second. What runs in it is
`guildhall` as anybody calls it: arguments, environment and a working folder go in; an exit code and what was printed
come out.
"""

from __future__ import annotations

import asyncio
import importlib
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_MINUTE_SECONDS = 60.0
_PARTS = (
    "bot.__main__",
    "bot.commands.migrating",
    "bot.commands.pausing",
    "bot.commands.serving",
    "bot.commands.stdio_alone",
    "bot.commands.tokens",
    "sandbox.server",
    "tests.faults.command_line",
    "redis.asyncio",
    "asyncpg",
    "aiosqlite",
)


def _enter(
    arguments: Sequence[str], environment: Mapping[str, str], folder: str, output: str, constants: Mapping[str, float]
) -> None:
    """The whole life of such a process."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for stream, name in ((1, "out"), (2, "err")):
        opened = os.open(f"{output}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, stream)
        os.close(opened)
    for name, value in constants.items():
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name
        setattr(sys.modules[module], attribute, value)
    sys.exit(sys.modules["bot.__main__"].main(arguments))


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


class Command:
    """One run of ``guildhall``.

    ``constants`` shortens what would be long in a test (seconds, by module and name), from the start of the process on.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        *,
        constants: Mapping[str, float] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._output = folder / f"output-{time.monotonic_ns()}"
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(_PARTS))
        self.process: ForkServerProcess = context.Process(
            target=_enter,
            args=(tuple(arguments), dict(environment), str(folder), str(self._output), dict(constants or {})),
            daemon=True,
        )
        self.process.start()

    @property
    def is_alive(self) -> bool:
        return self.process.is_alive()

    @property
    def out(self) -> str:
        return self._printed("out")

    @property
    def err(self) -> str:
        return self._printed("err")

    async def ended(self, timeout_seconds: float = _MINUTE_SECONDS) -> Ended:
        """Waits for its end. Fails when it does not come: then it is killed, for it would disturb later tests."""
        await asyncio.to_thread(self.process.join, timeout_seconds)
        code = self.process.exitcode
        if code is None:
            self.process.kill()
        assert code is not None, f"it did not end within {timeout_seconds} s:\n{self.err}"
        return Ended(code, self.out, self.err)

    async def kill(self) -> None:
        """SIGKILL: nothing of it runs any more when this returns."""
        self.process.kill()
        await self.ended()

    def _printed(self, stream: str) -> str:
        path = self._output.with_name(f"{self._output.name}.{stream}")
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


async def guildhall(*arguments: str, environment: Mapping[str, str], folder: Path) -> Ended:
    """Runs a command to its end."""
    return await Command(arguments, environment, folder).ended()
