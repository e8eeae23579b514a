"""The overwrites of a channel: what they are now, what a change of one asks for, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import discord

from operations.base import Change, Context, Model
from operations.discord.channel_edit import CHANNEL_GONE, reachable
from operations.discord.channel_kinds import ChannelKind, access_bits, labelled
from operations.discord.channels import is_synced, seen_category
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.guilds import role_ids
from operations.discord.overwrites import ResolvedOverwrite, bits_under
from operations.discord.role_kinds import called
from operations.errors import Refused
from operations.guild_state import MEMBER_MAX_AGE_SECONDS, GuildView
from operations.preflight.overwrites import Overwrite
from operations.refs import ChannelRef, GuildRef
from operations.resolve import channel_target
from policy.model import Need, Refuse, Step, Target
from policy.permissions import ALL, Bits, names_of

MANAGE_ROLES = int(Bits.manage_roles)
SUBJECT_GONE = Refuse(
    Step.EXECUTE,
    "subject_gone",
    "The role was deleted or the member left meanwhile.",
    "channel_permissions_list shows whom the channel's overwrites are for.",
)


class OverwrittenChannel(Model):
    # The channel comes before whom its overwrite is for: refs are resolved, and missed, in the order of the fields.
    channel: ChannelRef
    guild: GuildRef | None = None


class OverwriteResult(Model):
    """The overwrite afterwards; none of either where it is gone."""

    channel_id: str
    channel_name: str
    kind: str
    id: str
    name: str
    allow: list[str]
    deny: list[str]


def overwrites_of(channel: discord.abc.GuildChannel) -> dict[int, ResolvedOverwrite]:
    """By the id of the role or member. With the bits that discord.py does not know, which its own view leaves out."""
    found: dict[int, ResolvedOverwrite] = {}
    for each in channel._overwrites:  # pyright: ignore[reportPrivateUsage] - see above
        subject = Target("role" if each.is_role() else "member", each.id, channel.guild.id)
        found[each.id] = ResolvedOverwrite(subject=subject, allow=each.allow, deny=each.deny)
    return found


def overwrite_for(channel: discord.abc.GuildChannel, subject_id: int) -> Overwrite | None:
    known = overwrites_of(channel).get(subject_id)
    return None if known is None else Overwrite(known.allow, known.deny)


def subject_of(ctx: Context) -> Target:
    """The role or member that a call names; its input takes exactly one."""
    return ctx.targets.get("role") or ctx.targets["member"]


# -------------------------------------------------------------------- rights
def needs_for(ctx: Context, at_channel: Need, subject: Target, touched: int) -> tuple[Need, ...]:
    """What a change of one overwrite asks of both, who hand out and take away only what they hold.

    ``touched``: bits that change or that the request carries. "Only permissions your bot has in the guild or parent
    channel (if applicable) can be allowed/denied (unless your bot has a MANAGE_ROLES overwrite in the channel)."
    https://discord.com/developers/docs/resources/channel#edit-channel-permissions
    """
    view = ctx.guild
    channel = view.channel(at_channel.target.id)
    needs = [reachable(at_channel, channel), Need(subject)]
    if channel is None or isinstance(channel, discord.Thread):
        return tuple(needs)
    held = Need(
        ctx.guild_target,
        bot_bits=touched & ~_held_here(channel, view.me, view.bot_bits(channel.category) if channel.category else 0),
        actor_bits=touched & ~_held_here(channel, view.actor, view.bits(channel.category) if channel.category else 0),
    )
    return (*needs, held, *(Need(channel_target(child)) for child in _followers(view, channel)))


def _held_here(channel: discord.abc.GuildChannel, member: discord.Member, parent_bits: int) -> int:
    """What counts as held whatever the guild gives."""
    own = {channel.guild.id, member.id, *role_ids(member)}
    has_overwrite = any(
        each.subject.id in own and each.allow & MANAGE_ROLES for each in overwrites_of(channel).values()
    )
    return ALL if has_overwrite else parent_bits


def _followers(view: GuildView, channel: discord.abc.GuildChannel) -> list[discord.abc.GuildChannel]:
    """The channels in sync with a category, of those that both see: "any further changes to a parent category will be
    reflected in its synced child channels".

    https://discord.com/developers/docs/topics/permissions#permission-syncing
    """
    if not isinstance(channel, discord.CategoryChannel):
        return []
    shared = set(view.shared_ids())
    return [child for child in channel.channels if child.id in shared and child.permissions_synced]


# ------------------------------------------------------------------- preview
class Aftermath(Model):
    """What a change of one overwrite brings with it. ``keeps_hold``: the bot could still change it back."""

    changes: tuple[Change, ...]
    keeps_hold: bool


def aftermath(
    view: GuildView, channel: discord.abc.GuildChannel, subject: Target, after: Overwrite | None
) -> Aftermath:
    """``after``: the overwrite as it would be; None for none."""
    return aftermath_of(view, channel, with_overwrite(overwrites_of(channel), subject, after))


def with_overwrite(
    overwrites: Mapping[int, ResolvedOverwrite], subject: Target, after: Overwrite | None
) -> dict[int, ResolvedOverwrite]:
    """The same overwrites with one of them changed; None takes it away."""
    later = {**overwrites}
    later.pop(subject.id, None)
    if after is not None:
        later[subject.id] = ResolvedOverwrite(subject=subject, allow=after.allow, deny=after.deny)
    return later


def aftermath_of(
    view: GuildView, channel: discord.abc.GuildChannel, later: Mapping[int, ResolvedOverwrite]
) -> Aftermath:
    """``later``: all overwrites as they would be."""
    target = labelled(channel_target(channel))
    changes = list(_sync_changes(view, channel, later, target))
    people = [("seen by me", view.me)] + ([("seen by you", view.actor)] if view.user_id is not None else [])
    for field, member in people:
        before = _sees(channel, bits_under(view.discord, member, overwrites_of(channel).values()))
        now = _sees(channel, bits_under(view.discord, member, later.values()))
        if before is not now:
            changes.append(Change(target=target, field=field, before=before, after=now))
    mine = bits_under(view.discord, view.me, later.values())
    keeps_hold = _sees(channel, mine) and bool(mine & MANAGE_ROLES)
    return Aftermath(changes=tuple(changes), keeps_hold=keeps_hold)


def _sees(channel: discord.abc.GuildChannel, bits: int) -> bool:
    return not access_bits(channel.type) & ~bits


def _sync_changes(
    view: GuildView, channel: discord.abc.GuildChannel, later: Mapping[int, ResolvedOverwrite], target: str
) -> Iterable[Change]:
    followers = _followers(view, channel)
    if followers:
        listed = [labelled(channel_target(child)) for child in followers[:10]]
        rest = len(followers) - len(listed)
        yield Change(
            target=target,
            field="synced channels that follow, of those that you see",
            after=[*listed, *([f"and {rest} more"] if rest else [])],
        )
    category = seen_category(view, channel)
    if category is None:
        return
    synced = _bare(later) == _bare(overwrites_of(category))
    if synced is not is_synced(channel):
        yield Change(target=target, field="synced with its category", before=not synced, after=synced)


def _bare(overwrites: Mapping[int, ResolvedOverwrite]) -> dict[int, tuple[int, int]]:
    return {each: (overwrite.allow, overwrite.deny) for each, overwrite in overwrites.items()}


def overwrite_change(channel: Target, subject: Target, before: Overwrite | None, after: Overwrite | None) -> Change:
    return Change(
        target=labelled(channel),
        field=f"overwrite of {subject.kind} {subject.id} {called(subject)}",
        before=_told(before),
        after=_told(after),
    )


def _told(overwrite: Overwrite | None) -> dict[str, list[str]] | None:
    if overwrite is None:
        return None
    return {"allow": list(names_of(overwrite.allow)), "deny": list(names_of(overwrite.deny))}


def seen(view: GuildView, channel_id: int, subject_id: int) -> str:
    """The overwrite that would be replaced, and whether the channel follows its category."""
    channel = view.discord.get_channel(channel_id)
    if channel is None:
        return GONE
    now = overwrite_for(channel, subject_id)
    return fingerprint(
        {
            "channel": channel.id,
            "subject": subject_id,
            "overwrite": None if now is None else [str(now.allow), str(now.deny)],
            "synced": is_synced(channel),
        }
    )


# ------------------------------------------------------------------- execute
async def set_overwrite(ctx: Context, channel_id: int, subject: Target, after: Overwrite | None) -> None:
    """One request. Raises Refused when what it rests on is gone, and discord.HTTPException."""
    view = ctx.guild
    target: discord.Role | discord.Member | None
    if subject.kind == "role":
        target = view.discord.get_role(subject.id)
    else:
        target = await view.state.member(view.discord, subject.id, MEMBER_MAX_AGE_SECONDS)
    channel = view.discord.get_channel(channel_id)
    if channel is None:
        raise Refused(CHANNEL_GONE)
    if target is None:
        raise Refused(SUBJECT_GONE)
    value = None
    if after is not None:
        value = discord.PermissionOverwrite.from_pair(discord.Permissions(after.allow), discord.Permissions(after.deny))
    await channel.set_permissions(target, overwrite=value, reason=ctx.audit_reason)


def is_of(entry: discord.AuditLogEntry, channel_id: int, subject_id: int) -> bool:
    """Whether an entry of Discord's audit log, which bears the call's tag, is about this overwrite. Where Discord says
    nothing of whose it is, the tag and the channel are enough: a call changes one.

    https://discord.com/developers/docs/resources/audit-log#audit-log-entry-object-optional-audit-entry-info (id)
    """
    if getattr(entry.target, "id", None) != channel_id:
        return False
    return entry.extra is None or getattr(entry.extra, "id", None) == subject_id


def result_of(channel: Target, subject: Target, after: Overwrite) -> OverwriteResult:
    return OverwriteResult(
        channel_id=str(channel.id),
        channel_name=channel.name,
        kind=subject.kind,
        id=str(subject.id),
        name=subject.name,
        allow=list(names_of(after.allow)),
        deny=list(names_of(after.deny)),
    )


class OverwriteEffect(Model):
    """One overwrite of one channel. ``allow`` and ``deny``: bits."""

    channel: Target
    type: ChannelKind
    subject: Target
    allow: int = 0
    deny: int = 0
