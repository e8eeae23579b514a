"""Call ids: nonce of messages, tag in Discord's audit log, key of plan and audit rows."""

from __future__ import annotations

import os
import re
import secrets

PREFIX = "cl_"
# 3 + 17 characters; Discord takes nonces of up to 25.
PATTERN = re.compile(r"^cl_[a-z2-7]{17}$")
_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
# Two digits at a time: every call takes an id, and the standard library's base 32 takes three times as long.
_PAIRS = tuple(first + second for first in _DIGITS for second in _DIGITS)
_SHIFTS = range(0, 80, 10)
_ID_BYTES = 11
_DRAWN = 64
_random: list[bytes] = []
if hasattr(os, "register_at_fork"):
    # No process gives an id that another one has drawn.
    os.register_at_fork(after_in_child=_random.clear)
# The MAC in a tag: what the key is made for, and how many hexadecimal digits.
TAG_PURPOSE = "audit tag"
TAG_LENGTH = 16
TAG = re.compile(r"gh:(cl_[a-z2-7]{17}):([0-9a-f]{16})")


def new_call_id() -> str:
    """20 characters, 85 random bits."""
    if not _random:
        # Many at a time: the system is asked for them, which takes longer than all else here.
        drawn = secrets.token_bytes(_ID_BYTES * _DRAWN)
        _random.extend(drawn[start : start + _ID_BYTES] for start in range(0, len(drawn), _ID_BYTES))
    bits = int.from_bytes(_random.pop())
    return PREFIX + "".join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS]) + _DIGITS[bits >> 80 & 31]


def nonce(call_id: str, index: int = 0) -> str:
    """The nonce of the ``index``-th message that one call sends (at most 25 characters)."""
    return call_id if index == 0 else f"{call_id}.{index}"


def tag(call_id: str, mac: str) -> str:
    """What stands at the beginning of a reason in Discord's audit log: a lost answer is found again by it."""
    return f"gh:{call_id}:{mac}"


def without_tags(text: str) -> str:
    """A reason from outside never carries a tag of ours."""
    return re.sub(r"gh:", "gh-", text)
