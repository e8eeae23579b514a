"""Tokens of MCP clients: a person makes them for himself, and shows them to nobody; Guildhall shows each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import Field, SecretStr

from operations.base import Change, Context, Inverse, Model, Preview, ReadOperation
from operations.declaring import ADMINISTRATION
from operations.errors import Refused
from operations.membership import explicit_role, role_in_guild
from operations.outcomes import timestamp
from operations.platform.administration import installation_of, rules_of
from operations.platform_writes import PlatformWrite
from operations.preflight import told
from operations.refs import GuildRef
from operations.sanitise import inline
from policy.model import Need, PlatformRole, Reach, Refuse, Requirement, Step, Target, Tier
from policy.scopes import covers, parse
from storage import clients
from storage.session import Session
from storage.snapshot import Client

DAY_SECONDS = 86_400.0
TOKENS_A_PERSON = 25
ANYBODY_HIS_OWN = "Everybody makes and revokes tokens that act as himself; whose is whose is checked."
CLIENT = Field(min_length=1, max_length=64, description="Its id (mc_…), as token_list shows it.")
UNKNOWN_TOKEN = Refuse(
    Step.RESOLVE,
    "unknown_token",
    "There is no such token that you may know of.",
    "token_list shows the tokens that you may know of.",
)


class TokenShown(Model):
    """A token without itself. ``guild_ids`` and ``toolsets`` are absent where it is not limited to some."""

    client: str
    name: str
    user_id: str | None = None
    kind: str
    scopes: list[str]
    toolsets: list[str] | None = None
    guild_ids: list[str] | None = None
    read_only: bool
    direct_writes: bool
    created_at: str
    expires_at: str | None = None
    state: str


def shown(client: Client, now: float) -> TokenShown:
    state = "active" if client.active(now) else "revoked" if client.revoked_at is not None else "expired"
    return TokenShown(
        client=client.id,
        name=inline(client.name),
        user_id=None if client.user_id is None else str(client.user_id),
        kind=client.kind.value,
        scopes=sorted(client.scopes),
        toolsets=None if client.toolsets is None else sorted(client.toolsets),
        guild_ids=None if client.guild_ids is None else [str(guild_id) for guild_id in sorted(client.guild_ids)],
        read_only=client.read_only,
        direct_writes=client.direct_writes,
        created_at=timestamp(client.created_at),
        expires_at=None if client.expires_at is None else timestamp(client.expires_at),
        state=state,
    )


def is_own(ctx: Context, client: Client) -> bool:
    return client.user_id is not None and client.user_id == ctx.caller.user_id


def within_reach(ctx: Context, client: Client) -> bool:
    """Others' tokens that an admin here may know of: all of the workspace where the workspace itself made him one;
    else, admin by this guild's role map, those that reach this guild alone.
    """
    snapshot, caller = ctx.services.facts.snapshot, ctx.caller
    role = role_in_guild(snapshot, caller, installation_of(ctx), ctx.guild)
    if client.workspace_id != caller.workspace_id or role is None or role < PlatformRole.ADMIN:
        return False
    return explicit_role(snapshot, caller) is not None or client.guild_ids == frozenset({ctx.guild.id})


# ----------------------------------------------------------------------- list
class TokenListInput(Model):
    guild: GuildRef | None = None
    everybody: bool = Field(default=False, description="Others' too; for admins of the workspace.")
    ended: bool = Field(default=False, description="Revoked and expired ones too.")


class TokenListResult(Model):
    """Oldest first."""

    tokens: list[TokenShown]


class ListTokens(ReadOperation[TokenListInput, TokenListResult]):
    """List your tokens of MCP clients, or as an admin everybody's; the tokens themselves are shown to nobody."""

    name = "token_list"
    title = "List tokens"
    toolset = "administration"
    scope = "admin:tokens"
    faces = ADMINISTRATION
    min_role = PlatformRole.VIEWER

    def requirement(self, ctx: Context, arguments: TokenListInput) -> Requirement:
        base = self.base_requirement(self.needs(ctx, arguments))
        return _of_admins(base) if arguments.everybody else base

    async def read(self, ctx: Context, arguments: TokenListInput) -> TokenListResult:
        known = sorted(ctx.services.facts.snapshot.clients.values(), key=lambda each: (each.created_at, each.id))
        found = [
            client
            for client in known
            if client.workspace_id == ctx.caller.workspace_id
            and (is_own(ctx, client) or (arguments.everybody and within_reach(ctx, client)))
            and (arguments.ended or client.active(ctx.now))
        ]
        return TokenListResult(tokens=[shown(client, ctx.now) for client in found])


