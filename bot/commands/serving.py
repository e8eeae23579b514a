"""``guildhall run``: bot and sidecar until SIGTERM or Ctrl-C; ``--reload`` starts anew when the code changes."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import structlog

from bot import logs
from bot.app import running
from bot.log_secrets import SecretRegistry
from bot.settings import Settings
from storage.instance import Mark

log = structlog.get_logger(__name__)

PACKAGES = ("bot", "cogs", "mcp_server", "operations", "policy", "storage", "migrations")
WATCH_SECONDS = 0.5
STOP_SECONDS = 5.0


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


def configure_logs(settings: Settings) -> SecretRegistry:
    """Logs to standard error, without any of the settings' secrets."""
    secrets = SecretRegistry(settings.secrets())
    logs.configure(settings.log_level, settings.log_format, secrets)
    return secrets


def run_reloading(arguments: list[str]) -> int:
    """Runs the command as a child, and starts it anew whenever a file of the code changes. Ends with Ctrl-C."""
    root = Path(__file__).resolve().parents[2]
    while True:
        seen = _newest(root)
        child = subprocess.Popen([sys.executable, "-m", "bot", *arguments])  # noqa: S603 - our own command
        try:
            while child.poll() is None and _newest(root) == seen:
                time.sleep(WATCH_SECONDS)
            if child.poll() is not None:
                print("It ended; waiting for a change of the code.", file=sys.stderr)
                while _newest(root) == seen:
                    time.sleep(WATCH_SECONDS)
        except KeyboardInterrupt:
            return 0
        finally:
            child.terminate()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


def _newest(root: Path) -> float:
    return max(path.stat().st_mtime for package in PACKAGES for path in (root / package).rglob("*.py"))
