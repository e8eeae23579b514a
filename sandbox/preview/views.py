"""What one simulated person sees: guilds, channels, members, messages, commands.

What that person may not see is left out here, not in the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import discord

from sandbox.describe import channel_description
from sandbox.internals import (
    AppCommandType,
    Channel,
    Guild,
    Member,
    Message,
    channel_accessible,
    command_leaves,
    message_accessible,
    serializers,
)
from sandbox.world import World

MESSAGES_SHOWN = 60
_CATEGORY = 4


class Views:
    def __init__(self, world: World) -> None:
        self._world = world
        self._backend = world.backend

    def people(self) -> list[dict[str, Any]]:
        """Whom one may act as, with their guilds and what they are there."""
        found: dict[int, dict[str, Any]] = {}
        for guild in self._world.bot_guilds():
            for member in guild.members.values():
                user = self._backend.users[member.user_id]
                if user.bot:
                    continue
                entry: dict[str, Any] = {"id": str(user.id), "name": user.name, "guilds": {}}
                found.setdefault(user.id, entry)["guilds"][str(guild.id)] = self._rank(guild, member)
        return list(found.values())

    def _rank(self, guild: Guild, member: Member) -> str:
        """ "owner", or the name of the highest role."""
        if guild.owner_id == member.user_id:
            return "owner"
        roles = [guild.roles[role_id] for role_id in member.role_ids if role_id in guild.roles]
        return max(roles, key=lambda role: role.position).name if roles else ""

    def guilds(self, user_id: int) -> list[dict[str, Any]]:
        return [self._guild(guild, user_id) for guild in self._world.bot_guilds() if user_id in guild.members]

    def _guild(self, guild: Guild, user_id: int) -> dict[str, Any]:
        return {
            "id": str(guild.id),
            "name": guild.name,
            "channels": [self._channel(channel, user_id) for channel in self._visible(guild, user_id)],
            "members": [self._member(guild, member) for member in guild.members.values()],
            "roles": [
                {"id": str(role.id), "name": role.name, "color": role.color}
                for role in sorted(guild.roles.values(), key=lambda role: -role.position)
            ],
        }

    def _visible(self, guild: Guild, user_id: int) -> Iterator[Channel]:
        """Categories of which nothing is seen are no more shown than in Discord."""
        ids = [*guild.channel_ids, *guild.thread_ids]
        seen = [
            channel
            for channel_id in ids
            if (channel := self._backend.channels.get(channel_id)) is not None
            and channel.type != _CATEGORY
            and channel_accessible(self._backend, channel_id, user_id)
        ]
        parents = {channel.parent_id for channel in seen}
        for channel_id in guild.channel_ids:
            channel = self._backend.channels[channel_id]
            if channel.type == _CATEGORY and channel_id in parents:
                yield channel
        yield from seen

    def _channel(self, channel: Channel, user_id: int) -> dict[str, Any]:
        described = channel_description(channel)
        wanted = ("id", "name", "type", "parent_id", "topic", "position", "slowmode_seconds", "archived", "locked")
        last = next(reversed(self._messages(channel, user_id)), None)
        return {
            **{key: described[key] for key in wanted if key in described},
            "last_message_id": None if last is None else str(last.id),
        }

    def _member(self, guild: Guild, member: Member) -> dict[str, Any]:
        user = self._backend.users[member.user_id]
        roles = [guild.roles[role_id] for role_id in member.role_ids if role_id in guild.roles]
        colored = [role for role in roles if role.color]
        return {
            "id": str(user.id),
            "name": user.name,
            "display_name": member.nick or user.global_name or user.name,
            "bot": user.bot,
            "roles": [str(role_id) for role_id in member.role_ids],
            "rank": self._rank(guild, member),
            "color": max(colored, key=lambda role: role.position).color if colored else 0,
            "timed_out_until": member.timed_out_until,
        }

    def direct_channel(self, user_id: int) -> Channel | None:
        """The direct messages between this person and the bot, once there are any."""
        channel_id = self._backend.dm_channels.get(user_id)
        return None if channel_id is None else self._backend.channels.get(channel_id)

    def last_direct_message(self, user_id: int) -> str | None:
        channel = self.direct_channel(user_id)
        return None if channel is None else self._channel(channel, user_id)["last_message_id"]

    def room(self, user_id: int, channel_id: int | None) -> dict[str, Any]:
        """A channel with its last messages, None for the direct messages; without either where nothing may be seen."""
        channel = self.direct_channel(user_id) if channel_id is None else self._backend.channels.get(channel_id)
        if channel is None or not channel_accessible(self._backend, channel.id, user_id):
            return {"channel": None, "may_send": channel_id is None, "messages": []}
        history = self._may(channel, user_id, discord.Permissions.read_message_history.flag)
        messages = self._messages(channel, user_id)[-MESSAGES_SHOWN:] if history else []
        return {
            "channel": self._channel(channel, user_id),
            "may_send": self._may_send(channel, user_id),
            "messages": [serializers.message_payload(self._backend, each, for_user=user_id) for each in messages],
        }

    def _messages(self, channel: Channel, user_id: int) -> list[Message]:
        return [
            message
            for _, message in sorted(self._backend.messages.get(channel.id, {}).items())[-2 * MESSAGES_SHOWN :]
            if message_accessible(self._backend, channel.id, message, user_id)
        ]

    def _may_send(self, channel: Channel, user_id: int) -> bool:
        flags = discord.Permissions
        needed = flags.send_messages_in_threads.flag if channel.is_thread else flags.send_messages.flag
        return self._may(channel, user_id, needed)

    def _may(self, channel: Channel, user_id: int, flag: int) -> bool:
        if channel.guild_id is None:
            return True
        return bool(self._backend.compute_permissions(channel.guild_id, user_id, channel.id) & flag)

    def commands(self, user_id: int, channel_id: int) -> dict[str, Any]:
        """What Discord offers this person here; of a command with subcommands each one by itself."""

        def offered(kind: AppCommandType) -> list[dict[str, Any]]:
            return self._backend.visible_commands(user_id=user_id, channel_id=channel_id, type=kind)

        leaves = [leaf for command in offered(AppCommandType.CHAT_INPUT) for leaf in command_leaves(command)]
        return {
            "slash": [
                {
                    "name": " ".join(path),
                    "description": leaf.get("description", ""),
                    "options": leaf.get("options") or [],
                }
                for path, leaf in leaves
            ],
            "user": [command["name"] for command in offered(AppCommandType.USER)],
            "message": [command["name"] for command in offered(AppCommandType.MESSAGE)],
        }
