"""``guildhall audit verify``: whether the audit is what was written."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from bot.marked_database import opened_database
from bot.settings import Settings
from storage import audit_verification
from storage.instance import Mark


async def run(settings: Settings, arguments: argparse.Namespace, mark: Mark) -> tuple[Sequence[str], bool]:
    """The lines to print, and whether the audit is intact."""
    async with opened_database(settings, mark) as database, database.read() as session:
        report = await audit_verification.verify(session, database.keyring, arguments.workspace)
    return [str(report)], report.intact
