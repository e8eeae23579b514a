"""Which reactions Discord takes, where simcord takes any.

https://discord.com/developers/docs/resources/message#create-reaction
"""

from __future__ import annotations

import re
import urllib.parse

from sandbox.additions import Addition, Request, Rule
from sandbox.internals import BackendError

# "Maximum number of reactions reached (20)": https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
_MAX_REACTIONS = 20
_OWN = re.compile(r"/channels/(?P<channel>\d+)/messages/(?P<message>\d+)/reactions/(?P<emoji>[^/]+)/@me")


def _place(request: Request, match: re.Match[str]) -> None:
    """ "Users cannot edit messages, add reactions, use application commands, or join archived threads."

    https://discord.com/developers/docs/topics/threads#active--archived-threads
    """
    channel = request.backend.channels.get(int(match["channel"]))
    if channel is not None and channel.thread_metadata is not None and channel.thread_metadata.archived:
        raise BackendError(400, 50083, "Thread is archived")


def _emoji(request: Request, match: re.Match[str]) -> None:
    """A custom emoji is one of a guild that the bot is in, or one that stands there already; else "10014: Unknown
    Emoji".
    """
    backend = request.backend
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


class Reactions(Addition):
    rules = (Rule("PUT", _OWN, _place), Rule("PUT", _OWN, _emoji))
