"""``guildhall migrate``: brings the schema up to date, or back to a revision."""

from __future__ import annotations

import argparse

from bot.marked_database import opened_database
from bot.settings import Settings
from migrations import runner
from storage.instance import Mark


async def run(settings: Settings, arguments: argparse.Namespace, mark: Mark) -> str:
    """The line to print."""
    if arguments.down is not None:
        await runner.downgrade(settings.database, arguments.down)
        return f"The database is at {await runner.current(settings.database) or 'base'}."
    async with opened_database(settings, mark):
        return "The database is up to date."
