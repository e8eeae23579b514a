"""A command in a terminal of its own: what a person reads there, and Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import subprocess
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.served_process import process_environment

CTRL_C = b"\x03"


class Terminal:
    """``shown()``: all that it printed so far."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self._master = master
        self._shown = bytearray()
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        # At its end a terminal answers with EIO.
        with contextlib.suppress(OSError):
            while chunk := os.read(self._master, 65536):
                with self._changed:
                    self._shown += chunk
                    self._changed.notify_all()

    def shown(self) -> str:
        return self._shown.decode(errors="replace").replace("\r\n", "\n")

    def until(self, text: str, seconds: float) -> str:
        """Waits until it shows this text; all that it shows then."""
        with self._changed:
            found = self._changed.wait_for(lambda: text in self.shown(), seconds)
        assert found, f"it never showed {text!r}:\n{self.shown()}"
        return self.shown()

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def processes(self) -> set[int]:
        """The command's process and all that come from it."""
        parents = {int(pid): int(parent) for pid, parent in _listed("ppid", "-ax")}
        found = {self.process.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found


@contextmanager
def in_terminal(command: Sequence[str], folder: Path) -> Generator[Terminal]:
    """Runs the command until the block ends; what is left of it then is killed."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=process_environment({"TERM": "xterm"}),
        # Ctrl-C comes from the terminal that controls a process.
        preexec_fn=lambda: os.login_tty(slave),  # noqa: PLW1509 - no lock is held here
        pass_fds=(slave,),
    )
    os.close(slave)
    terminal = Terminal(process, master)
    try:
        yield terminal
    finally:
        if process.poll() is None:
            for pid in terminal.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        process.wait()
        os.close(master)


def living(pids: set[int]) -> set[int]:
    """Those of them that have not ended."""
    return {int(pid) for pid, state in _listed("stat", "-p", ",".join(map(str, pids))) if not state.startswith("Z")}


def _listed(what: str, *which: str) -> list[tuple[str, str]]:
    """Pairs of a process and what is asked of it. ps has its own exit code for none."""
    asked = ["/usr/bin/env", "ps", *which, "-o", "pid=", "-o", f"{what}="]
    listed = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return re.findall(r"(\d+)\s+(\S+)", listed)
