"""Moving a role up or down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import discord
from pydantic import Field, model_validator

from operations.base import Change, Context, Inverse, Model, Preview, Reconcile, WriteOperation
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.role_kinds import called, labelled, role_target
from operations.discord.role_order import Rung, index_beside, index_of, ladder_of, moved, reordered
from operations.discord.role_writes import common_problems, common_unknowns
from operations.errors import Refused
from operations.guild_state import GuildView
from operations.preflight import told
from operations.preflight.roles import MAX_NAME, everyone_stays_lowest, position_fits
from operations.refs import GuildRef, RoleRef
from operations.refusals import hidden
from operations.sanitise import inline, sanitise
from policy.model import Need, Target, Tier


class RoleReorderInput(Model):
    role: RoleRef
    guild: GuildRef | None = None
    above: RoleRef | None = Field(default=None, description="Role to stand right above.")
    below: RoleRef | None = Field(default=None, description="Role to stand right below.")
    position: int | None = Field(default=None, description="As in role_list: 1 is lowest.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(given is not None for given in (self.above, self.below, self.position)) != 1:
            raise ValueError("give one of above, below and position")
        return self


class RoleMove(Model):
    """``before``, ``after``: the place above @everyone, which may stay. ``position``: Discord's number afterwards."""

    role: Target
    before: int
    after: int
    position: int


class RoleReorderEffect(Model):
    """``place``: the role's place above @everyone afterwards. ``moves``: every role whose position changes, lowest
    first.
    """

    role: Target
    place: int
    moves: tuple[RoleMove, ...]


class RolePlace(Model):
    id: str
    name: str
    position: int


class RoleReorderResult(Model):
    """``roles``: those whose position changed, highest first."""

    id: str
    name: str
    position: int
    roles: list[RolePlace]


class ReorderRole(WriteOperation[RoleReorderInput, RoleReorderEffect, RoleReorderResult]):
    """Move a role right above or below another one, or to a position. All that moves must be below your top role."""

    name = "role_reorder"
    toolset = "roles"
    scope = "roles:write"
    tier = Tier.RISKY
    in_default_set = True
    # https://discord.com/developers/docs/resources/guild#modify-guild-role-positions
    bot_permissions = ("manage_roles",)
    actor_permissions = ("manage_roles",)
    # Discord's audit log is silent about positions.
    reconcile = Reconcile.READ_BACK
    idempotent = True

    # ------------------------------------------------------------------- rights
    def needs(self, ctx: Context, arguments: RoleReorderInput) -> tuple[Need, ...]:
        role = ctx.targets["role"]
        moves = _effect(ctx, arguments).moves
        return self._needs(role, moves)

    def needs_of(self, ctx: Context, effect: RoleReorderEffect) -> tuple[Need, ...]:
        return self._needs(effect.role, effect.moves)

    def _needs(self, role: Target, moves: tuple[RoleMove, ...]) -> tuple[Need, ...]:
        """Whoever would come to stand at or above his own highest role would move that one too."""
        touched = [role, *(move.role for move in moves if move.role.id != role.id)]
        return tuple(self.need(target, outrank=True) for target in touched)

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: RoleReorderInput) -> Preview[RoleReorderEffect]:
        view = ctx.guild
        guild = view.discord
        effect = _effect(ctx, arguments)
        ladder = ladder_of(guild)
        start = index_of(ladder, effect.role.id)
        moves_everyone = effect.role.id == guild.id
        if start is None and not moves_everyone:
            raise Refused(hidden("role", "role"))
        below = ctx.targets.get("below")
        misplaced = told(
            everyone_stays_lowest(
                moves_everyone=moves_everyone, below_everyone=below is not None and below.id == guild.id
            ),
            None if arguments.position is None else position_fits(arguments.position, len(ladder)),
        )
        return Preview(
            summary=_summary(view, effect, start),
            effect=effect,
            changes=_changes(effect, start),
            problems=told(
                misplaced,
                None if effect.moves or misplaced else "Nothing would change; the role stands there already.",
                common_problems(ctx),
            ),
            unknowns=common_unknowns(ctx),
            fingerprint=_seen(guild, effect),
            inverse=None if start is None else _inverse(guild, ladder, start),
            reversible=True,
        )

    async def observe(self, ctx: Context, effect: RoleReorderEffect) -> str:
        return _seen(ctx.guild.discord, effect)

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: RoleReorderEffect) -> RoleReorderResult:
        positions: dict[discord.abc.Snowflake, int] = {
            discord.Object(move.role.id): move.position for move in effect.moves
        }
        await ctx.guild.discord.edit_role_positions(positions, reason=ctx.audit_reason)
        return _result(effect)

    async def read_back(self, ctx: Context, effect: RoleReorderEffect) -> RoleReorderResult | None:
        roles = await ctx.guild.discord.fetch_roles()
        positions = {role.id: role.position for role in roles}
        arrived = all(positions.get(move.role.id) == move.position for move in effect.moves)
        return _result(effect) if arrived else None


