"""Makes a guild from its specification, in one step."""

from __future__ import annotations

from typing import Any

from sandbox.guild_spec import ChannelSpec, GuildSpec, MemberSpec, OverwriteSpec
from sandbox.internals import Guild, Overwrite, OverwriteType, SetupError, guild_extras
from sandbox.permission_names import bits_of
from sandbox.world import World

# https://discord.com/developers/docs/resources/channel#channel-object-channel-types
CHANNEL_TYPES = {"text": 0, "voice": 2, "category": 4, "announcement": 5, "stage": 13, "forum": 15}


class GuildBuilder:
    """Turns names into ids while one guild is made."""

    def __init__(self, world: World, spec: GuildSpec) -> None:
        self._world = world
        self._backend = world.backend
        self._spec = spec
        self._role_ids: dict[str, int] = {}
        self._member_ids: dict[str, int] = {}
        self._category_ids: dict[str, int] = {}

    def build(self) -> Guild:
        """Make the guild and announce it whole, as to a bot that is added to it. Raises SetupError for a wrong name."""
        guild: Guild | None = None
        try:
            with self._world.silently():
                guild = self._make_guild()
                self._make_roles(guild)
                for member in self._spec.members:
                    self.add_member(guild, member)
                ordered = sorted(self._spec.channels, key=lambda channel: channel.type != "category")
                for channel in ordered:
                    self._make_channel(guild, channel)
        except BaseException:
            if guild is not None:  # half a guild is none
                with self._world.silently():
                    self._backend.remove_guild(guild.id)
            raise
        self._backend.emit("GUILD_CREATE", self._world.guild_payload(guild))
        return guild

    def _make_guild(self) -> Guild:
        spec = self._spec
        owner_id = spec.owner_user if spec.owner_user is not None else self._backend.make_user(spec.owner).id
        owner = self._backend.get_user(owner_id)
        guild = self._backend.create_guild(spec.name, owner_id=owner_id, description=spec.description)
        self._member_ids[owner.name] = owner_id
        guild_extras(guild).features = tuple(spec.features)
        guild.members[self._world.bot_id].nick = spec.bot_nick
        if spec.everyone_permissions is not None:
            guild.everyone_role.permissions = bits_of(spec.everyone_permissions)
        return guild

    def _make_roles(self, guild: Guild) -> None:
        spec = self._spec
        self._role_ids["@everyone"] = guild.id
        bot_role = next(role for role in guild.roles.values() if role.managed)
        self._role_ids[bot_role.name] = bot_role.id
        if spec.bot_permissions is not None:
            bot_role.permissions = bits_of(spec.bot_permissions)
        count = len(spec.roles)
        positions = [
            role.position if role.position is not None else count - index for index, role in enumerate(spec.roles)
        ]
        bot_position = spec.bot_position if spec.bot_position is not None else max(positions, default=0) + 1
        if count and spec.roles[0].position is None:
            if bot_position > count + 1:
                raise SetupError(f"bot_position is {bot_position}, but there are {count + 1} positions above @everyone")
            positions = [position + (position >= bot_position) for position in positions]
        for role, position in zip(spec.roles, positions, strict=True):
            made = self._backend.create_role(
                guild.id,
                role.name,
                permissions=bits_of(role.permissions),
                position=position,
                hoist=role.hoist,
                mentionable=role.mentionable,
                color=role.color,
            )
            self._role_ids[role.name] = made.id
        bot_role.position = bot_position

    def add_member(self, guild: Guild, spec: MemberSpec) -> int:
        """Add a member before the guild is announced; the user's id."""
        if spec.user is not None:
            user = self._backend.get_user(spec.user)
        else:
            user = self._backend.make_user(spec.name, bot=spec.bot, global_name=spec.global_name)
        role_ids = [self._role_id(name) for name in spec.roles]
        if user.id in guild.members:
            member = guild.members[user.id]
            member.role_ids, member.nick = role_ids, spec.nick
        else:
            member = self._backend.add_member(guild.id, user.id, roles=role_ids, nick=spec.nick)
        member.pending = spec.pending
        member.timed_out_until = spec.timed_out_until
        self._member_ids[spec.name] = user.id
        return user.id

    def _make_channel(self, guild: Guild, spec: ChannelSpec) -> None:
        fields: dict[str, Any] = {"topic": spec.topic, "rate_limit_per_user": spec.slowmode_seconds}
        if spec.category is not None:
            if spec.category not in self._category_ids:
                raise SetupError(f"channel {spec.name!r} is in category {spec.category!r}, which is not in the list")
            fields["parent_id"] = self._category_ids[spec.category]
        if spec.type == "forum":
            fields["available_tags"] = [
                {
                    "id": str(self._backend.snowflake()),
                    "name": tag,
                    "moderated": False,
                    "emoji_id": None,
                    "emoji_name": None,
                }
                for tag in spec.tags
            ]
        channel = self._backend.create_channel(
            guild.id,
            spec.name,
            type=CHANNEL_TYPES[spec.type],
            overwrites=[self._overwrite(overwrite) for overwrite in spec.overwrites],
            announce=False,
            **fields,
        )
        if spec.type == "category":
            self._category_ids[spec.name] = channel.id
        for setting in ("system_channel", "rules_channel", "public_updates_channel"):
            if spec.name == getattr(self._spec, setting):
                setattr(guild, f"{setting}_id", channel.id)

    def _overwrite(self, spec: OverwriteSpec) -> Overwrite:
        if spec.role is not None:
            target_id, kind = self._role_id(spec.role), OverwriteType.ROLE
        else:
            target_id, kind = self._member_id(spec.member or ""), OverwriteType.MEMBER
        return Overwrite(target_id=target_id, type=kind, allow=bits_of(spec.allow), deny=bits_of(spec.deny))

    def _role_id(self, name: str) -> int:
        if name not in self._role_ids:
            raise SetupError(f"no role {name!r}; there is: {', '.join(self._role_ids)}")
        return self._role_ids[name]

    def _member_id(self, name: str) -> int:
        if name not in self._member_ids:
            raise SetupError(f"no member {name!r}; there is: {', '.join(self._member_ids)}")
        return self._member_ids[name]
