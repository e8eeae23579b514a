"""``guildhall audit verify``: whether the audit is what was written."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from bot.core import opened_database
from bot.settings import Settings
from storage import audit_verification
from storage.instance import Mark


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage] - argparse names it so
    parser = commands.add_parser("audit", help="verify the audit")
    actions = parser.add_subparsers(dest="action", required=True)
    verify = actions.add_parser("verify", help="check the chain of every workspace; exit code 1 when it is broken")
    verify.add_argument("--workspace", help="only this one")


async def run(settings: Settings, arguments: argparse.Namespace, mark: Mark) -> tuple[Sequence[str], bool]:
    """The lines to print, and whether the audit is intact."""
    async with opened_database(settings, mark) as database, database.read() as session:
        report = await audit_verification.verify(session, database.keyring, arguments.workspace)
    return [str(report)], report.intact
