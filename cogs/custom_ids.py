"""The custom ids of Guildhall's buttons and modals: what they act on, and that they are ours.

Discord takes up to 100 characters and tells them to whoever looks at the message, so an id proves nothing of the
message that it stands on: that is checked beside it.
https://discord.com/developers/docs/components/reference#anatomy-of-a-component-custom-id
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from storage.crypto import Keyring

PURPOSE = "approval card"
MAC_LENGTH = 32
TEMPLATE = re.compile(
    r"gh:(?P<press>ok|name|all|no|see):(?P<plan>cl_[a-z2-7]{17}):(?P<guild>[0-9]{1,20}):(?P<mac>[0-9a-f]{32})"
)


class Press(StrEnum):
    """What a component asks for. NAME opens the modal in which the target's name is typed, and is that modal too."""

    APPROVE = "ok"
    NAME = "name"
    APPROVE_ALL = "all"
    DENY = "no"
    DETAILS = "see"


@dataclass(frozen=True, slots=True)
class CustomId:
    """``guild_id`` is the plan's: a card may stand in a direct message."""

    press: Press
    plan_id: str
    guild_id: int
    mac: str

    @classmethod
    def parse(cls, text: str) -> CustomId | None:
        """None for what has another form; says nothing of who made it."""
        match = TEMPLATE.fullmatch(text)
        return None if match is None else cls.matched(match)

    @classmethod
    def matched(cls, match: re.Match[str]) -> CustomId:
        return cls(Press(match["press"]), match["plan"], int(match["guild"]), match["mac"])


class CustomIds:
    """Signs and verifies. ``together``: the plans that an *Approve all* stands for; they are part of what is signed, so
    that it never approves one that came to the card later.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def make(self, press: Press, plan_id: str, guild_id: int, together: Iterable[str] = ()) -> str:
        mac = self._keyring.mac(PURPOSE, _signed(press, plan_id, guild_id, together), length=MAC_LENGTH)
        return f"gh:{press.value}:{plan_id}:{guild_id}:{mac}"

    def verify(self, found: CustomId, together: Iterable[str] = ()) -> bool:
        signed = _signed(found.press, found.plan_id, found.guild_id, together)
        return self._keyring.verify(PURPOSE, signed, found.mac)


def _signed(press: Press, plan_id: str, guild_id: int, together: Iterable[str]) -> str:
    return ":".join((press.value, plan_id, str(guild_id), *sorted(together)))
