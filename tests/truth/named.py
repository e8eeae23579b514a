"""What a call names, looked up in the simulated Discord: whether it is there, and for whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from policy.permissions import Bits
from sandbox.internals import Backend
from tests.truth.oracle import addressable, rights
from tests.truth.verdicts import Write
from tests.truth.worlds import Scene


class Named:
    """Of one guild."""

    def __init__(self, backend: Backend, scene: Scene) -> None:
        self._backend = backend
        self._scene = scene

    def unseen(self, given: Mapping[str, Any], user_id: int) -> list[int]:
        """The ids in a call of which this member may not know."""
        named = _ids(given)
        invite = self._backend.invites.get(str(given.get("invite")))
        if "invite" in given:
            # A code is no id: it leads to its channel.
            named.append(0 if invite is None else invite.channel_id)
        return [each for each in named if not addressable(self._backend, self._scene.guild_id, user_id, each)]

    def missing(self, operation: Write, given: Mapping[str, Any]) -> list[Any]:
        """What the call names and nobody can address: the bot sees no such thing, or there is none."""
        return [
            *self.unseen(given, self._scene.bot_id),
            *self._not_banned(operation, given),
            *self._not_there(given),
            *self._not_kept(given),
        ]

    def _not_banned(self, operation: Write, given: Mapping[str, Any]) -> list[int]:
        """Whose ban a call names, where there is none."""
        bans = self._backend.guilds[self._scene.guild_id].bans
        named = [int(given[field]) for field, ref in operation.refs.items() if ref.kind == "ban" and field in given]
        return [user_id for user_id in named if user_id not in bans]

    def _not_there(self, given: Mapping[str, Any]) -> list[int]:
        """The messages and webhooks that a call names together with a channel in which they are not."""
        if not str(given.get("channel", "")).isdecimal():
            return []
        backend = self._backend
        here = backend.messages.get(int(given["channel"]), {})
        named = _ids([given.get("message"), given.get("messages"), given.get("reply_to")])
        hooks = [each for each in _ids([given.get("webhook")]) if each in backend.webhooks]
        elsewhere = [each for each in hooks if backend.webhooks[each].channel_id != int(given["channel"])]
        return [*elsewhere, *(message_id for message_id in named if message_id not in here)]

    def _not_kept(self, given: Mapping[str, Any]) -> list[Any]:
        """A case or a token that there is not."""
        found: list[Any] = []
        found += [given["case"]] if "case" in given and given["case"] not in self._scene.cases else []
        found += [given["client"]] if "client" in given and given["client"] not in self._scene.tokens else []
        return found

    def bot_lacks(self, reason: str, given: Mapping[str, Any]) -> str:
        """The permissions that the product says the bot lacks (in the channel of the call, else guild-wide), if it
        lacks each of them.
        """
        match = re.search(r"I lack ([a-z_, ]+) (?:at|in) ", reason)
        if match is None:
            return ""
        backend = self._backend
        channel = backend.channels.get(int(given["channel"])) if str(given.get("channel", "")).isdecimal() else None
        where = 0 if channel is None else channel.permission_channel_id()
        held = _effective(rights(backend, self._scene.guild_id).at[self._scene.bot_id, where])
        return match[1] if not any(held & Bits[name] for name in match[1].split(", ")) else ""


def _effective(held: int) -> int:
    """https://discord.com/developers/docs/topics/permissions#implicit-permissions"""
    return held if held & Bits.send_messages else held & ~(Bits.embed_links | Bits.attach_files | Bits.mention_everyone)


def _ids(given: Any) -> list[int]:
    """Every id in arguments."""
    if isinstance(given, str):
        return [int(given)] if given.isascii() and given.isdecimal() and len(given) >= 15 else []
    if isinstance(given, Mapping):
        given = list(cast("Mapping[str, Any]", given).values())
    return [found for each in cast("list[Any]", given) for found in _ids(each)] if isinstance(given, list) else []
