"""Platform scopes: what a credential may ask for, and what each platform role may hold.

A scope is ``<toolset>:<action>``, e.g. ``messages:write``, ``members:moderate``, ``admin:policy``. In a grant either
side may be ``*``; ``*:write`` covers neither ``members:moderate`` nor anything of ``admin``, which must be named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from policy.model import Kind, PlatformRole

SCOPE = re.compile(r"^(\*|[a-z][a-z_]*):(\*|[a-z][a-z_]*)\Z")

# What concerns the person who asks and nobody else, as his own data does: no role and no rule of a guild bars it.
OWN_DATA = "meta:self"

READ_ONLY = frozenset({"*:read"})
EVERYTHING_BUT_ADMIN = frozenset({"*:read", "*:write", "*:moderate"})
EVERYTHING = EVERYTHING_BUT_ADMIN | {"admin:*"}

PRESETS = {"read": READ_ONLY, "write": EVERYTHING_BUT_ADMIN, "all": EVERYTHING}


def parse(texts: Iterable[str]) -> frozenset[str]:
    """Scopes and preset names to scopes. Raises ValueError naming the bad one and the form."""
    found: set[str] = set()
    for text in texts:
        if text in PRESETS:
            found |= PRESETS[text]
        elif SCOPE.match(text) and text != "*:*":
            found.add(text)
        else:
            raise ValueError(
                f"'{text}' is not a scope. "
                f"Write <toolset>:<action> such as messages:write, or one of {', '.join(PRESETS)}."
            )
    return frozenset(found)


def covers(granted: frozenset[str], wanted: str) -> bool:
    if wanted in granted:
        return True
    toolset, _, action = wanted.partition(":")
    if f"{toolset}:*" in granted:
        return True
    return toolset != "admin" and f"*:{action}" in granted


def least_role(kind: Kind, scope: str) -> PlatformRole:
    """The least role for an operation that names none: viewers read, members act, administration needs a manager."""
    if scope.startswith("admin:"):
        return PlatformRole.MANAGER
    return PlatformRole.VIEWER if kind is Kind.READ else PlatformRole.MEMBER
