"""Names, mentions, ids and jump links to Targets, searched only among what the caller may see.

For risky and critical operations only an id, a mention, a link or a name that matches exactly one visible object
counts, unique under NFKC, case-folding and the confusable skeleton, so that a look-alike is never taken for the real
thing.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import discord
from confusable_homoglyphs import confusables

from operations import bans
from operations.guild_state import Channel, GuildView
from operations.sanitise import sanitise
from operations.thread_visibility import sees
from policy.model import Target

JUMP_LINK = re.compile(
    r"https://(?:(?:ptb|canary)\.)?discord(?:app)?\.com/channels/(?P<guild>[0-9]{15,20})"
    r"(?:/(?P<channel>[0-9]{15,20}))?(?:/(?P<message>[0-9]{15,20}))?/?"
)
SNOWFLAKE = re.compile(r"[0-9]{15,20}")
MENTIONS = {
    "channel": re.compile(r"<#([0-9]{15,20})>"),
    "category": re.compile(r"<#([0-9]{15,20})>"),
    "member": re.compile(r"<@!?([0-9]{15,20})>"),
    "user": re.compile(r"<@!?([0-9]{15,20})>"),
    "person": re.compile(r"<@!?([0-9]{15,20})>"),
    "ban": re.compile(r"<@!?([0-9]{15,20})>"),
    "role": re.compile(r"<@&([0-9]{15,20})>"),
}
MAX_ID = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Link:
    """What a jump link names."""

    guild_id: int
    channel_id: int | None
    message_id: int | None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several visible objects fit a name."""

    candidates: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class LookAlike:
    """Exactly one fits, but another visible object looks the same; risky operations take no chances."""

    candidates: tuple[Target, ...]


Resolved = Target | Ambiguous | LookAlike | None


def link(text: str) -> Link | None:
    """What a jump link names; None for any other text, also a link with a number that no id can be."""
    matched = JUMP_LINK.fullmatch(text)
    if matched is None or any(int(part) > MAX_ID for part in matched.groups() if part):
        return None
    channel, message = matched["channel"], matched["message"]
    return Link(int(matched["guild"]), int(channel) if channel else None, int(message) if message else None)


def snowflake(kind: str, text: str) -> int | None:
    """The id that a text gives outright: digits, a mention of this kind, or a jump link."""
    pattern = MENTIONS.get(kind)
    mention = None if pattern is None else pattern.fullmatch(text)
    if mention is not None or SNOWFLAKE.fullmatch(text):
        value = int(text if mention is None else mention[1])
        return value if value <= MAX_ID else None
    jump = link(text)
    if jump is None:
        return None
    match kind:
        case "guild":
            return jump.guild_id
        case "channel" | "category":
            return jump.channel_id
        case "message":
            return jump.message_id
        case _:
            return None


# Pairs that the Unicode tables keep apart but eyes do not.
_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l"})


def skeleton(name: str) -> str:
    """What a name looks like: each character replaced by the Latin one that it can be confused with (UTS #39), NFKC,
    case-folded, without what shows as nothing.
    """
    if name.isascii() and name.isprintable():
        shape = name.casefold().translate(_ALIKE)
    else:
        # Before folding, since a Cyrillic capital may look like a Latin one while its small letter does not; and after.
        drawn = "".join(map(_prototype, sanitise(name)))
        folded = unicodedata.normalize("NFKC", drawn).casefold()
        shape = "".join(map(_prototype, sanitise(folded)))
    return " ".join(shape.split()).replace("rn", "m").replace("vv", "w")


@functools.lru_cache(maxsize=4_096)
def _prototype(character: str) -> str:
    if character.isascii():
        return character.translate(_ALIKE)
    if unicodedata.category(character).startswith("C") or character in "\ufe0e\ufe0f\u2800":
        return ""
    found = cast(
        "list[dict[str, Any]] | Literal[False]",
        confusables.is_confusable(character, greedy=True, preferred_aliases=[]),  # pyright: ignore[reportUnknownMemberType] - untyped
    )
    aliases = [str(each["c"]) for each in found[0]["homoglyphs"]] if found else []
    return next((alias.casefold().translate(_ALIKE) for alias in aliases if alias.isascii()), character)


def pick(name: str, candidates: Sequence[tuple[str, Target]], *, strict: bool) -> Resolved:
    """The one candidate called ``name``.

    An exact match wins, then a case-folded one. ``strict`` takes the exact one only, while nothing looks like it.
    """
    exact = _distinct(target for called, target in candidates if called == name)
    if strict:
        if len(exact) != 1:
            return Ambiguous(exact) if exact else None
        shape = skeleton(name)
        alike = _distinct(target for called, target in candidates if skeleton(called) == shape)
        return exact[0] if len(alike) == 1 else LookAlike(alike)
    if len(exact) == 1:
        return exact[0]
    if exact:
        return Ambiguous(exact)
    folded = unicodedata.normalize("NFKC", name).casefold()
    near = _distinct(
        target for called, target in candidates if unicodedata.normalize("NFKC", called).casefold() == folded
    )
    if len(near) == 1:
        return near[0]
    return Ambiguous(near) if near else None


def _distinct(targets: Iterable[Target]) -> tuple[Target, ...]:
    return tuple({target.id: target for target in targets}.values())


def channel_target(channel: Channel) -> Target:
    kind = "thread" if isinstance(channel, discord.Thread) else "channel"
    return Target(kind, channel.id, channel.guild.id, channel.name)


