"""Discord's markup as readable text: mentions, custom emoji and timestamps resolved, everything sanitised."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable

import discord

from operations.sanitise import inline, sanitise

# https://discord.com/developers/docs/reference#message-formatting-formats
_MARKUP = re.compile(
    r"<(?:@!?(?P<user>\d{1,20})"
    r"|@&(?P<role>\d{1,20})"
    r"|#(?P<channel>\d{1,20})"
    r"|a?:(?P<emoji>\w{1,64}):\d{1,20}"
    r"|t:(?P<time>-?\d{1,17})(?::[a-zA-Z])?"
    r"|/(?P<command>[^<>:\n]{1,120}):\d{1,20})>",
    re.ASCII,
)


def unnamed(_channel_id: int) -> str | None:
    """A look-up that knows no channel."""
    return None


class Names:
    """Names of what a text mentions by id.

    Members and roles are known to everyone in a guild; channels are not. So their names come from ``channel_name``,
    which must answer for the channels that the reader sees, and None for the others.
    """

    __slots__ = ("_channel_name", "_guild")

    def __init__(self, guild: discord.Guild | None = None, channel_name: Callable[[int], str | None] = unnamed) -> None:
        self._guild = guild
        self._channel_name = channel_name

    def user(self, user_id: int) -> str | None:
        member = None if self._guild is None else self._guild.get_member(user_id)
        return None if member is None else member.name

    def role(self, role_id: int) -> str | None:
        role = None if self._guild is None else self._guild.get_role(role_id)
        return None if role is None else role.name

    def channel(self, channel_id: int) -> str | None:
        return self._channel_name(channel_id)


class Lines:
    """Text of one message, line by line."""

    __slots__ = ("_mentioned", "_names", "_written")

    def __init__(self, names: Names, mentioned: Iterable[discord.User | discord.Member] = ()) -> None:
        self._names = names
        self._mentioned = mentioned
        self._written: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._written)

    def add(self, line: str) -> None:
        """A line of our own making; foreign text in it has gone through ``readable`` or ``one_line``."""
        self._written.append(line)

    def block(self, text: str, indent: str = "") -> None:
        """Foreign text of one or more lines."""
        readable = self.readable(text).strip()
        if readable:
            self._written.append(indent + readable.replace("\n", "\n" + indent) if indent else readable)

    def labelled(self, label: str, text: str | None, indent: str = "") -> None:
        """``label: text`` where there is a text, further lines of it indented below."""
        if text:
            readable = self.readable(text).strip().replace("\n", f"\n{indent}  ")
            self._written.append(f"{indent}{label}: {readable}")

    def join(self) -> str:
        return "\n".join(self._written)

    def one_line(self, text: str) -> str:
        return " ".join(self.readable(text).split())

    def readable(self, text: str) -> str:
        """Sanitised, with mentions as ``@ada (<@1>)``, custom emoji as ``:name:`` and times in UTC."""
        text = sanitise(text)
        return _MARKUP.sub(self._replace, text) if "<" in text else text

    def _replace(self, match: re.Match[str]) -> str:
        kind, value = match.lastgroup, match[match.lastgroup or 0]
        if kind == "emoji":
            return f":{value}:"
        if kind == "command":
            return f"/{value}"
        if kind == "time":
            return moment(int(value)) or match[0]
        if kind == "user":
            name, sign = self._user(int(value)), "@"
        elif kind == "role":
            name, sign = self._names.role(int(value)), "@"
        else:
            name, sign = self._names.channel(int(value)), "#"
        # The id stays beside the name: a name alone could be typed by anyone.
        return match[0] if name is None else f"{sign}{inline(name)} ({match[0]})"

    def _user(self, user_id: int) -> str | None:
        for user in self._mentioned:
            if user.id == user_id:
                return user.name
        return self._names.user(user_id)


def moment(seconds: int) -> str | None:
    """A time in UTC by minutes; None outside of what a calendar holds."""
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return None


def minutes(at: datetime.datetime) -> str:
    """A time in UTC by minutes, without the zone."""
    return f"{at.astimezone(datetime.UTC):%Y-%m-%d %H:%M}"


def size(byte_count: int) -> str:
    """A file's size for people: ``1.4 MB`` (decimal)."""
    if byte_count < 1_000:
        return f"{byte_count} B"
    if byte_count < 1_000_000:
        return f"{byte_count / 1_000:.0f} kB"
    return f"{byte_count / 1_000_000:.1f} MB"


def emoji_text(emoji: discord.PartialEmoji | discord.Emoji | str) -> str:
    """An emoji as text: itself, or ``:name:`` for a custom one."""
    if isinstance(emoji, str):
        return sanitise(emoji)
    if emoji.id is None:
        return sanitise(emoji.name)
    return f":{sanitise(emoji.name)}:"
