"""The custom ids of the buttons, menus and modals that belong to one person: under the answers to his commands.

What is signed names the press, its subject, the person and the guild. The guild is not written into the id, which has
100 characters: it is where the button is pressed.
https://discord.com/developers/docs/components/reference#anatomy-of-a-component-custom-id
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from storage.crypto import Keyring

PURPOSE = "slash button"
MAC_LENGTH = 32
# Whatever begins so is ours, also one of another version: it gets an answer.
TEMPLATE = re.compile(r"gs:(?P<rest>.{0,97})", re.DOTALL)
_FORM = re.compile(
    r"(?P<press>[a-z]{2,8}):(?P<subject>[A-Za-z0-9_.-]{0,30}):(?P<user>[0-9]{1,20}):(?P<mac>[0-9a-f]{32})"
)


@dataclass(frozen=True, slots=True)
class ButtonId:
    """``press``: what it asks for. ``subject``: of what (a plan's id, a call's id, a page)."""

    press: str
    subject: str
    user_id: int
    mac: str

    @classmethod
    def parse(cls, custom_id: str) -> ButtonId | None:
        """None for what is not ours, or of another form; says nothing of who made it."""
        ours = TEMPLATE.fullmatch(custom_id)
        match = None if ours is None else _FORM.fullmatch(ours["rest"])
        return None if match is None else cls(match["press"], match["subject"], int(match["user"]), match["mac"])


class ButtonIds:
    """Signs and verifies."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def make(self, press: str, subject: str, *, guild_id: int, user_id: int) -> str:
        """Raises ValueError for a press or subject that would not be found again."""
        mac = self._keyring.mac(PURPOSE, _signed(press, subject, guild_id, user_id), length=MAC_LENGTH)
        custom_id = f"gs:{press}:{subject}:{user_id}:{mac}"
        if ButtonId.parse(custom_id) is None:
            raise ValueError(f"{custom_id!r} is no custom id")
        return custom_id

    def verify(self, found: ButtonId, guild_id: int) -> bool:
        signed = _signed(found.press, found.subject, guild_id, found.user_id)
        return self._keyring.verify(PURPOSE, signed, found.mac)


def _signed(press: str, subject: str, guild_id: int, user_id: int) -> str:
    return ":".join((press, subject, str(guild_id), str(user_id)))
