"""Other people's programs from npm, installed once below ``.cache``, and a Node.js that is new enough for them.

No file names a registry: npm asks the one that it is configured for.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.sandbox_process import REPOSITORY

CACHE = REPOSITORY / ".cache"
NODE = "22.23.3"
"""npm's own package of Node.js, where the system's is too old."""
INSTALL_SECONDS = 300
MOST_LINES = 4
"""Of what npm says: after these it tells of its own insides."""
_INSTALLED = "installed.json"
_QUIET = ("--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1", "--fetch-timeout=30000")


class Unavailable(Exception):
    """npm, Node.js or the registry is missing; the text says which, and what to do."""


def install(name: str, manifest: str, lock: str | None = None, *, scripts: bool = False) -> Path:
    """The folder that has the packages of a package.json, and of a package-lock.json, in its ``node_modules``.

    They are installed at the first call, and when the manifest or the lock has changed. ``scripts``: the packages' own
    installers may run. Safe from several processes at once. Raises Unavailable.
    """
    folder = CACHE / name
    wanted = json.dumps([manifest, lock])
    with _alone(name):
        installed = folder / _INSTALLED
        if installed.exists() and installed.read_text() == wanted:
            return folder
        npm = shutil.which("npm")
        if npm is None:
            raise Unavailable("npm isn't installed: install Node.js with npm, and try again.")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "package.json").write_text(manifest)
        if lock is None:
            command = [npm, "install", "--no-package-lock"]
        else:
            (folder / "package-lock.json").write_text(lock)
            command = [npm, "ci", "--omit=optional"]
        if not scripts:
            command.append("--ignore-scripts")
        _run([*command, *_QUIET], folder)
        installed.write_text(wanted)
    return folder


def node(oldest: tuple[int, int]) -> Path:
    """The system's Node.js if it is at least of this major and minor version, else the one that npm has.

    Raises Unavailable.
    """
    found = shutil.which("node")
    if found is not None and _version(Path(found)) >= oldest:
        return Path(found)
    # Its installer picks the build for this machine.
    folder = install("node", json.dumps({"private": True, "dependencies": {"node": NODE}}), scripts=True)
    packaged = folder / "node_modules" / "node" / "bin" / "node"
    if packaged.exists() and _version(packaged) >= oldest:
        return packaged
    raise Unavailable(
        f"Node.js {oldest[0]}.{oldest[1]} or newer is needed; neither the system nor npm's package has it."
    )


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"npm did not come to an end within {INSTALL_SECONDS} s.") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[:MOST_LINES]
        raise Unavailable(f"npm could not install what {folder.name} needs: {'; '.join(said)}")


def _version(program: Path) -> tuple[int, int]:
    printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    major, minor, *_ = printed.strip().lstrip("v").split(".")
    return int(major), int(minor)


@contextmanager
def _alone(name: str) -> Generator[None]:
    """One process at a time."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
