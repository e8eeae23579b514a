"""Unlocking a channel: its overwrites are as they were before the lock."""

from __future__ import annotations

from collections.abc import Mapping

import discord

from operations import case_records
from operations.base import Context, Inverse, Preview
from operations.discord import channel_locking as locking
from operations.discord.channel_kinds import kind_of, spoken
from operations.discord.channel_lock import lock_edits
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
from operations.discord.overwrites import ResolvedOverwrite
from operations.discord.role_kinds import called, role_target
from operations.discord.role_writes import common_problems, common_unknowns
from operations.errors import Refused
from operations.guild_state import MEMBER_MAX_AGE_SECONDS, GuildView
from operations.preflight import channel_locks as rules
from operations.preflight import told
from operations.preflight.overwrites import Overwrite
from operations.sanitise import inline
from policy.model import Refuse, Step, Target
from storage.call_record import CallRecord
from storage.cases import CaseKind
from storage.channel_locks import Lock, LockedOverwrite, forget
from storage.session import Session


class UnlockChannel(ChannelLocking):
    """Unlock a channel that channel_lock has locked: its permissions are again what they were before. What somebody has
    changed by hand since stays, and is told.
    """

    name = "channel_unlock"
    title = "Unlock a channel"
    locks = False

    def edits(self, ctx: Context, channel: discord.abc.GuildChannel) -> tuple[OverwriteEdit, ...]:
        lock = remembered(ctx, channel.id)
        return () if lock is None else _edits(ctx.guild, lock, overwrites_of(channel))

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: ChannelLockInput) -> Preview[ChannelLockEffect]:
        view, target = ctx.guild, ctx.targets["channel"]
        channel = lockable(view, target)
        where = f"{spoken(target, channel.type)} of {inline(view.discord.name)}"
        lock = remembered(ctx, channel.id)
        if lock is None:
            raise Refused(
                Refuse(
                    Step.EXECUTE,
                    "not_locked",
                    f"I know of no lock of {where}.",
                    "channel_permissions_list shows what is denied there; channel_permissions_edit changes it.",
                )
            )
        there = overwrites_of(channel)
        gone = await _gone(view, lock)
        edits = tuple(edit for edit in _edits(view, lock, there) if edit.subject.id not in gone)
        changes, _ = locking.changes_of(view, channel, target, edits)
        return Preview(
            summary=f"Unlock {where}: its permissions are as they were before the lock",
            effect=ChannelLockEffect(channel=target, type=kind_of(channel), edits=edits),
            changes=changes,
            problems=told(None if edits else _nothing(where), common_problems(ctx)),
            unknowns=told(*_left(view, lock, there, gone), common_unknowns(ctx)),
            fingerprint=locking.seen(ctx, channel.id),
            inverse=Inverse(operation="channel_lock", arguments={"channel": str(channel.id), "guild": str(view.id)}),
            reversible=_locks_the_same(view, channel, edits),
        )

    # ------------------------------------------------------------------ remember
    async def keep(
        self, session: Session, call: CallRecord, effect: ChannelLockEffect, result: ChannelLockResult
    ) -> None:
        """One that broke off is remembered, so that it can be done again."""
        await case_records.keep(session, call, CaseKind.UNLOCK, None, channel_id=effect.channel.id)
        if call.installation_id is not None and not result.left:
            await forget(session, call.installation_id, effect.channel.id)


def _edits(view: GuildView, lock: Lock, there: Mapping[int, ResolvedOverwrite]) -> tuple[OverwriteEdit, ...]:
    """Everyone's last: those who moderate can write all the time."""
    guild = view.discord
    edits: list[OverwriteEdit] = []
    for each in sorted(lock.overwrites.values(), key=lambda kept: kept.id != guild.id):
        subject = _subject(guild, each)
        if subject is None:
            continue
        now = _bare(there.get(each.id))
        after = _restored(each, now).after
        if after != now:
            edits.append(edit_of(subject, now, after))
    return tuple(edits)


def _restored(kept: LockedOverwrite, now: Overwrite | None) -> rules.Restored:
    before = Overwrite(kept.before_allow, kept.before_deny) if kept.existed else None
    return rules.restored(before, Overwrite(kept.allow, kept.deny), now)


async def _gone(view: GuildView, lock: Lock) -> frozenset[int]:
    """The members who have left since: nothing is given back to them. Raises discord.HTTPException."""
    members = [each.id for each in lock.overwrites.values() if each.kind == "member"]
    known = {each: await view.state.member(view.discord, each, MEMBER_MAX_AGE_SECONDS) for each in members}
    return frozenset(each for each, member in known.items() if member is None)


def _left(view: GuildView, lock: Lock, there: Mapping[int, ResolvedOverwrite], gone: frozenset[int]) -> tuple[str, ...]:
    """What cannot be given back."""
    found: list[str] = []
    for each in lock.overwrites.values():
        subject = _subject(view.discord, each)
        if subject is not None and each.id not in gone:
            changed = rules.was_changed_since(called(subject), _restored(each, _bare(there.get(each.id))).kept)
            found += [] if changed is None else [changed]
        elif each.existed:
            found.append(f"The {each.kind} {inline(each.name)} is gone; what it was allowed here is not given back.")
    return tuple(found)


def _subject(guild: discord.Guild, kept: LockedOverwrite) -> Target | None:
    if kept.kind == "member":
        return Target("member", kept.id, guild.id, kept.name)
    role = guild.get_role(kept.id)
    return None if role is None else role_target(role)


def _locks_the_same(view: GuildView, channel: discord.abc.GuildChannel, edits: tuple[OverwriteEdit, ...]) -> bool:
    """Whether a lock would bring back what is there now."""
    there = overwrites_of(channel)
    unlocked: dict[int, ResolvedOverwrite] = there
    for edit in edits:
        unlocked = with_overwrite(unlocked, edit.subject, edit.after)
    again = unlocked
    for edit in lock_edits(view, channel, unlocked):
        again = with_overwrite(again, edit.subject, edit.after)
    return locking.bare(again) == locking.bare(there)


def _nothing(where: str) -> str:
    return (
        f"Nothing would change; all that the lock of {where} did was changed by hand since. "
        "channel_permissions_edit changes what is there."
    )


def _bare(known: ResolvedOverwrite | None) -> Overwrite | None:
    return None if known is None else Overwrite(known.allow, known.deny)
