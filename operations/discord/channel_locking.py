"""What locking and unlocking a channel have in common: an effect on several overwrites, sent one by one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import discord

from operations.base import Change, Context, Model, Reconcile, WriteOperation
from operations.discord import channel_overwrites as overwrites
from operations.discord.channel_edit import reachable
from operations.discord.channel_kinds import ChannelKind
from operations.discord.channel_overwrites import with_overwrite
from operations.discord.channel_threads import refuse_threads_without_overwrites
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.overwrites import ResolvedOverwrite
from operations.errors import Refused
from operations.guild_state import Channel, GuildVanished, GuildView
from operations.partial import PartlyDone
from operations.preflight.channel_locks import LOCKED
from operations.preflight.overwrites import Overwrite, overwrite_bits
from operations.refs import ChannelRef, GuildRef
from operations.refusals import hidden
from policy.model import Need, Refuse, Step, Target, Tier
from storage.channel_locks import Lock


class ChannelLockInput(Model):
    channel: ChannelRef
    guild: GuildRef | None = None


class OverwriteEdit(Model):
    """One overwrite before and after; bits. ``existed``: it was there, ``exists``: it is afterwards."""

    subject: Target
    before_allow: int = 0
    before_deny: int = 0
    existed: bool = False
    allow: int = 0
    deny: int = 0
    exists: bool = True

    @property
    def before(self) -> Overwrite | None:
        return Overwrite(self.before_allow, self.before_deny) if self.existed else None

    @property
    def after(self) -> Overwrite | None:
        return Overwrite(self.allow, self.deny) if self.exists else None


class ChannelLockEffect(Model):
    channel: Target
    type: ChannelKind
    edits: tuple[OverwriteEdit, ...]


class ChannelLockResult(Model):
    """``changed``: the roles and members whose overwrites were. ``left``: those whose were not, where it broke off."""

    channel_id: str
    channel_name: str
    locked: bool
    changed: list[str]
    left: list[str] = []


class ChannelLocking(WriteOperation[ChannelLockInput, ChannelLockEffect, ChannelLockResult], ABC):
    toolset = "channels"
    scope = "channels:write"
    tier = Tier.RISKY
    # As for one overwrite: https://discord.com/developers/docs/resources/channel#edit-channel-permissions
    bot_permissions = ("manage_roles",)
    actor_permissions = ("manage_roles",)
    # Several entries of Discord's audit log are one effect; the overwrites themselves tell of all.
    reconcile = Reconcile.READ_BACK
    idempotent = True
    Input = ChannelLockInput
    Effect = ChannelLockEffect
    Result = ChannelLockResult
    locks: ClassVar[bool]

    # ------------------------------------------------------------------- rights
    @abstractmethod
    def edits(self, ctx: Context, channel: discord.abc.GuildChannel) -> tuple[OverwriteEdit, ...]:
        """What is to be changed, by the state of now."""

    def needs(self, ctx: Context, arguments: ChannelLockInput) -> tuple[Need, ...]:
        target = ctx.targets["channel"]
        channel = ctx.guild.discord.get_channel(target.id)
        lockable = channel is not None and channel.type in LOCKED
        return self._needs(ctx, target, self.edits(ctx, channel) if channel is not None and lockable else ())

    def needs_of(self, ctx: Context, effect: ChannelLockEffect) -> tuple[Need, ...]:
        return self._needs(ctx, effect.channel, effect.edits)

    def _needs(self, ctx: Context, channel: Target, edits: Iterable[OverwriteEdit]) -> tuple[Need, ...]:
        """Of each overwrite what channel_permissions_edit asks for it."""
        at_channel = self.need(channel)
        needs = [reachable(at_channel, ctx.guild.channel(channel.id))]
        for edit in edits:
            bits = overwrite_bits(edit.before or Overwrite(), edit.after or Overwrite())
            needs += overwrites.needs_for(ctx, at_channel, edit.subject, bits.changed | bits.named)
        return tuple(dict.fromkeys(needs))

    # ------------------------------------------------------------------ observe
    async def observe(self, ctx: Context, effect: ChannelLockEffect) -> str:
        return seen(ctx, effect.channel.id)

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: ChannelLockEffect) -> ChannelLockResult:
        for index, edit in enumerate(effect.edits):
            try:
                await overwrites.set_overwrite(ctx, effect.channel.id, edit.subject, edit.after)
            except discord.DiscordServerError:
                raise
            except (discord.HTTPException, discord.RateLimited, Refused, GuildVanished) as error:
                if not index:
                    raise
                raise self._broken_off(effect, effect.edits[:index]) from error
        return self._result(effect, effect.edits)

    async def read_back(self, ctx: Context, effect: ChannelLockEffect) -> ChannelLockResult | None:
        channel = await ctx.guild.discord.fetch_channel(effect.channel.id)
        if isinstance(channel, discord.Thread):
            return None
        there = overwrites.overwrites_of(channel)
        changed = [edit for edit in effect.edits if _bare(there.get(edit.subject.id)) == edit.after]
        if changed and len(changed) < len(effect.edits):
            raise self._broken_off(effect, changed)
        return self._result(effect, changed) if changed else None

    def _broken_off(self, effect: ChannelLockEffect, changed: Sequence[OverwriteEdit]) -> PartlyDone:
        count = len(effect.edits)
        text = f"{len(changed)} of {count} overwrites are changed, {count - len(changed)} are not."
        return PartlyDone(self._result(effect, changed), text)

    def _result(self, effect: ChannelLockEffect, changed: Sequence[OverwriteEdit]) -> ChannelLockResult:
        return ChannelLockResult(
            channel_id=str(effect.channel.id),
            channel_name=effect.channel.name,
            locked=self.locks,
            changed=[edit.subject.name for edit in changed],
            left=[edit.subject.name for edit in effect.edits if edit not in changed],
        )


def lockable(view: GuildView, target: Target) -> discord.abc.GuildChannel:
    """The channel, if it is one to write in. Raises Refused."""
    found: Channel | None = view.channel(target.id)
    if found is None:
        raise Refused(hidden("channel", "channel"))
    channel = refuse_threads_without_overwrites(found)
    if channel.type in LOCKED:
        return channel
    raise Refused(
        Refuse(
            Step.VALIDATE,
            "not_lockable",
            f"Nobody writes in a {channel.type.name} itself.",
            "Lock the channels in it, one by one.",
        )
    )


def remembered(ctx: Context, channel_id: int) -> Lock | None:
    """What Guildhall's own locks changed in a channel, while it is locked."""
    snapshot = ctx.services.facts.snapshot
    installation = snapshot.installations.get(ctx.guild.id)
    return None if installation is None else snapshot.channel_locks.get((installation.id, channel_id))


