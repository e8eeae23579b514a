"""Foreign text on a card: always in code, where Discord's markdown has no power, and never longer than told.

In code nothing is a link, a mention, an emoji, a timestamp or a heading; all that ends code is a backtick, which
becomes a look-alike. What cannot be seen, or reorders, is taken out before (operations.sanitise).
"""

from __future__ import annotations

from operations.sanitise import cap, inline, sanitise

NOTHING = "(nothing)"
_BACKTICK = str.maketrans({"`": "ˋ"})


def code(text: str, limit: int = 100) -> str:
    """One line in code, its backticks included at most ``limit`` + 2 characters long."""
    return f"`{inline(text, limit) or NOTHING}`"


def block(text: str, limit: int, language: str = "") -> str:
    """Lines in a block of code, at most ``limit`` characters long with all that makes it a block."""
    frame = f"```{language}\n", "\n```"
    room = limit - sum(map(len, frame))
    # Of the text, only the lines are kept: a blank one would look like the block's end.
    shown = sanitise(text).translate(_BACKTICK).strip("\n")
    return frame[0] + cap(shown if shown.strip() else NOTHING, room) + frame[1]


def words(text: str, limit: int) -> str:
    """A sentence of Guildhall's own that may quote names: one line without power as markdown, mention or link."""
    return inline(text, limit)
