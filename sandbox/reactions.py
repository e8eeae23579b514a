"""Which reactions Discord takes, where simcord takes any.

https://discord.com/developers/docs/resources/message#create-reaction
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

from sandbox import threads
from sandbox.internals import Backend, BackendError

# "Maximum number of reactions reached (20)": https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
_MAX_REACTIONS = 20


def check(backend: Backend, match: re.Match[str], body: Mapping[str, Any]) -> None:
    """A custom emoji is one of a guild that the bot is in, or one that stands there already; else "10014: Unknown
    Emoji".
    """
    threads.check_reaction(backend, match, body)
    message = backend.messages.get(int(match["channel"]), {}).get(int(match["message"]))
    emoji = urllib.parse.unquote(match["emoji"])
    if message is None or message.reaction_for(emoji) is not None:
        return
    _, _, emoji_id = emoji.partition(":")
    if not emoji_id and emoji.isascii() and not emoji.endswith("\u20e3"):
        raise BackendError(400, 10014, "Unknown Emoji")
    if emoji_id and not any(int(emoji_id) in guild.emojis for guild in backend.guilds.values()):
        raise BackendError(400, 10014, "Unknown Emoji")
    if len(message.reactions) >= _MAX_REACTIONS:
        raise BackendError(400, 30010, "Maximum number of reactions reached (20)")
