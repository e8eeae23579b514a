"""The system that may do anything: for tests that need the effect of a call and no person who confirms it."""

from __future__ import annotations

from bot.catalogue import CATALOGUE

EVERY_DEED = frozenset(operation.name for operation in CATALOGUE)
