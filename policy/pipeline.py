"""The eight steps, in order (the eighth, execute and audit, is the Executor's).

``gate`` decides steps 1-4 and needs nothing of Discord; ``judge`` decides 5-7 per target and says which proof is asked
for. One refusal refuses all.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy import checks
from policy.model import (
    ALLOW,
    Caller,
    CallerKind,
    Decision,
    Explanation,
    Facts,
    Kind,
    Need,
    NeedsConfirmation,
    PlatformRole,
    Refuse,
    Requirement,
    Rule,
    Step,
    StepReport,
    Strength,
    TargetFacts,
    Tier,
)
from policy.taint import is_tainted, tier_under_taint

GATE_STEPS = (Step.CLIENT, Step.MEMBERSHIP, Step.INSTALLATION, Step.SCOPE)
JUDGE_STEPS = (Step.CHANNEL, Step.DISCORD, Step.RATE)


def gate(caller: Caller, requirement: Requirement, facts: Facts) -> Decision:
    """Steps 1-4. Returns Allow or the first Refuse."""
    for step in GATE_STEPS:
        for refusal in refusals(step, caller, requirement, facts):
            return refusal
    return ALLOW


def judge(caller: Caller, requirement: Requirement, facts: Facts) -> Decision:
    """Steps 5-7, then the proof that the effect needs.

    Whatever the requester cannot see, or lies in another guild, is refused before anything is said about it.
    Raises ValueError when facts and needs don't pair up: a missing fact must never pass.
    """
    hidden = _hidden_target(requirement, facts)
    if hidden is not None:
        return hidden
    for step in JUDGE_STEPS:
        for refusal in refusals(step, caller, requirement, facts):
            return refusal
    return proof(caller, requirement, facts)


def refusals(step: Step, caller: Caller, requirement: Requirement, facts: Facts) -> Iterator[Refuse]:
    """Every refusal of one step, first the one that a caller should hear."""
    match step:
        case Step.CLIENT:
            found = (
                checks.credential_is_live(caller, facts),
                checks.audience_is_this_instance(caller, facts),
                checks.platform_facts_are_current(caller, facts),
            )
        case Step.MEMBERSHIP:
            found = (checks.person_belongs_to_workspace(caller, requirement, facts),)
        case Step.INSTALLATION:
            found = (checks.guild_is_installed(caller, facts),) if requirement.in_guild else ()
        case Step.SCOPE:
            role = PlatformRole.OWNER if caller.kind is CallerKind.SYSTEM else facts.role
            found = (
                checks.face_offers_operation(caller, requirement),
                checks.toolset_is_enabled(caller, requirement),
                checks.client_may_write(caller, requirement),
                checks.scope_is_granted(caller, requirement),
                checks.role_suffices(requirement, role),
            )
        case Step.CHANNEL:
            found = tuple(
                checks.channel_policy_allows(requirement, need, known) for need, known in _pairs(requirement, facts)
            )
        case Step.DISCORD:
            found = tuple(
                refusal
                for need, known in _pairs(requirement, facts)
                for refusal in _discord_refusals(requirement, need, known)
            )
        case Step.RATE:
            found = (checks.rate_allows(facts),)
        case _:
            found = ()
    for refusal in found:
        if refusal is not None:
            yield refusal


def _discord_refusals(requirement: Requirement, need: Need, known: TargetFacts) -> Iterator[Refuse | None]:
    yield checks.facts_are_fresh(need, known)
    yield checks.bot_may_act(requirement, known)
    yield checks.actor_may_act(requirement, known)
    yield checks.bot_holds_rights(need, known)
    yield checks.actor_holds_rights(need, known)
    yield checks.grants_are_held(need, known)
    yield checks.target_is_outranked(need, known)
    yield checks.message_is_own(need, known)


def proof(caller: Caller, requirement: Requirement, facts: Facts) -> Decision:
    """What a call that passed every step still needs before its effect may happen."""
    if requirement.kind is not Kind.WRITE or caller.kind is CallerKind.SYSTEM:
        return ALLOW
    tier = requirement.tier
    if tier is Tier.WRITE and any(known.rule is Rule.CONFIRM for known in facts.targets):
        tier = Tier.RISKY
    tainted = is_tainted(caller, facts)
    asked = tier_under_taint(tier, requirement.reach, tainted=tainted, audience_leaks=facts.audience_leaks)
    if asked is Tier.WRITE:
        return ALLOW
    by_person = asked is Tier.CRITICAL or tainted
    return NeedsConfirmation(Strength.PERSON if by_person else Strength.TOKEN, asked)


def explain(caller: Caller, requirement: Requirement, facts: Facts) -> Explanation:
    """Steps 1-7, each with its first refusal.

    A hidden refusal, wherever it stands, is all that is said: also which steps pass would tell that the object exists.
    Facts that were not gathered leave the later steps unreported, and nothing then reads as allowed.
    """
    gathered = _gathered(requirement, facts)
    steps = (*GATE_STEPS, *JUDGE_STEPS) if gathered else GATE_STEPS
    found = [(step, tuple(refusals(step, caller, requirement, facts))) for step in steps]
    hidden = next((refusal for _, refused in found for refusal in refused if refusal.hidden), None)
    if hidden is None and gathered:
        hidden = _hidden_target(requirement, facts)
    if hidden is not None:
        return Explanation((), hidden)
    reports = tuple(
        StepReport(step, passed=False, reason=refused[0].reason, remedy=refused[0].remedy)
        if refused
        else StepReport(step, passed=True)
        for step, refused in found
    )
    decision: Decision | None = next((refused[0] for _, refused in found if refused), None)
    if decision is None:
        decision = proof(caller, requirement, facts) if gathered else checks.TARGETS_UNKNOWN
    return Explanation(reports, decision)


def _hidden_target(requirement: Requirement, facts: Facts) -> Refuse | None:
    for need, known in _pairs(requirement, facts):
        refusal = checks.target_is_in_guild(requirement, need, facts) or checks.target_is_visible(need, known)
        if refusal is not None:
            return refusal
    return None


def _gathered(requirement: Requirement, facts: Facts) -> bool:
    """Whether there is a fact for each target; an operation in a guild touches the guild at least."""
    return len(requirement.needs) == len(facts.targets) and (bool(requirement.needs) or not requirement.in_guild)


def _pairs(requirement: Requirement, facts: Facts) -> Iterator[tuple[Need, TargetFacts]]:
    if not _gathered(requirement, facts):
        raise ValueError(f"{requirement.operation}: {len(requirement.needs)} needs, {len(facts.targets)} facts")
    return zip(requirement.needs, facts.targets, strict=True)
