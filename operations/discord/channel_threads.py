"""Threads are channels to Discord, and have operations of their own here."""

from __future__ import annotations

import discord

from operations.errors import Refused
from operations.guild_state import Channel
from policy.model import Refuse, Step


def refuse_threads(channel: Channel, instead: str) -> discord.abc.GuildChannel:
    """The channel, if it is none. ``instead``: the operation for threads. Raises Refused."""
    if not isinstance(channel, discord.Thread):
        return channel
    raise Refused(
        Refuse(
            Step.VALIDATE,
            "is_thread",
            "That is a thread, and threads have operations of their own.",
            f"Use {instead}; tool_search shows whether it is offered to you.",
        )
    )


def refuse_threads_without_overwrites(channel: Channel) -> discord.abc.GuildChannel:
    """The channel, if it is none: "Threads inherit permissions from the parent channel". Raises Refused.

    https://discord.com/developers/docs/topics/threads#permissions
    """
    if not isinstance(channel, discord.Thread):
        return channel
    raise Refused(
        Refuse(
            Step.VALIDATE,
            "is_thread",
            "That is a thread, and a thread has the permissions of its parent channel.",
            "Name the parent channel instead.",
        )
    )
