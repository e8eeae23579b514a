"""Who holds what in a simulated guild, by Discord's documentation alone: neither the product's code nor simcord's.

https://discord.com/developers/docs/topics/permissions#permission-overwrites
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.internals import Backend, Channel, Guild, Member

ADMINISTRATOR = 1 << 3
VIEW_CHANNEL = 1 << 10
READ_MESSAGE_HISTORY = 1 << 16
MANAGE_ROLES = 1 << 28
MANAGE_THREADS = 1 << 34
PRIVATE_THREAD = 12
EVERYTHING = (1 << 53) - 1
OWNER = 1 << 200

Bits = dict[tuple[int, int], int]


@dataclass(frozen=True, slots=True)
class Rights:
    """``at``: (member, channel) -> bits; channel 0 is the guild itself. ``rank``: member -> his place among the others;
    ``roles``: role -> (its place, its permissions, its name); ``held``: member -> his roles; ``parent``: of channels.
    ``timeouts``: member -> until when. ``overwrites``: (channel, target) -> allowed and denied. ``everyone``: the role.
    """

    everyone: int

    at: Bits
    rank: Mapping[int, int]
    roles: Mapping[int, tuple[int, int, str]]
    held: Mapping[int, frozenset[int]]
    parent: Mapping[int, int | None]
    overwrites: Mapping[tuple[int, int], tuple[int, int]]
    nicknames: Mapping[int, str | None]
    timeouts: Mapping[int, str | None]

    def is_timed_out(self, member: int) -> bool:
        """In force, and of somebody whom it holds: administrators are not."""
        until = self.timeouts[member]
        if until is None or self.at[member, 0] & ADMINISTRATOR:
            return False
        return datetime.datetime.fromisoformat(until) > datetime.datetime.now(datetime.UTC)


def rights(backend: Backend, guild_id: int) -> Rights:
    guild = backend.guilds[guild_id]
    channels = [backend.channels[channel_id] for channel_id in guild.channel_ids]
    at: Bits = {}
    for member in guild.members.values():
        at[member.user_id, 0] = _bits(guild, member, None)
        for channel in channels:
            at[member.user_id, channel.id] = _bits(guild, member, channel)
    return Rights(
        guild_id,
        at,
        {member.user_id: _rank(guild, member) for member in guild.members.values()},
        {role.id: (_place(role.position, role.id), role.permissions, role.name) for role in guild.roles.values()},
        {member.user_id: frozenset(member.role_ids) for member in guild.members.values()},
        {channel.id: channel.parent_id for channel in channels},
        {
            (channel.id, overwrite.target_id): (overwrite.allow, overwrite.deny)
            for channel in channels
            for overwrite in channel.overwrites
            if overwrite.allow or overwrite.deny
        },
        {member.user_id: member.nick for member in guild.members.values()},
        {member.user_id: member.timed_out_until for member in guild.members.values()},
    )


def _place(position: int, role_id: int) -> int:
    """Of two roles at one position the older stands higher."""
    return (position << 64) - role_id + (1 << 64)


def _rank(guild: Guild, member: Member) -> int:
    if member.user_id == guild.owner_id:
        return OWNER
    return max((_place(guild.roles[each].position, each) for each in member.role_ids if each in guild.roles), default=0)


def _bits(guild: Guild, member: Member, channel: Channel | None) -> int:
    if member.user_id == guild.owner_id:
        return EVERYTHING
    bits = guild.roles[guild.id].permissions
    for role_id in member.role_ids:
        bits |= guild.roles[role_id].permissions if role_id in guild.roles else 0
    if bits & ADMINISTRATOR:
        return EVERYTHING
    if channel is not None:
        overwrites = {each.target_id: each for each in channel.overwrites}
        for steps in ([guild.id], member.role_ids, [member.user_id]):
            found = [overwrites[each] for each in steps if each in overwrites]
            for each in found:
                bits &= ~each.deny
            for each in found:
                bits |= each.allow
    if member.timed_out_until is not None:
        until = datetime.datetime.fromisoformat(member.timed_out_until)
        if until > datetime.datetime.now(datetime.UTC):
            bits &= VIEW_CHANNEL | READ_MESSAGE_HISTORY
    if channel is not None and not bits & VIEW_CHANNEL:
        return 0
    return bits


def sees(backend: Backend, user_id: int, channel_id: int) -> bool:
    """Whether a member sees a channel or thread; of private threads, those that he is in or manages."""
    channel = backend.channels.get(channel_id)
    if channel is None or channel.guild_id is None:
        return False
    guild = backend.guilds[channel.guild_id]
    parent = backend.channels[channel.parent_id] if channel.is_thread and channel.parent_id else channel
    bits = _bits(guild, guild.members[user_id], parent)
    if not bits & VIEW_CHANNEL:
        return False
    return int(channel.type) != PRIVATE_THREAD or bool(bits & MANAGE_THREADS) or user_id in channel.thread_members


def addressable(backend: Backend, guild_id: int, user_id: int, object_id: int) -> bool:
    """Whether a member may know of an object of this id: he sees the channel that it is, or that it lies in.

    Of archived threads the gateway tells nothing ("all active threads in the guild":
    https://discord.com/developers/docs/events/gateway-events#guild-create), so that nobody may know of one by its id.
    """
    guild = backend.guilds[guild_id]
    if object_id == guild_id or object_id in guild.roles or object_id in guild.members or object_id in guild.bans:
        return True
    if object_id in backend.channels:
        metadata = backend.channels[object_id].thread_metadata
        return sees(backend, user_id, object_id) and not (metadata is not None and metadata.archived)
    if object_id in backend.webhooks:
        return sees(backend, user_id, backend.webhooks[object_id].channel_id)
    return any(object_id in said and sees(backend, user_id, channel) for channel, said in backend.messages.items())


def excesses(before: Rights, after: Rights, requester: int) -> list[str]:
    """What a write has given to somebody, or done to somebody, beyond what its requester holds."""
    own_rank = before.rank[requester]
    return [
        *_gained(before, after, requester),
        *_outranked_roles(before, after, requester, own_rank),
        *_outranked_members(before, after, requester, own_rank),
        *_overwrites(before, after, requester),
    ]


def _gained(before: Rights, after: Rights, requester: int) -> list[str]:
    found: list[str] = []
    for (member, channel), bits in after.at.items():
        if member in before.rank and before.is_timed_out(member) and not after.is_timed_out(member):
            # "Timed out members will temporarily lose all permissions except VIEW_CHANNEL and READ_MESSAGE_HISTORY"
            # (https://discord.com/developers/docs/topics/permissions#permissions-for-timed-out-members): what he has
            # again is his own. Whether his timeout was the requester's to end is asked below.
            continue
        if (member, channel) in before.at:
            had, may_give = before.at[member, channel], _grantable(before, requester, channel)
        elif member in before.rank:
            # A new channel is like the guild, or like its category.
            parent = after.parent.get(channel) or 0
            had = before.at[member, 0] | before.at.get((member, parent), 0)
            may_give = before.at[requester, 0] | before.at.get((requester, parent), 0)
        else:
            continue
        if gained := bits & ~had & ~may_give:
            found.append(f"member {member} gained {gained:#x} in {channel or 'the guild'}, which the requester lacks")
    return found


def _grantable(before: Rights, requester: int, channel: int) -> int:
    """ "Only permissions your bot has in the guild or parent channel (if applicable) can be allowed/denied (unless your
    bot has a MANAGE_ROLES overwrite in the channel)"

    https://discord.com/developers/docs/resources/channel#edit-channel-permissions
    """
    own = (before.everyone, requester, *before.held[requester])
    if any(before.overwrites.get((channel, each), (0, 0))[0] & MANAGE_ROLES for each in own):
        return EVERYTHING
    parent = before.parent.get(channel) or 0
    return before.at[requester, channel] | before.at[requester, 0] | before.at.get((requester, parent), 0)


def _outranked_roles(before: Rights, after: Rights, requester: int, own_rank: int) -> list[str]:
    found: list[str] = []
    for role in before.roles.keys() | after.roles.keys():
        then, now = before.roles.get(role), after.roles.get(role)
        place = max((each[0] for each in (then, now) if each is not None), default=0)
        if then is not None and now is not None and then[1:] == now[1:] and _same_order(before, after, role):
            continue
        if then != now and place >= own_rank:
            found.append(f"role {role} was changed, which the requester does not outrank")
    return found


def _same_order(before: Rights, after: Rights, role: int) -> bool:
    """Whether it stands above the same others: making a role below moves every number and nobody's place."""
    common = before.roles.keys() & after.roles.keys()

    def below(known: Rights) -> set[int]:
        return {other for other in common if known.roles[other][0] < known.roles[role][0]}

    return below(before) == below(after)


