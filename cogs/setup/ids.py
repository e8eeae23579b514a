"""The custom ids of the set-up card: what they ask for, in which guild, and that they are ours.

The card belongs to nobody: who presses is decided at each press.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from storage.crypto import Keyring

PURPOSE = "setup card"
MAC_LENGTH = 32
TEMPLATE = re.compile(r"su:(?P<press>claim|look|done|chat|log|who|preset):(?P<guild>[0-9]{1,20}):(?P<mac>[0-9a-f]{32})")


class Press(StrEnum):
    CLAIM = "claim"
    LOOK_AGAIN = "look"
    DONE = "done"
    CHAT_CHANNELS = "chat"
    LOG_CHANNEL = "log"
    APPROVERS = "who"
    PRESET = "preset"


@dataclass(frozen=True, slots=True)
class SetupId:
    """``guild_id``: the guild that is set up; a card may stand in a direct message."""

    press: Press
    guild_id: int
    mac: str

    @classmethod
    def matched(cls, match: re.Match[str]) -> SetupId:
        return cls(Press(match["press"]), int(match["guild"]), match["mac"])


class SetupIds:
    """Signs and verifies."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def make(self, press: Press, guild_id: int) -> str:
        return f"su:{press.value}:{guild_id}:{self._keyring.mac(PURPOSE, _signed(press, guild_id), length=MAC_LENGTH)}"

    def verify(self, found: SetupId) -> bool:
        return self._keyring.verify(PURPOSE, _signed(found.press, found.guild_id), found.mac)


def _signed(press: Press, guild_id: int) -> str:
    return f"{press.value}:{guild_id}"
