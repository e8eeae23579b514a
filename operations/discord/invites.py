"""Reading invites: those of the guild or of one channel, and one of them.

Whoever holds a code can join and look at its guild, in Discord without any right. Guildhall shows an invite to who may
manage its channel, or the whole guild: to the same people to whom Discord shows how often it was used and by whom it
was made. Having made it by hand gives nothing more.
"""

from __future__ import annotations

import datetime

import discord
from pydantic import Field

from operations import cursors
from operations.base import Context, Model, ReadOperation
from operations.discord.channel_kinds import access_bits
from operations.discord.names import channel_name, name
from operations.errors import Refused
from operations.guild_state import GuildView
from operations.guildless import INSTEAD, or_instead
from operations.outcomes import timestamp
from operations.preflight.invites import channel_takes_invites
from operations.refs import ChannelRef, GuildRef, InviteRef
from operations.refusals import hidden
from policy.model import Need, Refuse, Step, Target
from policy.permissions import Bits

URL = "https://discord.gg/"


class InviteRow(Model):
    """``max_uses`` and ``max_age_seconds``: 0 is no limit. ``temporary``: who leaves without a role is out again."""

    code: str
    url: str
    channel_id: str
    channel_name: str | None = None
    inviter_id: str | None = None
    inviter_name: str | None = None
    uses: int | None = None
    max_uses: int | None = None
    max_age_seconds: int | None = None
    temporary: bool | None = None
    created_at: str | None = None
    expires_at: str | None = None


def invite_need(view: GuildView, target: Target) -> Need:
    """Reaching the channel of an invite, and managing that channel or the whole guild."""
    channel = view.channel(target.id)
    reached = int(Bits.view_channel) if channel is None else access_bits(channel.type)
    wanted, instead = int(Bits.manage_channels), INSTEAD["invite"]
    return Need(
        target,
        reached | or_instead(view.bot_bits(), wanted, instead),
        reached | or_instead(view.bits(), wanted, instead),
    )


def row(view: GuildView, invite: discord.Invite, channel_id: int) -> InviteRow:
    """``channel_id``: of a channel that the requester sees."""
    return InviteRow(
        code=invite.code,
        url=URL + invite.code,
        channel_id=str(channel_id),
        channel_name=channel_name(view, channel_id),
        inviter_id=None if invite.inviter is None else str(invite.inviter.id),
        inviter_name=None if invite.inviter is None else name(invite.inviter.name),
        uses=invite.uses,
        max_uses=invite.max_uses,
        max_age_seconds=invite.max_age,
        temporary=invite.temporary,
        created_at=_time(invite.created_at),
        expires_at=_time(invite.expires_at),
    )


def _time(moment: datetime.datetime | None) -> str | None:
    return None if moment is None else timestamp(moment.timestamp())


# ---------------------------------------------------------------------- list
class InviteListInput(Model):
    channel: ChannelRef | None = None
    guild: GuildRef | None = None
    limit: int = Field(default=50, ge=1, le=100)
    cursor: str | None = None


class InviteListResult(Model):
    """By code. ``cursor``: for more, absent when there are none."""

    invites: list[InviteRow]
    cursor: str | None = None


class ListInvites(ReadOperation[InviteListInput, InviteListResult]):
    """List the guild's invites (needs manage_guild), or those of one channel (manage_channels there)."""

    name = "invite_list"
    title = "List invites"
    toolset = "invites"
    scope = "invites:read"
    in_default_set = True

    def needs(self, ctx: Context, arguments: InviteListInput) -> tuple[Need, ...]:
        channel = ctx.targets.get("channel")
        if channel is None:
            return (Need(ctx.guild_target, int(Bits.manage_guild), int(Bits.manage_guild)),)
        home = ctx.guild.channel(channel.id)
        wanted = int(Bits.manage_channels) | (0 if home is None else access_bits(home.type))
        return (Need(channel, wanted, wanted),)

    async def read(self, ctx: Context, arguments: InviteListInput) -> InviteListResult:
        after = ""
        if arguments.cursor is not None:
            after = str(cursors.open_cursor(ctx, self.name, arguments.cursor)[0])
        channel = ctx.targets.get("channel")
        listed = await _of_channel(ctx.guild, channel.id) if channel else await ctx.guild.discord.invites()
        visible = set(ctx.guild.shared_ids())
        rows = [
            row(ctx.guild, invite, invite.channel.id)
            for invite in sorted(listed, key=lambda each: each.code)
            if invite.channel is not None and invite.channel.id in visible and invite.code > after
        ]
        shown = rows[: arguments.limit]
        more = len(rows) > len(shown)
        return InviteListResult(invites=shown, cursor=cursors.seal(ctx, self.name, [shown[-1].code]) if more else None)


async def _of_channel(view: GuildView, channel_id: int) -> list[discord.Invite]:
    channel = view.channel(channel_id)
    if channel is None:
        raise Refused(hidden("channel", "channel"))
    problem = channel_takes_invites(channel.type)
    if problem is not None or isinstance(channel, discord.Thread):
        raise Refused(Refuse(Step.DISCORD, "no_invites", problem or "", "channel_list shows the channels."))
    return await channel.invites()


# ----------------------------------------------------------------------- get
class InviteGetInput(Model):
    invite: InviteRef
    guild: GuildRef | None = None


class GetInvite(ReadOperation[InviteGetInput, InviteRow]):
    """One invite of this guild, by its code or link: where it leads, its limits and uses. Needs manage_channels in its
    channel, or manage_guild.
    """

    name = "invite_get"
    title = "Look at an invite"
    toolset = "invites"
    scope = "invites:read"
    in_default_set = True
    bot_permissions = ("manage_channels",)
    actor_permissions = ("manage_channels",)

    def needs(self, ctx: Context, arguments: InviteGetInput) -> tuple[Need, ...]:
        return (invite_need(ctx.guild, ctx.targets["invite"]),)

    async def read(self, ctx: Context, arguments: InviteGetInput) -> InviteRow:
        target = ctx.targets["invite"]
        view = ctx.guild
        channel = view.channel(target.id)
        # Only the lists tell how often an invite was used; the bot may read at least one of them.
        if channel is not None and view.bot_bits(channel) & (Bits.manage_channels | Bits.administrator):
            listed = await _of_channel(view, target.id)
        else:
            listed = await view.discord.invites()
        found = next((invite for invite in listed if invite.code == target.name), None)
        if found is None:
            # The vanity address stands in no list.
            found = await view.state.source.fetch_invite(target.name)
        if found is None:
            raise Refused(hidden("invite", "invite"))
        return row(view, found, target.id)
