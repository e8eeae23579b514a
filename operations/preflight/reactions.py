"""Reactions: what counts as an emoji, and what keeps one from being added.

https://discord.com/developers/docs/resources/message#create-reaction
"""

from __future__ import annotations

import re
from collections.abc import Collection

MAX_REACTIONS = 20

# An emoji as Unicode writes it (UTS #51, emoji_sequence and emoji_zwj_sequence): characters drawn as pictures, skin
# tones, joiners, flags of two letters, flags of regions, keycaps. Which of them Discord has follows no written list.
_PICTURE = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
)
_ONE = f"[{_PICTURE}]\ufe0f?[\U0001f3fb-\U0001f3ff]?(?:[\U000e0020-\U000e007e]+\U000e007f)?"
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"
_KEYCAP = "[0-9#*]\ufe0f?\u20e3"
_EMOJI = re.compile(f"{_ONE}(?:\u200d{_ONE})*|{_FLAG}|{_KEYCAP}")
MENTION = re.compile(r"<a?:\w{2,32}:([0-9]{15,20})>|\w{2,32}:([0-9]{15,20})")


def is_unicode_emoji(text: str) -> bool:
    """Whether a text is one emoji of Unicode, and nothing else."""
    return _EMOJI.fullmatch(text) is not None


def custom_emoji_id(text: str) -> int | None:
    """The id in ``<:name:id>``, ``name:id`` or a bare id."""
    if re.fullmatch(r"[0-9]{15,20}", text):
        return int(text)
    matched = MENTION.fullmatch(text)
    return None if matched is None else int(matched[1] or matched[2])


def message_has_room(reaction_count: int, *, is_new: bool) -> str | None:
    """``reaction_count``: of different emoji (error 30010). Joining one that is there needs no room."""
    if not is_new or reaction_count < MAX_REACTIONS:
        return None
    return f"The message has {MAX_REACTIONS} different reactions already; join one of those."


def thread_takes_reactions(*, archived: bool) -> str | None:
    """ "Users cannot edit messages, add reactions … [in] archived threads" (error 50083).

    https://discord.com/developers/docs/topics/threads#active--archived-threads
    """
    return "The thread is archived; send a message there first, which unarchives it." if archived else None


def emoji_is_available(*, available: bool) -> str | None:
    """ "Whether this emoji can be used, may be false due to loss of Server Boosts".

    https://discord.com/developers/docs/resources/emoji#emoji-object-emoji-structure
    """
    return None if available else "That emoji cannot be used now, since the guild lost boosts; choose another one."


def emoji_is_for(role_ids: Collection[int], held_role_ids: Collection[int], who: str) -> str | None:
    """``role_ids``: whom the emoji is kept for; empty is everybody. ``who``: "I" or "You".

    https://discord.com/developers/docs/resources/emoji#emoji-object-emoji-structure (roles)
    """
    if not role_ids or set(role_ids) & set(held_role_ids):
        return None
    return f"{who} may not use that emoji: it is kept for certain roles. Choose another one."
