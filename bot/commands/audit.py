"""``guildhall audit verify | export``: whether the audit is what was written, and a copy that can be verified."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TextIO

from bot.commands.failures import CommandError
from bot.marked_database import keyring_of, opened_database
from bot.settings import Settings
from storage import audit_export, audit_verification
from storage.instance import Mark


async def run(settings: Settings, arguments: argparse.Namespace, mark: Mark) -> tuple[Sequence[str], bool]:
    """The lines to print, and whether all is well."""
    if arguments.action == "export":
        return await _export(settings, arguments, mark), True
    if arguments.file is not None:
        return _verify_file(settings, Path(arguments.file))
    async with opened_database(settings, mark) as database, database.read() as session:
        report = await audit_verification.verify(session, database.keyring, arguments.workspace)
    return [str(report)], report.intact


async def _export(settings: Settings, arguments: argparse.Namespace, mark: Mark) -> list[str]:
    """Written as it is read: memory holds a thousand entries, however long the audit is."""
    count = 0
    with _output(arguments.output) as output:
        async with opened_database(settings, mark) as database, database.read() as session:
            async for line in audit_export.lines(session, arguments.workspace):
                output.write(line + "\n")
                count += 1
    return [] if arguments.output is None else [f"{count} lines written to {arguments.output}"]


@contextlib.contextmanager
def _output(path: str | None) -> Generator[TextIO]:
    """Standard output, or a new file that nobody else may read; of one that could not be finished nothing is left."""
    if path is None:
        yield sys.stdout
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}; name a new file in a folder that is there.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        try:
            yield file
        except BaseException:
            Path(path).unlink()
            raise


def _verify_file(settings: Settings, path: Path) -> tuple[Sequence[str], bool]:
    """No database is needed, but the keys of the instance that wrote it."""
    try:
        with path.open(encoding="utf-8") as file:
            report = audit_export.verify(file, keyring_of(settings))
    except (audit_export.NoExport, UnicodeDecodeError) as error:
        return [f"{path}: {error}"], False
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}; name a file of `guildhall audit export`.") from None
    return [str(report)], report.intact
