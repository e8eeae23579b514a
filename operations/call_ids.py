"""Call ids: nonce of messages, tag in Discord's audit log, key of plan and audit rows."""

from __future__ import annotations

import base64
import re
import secrets

PREFIX = "cl_"
# 3 + 17 characters; Discord takes nonces of up to 25.
PATTERN = re.compile(r"^cl_[a-z2-7]{17}$")
# The MAC in a tag: what the key is made for, and how many hexadecimal digits.
TAG_PURPOSE = "audit tag"
TAG_LENGTH = 16
TAG = re.compile(r"gh:(cl_[a-z2-7]{17}):([0-9a-f]{16})")


def new_call_id() -> str:
    """20 characters, 85 random bits."""
    return PREFIX + base64.b32encode(secrets.token_bytes(11)).decode("ascii").lower()[:17]


def nonce(call_id: str, index: int = 0) -> str:
    """The nonce of the ``index``-th message that one call sends (at most 25 characters)."""
    return call_id if index == 0 else f"{call_id}.{index}"


def tag(call_id: str, mac: str) -> str:
    """What stands at the beginning of a reason in Discord's audit log: a lost answer is found again by it."""
    return f"gh:{call_id}:{mac}"


def without_tags(text: str) -> str:
    """A reason from outside never carries a tag of ours."""
    return re.sub(r"gh:", "gh-", text)
