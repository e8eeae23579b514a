"""Permission overwrites as operations take, keep and send them.

Roles have no rank here: "Otherwise, permissions do not obey the role hierarchy"
(https://discord.com/developers/docs/topics/permissions#permission-hierarchy). What bounds an overwrite are the bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Self

import discord
from pydantic import AfterValidator, model_validator

from operations.base import Change, Context, Model
from operations.discord.role_kinds import labelled
from operations.errors import Refused
from operations.guild_state import guild_bits
from operations.preflight import told
from operations.preflight.overwrites import Overwrite, overwrite_is_consistent, overwrites_fit_one_request
from operations.refs import MemberRef, RoleRef
from operations.refusals import ambiguous, hidden, look_alike
from operations.resolve import Ambiguous, LookAlike, Resolver
from operations.sanitise import inline
from policy.model import Need, Refuse, Step, Target
from policy.permissions import Bits, bits, join, names_of


def _known(name: str) -> str:
    if name not in Bits.__members__:
        raise ValueError(f"{inline(name)!r} is no permission; write names such as view_channel or send_messages")
    return name


PermissionName = Annotated[str, AfterValidator(_known)]


class OverwriteSubject(Model):
    # Without a docstring: models would read it in every schema.
    role: RoleRef | None = None
    member: MemberRef | None = None

    @model_validator(mode="after")
    def _for_one(self) -> Self:
        if (self.role is None) == (self.member is None):
            raise ValueError("an overwrite is for one role or for one member; give either role or member")
        return self


class OverwriteInput(OverwriteSubject):
    # Without a docstring, as above.
    allow: tuple[PermissionName, ...] = ()
    deny: tuple[PermissionName, ...] = ()

    @property
    def named_bits(self) -> int:
        return bits(*self.allow, *self.deny)


class ResolvedOverwrite(Model):
    """``subject``: a role or a member. ``allow`` and ``deny``: permission bits."""

    subject: Target
    allow: int = 0
    deny: int = 0

    @property
    def named_bits(self) -> int:
        return self.allow | self.deny


def named_bits(overwrites: Iterable[OverwriteInput] | Iterable[ResolvedOverwrite]) -> int:
    """Every bit that is allowed or denied to anybody."""
    return join(overwrite.named_bits for overwrite in overwrites)


def need_for_new_channel(guild: Target, named: int) -> Need:
    """What overwrites at a channel's making ask for, guild-wide, of both: manage_roles, and the bits themselves.

    "Only permissions your bot has in the guild can be allowed/denied. Setting MANAGE_ROLES permission in channels is
    only possible for guild administrators." https://discord.com/developers/docs/resources/guild#create-guild-channel
    """
    rights = int(Bits.manage_roles)
    if named & Bits.manage_roles:
        rights |= Bits.administrator
    return Need(guild, bot_bits=rights, actor_bits=rights, grants=named)


async def resolve_overwrites(ctx: Context, overwrites: Sequence[OverwriteInput]) -> tuple[ResolvedOverwrite, ...]:
    """Roles and members by id, mention or a name that nothing looks like: who gets rights is never guessed.

    Raises Refused for one that cannot be told, and discord.HTTPException.
    """
    resolver = Resolver()
    found: list[ResolvedOverwrite] = []
    for overwrite in overwrites:
        kind, text = ("role", overwrite.role) if overwrite.role is not None else ("member", overwrite.member or "")
        subject = await resolver.resolve(ctx.guild, kind, text, strict=True)
        field = f"overwrites.{kind}"
        if isinstance(subject, Ambiguous):
            raise Refused(ambiguous(field, kind, subject.candidates))
        if isinstance(subject, LookAlike):
            raise Refused(look_alike(field, kind, subject.candidates))
        if subject is None:
            raise Refused(hidden(field, kind))
        found.append(ResolvedOverwrite(subject=subject, allow=bits(*overwrite.allow), deny=bits(*overwrite.deny)))
    return tuple(found)


def overwrite_problems(overwrites: Sequence[ResolvedOverwrite]) -> tuple[str, ...]:
    """Why Discord would refuse them, beyond rights."""
    several = [overwrite.subject.id for overwrite in overwrites]
    twice = "A role or member is named in two overwrites; give one for each." if _repeated(several) else None
    contradictions = (overwrite_is_consistent(Overwrite(each.allow, each.deny)) for each in overwrites)
    return told(twice, overwrites_fit_one_request(len(overwrites)), (each for each in contradictions if each))


def _repeated(ids: Sequence[int]) -> bool:
    return len(set(ids)) < len(ids)


def overwrite_changes(overwrites: Iterable[ResolvedOverwrite]) -> tuple[Change, ...]:
    """One line for each, by names."""
    return tuple(
        Change(
            target=labelled(overwrite.subject),
            field="overwrite",
            after={"allow": list(names_of(overwrite.allow)), "deny": list(names_of(overwrite.deny))},
        )
        for overwrite in overwrites
    )


def sendable(
    guild: discord.Guild, overwrites: Iterable[ResolvedOverwrite]
) -> dict[discord.Role | discord.Member | discord.Object, discord.PermissionOverwrite]:
    """As discord.py takes them. Raises Refused when a role is gone: nothing was sent then."""
    found: dict[discord.Role | discord.Member | discord.Object, discord.PermissionOverwrite] = {}
    for overwrite in overwrites:
        subject: discord.Role | discord.Object | None
        if overwrite.subject.kind == "role":
            subject = guild.get_role(overwrite.subject.id)
        else:
            subject = discord.Object(overwrite.subject.id, type=discord.Member)
        if subject is None:
            raise Refused(
                Refuse(
                    Step.EXECUTE,
                    "role_gone",
                    f"The role {overwrite.subject.id} was deleted meanwhile.",
                    "Preview the call again without it.",
                )
            )
        found[subject] = discord.PermissionOverwrite.from_pair(
            discord.Permissions(overwrite.allow), discord.Permissions(overwrite.deny)
        )
    return found


def bits_under(guild: discord.Guild, member: discord.Member, overwrites: Iterable[ResolvedOverwrite]) -> int:
    """The bits that a member would have in a channel with just these overwrites.

    https://discord.com/developers/docs/topics/permissions#permission-overwrites
    """
    value = guild_bits(guild, member)
    if value & Bits.administrator:
        return value
    by_subject = {overwrite.subject.id: overwrite for overwrite in overwrites}
    everyone = by_subject.get(guild.id)
    if everyone is not None:
        value = value & ~everyone.deny | everyone.allow
    held = [by_subject[role.id] for role in member.roles if role.id in by_subject and role.id != guild.id]
    value = value & ~join(each.deny for each in held) | join(each.allow for each in held)
    own = by_subject.get(member.id)
    return value if own is None else value & ~own.deny | own.allow
