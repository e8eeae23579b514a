"""From ids to simcord's handles: who acts, where, on what."""

from __future__ import annotations

from typing import Any, cast

from sandbox.internals import (
    ChannelHandle,
    GuildHandle,
    MemberActor,
    ResponseMessage,
    RoleHandle,
    SetupError,
    UserHandle,
)
from sandbox.world import World


class Actors:
    """Handles for one world. Each raises BackendError, as Discord would, for an id that isn't there."""

    def __init__(self, world: World) -> None:
        self._env = world.env
        self._backend = world.backend

    def guild_id_of(self, channel_id: int) -> int | None:
        return self._backend.get_channel(channel_id).guild_id

    def user(self, user_id: int) -> UserHandle:
        return UserHandle(self._env, self._backend.get_user(user_id))

    def member(self, guild_id: int, user_id: int) -> MemberActor:
        self._backend.get_member(guild_id, user_id)
        return MemberActor(self._env, GuildHandle(self._env, self._backend.get_guild(guild_id)), self.user(user_id))

    def in_channel(self, user_id: int, channel_id: int) -> MemberActor | UserHandle:
        """The user as they stand in this channel: a member of its guild, or themselves in a direct message."""
        guild_id = self.guild_id_of(channel_id)
        return self.user(user_id) if guild_id is None else self.member(guild_id, user_id)

    def channel(self, channel_id: int) -> ChannelHandle:
        channel = self._backend.get_channel(channel_id)
        guild = GuildHandle(self._env, self._backend.get_guild(channel.guild_id)) if channel.guild_id else None
        return ChannelHandle(self._env, guild, channel)

    def message(self, channel_id: int, message_id: int) -> ResponseMessage:
        return ResponseMessage(self._env, self._backend.get_message(channel_id, message_id))

    def value(self, value: Any, channel_id: int) -> Any:
        """An option or a control's value: plain, or `{"user"|"role"|"channel": id}`, or `{"name", "text"}` for a file.

        Lists are taken item by item.
        """
        if isinstance(value, list):
            return [self.value(item, channel_id) for item in cast("list[Any]", value)]
        if not isinstance(value, dict):
            return value
        fields = cast("dict[str, Any]", value)
        guild_id = self.guild_id_of(channel_id)
        match fields:
            case {"user": user_id} if len(fields) == 1:
                return self.user(int(user_id)) if guild_id is None else self.member(guild_id, int(user_id))
            case {"channel": other_id} if len(fields) == 1:
                return self.channel(int(other_id))
            case {"role": role_id} if len(fields) == 1 and guild_id is not None:
                guild = GuildHandle(self._env, self._backend.get_guild(guild_id))
                return RoleHandle(self._env, guild, self._backend.get_role(guild_id, int(role_id)))
            case {"name": str(name), "text": str(text)} if len(fields) == 2:
                return name, text.encode()
            case _:
                raise SetupError(
                    f"a value is plain, or one of user, role and channel, or a file's name and text: {fields}"
                )
