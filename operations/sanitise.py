"""Text that others wrote, made safe to show: nothing hidden, nothing that reorders, one normal form, a told length.

Everything here is pure and linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata

# Control characters, and everything that shows as nothing: soft hyphens, joiners, fillers, bidi controls, variation
# selectors but those of emoji (FE0E, FE0F), interlinear marks, noncharacters, lone surrogates, and the tag block.
# Sources: Unicode 15, DerivedCoreProperties (Default_Ignorable_Code_Point) and PropList (Bidi_Control, Noncharacter).
_UNSEEN = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff"
    "\ufdd0-\ufdef\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "]+"
)
_NEWLINES = re.compile("\r\n?|[\x85\u2028\u2029]")

# Unicode's stream-safe text format allows 30 combining marks in a row (UAX #15, section 13). Longer runs only serve to
# draw over other lines, and would make normalisation quadratic. The first combining mark is U+0300.
_MAX_MARKS = 30
_LONG_RUN = re.compile("[^\x00-\u02ff]{31,}")

_BLANKS = re.compile(r"\s+")

# Look-alikes without power in Discord's markdown. The underscore stays: usernames and channel names contain it, and
# all it can do is slant text.
_DISARMED = str.maketrans(
    {"`": "ˋ", "<": "‹", ">": "›", "*": "∗", "~": "∼", "|": "∣", "\\": "＼", "[": "［", "]": "］"}
)
_MENTIONS = re.compile("@(?=everyone|here)", re.IGNORECASE)
_LINKS = re.compile(r"(?<=:)/|(?<=:/)/|(?<=\.gg)/|(?<=\.com)/(?=invite)", re.IGNORECASE)


def sanitise(text: str, *, limit: int | None = None) -> str:
    """``text`` without unseen characters, in NFC, at most ``limit`` characters long.

    Newlines and tabs stay. What a cap leaves out is told: ``… (+1234 characters)``.
    """
    if not (text.isascii() and text.isprintable()):
        text = _UNSEEN.sub("", _NEWLINES.sub("\n", text))
        if not text.isascii():
            # Normalising can lengthen a run of marks by decomposing one: shorten before and after.
            text = _shorten_marks(unicodedata.normalize("NFC", _shorten_marks(text)))
    return text if limit is None else cap(text, limit)


def _shorten_marks(text: str) -> str:
    return _LONG_RUN.sub(_shorten_run, text)


def _shorten_run(run: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for character in run[0]:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MAX_MARKS:
            kept.append(character)
    return "".join(kept)


def cap(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters; where something is left out its length is told, if that fits."""
    if len(text) <= limit:
        return text
    kept = limit - len(f"… (+{len(text)} characters)")
    if kept <= 0:
        return text[: max(limit - 1, 0)] + "…"[:limit]
    return f"{text[:kept]}… (+{len(text) - kept} characters)"


def inline(name: str, limit: int = 100) -> str:
    """A name for use inside a sentence: one line, no power as markdown, mention or link.

    Characters with such power become look-alikes, so that the text stays readable for people and models alike, in code
    spans too. Names as Discord allows them for users, channels and roles are mostly unchanged.
    """
    if name.isascii() and name.isalnum() and len(name) <= limit:
        return name
    text = _BLANKS.sub(" ", sanitise(name)).strip()
    text = _LINKS.sub("∕", _MENTIONS.sub("＠", text.translate(_DISARMED)))
    return cap(text, limit)
