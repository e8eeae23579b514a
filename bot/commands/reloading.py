"""``guildhall run --reload``: starts anew when the code changes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

PACKAGES = ("bot", "cogs", "mcp_server", "operations", "policy", "storage", "migrations")
WATCH_SECONDS = 0.5
STOP_SECONDS = 5.0


def run(arguments: list[str]) -> int:
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
