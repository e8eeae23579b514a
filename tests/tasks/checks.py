"""Whether a request came to what was asked for: looked up in the simulated guild, or in what was answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """After the turn. ``ids``: of channels, roles and members, by the names of the beginning. ``guild``: as it is
    described by the sandbox. ``said``: by the assistant, also privately. ``messages``: of each channel, by its name at
    the beginning, those of the assistant's reply left out. ``cases``: what Guildhall keeps.
    """

    ids: Mapping[str, str]
    guild: Json
    said: str
    messages: Mapping[str, Sequence[Json]]
    cases: Sequence[Json]

    def channel(self, name: str) -> Json | None:
        found = [each for each in self.guild["channels"] if name in (each["name"], each["id"])]
        return found[0] if found else None

    def role(self, name: str) -> Json | None:
        found = [each for each in self.guild["roles"] if each["name"].casefold() == name.casefold()]
        return found[0] if found else None

    def member(self, name: str) -> Json | None:
        found = [each for each in self.guild["members"] if each["name"] == name]
        return found[0] if found else None


Check = Callable[[Seen], bool]


def says(*patterns: str) -> Check:
    """The answer has something of each pattern."""
    return lambda seen: all(re.search(pattern, seen.said, re.IGNORECASE) for pattern in patterns)


def has_channel(name: str, kind: str = "", **more: Any) -> Check:
    """There is such a channel, of a kind whose name holds ``kind``, with these values."""

    def check(seen: Seen) -> bool:
        found = seen.channel(name)
        return found is not None and kind in found["type"] and all(found.get(key) == more[key] for key in more)

    return check


def has_no_channel(name: str) -> Check:
    return lambda seen: seen.channel(name) is None


def topic_holds(name: str, word: str) -> Check:
    return lambda seen: word.casefold() in str((seen.channel(name) or {}).get("topic") or "").casefold()


def hides_from_everyone(name: str) -> Check:
    def check(seen: Seen) -> bool:
        overwrites = (seen.channel(name) or {}).get("overwrites", ())
        return any(each["id"] == seen.guild["id"] and "view_channel" in each["deny"] for each in overwrites)

    return check


def denies_somebody(name: str, permission: str) -> Check:
    def check(seen: Seen) -> bool:
        return any(permission in each["deny"] for each in (seen.channel(name) or {}).get("overwrites", ()))

    return check


def posted(channel: str, *words: str) -> Check:
    """The bot sent a message there that has all these words."""

    def check(seen: Seen) -> bool:
        texts = [each["content"].casefold() for each in seen.messages.get(channel, ()) if each["author"]["bot"]]
        return any(all(word.casefold() in text for word in words) for text in texts)

    return check


def is_gone(channel: str, text: str) -> Check:
    return lambda seen: all(text not in each["content"] for each in seen.messages.get(channel, ()))


def reacted(channel: str, emoji: str) -> Check:
    return lambda seen: any(emoji in str(each.get("reactions", "")) for each in seen.messages.get(channel, ()))


def has_role(name: str, **more: Any) -> Check:
    def check(seen: Seen) -> bool:
        found = seen.role(name)
        return found is not None and all(found[key] == more[key] for key in more)

    return check


def has_no_role(name: str) -> Check:
    return lambda seen: seen.role(name) is None


def holds(member: str, role: str, *, yes: bool = True) -> Check:
    def check(seen: Seen) -> bool:
        found, of = seen.member(member), seen.role(role)
        return found is not None and of is not None and (of["id"] in found["roles"]) is yes

    return check


def is_timed_out(member: str) -> Check:
    return lambda seen: bool((seen.member(member) or {}).get("timed_out_until"))


def is_called(member: str, nick: str) -> Check:
    return lambda seen: (seen.member(member) or {}).get("nick") == nick


def has_left(member: str) -> Check:
    return lambda seen: seen.member(member) is None


def is_banned(member: str) -> Check:
    return lambda seen: seen.ids[member] in {each["id"] for each in seen.guild["bans"]}


def has_case(kind: str) -> Check:
    return lambda seen: any(each["kind"] == kind for each in seen.cases)


def has_invite() -> Check:
    return lambda seen: bool(seen.guild["invites"])


def has_webhook(name: str) -> Check:
    return lambda seen: any(each["name"] == name for each in seen.guild["webhooks"])


def has_thread() -> Check:
    return lambda seen: any("thread" in each["type"] for each in seen.guild["channels"])


def has_poll(channel: str) -> Check:
    return lambda seen: any(each.get("poll") for each in seen.messages.get(channel, ()))
