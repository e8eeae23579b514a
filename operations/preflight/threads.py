"""Threads: where they can be made, and from what.

Source, where none is named: https://discord.com/developers/docs/topics/threads
"""

from __future__ import annotations

import discord

MAX_NAME = 100

_Kind = discord.ChannelType
_ORDINARY = frozenset(
    {
        discord.MessageType.default,
        discord.MessageType.reply,
        discord.MessageType.chat_input_command,
        discord.MessageType.context_menu_command,
    }
)


def thread_name_fits(name: str) -> str | None:
    length = len(name) if name.strip() else 0
    if 1 <= length <= MAX_NAME:
        return None
    return f"A thread's name takes 1 to {MAX_NAME} characters; this has {length}."


def channel_takes_threads(kind: discord.ChannelType) -> str | None:
    """Errors 50024. https://discord.com/developers/docs/resources/channel#channel-object-channel-types"""
    if kind in (_Kind.text, _Kind.news):
        return None
    if kind in (_Kind.forum, _Kind.media):
        return "A forum takes posts, not threads; a post is created together with its first message."
    if kind in (_Kind.public_thread, _Kind.private_thread, _Kind.news_thread):
        return "A thread holds no threads; create it in the channel that the thread is in."
    return "Threads are created in text and announcement channels only; choose one of those."


def private_threads_fit(kind: discord.ChannelType) -> str | None:
    """ "PRIVATE_THREAD: a temporary sub-channel within a GUILD_TEXT channel"."""
    if kind is not _Kind.news:
        return None
    return "An announcement channel has no private threads; leave `private` out, or choose a text channel."


def message_has_no_thread(*, has_thread: bool) -> str | None:
    """ "A message can only have a single thread created from it" (error 160004).

    https://discord.com/developers/docs/resources/channel#start-thread-from-message
    """
    return (
        "A thread was created from that message already; write there, or create one without a message."
        if (has_thread)
        else None
    )


def message_may_be_unfit(kind: discord.MessageType) -> str | None:
    """Discord refuses threads from some system messages (error 50068); from which, is not written."""
    return None if kind in _ORDINARY else "That is a system message; Discord may refuse a thread from it."
