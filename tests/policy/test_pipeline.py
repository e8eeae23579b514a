"""The order of the steps, what is hidden, what fails closed, and which proof a write needs."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from policy import checks, pipeline
from policy.model import (
    ALLOW,
    Allow,
    Caller,
    CallerKind,
    Explanation,
    Face,
    Facts,
    Kind,
    NeedsConfirmation,
    OperationClass,
    PlatformRole,
    Reach,
    Refuse,
    Requirement,
    Rule,
    Standing,
    Step,
    Strength,
    Target,
    TargetFacts,
    Tier,
)
from tests.policy.worlds import (
    OTHER_GUILD,
    OTHER_WORKSPACE,
    at_target,
    caller,
    decide,
    facts,
    installation,
    need,
    reading,
    requirement,
    standing,
    target_facts,
)


def test_a_call_for_which_every_step_says_yes_is_allowed() -> None:
    assert decide(caller(), requirement(), facts()) == ALLOW
    assert decide(caller(), reading(), facts()) == ALLOW


# ------------------------------------------------------------------- order
# Each with a change that this step refuses; all of them together must be refused by the first.
TROUBLES: list[tuple[Step, str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (Step.CLIENT, "revoked", {"active": False}, {}, {}),
    (Step.MEMBERSHIP, "no_member", {}, {"role": None}, {}),
    (Step.INSTALLATION, "not_listed", {}, {"guild_allowed": False}, {}),
    (Step.SCOPE, "read_only", {"read_only": True}, {}, {}),
    (Step.CHANNEL, "denied_by_policy", {}, {}, {"rule": Rule.DENY}),
    (Step.DISCORD, "you_lack_permission", {}, {}, {"actor": standing(bits=0)}),
    (Step.RATE, "rate_limited", {}, {"retry_after_seconds": 1.0}, {}),
]


def world_with(
    troubles: list[tuple[Step, str, dict[str, Any], dict[str, Any], dict[str, Any]]],
) -> tuple[Caller, Facts]:
    who, known, target = caller(), facts(), target_facts()
    for _, _, of_caller, of_facts, of_target in troubles:
        who, known, target = replace(who, **of_caller), replace(known, **of_facts), replace(target, **of_target)
    return who, replace(known, targets=(target,))


@pytest.mark.parametrize("first", range(len(TROUBLES)), ids=[trouble[1] for trouble in TROUBLES])
def test_of_several_refusals_the_earliest_step_speaks(first: int) -> None:
    who, known = world_with(TROUBLES[first:])
    decision = decide(who, requirement(), known)
    assert isinstance(decision, Refuse)
    assert (decision.step, decision.code) == TROUBLES[first][:2]


def test_the_steps_stand_in_the_order_of_the_design() -> None:
    assert (*pipeline.GATE_STEPS, *pipeline.JUDGE_STEPS) == tuple(trouble[0] for trouble in TROUBLES)


def test_the_gate_needs_no_facts_about_targets() -> None:
    assert pipeline.gate(caller(), requirement(), facts(targets=())) == ALLOW


def test_one_refusal_at_one_of_several_targets_refuses_all() -> None:
    asked = requirement(needs=(need(), need(target=Target("channel", 1002, need().target.guild_id))))
    fine, refused = target_facts(), target_facts(bot=standing(bits=0, rank=90))
    assert decide(caller(), asked, facts(targets=(fine, fine))) == ALLOW
    for targets in ((fine, refused), (refused, fine)):
        decision = decide(caller(), asked, facts(targets=targets))
        assert isinstance(decision, Refuse)
        assert decision.code == "bot_lacks_permission"


def test_an_operation_outside_of_guilds_asks_for_no_installation() -> None:
    asked = requirement(in_guild=False, needs=())
    assert decide(caller(guild_ids=None), asked, facts(installation=None, guild_allowed=False, targets=())) == ALLOW


# ------------------------------------------------------------------ hidden
HIDDEN = [
    pytest.param(caller(), facts(role=None), "no_member", id="no_member"),
    pytest.param(caller(), facts(installation=None), "not_installed", id="not_installed"),
    pytest.param(
        caller(), facts(installation=installation(workspace_id=OTHER_WORKSPACE)), "foreign_guild", id="foreign_guild"
    ),
    pytest.param(caller(guild_ids=frozenset({OTHER_GUILD})), facts(), "outside_grant", id="outside_grant"),
    pytest.param(caller(), at_target(visible=False), "not_visible", id="not_visible"),
]


@pytest.mark.parametrize(("who", "known", "expected"), HIDDEN)
def test_what_a_caller_may_not_see_is_a_hidden_refusal(who: Caller, known: Facts, expected: str) -> None:
    decision = decide(who, requirement(), known)
    assert isinstance(decision, Refuse)
    assert (decision.code, decision.hidden) == (expected, True)


def test_an_invisible_target_is_hidden_before_anything_else_is_said_of_any_target() -> None:
    loud = target_facts(rule=Rule.DENY, bot=standing(bits=0), age_seconds=500.0)
    asked = requirement(needs=(need(), need(target=Target("channel", 1002, need().target.guild_id))))
    known = facts(targets=(loud, target_facts(visible=False)), retry_after_seconds=9.0)
    decision = decide(caller(), asked, known)
    assert isinstance(decision, Refuse)
    assert decision.hidden


def test_a_target_of_another_guild_is_hidden_even_where_its_facts_would_allow() -> None:
    asked = requirement(needs=(need(), need(target=Target("channel", 5, OTHER_GUILD))))
    decision = decide(caller(guild_ids=None), asked, facts(targets=(target_facts(), target_facts())))
    assert isinstance(decision, Refuse)
    assert (decision.code, decision.hidden) == ("foreign_target", True)


@pytest.mark.parametrize(("who", "known", "expected"), HIDDEN)
def test_an_explanation_says_nothing_of_what_is_hidden(who: Caller, known: Facts, expected: str) -> None:
    explanation = pipeline.explain(who, requirement(), known)
    assert explanation.steps == ()
    assert isinstance(explanation.decision, Refuse)
    assert (explanation.decision.code, explanation.decision.hidden) == (expected, True)


def test_an_explanation_hides_also_when_a_step_before_refuses_aloud() -> None:
    for who, known in (
        (caller(active=False), facts(installation=None)),
        (caller(read_only=True), at_target(visible=False)),
        (caller(), at_target(visible=False, rule=Rule.DENY)),
    ):
        explanation = pipeline.explain(who, requirement(), known)
        assert explanation.steps == ()
        assert isinstance(explanation.decision, Refuse)
        assert explanation.decision.hidden


# --------------------------------------------------------------- explaining
def test_an_explanation_reports_every_step() -> None:
    explanation = pipeline.explain(caller(), requirement(), facts())
    assert [report.step for report in explanation.steps] == [*pipeline.GATE_STEPS, *pipeline.JUDGE_STEPS]
    assert all(report.passed and not report.reason for report in explanation.steps)
    assert explanation.decision == ALLOW


def test_an_explanation_goes_on_after_a_refusal_and_decides_as_the_pipeline_does() -> None:
    troubles = [trouble for trouble in TROUBLES if trouble[1] in ("read_only", "you_lack_permission", "rate_limited")]
    who, known = world_with(troubles)
    explanation = pipeline.explain(who, requirement(), known)
    failed = {report.step: report for report in explanation.steps if not report.passed}
    assert set(failed) == {Step.SCOPE, Step.DISCORD, Step.RATE}
    assert all(report.reason and report.remedy for report in failed.values())
    assert explanation.decision == decide(who, requirement(), known)


def test_an_explanation_tells_which_proof_would_be_asked_for() -> None:
    explanation = pipeline.explain(caller(), requirement(tier=Tier.CRITICAL), facts())
    assert explanation.decision == NeedsConfirmation(Strength.PERSON, Tier.CRITICAL)


def test_facts_that_were_not_gathered_leave_later_steps_unreported_and_allow_nothing() -> None:
    for asked, known in ((requirement(), facts(targets=())), (requirement(needs=()), facts(targets=()))):
        explanation = pipeline.explain(caller(), asked, known)
        assert [report.step for report in explanation.steps] == list(pipeline.GATE_STEPS)
        assert explanation.decision == checks.TARGETS_UNKNOWN


def test_an_early_refusal_is_the_decision_also_when_no_facts_were_gathered() -> None:
    explanation: Explanation = pipeline.explain(caller(read_only=True), requirement(), facts(targets=()))
    assert isinstance(explanation.decision, Refuse)
    assert explanation.decision.code == "read_only"


# -------------------------------------------------------------- fail closed
# A fact at its default is one that could not be had. For each a world in which it is all that stands for an allowed
# write; the descriptive ones decide nothing by themselves (the owner is known by his rank).
DESCRIPTIVE = {"source", "is_bot", "is_administrator", "is_guild_owner", "is_owner"}
DEMANDING = requirement(needs=(need(outrank=True, own=True),))
LEAVING = requirement(reach=Reach.LEAVES)
AUDIENCE_KNOWN = facts(tainted=True, audience_leaks=False)


def missing_facts() -> list[tuple[str, Requirement, Facts]]:
    cases: list[tuple[str, Requirement, Facts]] = []
    for field in fields(Facts):
        # Whether four eyes are asked for decides on proofs alone; see below.
        # A claim alone asks for the guild that it is about; tests.policy.test_claims.
        if field.name in ("now", "platform_age_seconds", "four_eyes", "claimed_guild_id"):
            continue
        base = AUDIENCE_KNOWN if field.name == "audience_leaks" else facts()
        asked = LEAVING if field.name == "tainted" else requirement()
        cases.append((field.name, asked, replace(base, **{field.name: field.default})))
    for field in fields(TargetFacts):
        if field.name in DESCRIPTIVE | {"visible", "bot", "actor"}:
            continue
        cases.append((f"target.{field.name}", DEMANDING, at_target(**{"is_own": True, field.name: field.default})))
    for field in fields(Standing):
        if field.name in DESCRIPTIVE | {"bits", "rank"}:
            continue
        cases.append((f"actor.{field.name}", requirement(), at_target(actor=standing(**{field.name: field.default}))))
    cases.append(("bot.timed_out", requirement(), at_target(bot=Standing(bits=-1, rank=90, pending=False))))
    return cases


MISSING = missing_facts()


def test_the_worlds_in_which_one_fact_goes_missing_pass_while_it_is_there() -> None:
    for asked, known in (
        (requirement(), facts()),
        (requirement(), AUDIENCE_KNOWN),
        (DEMANDING, at_target(is_own=True)),
    ):
        assert decide(caller(), asked, known) == ALLOW
    assert decide(caller(), LEAVING, facts()) == ALLOW


def test_every_fact_with_a_default_is_among_those_that_go_missing() -> None:
    names = {name for name, _, _ in MISSING}
    assert {"audience_ok", "role", "installation", "guild_allowed", "targets", "retry_after_seconds"} <= names
    assert {"target.rank", "target.rule", "target.age_seconds", "actor.timed_out", "actor.pending"} <= names


@pytest.mark.parametrize(("asked", "known"), [case[1:] for case in MISSING], ids=[case[0] for case in MISSING])
def test_a_write_is_never_allowed_while_one_fact_is_missing(asked: Requirement, known: Facts) -> None:
    try:
        decision = decide(caller(), asked, known)
    except ValueError:
        return
    assert not isinstance(decision, Allow)


def test_where_four_eyes_are_asked_for_or_nobody_knows_a_risky_call_waits_for_a_person() -> None:
    risky, unknown = requirement(tier=Tier.RISKY), Facts(now=0.0, platform_age_seconds=0.0).four_eyes
    assert decide(caller(), risky, facts()) == NeedsConfirmation(Strength.TOKEN, Tier.RISKY)
    for four_eyes in (True, unknown):
        assert decide(caller(), risky, facts(four_eyes=four_eyes)) == NeedsConfirmation(Strength.PERSON, Tier.RISKY)


@pytest.mark.parametrize("count", [0, 2])
def test_facts_and_needs_that_do_not_pair_up_raise(count: int) -> None:
    with pytest.raises(ValueError, match="message_send: 1 needs"):
        pipeline.judge(caller(), requirement(), facts(targets=(target_facts(),) * count))


def test_an_operation_in_a_guild_that_touches_nothing_raises() -> None:
    with pytest.raises(ValueError, match="0 needs"):
        pipeline.judge(caller(), requirement(needs=()), facts(targets=()))


# -------------------------------------------------------------------- proofs
@pytest.mark.parametrize(
    ("tier", "tainted", "expected"),
    [
        (Tier.WRITE, False, ALLOW),
        (Tier.WRITE, True, NeedsConfirmation(Strength.PERSON, Tier.RISKY)),
        (Tier.RISKY, False, NeedsConfirmation(Strength.TOKEN, Tier.RISKY)),
        (Tier.RISKY, True, NeedsConfirmation(Strength.PERSON, Tier.RISKY)),
        (Tier.CRITICAL, False, NeedsConfirmation(Strength.PERSON, Tier.CRITICAL)),
        (Tier.CRITICAL, True, NeedsConfirmation(Strength.PERSON, Tier.CRITICAL)),
    ],
)
def test_each_tier_asks_for_its_proof(tier: Tier, tainted: bool, expected: object) -> None:
    asked = requirement(tier=tier, reach=Reach.LEAVES)
    assert decide(caller(), asked, facts(tainted=tainted)) == expected


@pytest.mark.parametrize("kind", [Kind.READ, Kind.CONTROL])
def test_reading_and_moving_a_plan_need_no_proof(kind: Kind) -> None:
    asked = requirement(kind=kind, tier=Tier.READ if kind is Kind.READ else Tier.WRITE)
    assert decide(caller(), asked, facts(tainted=True, audience_leaks=True)) == ALLOW


def test_a_policy_of_confirm_turns_a_write_into_a_plan() -> None:
    assert decide(caller(), requirement(), at_target(rule=Rule.CONFIRM)) == NeedsConfirmation(
        Strength.TOKEN, Tier.RISKY
    )
    tainted = replace(at_target(rule=Rule.CONFIRM), tainted=True)
    assert decide(caller(), requirement(reach=Reach.SAME_CHANNEL), tainted) == NeedsConfirmation(
        Strength.PERSON, Tier.RISKY
    )


def test_confirm_at_one_of_several_targets_is_enough() -> None:
    asked = requirement(needs=(need(), need(target=Target("channel", 1002, need().target.guild_id))))
    known = facts(targets=(target_facts(), target_facts(rule=Rule.CONFIRM)))
    assert isinstance(decide(caller(), asked, known), NeedsConfirmation)


def test_a_policy_of_confirm_never_lowers_a_critical_call() -> None:
    asked = requirement(tier=Tier.CRITICAL, operation_class=OperationClass.DESTROY)
    assert decide(caller(), asked, at_target(rule=Rule.CONFIRM)) == NeedsConfirmation(Strength.PERSON, Tier.CRITICAL)


ALWAYS_TAINTED = [
    pytest.param(caller(kind=CallerKind.OPERATOR, user_id=None), id="operator"),
    pytest.param(caller(kind=CallerKind.MEMBER, face=Face.AGENT), id="agent"),
    pytest.param(caller(kind=CallerKind.AUTOMATION, face=Face.AUTOMATION, always_tainted=True), id="automation"),
]


@pytest.mark.parametrize("who", ALWAYS_TAINTED)
@pytest.mark.parametrize("tier", [Tier.WRITE, Tier.RISKY, Tier.CRITICAL])
def test_who_is_always_tainted_needs_a_person_whatever_he_is_known_to_have_read(who: Caller, tier: Tier) -> None:
    decision = decide(who, requirement(tier=tier, reach=Reach.LEAVES), facts(tainted=False))
    assert isinstance(decision, NeedsConfirmation)
    assert decision.strength is Strength.PERSON


def test_an_operator_stays_inside_its_guilds() -> None:
    operator = caller(kind=CallerKind.OPERATOR, user_id=None)
    assert decide(operator, reading(), facts()) == ALLOW
    for who in (replace(operator, guild_ids=None), replace(operator, guild_ids=frozenset({OTHER_GUILD}))):
        decision = decide(who, reading(), facts())
        assert isinstance(decision, Refuse)
        assert decision.hidden


def test_the_system_needs_no_person_but_every_other_step() -> None:
    system = caller(kind=CallerKind.SYSTEM, user_id=None, deeds=frozenset({"message_send"}))
    assert decide(system, requirement(tier=Tier.CRITICAL), facts(role=None, tainted=True)) == ALLOW
    for known in (facts(role=None, installation=None), replace(at_target(bot=standing(bits=0)), role=None)):
        assert isinstance(decide(system, requirement(), known), Refuse)


def test_the_system_does_what_is_listed_for_it_and_nothing_else() -> None:
    system = caller(kind=CallerKind.SYSTEM, user_id=None, deeds=frozenset({"member_unban"}))
    decision = decide(system, requirement(), facts(role=None))
    assert isinstance(decision, Refuse)
    assert (decision.step, decision.code) == (Step.SCOPE, "no_deed")
    assert decide(system, requirement(operation="member_unban"), facts(role=None)) == ALLOW
    assert isinstance(decide(replace(system, deeds=frozenset()), reading(), facts(role=None)), Refuse)


def test_what_a_policy_denies_to_callers_the_system_still_brings_to_its_end() -> None:
    system = caller(kind=CallerKind.SYSTEM, user_id=None, deeds=frozenset({"member_unban"}))
    denied = replace(facts(targets=(target_facts(rule=Rule.DENY),)), role=None)
    assert decide(system, requirement(operation="member_unban"), denied) == ALLOW


@pytest.mark.parametrize("kind", [Kind.WRITE, Kind.CONTROL])
def test_a_viewer_never_writes_even_as_administrator_of_the_guild(kind: Kind) -> None:
    known = facts(role=PlatformRole.VIEWER, targets=(target_facts(actor=standing(bits=1 << 3)),))
    decision = decide(caller(), requirement(kind=kind, min_role=PlatformRole.VIEWER), known)
    assert isinstance(decision, Refuse)
    assert decision.code == "role"
    assert decide(caller(), reading(), known) == ALLOW