def seen(ctx: Context, channel_id: int) -> str:
    """All overwrites, whether the channel follows its category, and the lock that it is under."""
    channel = ctx.guild.discord.get_channel(channel_id)
    if channel is None:
        return GONE
    lock = remembered(ctx, channel_id)
    there = {
        str(each): [str(known.allow), str(known.deny)] for each, known in overwrites.overwrites_of(channel).items()
    }
    return fingerprint({"channel": channel.id, "overwrites": there, "lock": None if lock is None else lock.call_id})


def changes_of(
    view: GuildView, channel: discord.abc.GuildChannel, target: Target, edits: Iterable[OverwriteEdit]
) -> tuple[tuple[Change, ...], bool]:
    """The changes with what they bring along, and whether the bot could still change them back."""
    later = overwrites.overwrites_of(channel)
    told: list[Change] = []
    for edit in edits:
        later = with_overwrite(later, edit.subject, edit.after)
        told.append(overwrites.overwrite_change(target, edit.subject, edit.before, edit.after))
    aftermath = overwrites.aftermath_of(view, channel, later)
    return (*told, *aftermath.changes), aftermath.keeps_hold


def edit_of(subject: Target, before: Overwrite | None, after: Overwrite | None) -> OverwriteEdit:
    was, now = before or Overwrite(), after or Overwrite()
    return OverwriteEdit(
        subject=subject,
        before_allow=was.allow,
        before_deny=was.deny,
        existed=before is not None,
        allow=now.allow,
        deny=now.deny,
        exists=after is not None,
    )


def bare(overwrites_there: Mapping[int, ResolvedOverwrite]) -> dict[int, Overwrite]:
    return {each: Overwrite(known.allow, known.deny) for each, known in overwrites_there.items()}


def _bare(known: ResolvedOverwrite | None) -> Overwrite | None:
    return None if known is None else Overwrite(known.allow, known.deny)