def _outranked_members(before: Rights, after: Rights, requester: int, own_rank: int) -> list[str]:
    found: list[str] = []
    for member, rank in before.rank.items():
        if member not in after.rank:
            if rank >= own_rank:
                found.append(f"member {member} was removed, whom the requester does not outrank")
            continue
        if changed := {
            role
            for role in before.held[member] ^ after.held[member]
            if role in before.roles and role in after.roles and before.roles[role][0] >= own_rank
        }:
            found.append(f"member {member} gained or lost the roles {changed}, which the requester does not outrank")
        timed_out = before.timeouts[member] != after.timeouts[member]
        renamed = before.nicknames[member] != after.nicknames[member]
        if (timed_out or renamed) and member != requester and rank >= own_rank:
            found.append(f"member {member} was timed out or renamed, whom the requester does not outrank")
    return found


def _overwrites(before: Rights, after: Rights, requester: int) -> list[str]:
    found: list[str] = []
    for channel, target in before.overwrites.keys() | after.overwrites.keys():
        then = before.overwrites.get((channel, target), (0, 0))
        now = after.overwrites.get((channel, target), (0, 0))
        deleted = channel not in after.parent or (target not in after.roles and target not in after.rank)
        if then == now or deleted:
            continue
        parent = after.parent.get(channel) or 0
        if channel not in before.parent:
            inherited = before.overwrites.get((parent, target)) == now
            holds = before.at[requester, 0]
            if inherited:
                continue
        else:
            holds = _grantable(before, requester, channel)
        touched = (then[0] ^ now[0]) | (then[1] ^ now[1])
        if not before.at.get((requester, channel), holds) & MANAGE_ROLES:
            found.append(f"the overwrite of {target} in {channel} was changed by one without manage_roles")
        elif touched & ~holds:
            found.append(f"the overwrite of {target} in {channel} was changed in {touched & ~holds:#x}")
    return found
