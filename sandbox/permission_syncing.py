"""Channels in sync with their category, which simcord leaves as they are when the category changes.

"If a child channel has the same permissions and overwrites (or lack thereof) as its parent category, the channel is
considered "synced" to the category. Any further changes to a parent category will be reflected in its synced child
channels."
https://discord.com/developers/docs/topics/permissions#permission-syncing
"""

from __future__ import annotations

import re

import discord

from sandbox.internals import Backend, Channel

_CHANGES = (
    ("PUT", re.compile(r"/channels/(?P<channel>\d+)/permissions/\d+")),
    ("DELETE", re.compile(r"/channels/(?P<channel>\d+)/permissions/\d+")),
    ("PATCH", re.compile(r"/channels/(?P<channel>\d+)")),
)


def followers(backend: Backend, method: str, path: str) -> tuple[Channel, list[Channel]] | None:
    """The category whose overwrites a request may change, and the channels in sync with it before."""
    for changing, pattern in _CHANGES:
        match = pattern.fullmatch(path) if changing == method else None
        category = backend.channels.get(int(match["channel"])) if match else None
        if category is None or category.type != discord.ChannelType.category.value:
            continue
        inside = [channel for channel in backend.channels.values() if channel.parent_id == category.id]
        return category, [channel for channel in inside if _overwrites(channel) == _overwrites(category)]
    return None


def follow(backend: Backend, category: Channel, channels: list[Channel]) -> None:
    """After the request succeeded."""
    for channel in channels:
        for target_id in _overwrites(channel).keys() - _overwrites(category).keys():
            backend.delete_overwrite(channel.id, target_id)
        for overwrite in category.overwrites:
            if _overwrites(channel).get(overwrite.target_id) != (overwrite.allow, overwrite.deny):
                backend.set_overwrite(channel.id, overwrite)


def _overwrites(channel: Channel) -> dict[int, tuple[int, int]]:
    return {overwrite.target_id: (overwrite.allow, overwrite.deny) for overwrite in channel.overwrites}
