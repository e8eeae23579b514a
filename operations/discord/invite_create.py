"""Creating an invite."""

from __future__ import annotations

import datetime

import discord
from pydantic import Field

from operations.base import Change, Context, Inverse, Model, Preview, Reconcile, WriteOperation
from operations.discord.channel_kinds import access_bits, labelled
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.invites import URL, InviteRow, row
from operations.errors import Refused
from operations.outcomes import timestamp
from operations.preflight import invites as rules
from operations.preflight import told
from operations.preflight.guilds import audit_reason_fits
from operations.refs import ChannelRef, GuildRef
from operations.refusals import hidden
from operations.sanitise import inline
from policy.model import Need, Refuse, Step, Target, Tier
from policy.permissions import Bits, missing


class InviteCreateInput(Model):
    channel: ChannelRef
    guild: GuildRef | None = None
    max_age_seconds: int = Field(
        default=rules.DEFAULT_AGE_SECONDS, ge=0, le=rules.MAX_AGE_SECONDS, description="0: never expires."
    )
    max_uses: int = Field(default=0, ge=0, le=rules.MAX_USES, description="0: no limit.")
    temporary: bool = Field(default=False, description="Who leaves without a role is out.")
    unique: bool = Field(default=True, description="False: may be a like one that exists.")


class InviteCreateEffect(Model):
    channel: Target
    max_age_seconds: int
    max_uses: int
    temporary: bool
    unique: bool


class CreateInvite(WriteOperation[InviteCreateInput, InviteCreateEffect, InviteRow]):
    """Create an invite to a channel; its link lets anybody who has it join the guild."""

    name = "invite_create"
    title = "Create an invite"
    toolset = "invites"
    scope = "invites:write"
    tier = Tier.WRITE
    in_default_set = True
    bot_permissions = ("create_instant_invite",)
    actor_permissions = ("create_instant_invite",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.invite_create.value

    def needs(self, ctx: Context, arguments: InviteCreateInput) -> tuple[Need, ...]:
        return (_need(ctx, ctx.targets["channel"]),)

    def needs_of(self, ctx: Context, effect: InviteCreateEffect) -> tuple[Need, ...]:
        return (_need(ctx, effect.channel),)

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: InviteCreateInput) -> Preview[InviteCreateEffect]:
        target = ctx.targets["channel"]
        channel = ctx.guild.channel(target.id)
        if channel is None:
            raise Refused(hidden("channel", "channel"))
        misplaced = rules.channel_takes_invites(channel.type)
        full = await _full(ctx) if misplaced is None else None
        guild = ctx.guild.discord
        effect = InviteCreateEffect(
            channel=target,
            max_age_seconds=arguments.max_age_seconds,
            max_uses=arguments.max_uses,
            temporary=arguments.temporary,
            unique=arguments.unique,
        )
        return Preview(
            summary=f"Create an invite to #{inline(target.name)} in {inline(guild.name)} ({_terms(effect)})"
            + rules.invites_are_paused(list(guild.features)),
            effect=effect,
            changes=(Change(target=labelled(target), field="invite", after=_terms(effect)),),
            problems=told(misplaced, full, audit_reason_fits(ctx.audit_reason)),
            fingerprint=_seen(ctx, effect),
            # One that existed before must not be taken away with it.
            reversible=effect.unique,
        )

    async def observe(self, ctx: Context, effect: InviteCreateEffect) -> str:
        return _seen(ctx, effect)

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: InviteCreateEffect) -> InviteRow:
        channel = ctx.guild.channel(effect.channel.id)
        if channel is None or isinstance(channel, discord.Thread):
            raise Refused(
                Refuse(Step.EXECUTE, "channel_gone", "The channel was deleted meanwhile.", "Choose another channel.")
            )
        made = await channel.create_invite(
            reason=ctx.audit_reason,
            max_age=effect.max_age_seconds,
            max_uses=effect.max_uses,
            temporary=effect.temporary,
            unique=effect.unique,
        )
        return row(ctx.guild, made, effect.channel.id)

    def found(self, entry: discord.AuditLogEntry, effect: InviteCreateEffect) -> InviteRow | None:
        # Invites have no id: the log names them among the changes.
        code: str | None = getattr(entry.changes.after, "code", None)
        return None if code is None else _found(entry, code, effect)

    def inverse_of(self, effect: InviteCreateEffect, result: InviteRow) -> Inverse | None:
        if not effect.unique:
            return None
        return Inverse(
            operation="invite_delete", arguments={"invite": result.code, "guild": str(effect.channel.guild_id)}
        )


def _need(ctx: Context, target: Target) -> Need:
    channel = ctx.guild.channel(target.id)
    wanted = int(Bits.create_instant_invite) | (0 if channel is None else access_bits(channel.type))
    return Need(target, wanted, wanted)


async def _full(ctx: Context) -> str | None:
    """Asked where the bot may count them; elsewhere Discord says it when it comes to that."""
    if missing(ctx.guild.bot_bits(), Bits.manage_guild):
        return None
    return rules.guild_has_room_for_invites(len(await ctx.guild.discord.invites()))


def _found(entry: discord.AuditLogEntry, code: str, effect: InviteCreateEffect) -> InviteRow:
    age = datetime.timedelta(seconds=effect.max_age_seconds)
    return InviteRow(
        code=code,
        url=URL + code,
        channel_id=str(effect.channel.id),
        inviter_id=None if entry.user_id is None else str(entry.user_id),
        uses=0,
        max_uses=effect.max_uses,
        max_age_seconds=effect.max_age_seconds,
        temporary=effect.temporary,
        created_at=timestamp(entry.created_at.timestamp()),
        expires_at=timestamp((entry.created_at + age).timestamp()) if age else None,
    )


def _terms(effect: InviteCreateEffect) -> str:
    age = f"expires after {effect.max_age_seconds:,} s" if effect.max_age_seconds else "never expires"
    uses = f"at most {effect.max_uses} uses" if effect.max_uses else "any number of uses"
    return ", ".join([age, uses, *(["temporary membership"] if effect.temporary else [])])


def _seen(ctx: Context, effect: InviteCreateEffect) -> str:
    channel = ctx.guild.channel(effect.channel.id)
    return GONE if channel is None else fingerprint({"id": channel.id, "type": channel.type.value})
