"""Reading the permission overwrites of a channel."""

from __future__ import annotations

from dataclasses import replace

from operations.base import Context, Encoded, Model, ReadOperation
from operations.discord.channel_kinds import ChannelKind, kind_of
from operations.discord.channel_threads import refuse_threads_without_overwrites
from operations.discord.channels import OverwriteRow, is_synced, overwrite_rows, seen_category
from operations.errors import Refused
from operations.guildless import or_instead
from operations.refs import ChannelRef, GuildRef
from operations.refusals import hidden
from operations.sanitise import sanitise
from policy.model import Need
from policy.permissions import Bits

MAX_NAME = 100


class ChannelPermissionsListInput(Model):
    channel: ChannelRef
    guild: GuildRef | None = None


class ChannelPermissionsListResult(Model):
    """``synced_with_category``: for a channel in a category that you see."""

    id: str
    name: str
    type: ChannelKind
    synced_with_category: bool | None = None
    overwrites: list[OverwriteRow]


class ListChannelPermissions(ReadOperation[ChannelPermissionsListInput, ChannelPermissionsListResult]):
    """List the overwrites of a channel or category: what it allows or denies to single roles and members. Needs
    manage_roles or manage_channels there.
    """

    name = "channel_permissions_list"
    toolset = "channels"
    scope = "channels:read"
    in_default_set = True
    bot_permissions = ("view_channel",)
    actor_permissions = ("view_channel",)

    def needs(self, ctx: Context, arguments: ChannelPermissionsListInput) -> tuple[Need, ...]:
        """Discord shows them to who may manage them: channel_get's gate."""
        target = ctx.targets["channel"]
        channel = ctx.guild.channel(target.id)
        held = 0 if channel is None else ctx.guild.bits(channel)
        need = self.need(target)
        gate = or_instead(held, int(Bits.manage_roles), int(Bits.manage_channels))
        return (replace(need, actor_bits=need.actor_bits | gate),)

    async def read(
        self, ctx: Context, arguments: ChannelPermissionsListInput
    ) -> ChannelPermissionsListResult | Encoded:
        found = ctx.guild.channel(ctx.targets["channel"].id)
        if found is None:
            raise Refused(hidden("channel", "channel"))
        channel = refuse_threads_without_overwrites(found)
        has_category = seen_category(ctx.guild, channel) is not None
        return ChannelPermissionsListResult(
            id=str(channel.id),
            name=sanitise(channel.name, limit=MAX_NAME),
            type=kind_of(channel),
            synced_with_category=is_synced(channel) if has_category else None,
            overwrites=overwrite_rows(channel),
        )