def _effect(ctx: Context, arguments: RoleReorderInput) -> RoleReorderEffect:
    """The exact final positions. No moves where the place is the present one, or there is no such place."""
    guild, role = ctx.guild.discord, ctx.targets["role"]
    ladder = ladder_of(guild)
    index = _index(ladder, role.id, arguments.position, ctx.targets)
    if index is None:
        return RoleReorderEffect(role=role, place=0, moves=())
    before = {rung.id: place for place, rung in enumerate(ladder, start=1)}
    after = {rung.id: place for place, rung in enumerate(reordered(ladder, role.id, index), start=1)}
    return RoleReorderEffect(
        role=role,
        place=index + 1,
        moves=tuple(
            RoleMove(role=role_target(found), before=before[move.id], after=after[move.id], position=move.after)
            for move in moved(ladder, role.id, index)
            if (found := guild.get_role(move.id)) is not None
        ),
    )


def _index(ladder: tuple[Rung, ...], role_id: int, position: int | None, targets: Mapping[str, Target]) -> int | None:
    if position is not None:
        return position - 1 if 1 <= position <= len(ladder) else None
    above, below = targets.get("above"), targets.get("below")
    beside = above or below
    if beside is None:
        return None
    if beside.id == role_id:
        # Above or below itself is where it stands.
        return index_of(ladder, role_id)
    return index_beside(ladder, role_id, beside.id, above=above is not None)


def _summary(view: GuildView, effect: RoleReorderEffect, start: int | None) -> str:
    way = "down" if start is not None and effect.place <= start else "up"
    others = len([move for move in effect.moves if move.role.id != effect.role.id])
    also = f"; {others} other {'role makes' if others == 1 else 'roles make'} room" if others else ""
    return f"Move {called(effect.role)} {way} to position {effect.place} in {inline(view.discord.name)}{also}"


def _changes(effect: RoleReorderEffect, start: int | None) -> tuple[Change, ...]:
    before = None if start is None else start + 1
    others = [move for move in reversed(effect.moves) if move.role.id != effect.role.id and move.before != move.after]
    return (
        Change(target=labelled(effect.role), field="position", before=before, after=effect.place),
        *(
            Change(target=labelled(move.role), field="position", before=move.before, after=move.after)
            for move in others
        ),
    )


def _seen(guild: discord.Guild, effect: RoleReorderEffect) -> str:
    """The order of all roles among which something moves."""
    ladder = ladder_of(guild)
    if any(guild.get_role(move.role.id) is None for move in effect.moves):
        return GONE
    low = min((min(move.before, move.after) for move in effect.moves), default=0)
    high = max((max(move.before, move.after) for move in effect.moves), default=0)
    between = [[rung.id, rung.position] for place, rung in enumerate(ladder, start=1) if low <= place <= high]
    return fingerprint({"role": effect.role.id, "order": between})


def _inverse(guild: discord.Guild, ladder: tuple[Rung, ...], start: int) -> Inverse:
    lower = ladder[start - 1].id if start else guild.id
    return Inverse(
        operation="role_reorder",
        arguments={"role": str(ladder[start].id), "guild": str(guild.id), "above": str(lower)},
    )


def _result(effect: RoleReorderEffect) -> RoleReorderResult:
    return RoleReorderResult(
        id=str(effect.role.id),
        name=sanitise(effect.role.name, limit=MAX_NAME),
        position=effect.place,
        roles=[
            RolePlace(id=str(move.role.id), name=sanitise(move.role.name, limit=MAX_NAME), position=move.after)
            for move in reversed(effect.moves)
        ],
    )
