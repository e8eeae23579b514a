"""Members as reads show them, and what the writes about them share."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

import discord

from operations.base import Context, Model
from operations.discord.fingerprints import GONE, fingerprint
from operations.errors import Refused
from operations.member_rights import role_ids_of
from operations.outcomes import timestamp
from operations.preflight import told
from operations.preflight.guilds import audit_reason_fits, two_factor_may_be_missing
from operations.refusals import hidden
from operations.sanitise import inline, sanitise
from policy.model import Refuse, Step, Target

MAX_NAME = 100
MEMBER_GONE = Refuse(
    Step.EXECUTE,
    "member_gone",
    "The member has left the guild meanwhile.",
    "member_search finds those who are here.",
)


class NamedRole(Model):
    id: str
    name: str


class MemberRow(Model):
    """``role_ids``: highest first, without @everyone. ``display_name``: the one that the person chose for all of
    Discord, where it is not the username. What is false or not set is absent.
    """

    id: str
    username: str
    display_name: str | None = None
    nickname: str | None = None
    role_ids: list[str] = []
    joined_at: str | None = None
    bot: bool | None = None
    timed_out_until: str | None = None
    pending: bool | None = None


def held_roles(guild: discord.Guild, member: discord.Member) -> list[discord.Role]:
    """Highest first, without @everyone, by the guild object of now."""
    held = (guild.get_role(role_id) for role_id in role_ids_of(member))
    return sorted((role for role in held if role is not None and not role.is_default()), reverse=True)


def member_row(guild: discord.Guild, member: discord.Member, now: float) -> MemberRow:
    end = running_end(member, now)
    return MemberRow(
        id=str(member.id),
        username=shown(member.name),
        display_name=None if member.global_name in (None, member.name) else shown(member.global_name),
        nickname=None if member.nick is None else shown(member.nick),
        role_ids=[str(role.id) for role in held_roles(guild, member)],
        joined_at=None if member.joined_at is None else timestamp(member.joined_at.timestamp()),
        bot=member.bot or None,
        timed_out_until=None if end is None else timestamp(end.timestamp()),
        pending=member.pending or None,
    )


def role_names(guild: discord.Guild, rows: Iterable[MemberRow]) -> dict[str, str]:
    """The names of the roles that these members hold, by id."""
    ids = {role_id for row in rows for role_id in row.role_ids}
    return {role_id: shown(role.name) for role_id in sorted(ids) if (role := guild.get_role(int(role_id))) is not None}


def shown(name: str) -> str:
    return sanitise(name, limit=MAX_NAME)


def running_end(member: discord.Member, now: float) -> datetime.datetime | None:
    """When the timeout that is in force at ``now`` ends. Discord keeps ends that have passed."""
    end = member.timed_out_until
    return end if end is not None and end.timestamp() > now else None


# --------------------------------------------------------------------- writes
def target_member(ctx: Context, field: str = "member") -> discord.Member:
    """The member that a call names, as Discord told of him while it was resolved. Raises Refused when he left."""
    target, guild = ctx.targets[field], ctx.guild.discord
    member = ctx.guild.state.known_member(guild, target.id)
    if member is None:
        raise Refused(hidden(field, "member"))
    return member


async def member_now(ctx: Context, user_id: int) -> discord.Member | None:
    """Asked of Discord. Raises discord.HTTPException."""
    return await ctx.guild.state.member(ctx.guild.discord, user_id, 0)


async def member_to_edit(ctx: Context, user_id: int) -> discord.Member:
    """For the execution: as known by now, else asked. Raises Refused when he left, and discord.HTTPException."""
    guild = ctx.guild.discord
    member = ctx.guild.state.known_member(guild, user_id)
    if member is None and not ctx.guild.state.is_outside(guild, user_id):
        member = await member_now(ctx, user_id)
    if member is None:
        raise Refused(MEMBER_GONE)
    return member


def person(target: Target) -> str:
    """As summaries speak of somebody."""
    return f"@{inline(target.name)} ({target.id})"


def labelled(target: Target) -> str:
    """As changes name somebody."""
    return f"{target.kind} {target.id} @{inline(target.name)}"


def age(moment: datetime.datetime, now: float) -> str:
    """How long ago, in days."""
    days = max(0, int((now - moment.timestamp()) // 86_400))
    return "1 day" if days == 1 else f"{days} days"


def account_age(user_id: int, now: float) -> str:
    return f"account {age(discord.utils.snowflake_time(user_id), now)} old"


def standing(guild: discord.Guild, member: discord.Member, now: float) -> str:
    """What tells a raider from an old hand: the ages of account and membership, and the roles."""
    told_of = [account_age(member.id, now)]
    if member.joined_at is not None:
        told_of.append(f"here for {age(member.joined_at, now)}")
    roles = [inline(role.name) for role in held_roles(guild, member)]
    told_of.append(f"roles: {', '.join(roles)}" if roles else "no roles")
    return ", ".join(told_of)


def common_problems(ctx: Context) -> str | None:
    return audit_reason_fits(ctx.audit_reason)


def common_unknowns(ctx: Context, used_bits: int) -> tuple[str, ...]:
    """``used_bits``: the permissions that the call rests on."""
    return told(two_factor_may_be_missing(ctx.guild.discord.mfa_level, used_bits))


def membership_seen(member: discord.Member | None) -> str:
    """The fingerprint of a membership: whoever left and came back is another one."""
    if member is None:
        return GONE
    joined_at = None if member.joined_at is None else member.joined_at.isoformat()
    return fingerprint({"id": member.id, "joined_at": joined_at})


def timeout_seen(member: discord.Member | None, now: float) -> str:
    """The fingerprint of the timeout that is in force."""
    if member is None:
        return GONE
    end = running_end(member, now)
    return fingerprint({"id": member.id, "timed_out_until": None if end is None else end.isoformat()})
