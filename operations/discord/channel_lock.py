"""Locking a channel: its members read on, and those who moderate there write on."""

from __future__ import annotations

from collections.abc import Mapping

import discord

from operations import case_records
from operations.base import Context, Inverse, Preview
from operations.discord import channel_locking as locking
from operations.discord.channel_kinds import kind_of, spoken
from operations.discord.channel_locking import (
    ChannelLockEffect,
    ChannelLocking,
    ChannelLockInput,
    ChannelLockResult,
    OverwriteEdit,
    edit_of,
    lockable,
    remembered,
)
from operations.discord.channel_overwrites import overwrites_of, with_overwrite
from operations.discord.overwrites import ResolvedOverwrite, bits_under
from operations.discord.role_kinds import role_target
from operations.discord.role_writes import common_problems, common_unknowns
from operations.guild_state import GuildView, guild_bits
from operations.outcomes import timestamp
from operations.preflight import channel_locks as rules
from operations.preflight import told
from operations.preflight.overwrites import Overwrite, overwrite_bits_are_known
from operations.sanitise import inline
from policy.model import Target
from policy.permissions import join
from storage.call_record import CallRecord
from storage.cases import CaseKind
from storage.channel_locks import Lock, LockedOverwrite, remember
from storage.session import Session


class LockChannel(ChannelLocking):
    """Lock a channel: members can read it, but not write, react or open threads; moderators still can. channel_unlock
    gives back exactly what was.
    """

    name = "channel_lock"
    title = "Lock a channel"
    locks = True

    def edits(self, ctx: Context, channel: discord.abc.GuildChannel) -> tuple[OverwriteEdit, ...]:
        return lock_edits(ctx.guild, channel, overwrites_of(channel))

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: ChannelLockInput) -> Preview[ChannelLockEffect]:
        view, target = ctx.guild, ctx.targets["channel"]
        channel = lockable(view, target)
        edits = self.edits(ctx, channel)
        changes, keeps_hold = locking.changes_of(view, channel, target, edits)
        where = f"{spoken(target, channel.type)} of {inline(view.discord.name)}"
        return Preview(
            summary=f"Lock {where}: members read it, and moderators alone write there",
            effect=ChannelLockEffect(channel=target, type=kind_of(channel), edits=edits),
            changes=changes,
            problems=told(
                None if edits else _nothing(remembered(ctx, channel.id), where),
                rules.lock_is_small(len(edits)),
                *(overwrite_bits_are_known(edit.after) for edit in edits if edit.after is not None),
                common_problems(ctx),
            ),
            unknowns=told(_strangers(view, channel), common_unknowns(ctx)),
            fingerprint=locking.seen(ctx, channel.id),
            inverse=Inverse(operation="channel_unlock", arguments={"channel": str(channel.id), "guild": str(view.id)}),
            reversible=keeps_hold,
        )

    # ------------------------------------------------------------------ remember
    async def keep(
        self, session: Session, call: CallRecord, effect: ChannelLockEffect, result: ChannelLockResult
    ) -> None:
        """Also of a lock that broke off: what it did not change needs no giving back."""
        await case_records.keep(session, call, CaseKind.LOCK, None, channel_id=effect.channel.id)
        if call.installation_id is not None:
            lock = Lock(call.call_id, call.began_at, {edit.subject.id: _kept(edit) for edit in effect.edits})
            await remember(session, call.installation_id, effect.channel.id, lock)


def lock_edits(
    view: GuildView, channel: discord.abc.GuildChannel, there: Mapping[int, ResolvedOverwrite]
) -> tuple[OverwriteEdit, ...]:
    """What a lock changes, were these the overwrites; the bot keeps writing, too."""
    guild = view.discord
    moderators = {role.id: role.permissions.value for role in guild.roles if _moderates(role, there)}
    # What nobody else could do there needs no denying: it might be more than the requester or the bot hold.
    members = [role.permissions.value for role in guild.roles if role.id not in moderators]
    bits = rules.LOCKED[channel.type] & join([*members, *(each.allow for each in there.values())])
    found = rules.locked(
        bits,
        guild.id,
        guild.default_role.permissions.value,
        locking.bare(there),
        moderators,
        _moderating_members(view, there),
    )
    subjects = {subject_id: _subject(guild, subject_id, there) for subject_id in found}
    edits = {
        subject_id: edit_of(subject, _bare(there.get(subject_id)), found[subject_id])
        for subject_id, subject in subjects.items()
        if subject is not None
    }
    later = {**there}
    for edit in edits.values():
        later = with_overwrite(later, edit.subject, edit.after)
    lost = bits_under(guild, view.me, there.values()) & ~bits_under(guild, view.me, later.values()) & bits
    if not lost:
        return tuple(edits.values())
    mine = role_target(guild.self_role) if guild.self_role else Target("member", view.me.id, guild.id, view.me.name)
    own = _bare(later.get(mine.id)) or Overwrite()
    bot = edit_of(mine, _bare(there.get(mine.id)), Overwrite(own.allow | lost, own.deny & ~lost))
    edits.pop(mine.id, None)
    return (bot, *edits.values())


def _moderates(role: discord.Role, there: Mapping[int, ResolvedOverwrite]) -> bool:
    if role.is_default():
        return False
    here = there.get(role.id)
    return bool(role.permissions.value & rules.MODERATES) or (
        here is not None and bool(here.allow & rules.MODERATES_HERE)
    )


def _moderating_members(view: GuildView, there: Mapping[int, ResolvedOverwrite]) -> frozenset[int]:
    """Members with an overwrite of their own who moderate; whoever is not known by now counts as one."""
    guild = view.discord
    found = [view.me.id]
    for each in there.values():
        if each.subject.kind != "member":
            continue
        member = view.state.known_member(guild, each.subject.id)
        if member is None or each.allow & rules.MODERATES_HERE or guild_bits(guild, member) & rules.MODERATES:
            found.append(each.subject.id)
    return frozenset(found)


def _strangers(view: GuildView, channel: discord.abc.GuildChannel) -> str | None:
    """Those of whom the bot knows nothing, and whom the channel lets write."""
    guild, bits = view.discord, rules.LOCKED[channel.type]
    ids = [
        str(each.subject.id)
        for each in overwrites_of(channel).values()
        if each.subject.kind == "member"
        and each.allow & bits
        and view.state.known_member(guild, each.subject.id) is None
    ]
    if not ids:
        return None
    return f"The overwrites of {', '.join(ids[:5])}, whom I don't know, let them write on; they stay as they are."


def _subject(guild: discord.Guild, subject_id: int, there: Mapping[int, ResolvedOverwrite]) -> Target | None:
    role = guild.get_role(subject_id)
    if role is not None:
        return role_target(role)
    known = there.get(subject_id)
    if known is None or known.subject.kind == "role":
        return None
    member = guild.get_member(subject_id)
    return Target("member", subject_id, guild.id, str(subject_id) if member is None else member.name)


def _nothing(lock: Lock | None, where: str) -> str:
    since = "" if lock is None else f", locked since {timestamp(lock.locked_at)}"
    return f"Nothing would change; members cannot write in {where}{since}."


def _kept(edit: OverwriteEdit) -> LockedOverwrite:
    return LockedOverwrite(
        id=edit.subject.id,
        kind="role" if edit.subject.kind == "role" else "member",
        name=edit.subject.name,
        existed=edit.existed,
        before_allow=edit.before_allow,
        before_deny=edit.before_deny,
        allow=edit.allow,
        deny=edit.deny,
    )


def _bare(known: ResolvedOverwrite | None) -> Overwrite | None:
    return None if known is None else Overwrite(known.allow, known.deny)
