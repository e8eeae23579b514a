"""A process of the benchmark's own: started, asked by lines of JSON, and gone with this one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

REPOSITORY = Path(__file__).resolve().parent.parent
START_SECONDS = 120.0
ANSWER_SECONDS = 300.0
STOP_SECONDS = 10.0
_LINE_BYTES = 64 * 1024 * 1024


class ChildDied(Exception):
    """The text is the end of what it said."""


class Child:
    """``ready`` is the first line that it sent."""

    def __init__(self, process: asyncio.subprocess.Process, said: IO[bytes]) -> None:
        self._process = process
        self._said = said
        self.ready: dict[str, Any] = {}

    async def receive(self, timeout_seconds: float) -> dict[str, Any]:
        """The next line. Raises ChildDied and TimeoutError."""
        stdout = self._process.stdout
        assert stdout is not None
        async with asyncio.timeout(timeout_seconds):
            line = await stdout.readline()
        if not line:
            self._said.seek(0)
            raise ChildDied(self._said.read()[-4_000:].decode(errors="replace"))
        received: dict[str, Any] = json.loads(line)
        return received

    async def ask(self, question: str, **more: Any) -> dict[str, Any]:
        """Its answer. Raises ChildDied and TimeoutError."""
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(json.dumps({"ask": question, **more}).encode() + b"\n")
        await stdin.drain()
        return await self.receive(ANSWER_SECONDS)

    async def stop(self) -> None:
        """By the end of its standard input; killed if it stays."""
        stdin = self._process.stdin
        if stdin is not None:
            stdin.close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def child(module: str, options: Mapping[str, Any], *, waits: bool = True) -> AsyncGenerator[Child]:
    """``python -m benchmarks.children.<module>`` with these options. ``waits``: until it is ready."""
    # Settings of this machine don't reach what is measured.
    kept = {name: value for name in ("PATH", "HOME", "LANG", "TMPDIR") if (value := os.environ.get(name)) is not None}
    with tempfile.TemporaryFile() as said:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"benchmarks.children.{module}",
            json.dumps(options),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
            cwd=REPOSITORY,
            env=kept,
            limit=_LINE_BYTES,
        )
        started = Child(process, said)
        try:
            if waits:
                started.ready = await started.receive(START_SECONDS)
            yield started
        finally:
            await started.stop()
