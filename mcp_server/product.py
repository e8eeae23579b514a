"""What the product calls itself, and in which version it is installed."""

from __future__ import annotations

from importlib.metadata import version

NAME = "guildhall"
TITLE = "Guildhall"


def product_version() -> str:
    """Of the installed package."""
    return version(NAME)