class Resolver:
    """Resolves refs inside one guild, as its requester sees it."""

    async def resolve(self, view: GuildView, kind: str, text: str, *, strict: bool) -> Resolved:
        """None when nothing visible fits. Raises discord.HTTPException where Discord has to be asked."""
        match kind:
            case "channel":
                return await self._channel(view, text, strict=strict)
            case "category":
                return self._category(view, text, strict=strict)
            case "role":
                return self._role(view, text, strict=strict)
            case "member":
                return await self._member(view, text, strict=strict)
            case "user":
                return await self._user(view, text, strict=strict)
            case "person":
                return await self._person(view, text, strict=strict)
            case "ban":
                return await self._banned(view, text)
            case "mentionable":
                return await self._mentionable(view, text, strict=strict)
            case _:
                raise ValueError(f"no resolver for {kind}")

    async def _channel(self, view: GuildView, text: str, *, strict: bool) -> Resolved:
        channel_id = snowflake("channel", text)
        if channel_id is not None:
            jump = link(text)
            if jump is not None and jump.guild_id != view.id:
                return None
            channel = view.channel(channel_id)
            if channel is None:
                return None
            return channel_target(channel) if await sees(view, channel) else None
        name = text.removeprefix("#")
        guild = view.discord
        visible = set(view.visible_ids())
        candidates = [
            (channel.name, channel_target(channel))
            for channel in guild.channels
            if channel.id in visible and not isinstance(channel, discord.CategoryChannel)
        ]
        candidates += [(thread.name, channel_target(thread)) for thread in guild.threads if view.sees(thread)]
        return pick(name, candidates, strict=strict)

    def _category(self, view: GuildView, text: str, *, strict: bool) -> Resolved:
        visible = set(view.visible_ids())
        categories = [category for category in view.discord.categories if category.id in visible]
        category_id = snowflake("category", text)
        if category_id is not None:
            jump = link(text)
            if jump is not None and jump.guild_id != view.id:
                return None
            found = next((category for category in categories if category.id == category_id), None)
            return None if found is None else channel_target(found)
        return pick(text, [(category.name, channel_target(category)) for category in categories], strict=strict)

    def _role(self, view: GuildView, text: str, *, strict: bool) -> Resolved:
        guild = view.discord
        role_id = snowflake("role", text)
        if role_id is not None:
            role = guild.get_role(role_id)
            return None if role is None else Target("role", role.id, guild.id, role.name)
        candidates = [(role.name, Target("role", role.id, guild.id, role.name)) for role in guild.roles]
        return pick(text, candidates, strict=strict) or pick(text.removeprefix("@"), candidates, strict=strict)

    async def _mentionable(self, view: GuildView, text: str, *, strict: bool) -> Resolved:
        """A role, a member, or everyone (``everyone`` or ``here``)."""
        if text.removeprefix("@") in ("everyone", "here"):
            return Target("everyone", view.id, view.id, text.removeprefix("@"))
        role = self._role(view, text, strict=strict)
        if isinstance(role, Target) and role.id == view.id:
            # The role of everybody bears the guild's id.
            return Target("everyone", view.id, view.id, "everyone")
        if role is not None and (not isinstance(role, Target) or snowflake("role", text) is not None):
            return role
        member = await self._member(view, text, strict=strict)
        if isinstance(role, Target) and member is not None:
            members = (member,) if isinstance(member, Target) else member.candidates
            return Ambiguous((role, *members))
        return role or member

    async def _member(self, view: GuildView, text: str, *, strict: bool) -> Resolved:
        guild = view.discord
        user_id = snowflake("member", text)
        if user_id is not None:
            member = await view.state.member(guild, user_id, 0 if strict else 60)
            return None if member is None else Target("member", member.id, guild.id, member.name)
        name = text.removeprefix("@")
        if not name:
            return None
        members = list(guild.members)
        if not guild.chunked:
            found = await view.state.source.search_members(guild, name)
            for member in found:
                view.state.learned(guild, member)
            members += found
        # A nickname or display name can be set to anybody's; for risky operations only the username counts.
        candidates = [(member.name, Target("member", member.id, guild.id, member.name)) for member in members]
        if not strict:
            candidates += [
                (called, Target("member", member.id, guild.id, member.name))
                for member in members
                for called in (member.nick, member.global_name)
                if called
            ]
        picked = pick(name, candidates, strict=strict)
        if strict and isinstance(picked, Target):
            # As by id: whoever is about to be acted on is looked at anew.
            member = await view.state.member(view.discord, picked.id, 0)
            return None if member is None or member.name != picked.name else picked
        return picked

    async def _user(self, view: GuildView, text: str, *, strict: bool) -> Resolved:
        """A member as usual; by id or mention anybody on Discord."""
        member = await self._member(view, text, strict=strict)
        user_id = snowflake("user", text)
        if member is not None or user_id is None:
            return member
        user = await view.state.source.fetch_user(user_id)
        return None if user is None else Target("user", user.id, view.id, user.name)

    async def _person(self, view: GuildView, text: str, *, strict: bool) -> Resolved:
        """A member as usual; by id or mention also whoever is none, without a name."""
        member = await self._member(view, text, strict=strict)
        user_id = snowflake("person", text)
        return Target("user", user_id, view.id) if member is None and user_id is not None else member

    async def _banned(self, view: GuildView, text: str) -> Resolved:
        """Somebody who is banned: a name has to be the exact one, and nobody else's on the list may look like it."""
        user_id = snowflake("ban", text)
        if user_id is not None:
            entry = await bans.ban_of(view.discord, user_id)
            return None if entry is None else bans.target(view.id, entry)
        name = text.removeprefix("@")
        if not name:
            return None
        entries = await bans.every(view.discord)
        return pick(name, [(entry.user.name, bans.target(view.id, entry)) for entry in entries], strict=True)
