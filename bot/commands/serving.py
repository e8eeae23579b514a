"""``guildhall run``: bot and sidecar until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import signal

import structlog

from bot.app import running
from bot.settings import Settings
from storage.instance import Mark

log = structlog.get_logger(__name__)


async def run(settings: Settings, mark: Mark) -> None:
    """Serves until a signal. Raises what makes a start impossible, or what a part died of."""
    stopping = stop_signal()
    async with running(settings, mark) as app:
        log.info("serving", mcp=f"{settings.address}/mcp", health=f"{settings.address}/health")
        failed = asyncio.ensure_future(app.core.until_failed())
        stopped = asyncio.ensure_future(stopping.wait())
        done, _ = await asyncio.wait({failed, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if failed in done:
            failed.result()
        failed.cancel()


def stop_signal() -> asyncio.Event:
    """Set by SIGTERM and Ctrl-C; a second Ctrl-C ends the process as usual."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        stopping.set()
        if number is signal.SIGINT:
            loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    return stopping
