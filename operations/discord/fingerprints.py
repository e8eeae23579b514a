"""What a preview saw, as a short digest: a plan is refused when it no longer holds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import orjson

GONE = "gone"


def fingerprint(seen: Mapping[str, object]) -> str:
    """32 hexadecimal digits. The digest keeps texts of members out of the plan's clear columns."""
    canonical = orjson.dumps(seen, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.blake2b(canonical, digest_size=16).hexdigest()