# --------------------------------------------------------------------- create
class TokenCreateInput(Model):
    guild: GuildRef | None = None
    name: str = Field(min_length=1, max_length=80, description="What the token is for.")
    scopes: list[str] = Field(
        default=["read"], min_length=1, max_length=50, description="read, write, or <toolset>:<action> each."
    )
    toolsets: list[str] = Field(default=[], max_length=50, description="Only these; none named: all.")
    expires_in_days: int = Field(default=90, ge=1, le=3650, description="How long it works.")
    read_only: bool = Field(default=False, description="Refuse every write.")
    direct_writes: bool = Field(default=False, description="Writes run without dry_run=false.")


class TokenCreateEffect(Model):
    guild: Target
    user_id: int
    name: str
    scopes: list[str]
    toolsets: list[str] | None
    expires_in_days: int
    read_only: bool
    direct_writes: bool


class TokenResult(Model):
    """``token`` is in the answer to the person himself, once, and in nothing that is kept, logged or sent on."""

    client: str
    name: str
    expires_at: str | None = None
    token: SecretStr | None = Field(default=None, exclude=True, repr=False)


class CreateToken(PlatformWrite[TokenCreateInput, TokenCreateEffect, TokenResult]):
    """Make a token with which an MCP client acts as you, in this guild alone. It is shown to you once."""

    name = "token_create"
    title = "Make a token"
    toolset = "administration"
    scope = "admin:tokens"
    faces = ADMINISTRATION
    tier = Tier.RISKY
    reach = Reach.SAME_CHANNEL
    min_role = PlatformRole.MEMBER
    open_to_members = ANYBODY_HIS_OWN

    def needs_of(self, ctx: Context, effect: TokenCreateEffect) -> tuple[Need, ...]:
        return (self.need(ctx.guild_target),)

    async def preview(self, ctx: Context, arguments: TokenCreateInput) -> Preview[TokenCreateEffect]:
        effect = TokenCreateEffect(
            guild=ctx.guild_target,
            user_id=_person(ctx),
            name=arguments.name,
            scopes=sorted(_scopes(arguments.scopes)),
            toolsets=sorted(set(arguments.toolsets)) or None,
            expires_in_days=arguments.expires_in_days,
            read_only=arguments.read_only,
            direct_writes=arguments.direct_writes,
        )
        guild = inline(ctx.guild.discord.name)
        what = {**effect.model_dump(exclude={"guild", "user_id"}), "name": inline(effect.name)}
        return Preview(
            summary=f"Make the token {inline(effect.name)} with {', '.join(effect.scopes)} in {guild}, "
            f"for {effect.expires_in_days} days",
            effect=effect,
            changes=(Change(target="token", field="exists", before=None, after=what),),
            problems=told(
                *(_scope_problem(ctx, scope) for scope in effect.scopes),
                *(_toolset_problem(ctx, toolset) for toolset in effect.toolsets or ()),
                _too_many(ctx),
            ),
            unknowns=told(
                "When you see it: whoever confirms it does not, so have token_renew show you one afterwards."
                if rules_of(ctx).four_eyes
                else None
            ),
            reversible=True,
        )

    async def apply(self, ctx: Context, session: Session, effect: TokenCreateEffect) -> TokenResult:
        installation = installation_of(ctx)
        client, token = await clients.create(
            session,
            ctx.services.database.keyring,
            workspace_id=installation.workspace_id,
            user_id=effect.user_id,
            name=effect.name,
            scopes=effect.scopes,
            toolsets=effect.toolsets,
            guild_ids=[installation.guild_id],
            read_only=effect.read_only,
            direct_writes=effect.direct_writes,
            expires_at=ctx.now + effect.expires_in_days * DAY_SECONDS,
            created_by=effect.user_id,
            now=ctx.now,
        )
        return _result(client, token)

    def inverse_of(self, effect: TokenCreateEffect, result: TokenResult) -> Inverse | None:
        return Inverse(operation=RevokeToken.name, arguments={"guild": str(effect.guild.id), "client": result.client})


