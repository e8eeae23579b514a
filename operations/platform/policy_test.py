"""Trying a policy: what it would say of a call by somebody else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from operations.base import Context, Model, ReadOperation
from operations.declaring import ADMINISTRATION
from operations.platform.meta import PolicyExplainResult, explained
from operations.refs import GuildRef, MemberRef
from policy.model import Caller, CallerKind, Face
from policy.scopes import EVERYTHING, EVERYTHING_BUT_ADMIN

Through = Literal["slash", "mcp", "agent"]


class PolicyTestInput(Model):
    guild: GuildRef | None = None
    member: MemberRef
    operation: str = Field(min_length=1, max_length=64, description="Its name.")
    arguments: dict[str, Any] = Field(default_factory=dict, description="As for the call itself.")
    through: Through = Field(default="slash", description="How the member would call it.")


class TryPolicy(ReadOperation[PolicyTestInput, PolicyExplainResult]):
    """Tell whether a member's call would pass, which step says no, and what would help. Nothing is done."""

    name = "policy_test"
    title = "Test the policy for a member"
    toolset = "administration"
    scope = "admin:policy"
    faces = ADMINISTRATION

    async def read(self, ctx: Context, arguments: PolicyTestInput) -> PolicyExplainResult:
        decisions = ctx.services.decisions
        given = dict(arguments.arguments)
        operation = ctx.services.registry.get(arguments.operation)
        if operation is not None and "guild" in operation.Input.model_fields:
            given["guild"] = str(ctx.guild.id)
        # First as oneself: what one can't see is as unknown here as anywhere, whoever else sees it.
        await decisions.explain(arguments.operation, given, replace(ctx.caller, face=Face(arguments.through)))
        member = _member(ctx.caller, ctx.targets["member"].id, arguments.through)
        return explained(arguments.operation, await decisions.explain(arguments.operation, given, member))


def _member(caller: Caller, user_id: int, through: Through) -> Caller:
    """The member as he would come in."""
    return replace(
        caller,
        kind=CallerKind.MEMBER,
        face=Face(through),
        client_id=f"discord:{user_id}",
        user_id=user_id,
        scopes=EVERYTHING_BUT_ADMIN if through == "mcp" else EVERYTHING,
        always_tainted=through == "agent",
    )
