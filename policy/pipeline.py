"""The eight steps, in order (the eighth, execute and audit, is the Executor's).

``gate`` decides steps 1-4 and needs nothing of Discord; ``judge`` decides 5-7 per target and says which proof is asked
for. One refusal refuses all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

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


# ---------------------------------------------------------------------- steps
# Each gives the first refusal of its checks, in the order in which a caller should hear them: a hidden one first.
# They are chained, not collected: every call passes all of them, several times.
def _client(caller: Caller, requirement: Requirement, facts: Facts) -> Refuse | None:
    return (
        checks.credential_is_live(caller, facts)
        or checks.audience_is_this_instance(caller, facts)
        or checks.platform_facts_are_current(caller, facts)
    )


def _membership(caller: Caller, requirement: Requirement, facts: Facts) -> Refuse | None:
    return checks.person_belongs_to_workspace(caller, requirement, facts)


def _installation(caller: Caller, requirement: Requirement, facts: Facts) -> Refuse | None:
    if requirement.of_inert_guild:
        not_here = checks.guild_is_inert(caller, facts)
    else:
        not_here = checks.guild_is_installed(caller, facts) if requirement.in_guild else None
    return not_here or checks.nothing_is_paused(requirement, facts)


def _scope(caller: Caller, requirement: Requirement, facts: Facts) -> Refuse | None:
    role = PlatformRole.OWNER if caller.kind is CallerKind.SYSTEM else facts.role
    return (
        checks.face_offers_operation(caller, requirement)
        or checks.guild_serves_operation(caller, requirement, facts)
        or checks.toolset_is_enabled(caller, requirement)
        or checks.client_may_write(caller, requirement)
        or checks.scope_is_granted(caller, requirement)
        or checks.deed_is_listed(caller, requirement)
        or checks.role_suffices(requirement, role)
    )


def _channel(caller: Caller, requirement: Requirement, facts: Facts) -> Refuse | None:
    """Policies speak to those who ask. What the system does, a plan that they let pass has named before."""
    if caller.kind is CallerKind.SYSTEM:
        return None
    for need, known in _pairs(requirement, facts):
        refusal = checks.channel_policy_allows(requirement, need, known)
        if refusal is not None:
            return refusal
    return None


def _discord(caller: Caller, requirement: Requirement, facts: Facts) -> Refuse | None:
    for need, known in _pairs(requirement, facts):
        refusal = (
            checks.facts_are_fresh(need, known)
            or checks.bot_may_act(requirement, known)
            or checks.actor_may_act(requirement, known)
            or checks.bot_holds_rights(need, known)
            or checks.actor_holds_rights(need, known)
            or checks.grants_are_held(need, known)
            or checks.target_is_outranked(need, known)
            or checks.message_is_own(need, known)
        )
        if refusal is not None:
            return refusal
    return None


def _rate(caller: Caller, requirement: Requirement, facts: Facts) -> Refuse | None:
    return checks.rate_allows(facts)


_Refused = Callable[[Caller, Requirement, Facts], Refuse | None]
_GATE: dict[Step, _Refused] = {
    Step.CLIENT: _client,
    Step.MEMBERSHIP: _membership,
    Step.INSTALLATION: _installation,
    Step.SCOPE: _scope,
}
_JUDGE: dict[Step, _Refused] = {Step.CHANNEL: _channel, Step.DISCORD: _discord, Step.RATE: _rate}
GATE_STEPS = tuple(_GATE)
JUDGE_STEPS = tuple(_JUDGE)


# ------------------------------------------------------------------ decisions
def gate(caller: Caller, requirement: Requirement, facts: Facts) -> Decision:
    """Steps 1-4. Returns Allow or the first Refuse."""
    for refused in _GATE.values():
        refusal = refused(caller, requirement, facts)
        if refusal is not None:
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
    for refused in _JUDGE.values():
        refusal = refused(caller, requirement, facts)
        if refusal is not None:
            return refusal
    return proof(caller, requirement, facts)


def still_allows(caller: Caller, now: float, platform_age_seconds: float, fact_age_seconds: float) -> bool:
    """Whether a read that steps 1-6 allowed would be allowed by them again, where nothing of what is known of caller,
    requirement and targets has changed but time. ``fact_age_seconds``: of the oldest fact about its targets.
    """
    return (
        (caller.expires_at is None or now < caller.expires_at)
        and platform_age_seconds <= checks.MAX_FACT_AGE_SECONDS
        and fact_age_seconds <= checks.MAX_FACT_AGE_SECONDS
    )


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
    # With four eyes it takes another person, whatever the requester proves.
    by_person = asked is Tier.CRITICAL or tainted or facts.four_eyes
    return NeedsConfirmation(Strength.PERSON if by_person else Strength.TOKEN, asked)


def explain(caller: Caller, requirement: Requirement, facts: Facts) -> Explanation:
    """Steps 1-7, each with its first refusal.

    A hidden refusal, wherever it stands, is all that is said: also which steps pass would tell that the object exists.
    Facts that were not gathered leave the later steps unreported, and nothing then reads as allowed.
    """
    gathered = _gathered(requirement, facts)
    steps = {**_GATE, **_JUDGE} if gathered else _GATE
    found = [(step, refused(caller, requirement, facts)) for step, refused in steps.items()]
    hidden = next((refusal for _, refusal in found if refusal is not None and refusal.hidden), None)
    if hidden is None and gathered:
        hidden = _hidden_target(requirement, facts)
    if hidden is not None:
        return Explanation((), hidden)
    reports = tuple(
        StepReport(step, passed=True)
        if refusal is None
        else StepReport(step, passed=False, reason=refusal.reason, remedy=refusal.remedy)
        for step, refusal in found
    )
    decision: Decision | None = next((refusal for _, refusal in found if refusal is not None), None)
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
