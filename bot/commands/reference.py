"""``guildhall reference``: docs/operations.md from the catalogue."""

from __future__ import annotations

import argparse
from pathlib import Path

from bot.catalogue import CATALOGUE
from bot.commands.failures import CommandError
from operations.reference import render
from operations.registry import Registry

PAGE = Path("docs/operations.md")


def run(arguments: argparse.Namespace) -> str:
    """The line to print. Raises CommandError when the page is not current."""
    page = render(Registry(CATALOGUE))
    if not arguments.check:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page, encoding="utf-8")
        return f"Wrote {PAGE}."
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        raise CommandError(f"{PAGE} is not current; run `make docs`.")
    return f"{PAGE} is current."
