"""A guild that the bot has joined is served from its claim on."""

from __future__ import annotations

from pydantic import Field

from operations.base import Change, Context, Model, Preview
from operations.declaring import ADMINISTRATION
from operations.errors import Refused
from operations.inert_guilds import InertGuildWrite
from operations.refs import GuildRef
from operations.sanitise import inline
from policy.checks import GUILD_TAKEN
from policy.model import Installation, Need, PlatformRole, Refuse, Step, Target
from storage import installations, workspaces
from storage.session import Session

UNKNOWN_OWNER = Refuse(
    Step.EXECUTE,
    "owner_unknown",
    "Discord does not say who owns this application, so no workspace can be made.",
    "Give the application's team an owner at https://discord.com/developers/teams.",
)


class GuildClaimInput(Model):
    guild: GuildRef | None = Field(default=None, description="Guild id; default: the one in which it is asked.")


class GuildClaimEffect(Model):
    guild: Target
    claimed_by: int


class GuildClaimResult(Model):
    guild_id: str
    workspace_id: str
    own_workspace: bool = Field(description="Whether the claimant owns the workspace.")


class ClaimGuild(InertGuildWrite[GuildClaimInput, GuildClaimEffect, GuildClaimResult]):
    """Claim a guild that the bot has joined, so that it is served. It joins the instance's workspace, or one that the
    claimant owns; in the guild he is an admin from then on. Only where nobody has claimed it yet."""

    name = "guild_claim"
    title = "Claim this guild"
    toolset = "administration"
    scope = "admin:claim"
    faces = ADMINISTRATION
    # Whoever holds manage_guild may: there is no workspace yet that could have given him a role.
    min_role = PlatformRole.MEMBER
    actor_permissions = ("manage_guild",)

    def needs_of(self, ctx: Context, effect: GuildClaimEffect) -> tuple[Need, ...]:
        return (self.need(effect.guild),)

    async def preview(self, ctx: Context, arguments: GuildClaimInput) -> Preview[GuildClaimEffect]:
        target, user_id = ctx.guild_target, ctx.caller.user_id
        if user_id is None:
            raise LookupError("a claim is a person's")
        where = "the workspace of this instance" if ctx.services.single_workspace else "a workspace of your own"
        return Preview(
            summary=f"Claim the guild {inline(target.name)} for {where}",
            effect=GuildClaimEffect(guild=target, claimed_by=user_id),
            changes=(
                Change(target=f"guild {target.id} {inline(target.name)}", field="claimed", before=False, after=True),
            ),
        )

    async def apply(self, ctx: Context, session: Session, effect: GuildClaimEffect) -> GuildClaimResult:
        if ctx.services.single_workspace:
            owner_ids = ctx.services.state.source.application_owner_ids
            if not owner_ids:
                raise Refused(UNKNOWN_OWNER)
            workspace_id = await workspaces.ensure_default(session, min(owner_ids), ctx.now)
        else:
            workspace_id = await workspaces.owned_by(session, effect.claimed_by) or await workspaces.create(
                session, inline(effect.guild.name), effect.claimed_by, ctx.now
            )
        try:
            await installations.install(session, workspace_id, effect.guild.id, ctx.now, claimed_by=effect.claimed_by)
        except installations.GuildTaken:
            raise Refused(GUILD_TAKEN) from None
        return GuildClaimResult(
            guild_id=str(effect.guild.id),
            workspace_id=workspace_id,
            own_workspace=not ctx.services.single_workspace,
        )

    async def made(self, session: Session, effect: GuildClaimEffect) -> Installation:
        found = await installations.active(session, effect.guild.id)
        if found is None:
            raise LookupError("the installation was made in this transaction")
        return found
