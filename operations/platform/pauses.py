"""Pausing a guild, and ending its pauses."""

from __future__ import annotations

import math

from pydantic import Field

from operations.base import Change, Context, Inverse, Model, Preview
from operations.declaring import ADMINISTRATION
from operations.errors import Refused
from operations.outcomes import timestamp
from operations.platform_writes import PlatformWrite
from operations.refs import GuildRef, MemberRef
from operations.sanitise import inline
from policy.model import Installation, Need, PlatformRole, Refuse, Step, Target
from policy.pauses import LONGEST_MINUTES, key_of
from storage import pauses, plans
from storage.pauses import Paused
from storage.session import Session

WHY_CANCELLED = "The guild was paused."
NOT_PAUSED = Refuse(Step.EXECUTE, "not_paused", "Nothing of that is paused.", "There is nothing to resume.")
OWN_PAUSE = Refuse(
    Step.EXECUTE,
    "own_pause",
    "Nobody ends the pause that his own calls brought upon him.",
    "Wait until it runs out, or ask somebody else who may manage the guild.",
)


class GuildPauseInput(Model):
    guild: GuildRef | None = None
    minutes: int | None = Field(
        default=None, ge=1, le=LONGEST_MINUTES, description="How long; without it until somebody resumes."
    )


class GuildPauseEffect(Model):
    guild: Target
    minutes: int | None


class GuildPauseResult(Model):
    """``until`` is absent where it is held until somebody resumes. ``cancelled_plans``: those that waited."""

    paused: bool
    until: str | None = None
    cancelled_plans: list[str]


class PauseGuild(PlatformWrite[GuildPauseInput, GuildPauseEffect, GuildPauseResult]):
    """Hold every write in a guild at once, whoever asks, and cancel the plans that wait there. Reading goes on."""

    name = "guild_pause"
    title = "Pause a guild"
    toolset = "administration"
    scope = "admin:pauses"
    faces = ADMINISTRATION
    # An emergency brake: whoever may manage the guild in Discord reaches it.
    min_role = PlatformRole.MEMBER
    actor_permissions = ("manage_guild",)
    works_paused = True
    idempotent = True

    def needs_of(self, ctx: Context, effect: GuildPauseEffect) -> tuple[Need, ...]:
        return (self.need(effect.guild),)

    async def preview(self, ctx: Context, arguments: GuildPauseInput) -> Preview[GuildPauseEffect]:
        guild = ctx.guild_target
        before = await _guild_pause(ctx)
        how_long = "until somebody resumes" if arguments.minutes is None else f"for {arguments.minutes} min"
        return Preview(
            summary=f"Hold every write in {inline(guild.name)} {how_long}, and cancel the plans that wait there",
            effect=GuildPauseEffect(guild=guild, minutes=arguments.minutes),
            changes=(Change(target=f"guild {guild.id}", field="paused", before=_shown(before), after=how_long),),
            inverse=_inverse(guild, before, ctx.now),
            reversible=True,
        )

    async def apply(self, ctx: Context, session: Session, effect: GuildPauseEffect) -> GuildPauseResult:
        installation = installation_of(ctx)
        until = None if effect.minutes is None else ctx.now + effect.minutes * 60
        await pauses.pause_guild(session, installation.id, until=until, by=ctx.caller.user_id, now=ctx.now)
        cancelled = await plans.cancel_plans_of(
            session,
            installation_id=installation.id,
            now=ctx.now,
            keyring=ctx.services.database.keyring,
            why=WHY_CANCELLED,
        )
        return GuildPauseResult(
            paused=True, until=None if until is None else timestamp(until), cancelled_plans=sorted(cancelled)
        )


class GuildResumeInput(Model):
    guild: GuildRef | None = None
    member: MemberRef | None = Field(default=None, description="End the pauses of this member and of his clients.")
    client: str | None = Field(
        default=None, min_length=1, max_length=100, description="End the pause of this client, by its id (mc_…)."
    )


class GuildResumeEffect(Model):
    guild: Target
    scopes: tuple[str, ...]


class GuildResumeResult(Model):
    """``ended``: how many pauses."""

    ended: int


