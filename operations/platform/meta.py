"""Operations about Guildhall itself: who am I here, would a call pass, which operation does what."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from operations.base import Context, Delegate, Empty, Model, Operation, ReadOperation
from operations.outcomes import timestamp
from operations.sanitise import inline
from operations.schemas import input_schema
from policy.model import Explanation, Kind, NeedsConfirmation, OperationClass, Refuse, Strength, Tier


class WhoamiGuild(Model):
    id: str
    name: str


class WhoamiResult(Model):
    """``kind``: token, operator, member … ``guilds``: those that the caller reaches."""

    kind: str
    client: str | None = None
    user_id: str | None = None
    workspace_role: str | None = None
    scopes: list[str]
    toolsets: list[str] | None = None
    read_only: bool
    dry_run_by_default: bool
    tainted: bool
    expires_at: str | None = None
    guilds: list[WhoamiGuild]
    notice: str | None = None


class Whoami(ReadOperation[Empty, WhoamiResult]):
    """Tell who you are here: the person behind this client, scopes, reachable guilds, and whether you are tainted by
    text of others.
    """

    name = "whoami"
    title = "Who am I"
    toolset = "meta"
    scope = "meta:read"
    in_guild = False
    in_default_set = True

    async def read(self, ctx: Context, arguments: Empty) -> WhoamiResult:
        caller, services = ctx.caller, ctx.services
        role = await services.decisions.role(caller)
        guilds: list[WhoamiGuild] = []
        for guild_id in await services.decisions.reachable_guilds(caller):
            guild = services.state.source.cached(guild_id)
            if guild is not None:
                guilds.append(WhoamiGuild(id=str(guild.id), name=inline(guild.name)))
        return WhoamiResult(
            kind=caller.kind.value,
            client=inline(caller.client_name) or None,
            user_id=None if caller.user_id is None else str(caller.user_id),
            workspace_role=role.label if role is not None else None,
            scopes=sorted(caller.scopes),
            toolsets=None if caller.toolsets is None else sorted(caller.toolsets),
            read_only=caller.read_only,
            dry_run_by_default=not caller.direct_writes,
            tainted=caller.always_tainted or bool(services.decisions.taint_sources(caller)),
            expires_at=None if caller.expires_at is None else timestamp(caller.expires_at),
            guilds=guilds,
            notice="No person stands behind this client; everything risky waits for one."
            if caller.is_operator
            else None,
        )


class ToolSearchInput(Model):
    query: str = Field(min_length=1, max_length=200, description="What you want to do, in a few words.")
    limit: int = Field(default=8, ge=1, le=25)


class FoundTool(Model):
    """``call_through``: the generic tool that takes it when it is not listed. ``arguments``: a JSON schema."""

    name: str
    description: str
    tier: str
    call_through: str
    arguments: dict[str, Any]


class ToolSearchResult(Model):
    tools: list[FoundTool]


class SearchTools(ReadOperation[ToolSearchInput, ToolSearchResult]):
    """Find operations that are not in your list of tools, with their arguments. Call one by its name, or through
    operation_read, operation_write or operation_destroy.
    """

    name = "tool_search"
    title = "Search operations"
    toolset = "meta"
    scope = "meta:read"
    in_guild = False
    in_default_set = True

    async def read(self, ctx: Context, arguments: ToolSearchInput) -> ToolSearchResult:
        found = ctx.services.registry.search(arguments.query, ctx.caller, arguments.limit + 3)
        return ToolSearchResult(
            tools=[_found(operation) for operation in found if not isinstance(operation, Delegate)][: arguments.limit]
        )


def _found(operation: Operation) -> FoundTool:
    return FoundTool(
        name=operation.name,
        description=operation.description,
        tier=operation.tier.label,
        call_through=THROUGH[operation.operation_class()],
        arguments=input_schema(operation.Input, more={}),
    )


class PolicyExplainInput(Model):
    operation: str = Field(min_length=1, max_length=64, description="Its name.")
    arguments: dict[str, Any] = Field(default_factory=dict, description="As for the call itself.")


class ExplainedStep(Model):
    step: str
    passed: bool
    reason: str | None = None
    remedy: str | None = None


class PolicyExplainResult(Model):
    """``would_pass``: every step passes. ``confirmation``: the proof that an execution still needs (none, token,
    human).
    """

    operation: str
    would_pass: bool
    confirmation: str
    tier: str | None = None
    steps: list[ExplainedStep]


class ExplainPolicy(ReadOperation[PolicyExplainInput, PolicyExplainResult]):
    """Tell whether a call would pass, which step says no, and what would help. Nothing is done."""

    name = "policy_explain"
    title = "Explain a decision"
    toolset = "meta"
    scope = "meta:read"
    in_guild = False
    in_default_set = True

    async def read(self, ctx: Context, arguments: PolicyExplainInput) -> PolicyExplainResult:
        explanation = await ctx.services.decisions.explain(arguments.operation, arguments.arguments, ctx.caller)
        return explained(arguments.operation, explanation)


def explained(operation: str, explanation: Explanation) -> PolicyExplainResult:
    """An explanation as a result."""
    decision = explanation.decision
    confirmation, tier = "none", None
    if isinstance(decision, NeedsConfirmation):
        confirmation = "human" if decision.strength is Strength.PERSON else "token"
        tier = decision.tier.label
    return PolicyExplainResult(
        operation=operation,
        would_pass=not isinstance(decision, Refuse),
        confirmation=confirmation,
        tier=tier,
        steps=[
            ExplainedStep(
                step=report.step.value,
                passed=report.passed,
                reason=report.reason or None,
                remedy=report.remedy or None,
            )
            for report in explanation.steps
        ],
    )


class OperationRead(Delegate):
    """Call any reading operation by name, also one that is not in your list of tools."""

    name = "operation_read"
    title = "Call a reading operation"
    toolset = "meta"
    scope = "meta:read"
    kind = Kind.READ
    tier = Tier.READ
    in_default_set = True
    delegates = OperationClass.READ


class OperationWrite(Delegate):
    """Call any writing operation (tier write) by name."""

    name = "operation_write"
    title = "Call a writing operation"
    toolset = "meta"
    scope = "meta:write"
    kind = Kind.WRITE
    tier = Tier.WRITE
    in_default_set = True
    delegates = OperationClass.WRITE


class OperationDestroy(Delegate):
    """Call any risky or critical operation by name."""

    name = "operation_destroy"
    title = "Call a risky or critical operation"
    toolset = "meta"
    scope = "meta:write"
    kind = Kind.WRITE
    tier = Tier.CRITICAL
    in_default_set = True
    delegates = OperationClass.DESTROY


THROUGH = {
    OperationClass.READ: OperationRead.name,
    OperationClass.WRITE: OperationWrite.name,
    OperationClass.DESTROY: OperationDestroy.name,
}