# ---------------------------------------------------------------------- renew
class TokenInput(Model):
    guild: GuildRef | None = None
    client: str = CLIENT


class TokenEffect(Model):
    """``user_id``: whose token it is; None for an operator's."""

    guild: Target
    client: str
    user_id: int | None


class RenewToken(PlatformWrite[TokenInput, TokenEffect, TokenResult]):
    """Replace a token of yours by a new one with the same rights, shown to you once; the old one ends at once."""

    name = "token_renew"
    title = "Renew a token"
    toolset = "administration"
    scope = "admin:tokens"
    faces = ADMINISTRATION
    reach = Reach.SAME_CHANNEL
    min_role = PlatformRole.MEMBER
    open_to_members = ANYBODY_HIS_OWN

    def needs_of(self, ctx: Context, effect: TokenEffect) -> tuple[Need, ...]:
        return (self.need(ctx.guild_target),)

    async def preview(self, ctx: Context, arguments: TokenInput) -> Preview[TokenEffect]:
        client = _known(ctx, arguments.client)
        if not is_own(ctx, client):
            raise Refused(_others_only_ended(client))
        return Preview(
            summary=f"Replace the token {inline(client.name)} ({client.id}) by a new one",
            effect=TokenEffect(guild=ctx.guild_target, client=client.id, user_id=client.user_id),
            changes=(Change(target=f"token {client.id}", field="token", before="the old one", after="a new one"),),
            problems=told(_ended(client, ctx.now)),
        )

    async def apply(self, ctx: Context, session: Session, effect: TokenEffect) -> TokenResult:
        renewed = await clients.renew(
            session, ctx.services.database.keyring, effect.client, user_id=_person(ctx), now=ctx.now
        )
        if renewed is None:
            raise Refused(UNKNOWN_TOKEN)
        return _result(*renewed)


# --------------------------------------------------------------------- revoke
class TokenRevokeResult(Model):
    client: str
    revoked: bool = True