class ResumeGuild(PlatformWrite[GuildResumeInput, GuildResumeEffect, GuildResumeResult]):
    """End a guild's pause, or that of one member or client, before it runs out."""

    name = "guild_resume"
    title = "End a pause"
    toolset = "administration"
    scope = "admin:pauses"
    faces = ADMINISTRATION
    min_role = PlatformRole.MEMBER
    actor_permissions = ("manage_guild",)
    works_paused = True
    idempotent = True

    def needs_of(self, ctx: Context, effect: GuildResumeEffect) -> tuple[Need, ...]:
        return (self.need(effect.guild),)

    async def preview(self, ctx: Context, arguments: GuildResumeInput) -> Preview[GuildResumeEffect]:
        guild = ctx.guild_target
        member = ctx.targets.get("member")
        found = _named(await _pauses(ctx), None if member is None else member.id, arguments.client)
        if any(each.caller_key == key_of(ctx.caller) for each in found):
            raise Refused(OWN_PAUSE)
        is_guild = member is None and arguments.client is None
        whose = inline(guild.name) if is_guild else f"{len(found)} caller{'' if len(found) == 1 else 's'} there"
        return Preview(
            summary=f"Let writes through again: {whose}",
            effect=GuildResumeEffect(guild=guild, scopes=tuple(each.scope for each in found)),
            changes=tuple(
                Change(target=each.caller_key or f"guild {guild.id}", field="paused", before=_shown(each), after=None)
                for each in found
            ),
            problems=() if found else ("Nothing would change; nothing of that is paused.",),
            fingerprint=_seen(found),
            inverse=_inverse(guild, found[0], ctx.now) if is_guild and found else None,
            reversible=is_guild and bool(found),
        )

    async def observe(self, ctx: Context, effect: GuildResumeEffect) -> str:
        return _seen([each for each in await _pauses(ctx) if each.scope in effect.scopes])

    async def apply(self, ctx: Context, session: Session, effect: GuildResumeEffect) -> GuildResumeResult:
        ended = await pauses.resume(session, *effect.scopes)
        if not ended:
            raise Refused(NOT_PAUSED)
        return GuildResumeResult(ended=len(ended))


def installation_of(ctx: Context) -> Installation:
    """Of the guild of this call. Raises Refused where it has ended meanwhile."""
    installation = ctx.services.facts.snapshot.installations.get(ctx.guild.id)
    if installation is None:
        raise Refused(Refuse(Step.INSTALLATION, "not_installed", "The guild is not installed.", "Claim it first."))
    return installation


async def _pauses(ctx: Context) -> list[Paused]:
    async with ctx.services.database.read() as session:
        return await pauses.of_guild(session, installation_of(ctx).id, ctx.now)


async def _guild_pause(ctx: Context) -> Paused | None:
    return next((each for each in await _pauses(ctx) if each.caller_key is None), None)


def _named(found: list[Paused], user_id: int | None, client_id: str | None) -> list[Paused]:
    """Those that are meant: the guild's own where nobody is named."""
    if user_id is None and client_id is None:
        return [each for each in found if each.caller_key is None]
    return [
        each
        for each in found
        if each.caller_key is not None
        and (user_id is None or each.user_id == user_id)
        and (client_id is None or each.caller_key == client_id)
    ]


def _shown(paused: Paused | None) -> str | None:
    if paused is None:
        return None
    return "until somebody resumes" if paused.until is None else f"until {timestamp(paused.until)}"


def _seen(found: list[Paused]) -> str:
    return " ".join(sorted(f"{each.scope}:{each.until}" for each in found))


def _inverse(guild: Target, before: Paused | None, now: float) -> Inverse:
    """Back to how it was: no pause, or the earlier one for what is left of it."""
    if before is None:
        return Inverse(operation="guild_resume", arguments={"guild": str(guild.id)})
    left = None if before.until is None else max(1, math.ceil((before.until - now) / 60))
    return Inverse(
        operation="guild_pause",
        arguments={"guild": str(guild.id)} | ({} if left is None else {"minutes": left}),
    )
