"""Operations whose arguments hang together: each has a generator of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from operations.base import Operation
from tests.truth.derived import derived, drawn
from tests.truth.draws import RARELY, UNKNOWN_ID, words
from tests.truth.worlds import IN_CHANNELS, Scene

# The last argument: who asks.
Generator = Callable[[random.Random, Scene, type[Operation], int], dict[str, Any]]


# What each kind of channel has: https://discord.com/developers/docs/resources/channel#modify-channel
SETTINGS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"topic", "slowmode_seconds", "nsfw"}),
    "announcement": frozenset({"topic", "nsfw"}),
    "voice": frozenset({"bitrate", "user_limit", "nsfw"}),
    "stage": frozenset({"bitrate", "user_limit", "nsfw"}),
    "forum": frozenset({"topic", "slowmode_seconds", "nsfw"}),
    "media": frozenset({"topic", "slowmode_seconds", "nsfw"}),
    "category": frozenset(),
}
ALL_SETTINGS = frozenset({"topic", "slowmode_seconds", "nsfw", "bitrate", "user_limit"})


def _fitting(rng: random.Random, given: dict[str, Any], kind: str) -> dict[str, Any]:
    """Mostly only what this kind of channel has."""
    if rng.random() < RARELY:
        return given
    return {name: value for name, value in given.items() if name not in ALL_SETTINGS - SETTINGS[kind]}


def _create_channel(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    given = derived(rng, scene, operation.Input, operation.name)
    if rng.random() < 0.6:
        given["type"] = rng.choice(["text", "voice", "forum", "category"])
    kind = given.get("type", "text")
    if kind == "category" and rng.random() > RARELY:
        given.pop("category", None)
    if rng.random() < 0.5:
        given.pop("overwrites", None)
    return _fitting(rng, given, kind)


def _edit_channel(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    given = derived(rng, scene, operation.Input, operation.name)
    kind = next((kind for kind, ids in scene.channels.items() if int(given["channel"]) in ids), "text")
    return _fitting(rng, given, kind)


def _of_message(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int = 0) -> dict[str, Any]:
    """A message is named with the channel that it is in; now and then with another."""
    given = derived(rng, scene, operation.Input, operation.name)
    said = rng.choice(scene.said)
    given["message"] = str(said.message_id)
    given["channel"] = str(said.channel_id if rng.random() > RARELY else rng.choice(scene.everywhere))
    return given


def _edit_message(rng: random.Random, scene: Scene, operation: type[Operation], requester: int) -> dict[str, Any]:
    given = _of_message(rng, scene, operation)
    own = [each for each in scene.said if each.own_of == requester]
    if own and rng.random() < 0.8:
        said = rng.choice(own)
        given |= {"message": str(said.message_id), "channel": str(said.channel_id)}
    return given


def _with_mentions(rng: random.Random, scene: Scene, given: dict[str, Any]) -> None:
    """Mostly a text mentions those whom it shall notify."""
    if rng.random() < RARELY:
        return
    roles = {str(role_id) for role_id in scene.roles}
    mentions = [
        f"@{whom}" if not whom.isdecimal() else f"<@&{whom}>" if whom in roles else f"<@{whom}>"
        for whom in given.get("ping", ())
    ]
    if mentions:
        given["content"] = f"{given.get('content', '')} {' '.join(mentions)}"


def _send_message(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    given = derived(rng, scene, operation.Input, operation.name)
    given.setdefault("content", words(2000)(rng, scene))
    for name in ("embeds", "files", "poll", "buttons", "ping", "crosspost"):
        if name in given and rng.random() < 0.5:
            del given[name]
    if rng.random() > RARELY and int(given["channel"]) in scene.of_kinds("category", "forum"):
        given["channel"] = str(rng.choice(scene.of_kinds("text", "voice", "announcement")))
    if int(given["channel"]) not in scene.of_kinds("announcement") and rng.random() > RARELY:
        given.pop("crosspost", None)
    if "reply_to" in given:
        here = [each for each in scene.said if str(each.channel_id) == given["channel"]]
        if here and rng.random() > RARELY:
            given["reply_to"] = str(rng.choice(here).message_id)
    _with_mentions(rng, scene, given)
    return given


def one_of(*names: str) -> Generator:
    """Of these arguments exactly one is given."""

    def draw(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
        given = derived(rng, scene, operation.Input, operation.name)
        chosen = rng.choice(names)
        info = operation.Input.model_fields[chosen]
        given[chosen] = drawn(rng, scene, chosen, info, operation.name)
        return {name: value for name, value in given.items() if name == chosen or name not in names}

    return draw


def _edit_permissions(rng: random.Random, scene: Scene, operation: type[Operation], requester: int) -> dict[str, Any]:
    """Mostly each permission in one list only, and of a few."""
    given = one_of("role", "member")(rng, scene, operation, requester)
    named = rng.sample(IN_CHANNELS, rng.randint(1, 4))
    cuts = sorted(rng.choices(range(len(named) + 1), k=2))
    lists = {"allow": named[: cuts[0]], "deny": named[cuts[0] : cuts[1]], "clear": named[cuts[1] :]}
    return {**{name: value for name, value in given.items() if name not in lists}, **lists}


def _of_webhook(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    """A webhook, mostly with the channel that it posts to or with none."""
    given = derived(rng, scene, operation.Input, operation.name)
    webhook_id, channel_id = rng.choice(list(scene.webhook_channels.items()) or [(UNKNOWN_ID, scene.everywhere[0])])
    given["webhook"] = str(webhook_id)
    if rng.random() > RARELY:
        given["channel"] = str(channel_id)
    if "thread" in given and rng.random() > RARELY:
        del given["thread"]
    _with_mentions(rng, scene, given)
    return given


def _bulk_delete(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    given = derived(rng, scene, operation.Input, operation.name)
    channel_id = rng.choice(scene.said).channel_id
    here = [str(each.message_id) for each in scene.said if each.channel_id == channel_id]
    elsewhere = [str(rng.choice(scene.said).message_id)] if rng.random() < RARELY else []
    return {**given, "channel": str(channel_id), "messages": [*here, *elsewhere]}


def _purge(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    """Mostly of a channel where something was said, and of no time in particular."""
    given = derived(rng, scene, operation.Input, operation.name)
    if rng.random() > RARELY:
        given["channel"] = str(rng.choice(scene.said).channel_id)
        for name in ("since", "until", "contains", "within_seconds"):
            given.pop(name, None)
    return given


def _ban(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    """For good, for a time, or until a moment."""
    given = derived(rng, scene, operation.Input, operation.name)
    given.pop(rng.choice(["duration_seconds", "until"]), None)
    return given


def _create_thread(rng: random.Random, scene: Scene, operation: type[Operation], requester: int) -> dict[str, Any]:
    given = derived(rng, scene, operation.Input, operation.name)
    if "message" in given and rng.random() > RARELY:
        given |= {**_of_message(rng, scene, operation, requester), "private": False}
    return given


def _warn(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    """Mostly with the reason that a warning takes."""
    given = derived(rng, scene, operation.Input, operation.name)
    return given if rng.random() < RARELY else {**given, "reason": words(400)(rng, scene)}


def _report(rng: random.Random, scene: Scene, operation: type[Operation], requester: int) -> dict[str, Any]:
    """Somebody with words, or a message mostly with its channel."""
    if rng.random() < 0.5:
        given = one_of("member", "message")(rng, scene, operation, requester)
        return {**given, "text": "what is wrong"} if "member" in given else {**given, **_place(rng, scene)}
    given = derived(rng, scene, operation.Input, operation.name)
    return {**{name: value for name, value in given.items() if name != "member"}, **_place(rng, scene)}


def _place(rng: random.Random, scene: Scene) -> dict[str, str]:
    said = rng.choice(scene.said)
    elsewhere = rng.choice(scene.everywhere) if rng.random() < RARELY else said.channel_id
    return {"message": str(said.message_id), "channel": str(elsewhere)}


def _unlock(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    """Mostly where Guildhall has locked something."""
    given = derived(rng, scene, operation.Input, operation.name)
    return {**given, "channel": str(rng.choice(scene.locked))} if scene.locked and rng.random() < 0.7 else given


OPERATIONS: Mapping[str, Generator] = {
    "channel_unlock": _unlock,
    "member_warn": _warn,
    "member_report": _report,
    "approvals_channel_set": one_of("channel", "off"),
    "log_channel_set": one_of("channel", "off"),
    "channel_permissions_delete": one_of("role", "member"),
    "channel_permissions_edit": _edit_permissions,
    "member_timeout": one_of("duration_seconds", "until"),
    "message_bulk_delete": _bulk_delete,
    "message_delete": _of_message,
    "message_purge": _purge,
    "member_ban": _ban,
    "reaction_add": _of_message,
    "webhook_delete": _of_webhook,
    "webhook_execute": _of_webhook,
    "webhook_modify": _of_webhook,
    "role_reorder": one_of("above", "below", "position"),
    "thread_create": _create_thread,
    "channel_create": _create_channel,
    "channel_edit": _edit_channel,
    "message_edit": _edit_message,
    "message_get": _of_message,
    "message_send": _send_message,
}
