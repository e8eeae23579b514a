"""The child's side of benchmarks.child: lines of JSON in and out, until standard input ends."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class Line:
    """To the parent. What else this process prints goes to standard error from now on."""

    def __init__(self) -> None:
        self._file = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)

    def say(self, **data: Any) -> None:
        self._file.write(json.dumps(data) + "\n")

    async def answer(self, answers: Mapping[str, Answer]) -> None:
        """Until standard input ends, which it does with the parent, however that dies."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        try:
            while line := await reader.readline():
                asked: dict[str, Any] = json.loads(line)
                self.say(**await answers[asked.pop("ask")](asked))
        finally:
            transport.close()


def run(main: Coroutine[Any, Any, None]) -> None:
    """The whole life of a child."""
    asyncio.run(main)
    # Without this Python first goes through all that it holds once more, for as long as its start took.
    gc.freeze()


def options() -> dict[str, Any]:
    given: dict[str, Any] = json.loads(sys.argv[1])
    return given


async def until(condition: Callable[[], object], timeout_seconds: float) -> None:
    """Looks every few milliseconds. Raises TimeoutError."""
    async with asyncio.timeout(timeout_seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)


async def usage(_asked: dict[str, Any]) -> dict[str, Any]:
    """Seconds of processor time since the start, and bytes of memory now."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu_seconds": spent.ru_utime + spent.ru_stime, "resident_bytes": resident_bytes()}


def resident_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except FileNotFoundError:
        # Elsewhere than on Linux, the most that there ever was.
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return pages * resource.getpagesize()
