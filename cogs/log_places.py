"""Where a log channel is told of things, whether it can be, and which names its readers may know."""

from __future__ import annotations

from dataclasses import replace

import discord

from operations.audience import leaks
from operations.guild_state import GuildView, bits_at
from operations.sanitise import inline
from policy.model import Target
from policy.permissions import Bits
from policy.taint import Source

NAME_LIMIT = 60
CHANNEL_KINDS = frozenset({"channel", "category", "thread"})
HOW_TO_MEND = "Give the bot that permission, or set another log channel."


def problem_of(view: GuildView, channel_id: int) -> str | None:
    """Why nothing can be told there, with what to do; None where it can."""
    guild = view.discord
    channel = guild.get_channel_or_thread(channel_id)
    if channel is None:
        return f"The log channel ({channel_id}) is gone, or the bot can't see it. Set another log channel."
    if not isinstance(channel, discord.abc.Messageable):
        return f"The log channel ({channel_id}) takes no messages. Set another log channel."
    held = bits_at(guild, channel, guild.me)
    send = "send_messages_in_threads" if isinstance(channel, discord.Thread) else "send_messages"
    missing = [name for name in ("view_channel", send, "embed_links") if not held & Bits[name]]
    if missing:
        return f"In the log channel (<#{channel_id}>) the bot lacks {', '.join(missing)}. {HOW_TO_MEND}"
    return None


class Naming:
    """Names of targets for those who read one log channel.

    Of a channel that some reader can't see, and of what lives in it, the ids alone are told. What can't be known counts
    as not seen.
    """

    def __init__(self, view: GuildView, log_channel_id: int) -> None:
        self._view = view
        self._log_channel_id = log_channel_id
        self._seen: dict[int, bool] = {}

    def __call__(self, target: Target) -> Target:
        known = self._known(target)
        if known.kind in ("role", "member", "everyone"):
            return replace(known, name=inline(known.name, NAME_LIMIT))
        if known.kind in CHANNEL_KINDS and self._all_see(known.id):
            return replace(known, name=inline(known.name, NAME_LIMIT))
        return replace(known, name="")

    def _known(self, target: Target) -> Target:
        """A target of which the id alone is told, as the guild knows it."""
        if target.kind:
            return target
        guild = self._view.discord
        if target.id == guild.id:
            return replace(target, kind="guild")
        channel = guild.get_channel_or_thread(target.id)
        if channel is not None:
            kind = "thread" if isinstance(channel, discord.Thread) else "channel"
            return replace(target, kind=kind, name=channel.name)
        role = guild.get_role(target.id)
        if role is not None:
            return replace(target, kind="role", name=role.name)
        member = guild.get_member(target.id)
        return target if member is None else replace(target, kind="member", name=member.name)

    def _all_see(self, channel_id: int) -> bool:
        if channel_id not in self._seen:
            source = Source(self._view.id, channel_id)
            self._seen[channel_id] = not leaks(self._view, self._log_channel_id, (source,))
        return self._seen[channel_id]
