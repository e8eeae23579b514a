"""What a preview saw, as short digests: a plan is refused when it no longer holds, with what has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import orjson

GONE = "gone"


def fingerprint(seen: Mapping[str, object]) -> str:
    """``name=digest`` for each field, in order. The digests keep texts of members out of the plan's clear columns."""
    return " ".join(f"{name}={_digest(seen[name])}" for name in sorted(seen))


def _digest(value: object) -> str:
    canonical = orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.blake2b(canonical, digest_size=8).hexdigest()


def difference(before: str, after: str) -> tuple[str, ...]:
    """The fields that differ between two fingerprints, in order; one that is gone differs in ``existence``."""
    if before == after:
        return ()
    if GONE in (before, after):
        return ("existence",)
    earlier, later = _fields(before), _fields(after)
    return tuple(name for name in sorted(earlier.keys() | later.keys()) if earlier.get(name) != later.get(name))


def _fields(text: str) -> dict[str, str]:
    return {name: digest for name, _, digest in (part.partition("=") for part in text.split(" "))}
