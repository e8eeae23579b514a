"""Tasks that live as long as a core."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

CANCEL_AGAIN_SECONDS = 0.5


class LongTasks:
    """The long-lived tasks of a core. One that dies fails the whole: half a control plane is none."""

    def __init__(self, failed: asyncio.Future[None]) -> None:
        self._failed = failed
        self._tasks: list[asyncio.Task[Any]] = []

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled() or self._failed.done():
            return
        error = task.exception()
        if error is not None:
            self._failed.set_exception(error)

    async def aclose(self) -> None:
        pending = set(self._tasks)
        while pending:
            # More than once: on Python 3.11 asyncio.wait_for swallows a cancellation that comes with its result.
            for task in pending:
                task.cancel()
            ended, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_SECONDS)
            # How it ended was told by `_ended`, or comes of the closing.
            await asyncio.gather(*ended, return_exceptions=True)
        if self._failed.done() and not self._failed.cancelled():
            # Retrieved here, so that a failure nobody waited for is not reported a second time.
            self._failed.exception()
        else:
            self._failed.cancel()