class RevokeToken(PlatformWrite[TokenInput, TokenEffect, TokenRevokeResult]):
    """End a token at once. Others' tokens take an admin of the workspace."""

    name = "token_revoke"
    title = "Revoke a token"
    toolset = "administration"
    scope = "admin:tokens"
    faces = ADMINISTRATION
    reach = Reach.SAME_CHANNEL
    min_role = PlatformRole.MEMBER
    open_to_members = ANYBODY_HIS_OWN
    idempotent = True
    works_paused = True

    def needs_of(self, ctx: Context, effect: TokenEffect) -> tuple[Need, ...]:
        return (self.need(ctx.guild_target),)

    def requirement(self, ctx: Context, arguments: TokenInput) -> Requirement:
        base = self.base_requirement(self.needs(ctx, arguments))
        client = ctx.services.facts.snapshot.clients.get(arguments.client)
        # What he may not know of asks for no more than an own one: the preview then says that there is none.
        others = client is not None and not is_own(ctx, client) and within_reach(ctx, client)
        return _of_admins(base) if others else base

    def requirement_of(self, ctx: Context, effect: TokenEffect) -> Requirement:
        base = self.base_requirement(self.needs_of(ctx, effect))
        own = effect.user_id is not None and effect.user_id == ctx.caller.user_id
        return base if own else _of_admins(base)

    async def preview(self, ctx: Context, arguments: TokenInput) -> Preview[TokenEffect]:
        client = _known(ctx, arguments.client)
        whose = "your" if is_own(ctx, client) else "the"
        return Preview(
            summary=f"Revoke {whose} token {inline(client.name)} ({client.id})",
            effect=TokenEffect(guild=ctx.guild_target, client=client.id, user_id=client.user_id),
            changes=(Change(target=f"token {client.id}", field="state", before="active", after="revoked"),),
            problems=told(_ended(client, ctx.now)),
        )

    async def apply(self, ctx: Context, session: Session, effect: TokenEffect) -> TokenRevokeResult:
        if not await clients.revoke(session, effect.client, ctx.now):
            raise Refused(
                Refuse(Step.EXECUTE, "token_ended", "The token was revoked meanwhile.", "Nothing is left to do.")
            )
        return TokenRevokeResult(client=effect.client)


def _of_admins(requirement: Requirement) -> Requirement:
    return replace(requirement, min_role=max(requirement.min_role, PlatformRole.ADMIN))


def _known(ctx: Context, client_id: str) -> Client:
    """The token, if it is the caller's, or one that an admin may know of. Raises Refused."""
    client = ctx.services.facts.snapshot.clients.get(client_id)
    if client is None or client.workspace_id != ctx.caller.workspace_id:
        raise Refused(UNKNOWN_TOKEN)
    if not is_own(ctx, client) and not within_reach(ctx, client):
        raise Refused(UNKNOWN_TOKEN)
    return client


def _others_only_ended(client: Client) -> Refuse:
    return Refuse(
        Step.SCOPE, "not_yours", f"{client.id} acts as somebody else.", "Only its person renews it; revoke it instead."
    )


def _person(ctx: Context) -> int:
    if ctx.caller.user_id is None:
        raise Refused(
            Refuse(Step.SCOPE, "no_person", "No person stands behind this call.", "Use `guildhall token` on the host.")
        )
    return ctx.caller.user_id


def _scopes(given: Sequence[str]) -> frozenset[str]:
    try:
        return parse(given)
    except ValueError as error:
        raise Refused(
            Refuse(Step.VALIDATE, "invalid_scope", str(error), "Correct the scopes and call again.")
        ) from None


def _scope_problem(ctx: Context, scope: str) -> str | None:
    if scope.startswith("admin:"):
        return f"{scope}: administration is never offered to MCP clients; leave it out."
    return None if covers(ctx.caller.scopes, scope) else f"{scope}: you don't hold that scope here yourself."


def _toolset_problem(ctx: Context, toolset: str) -> str | None:
    known = [name for name in ctx.services.registry.toolsets if name != "administration"]
    return None if toolset in known else f"There is no toolset {inline(toolset)}; there are {', '.join(known)}."


def _too_many(ctx: Context) -> str | None:
    held = [
        client
        for client in ctx.services.facts.snapshot.clients.values()
        if client.workspace_id == ctx.caller.workspace_id and is_own(ctx, client) and client.active(ctx.now)
    ]
    if len(held) < TOKENS_A_PERSON:
        return None
    return f"You have {len(held)} tokens already; revoke one that you don't use (token_list, token_revoke)."


def _ended(client: Client, now: float) -> str | None:
    return None if client.active(now) else "This token has ended already; make a new one with token_create."


def _result(client: Client, token: str) -> TokenResult:
    expires_at = None if client.expires_at is None else timestamp(client.expires_at)
    return TokenResult(client=client.id, name=inline(client.name), expires_at=expires_at, token=SecretStr(token))
