"""The custom ids of the buttons under what a log channel is told.

What is signed names the press, the call and the guild. The guild is not written into the id: it is where the button is
pressed. https://discord.com/developers/docs/components/reference#anatomy-of-a-component-custom-id
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from storage.crypto import Keyring

PURPOSE = "log channel button"
MAC_LENGTH = 32
# Whatever begins so is ours, also one of another version: it gets an answer.
TEMPLATE = re.compile(r"gl:(?P<rest>.{0,97})", re.DOTALL)
_FORM = re.compile(r"gl:(?P<press>see|undo):(?P<call>cl_[a-z2-7]{17}):(?P<mac>[0-9a-f]{32})")


class LogPress(StrEnum):
    DETAILS = "see"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class LogId:
    press: LogPress
    call_id: str
    mac: str

    @classmethod
    def parse(cls, custom_id: str) -> LogId | None:
        """None for what has another form; says nothing of who made it."""
        match = _FORM.fullmatch(custom_id)
        return None if match is None else cls(LogPress(match["press"]), match["call"], match["mac"])


class LogIds:
    """Signs and verifies."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def make(self, press: LogPress, call_id: str, guild_id: int) -> str:
        mac = self._keyring.mac(PURPOSE, _signed(press, call_id, guild_id), length=MAC_LENGTH)
        return f"gl:{press.value}:{call_id}:{mac}"

    def verify(self, found: LogId, guild_id: int) -> bool:
        return self._keyring.verify(PURPOSE, _signed(found.press, found.call_id, guild_id), found.mac)


def _signed(press: LogPress, call_id: str, guild_id: int) -> str:
    return f"{press.value}:{call_id}:{guild_id}"
