"""What holds of every decision, stated a second time and independently of the checks."""

from __future__ import annotations

import math
from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from policy import pipeline
from policy.model import (
    ALLOW,
    Allow,
    Caller,
    CallerKind,
    Face,
    Facts,
    Kind,
    NeedsConfirmation,
    PlatformRole,
    Reach,
    Refuse,
    Requirement,
    Rule,
    Strength,
    TargetFacts,
    Tier,
)
from tests.policy.strategies import PROPERTY, Question, knowledge, questions
from tests.policy.worlds import ADMINISTRATOR, GUILD, caller, decide, facts, reading, requirement, strictness


def holds(bits: int, wanted: int) -> bool:
    return bits & ADMINISTRATOR == ADMINISTRATOR or bits & wanted == wanted


def should_pass(who: Caller, asked: Requirement, known: Facts) -> bool:
    """The intersection rule in one expression; callers of the strategies all ask inside one guild."""
    reads = asked.kind is Kind.READ
    granted = {
        ("messages", action)
        for scope in who.scopes
        for toolset, _, action in [scope.partition(":")]
        if toolset in ("*", "messages")
    }
    client = (
        who.active
        and (who.expires_at is None or who.expires_at > known.now)
        and known.audience_ok
        and known.platform_age_seconds <= 60
    )
    place = (
        known.role is not None
        and known.installation is not None
        and known.installation.active
        and known.installation.workspace_id == who.workspace_id
        and known.guild_allowed
        and (
            known.installation.guild_id in who.guild_ids
            if who.guild_ids is not None
            else who.kind in (CallerKind.TOKEN, CallerKind.OAUTH)
        )
    )
    scope = (
        who.face in asked.faces
        and (who.toolsets is None or asked.toolset in who.toolsets)
        and (reads or not who.read_only)
        and bool(granted & {("messages", "*"), ("messages", asked.scope.partition(":")[2])})
        and known.role is not None
        and known.role >= asked.min_role
        and (reads or known.role >= PlatformRole.MEMBER)
    )
    targets = all(
        known.installation is not None
        and need.target.guild_id == known.installation.guild_id
        and target.visible
        and target.rule is not Rule.DENY
        and target.age_seconds <= 60
        and holds(target.bot.bits, need.bot_bits | need.grants)
        and holds(target.actor.bits, need.actor_bits | need.grants)
        and (
            not need.outrank
            or (
                target.rank is not None
                and not target.is_guild_owner
                and target.rank < min(target.bot.rank, target.actor.rank)
            )
        )
        and (target.is_own or not need.own)
        and (reads or not (target.actor.timed_out or target.actor.pending or target.bot.timed_out))
        for need, target in zip(asked.needs, known.targets, strict=True)
    )
    return client and place and scope and targets and known.retry_after_seconds <= 0


def is_tainted(who: Caller, known: Facts) -> bool:
    return known.tainted or who.always_tainted or who.kind is CallerKind.OPERATOR or who.face is Face.AGENT


def test_the_oracle_says_yes_to_the_world_that_passes() -> None:
    assert should_pass(caller(), requirement(), facts())
    assert should_pass(caller(), reading(), facts())


@PROPERTY
@given(questions())
def test_a_call_passes_exactly_when_the_intersection_rule_lets_it(question: Question) -> None:
    assert (not isinstance(decide(*question), Refuse)) is should_pass(*question)


@PROPERTY
@given(questions())
def test_whatever_is_allowed_without_a_proof_is_a_read_or_a_plain_write_that_taint_leaves_alone(
    question: Question,
) -> None:
    who, asked, known = question
    if isinstance(decide(*question), Allow) and asked.kind is Kind.WRITE:
        assert asked.tier is Tier.WRITE
        assert all(target.rule is Rule.ALLOW for target in known.targets)
        if is_tainted(who, known):
            assert asked.reach is Reach.SAME_CHANNEL or (asked.reach is Reach.AUDIENCE and not known.audience_leaks)


@PROPERTY
@given(questions())
def test_a_confirmation_never_asks_below_the_tier_of_the_effect(question: Question) -> None:
    who, asked, known = question
    decision = decide(*question)
    if isinstance(decision, NeedsConfirmation):
        assert decision.tier >= max(asked.tier, Tier.RISKY)
        person = decision.tier is Tier.CRITICAL or is_tainted(who, known)
        assert decision.strength is (Strength.PERSON if person else Strength.TOKEN)


@PROPERTY
@given(questions(), st.sampled_from(list(Rule)))
def test_a_stricter_policy_never_makes_a_decision_laxer(question: Question, rule: Rule) -> None:
    who, asked, known = question
    stricter = replace(known, targets=tuple(replace(target, rule=max(target.rule, rule)) for target in known.targets))
    assert strictness(decide(who, asked, stricter)) >= strictness(decide(*question))


@PROPERTY
@given(questions())
def test_taint_never_makes_a_decision_laxer(question: Question) -> None:
    who, asked, known = question
    clean, tainted = replace(known, tainted=False), replace(known, tainted=True)
    assert strictness(decide(who, asked, tainted)) >= strictness(decide(who, asked, clean))
    unknown_audience = replace(known, audience_leaks=True)
    assert strictness(decide(who, asked, unknown_audience)) >= strictness(decide(*question))


@PROPERTY
@given(questions())
def test_a_higher_tier_never_makes_a_decision_laxer(question: Question) -> None:
    who, asked, known = question
    if asked.kind is Kind.WRITE:
        by_tier = [
            strictness(decide(who, replace(asked, tier=tier), known)) for tier in (1, 2, 3) for tier in [Tier(tier)]
        ]
        assert by_tier == sorted(by_tier)


# The owner is known by his rank as well, and the rest is description.
UNDECISIVE = {"source", "is_bot", "is_administrator", "is_guild_owner"}
OPTIONAL = [field for field in fields(Facts) if field.name not in ("now", "platform_age_seconds", "targets")]
OPTIONAL_AT_TARGET = [
    field for field in fields(TargetFacts) if field.name not in {"visible", "bot", "actor"} | UNDECISIVE
]


@PROPERTY
@given(questions(), st.sampled_from(OPTIONAL + OPTIONAL_AT_TARGET))
def test_a_fact_that_goes_missing_never_makes_a_decision_laxer(question: Question, field: object) -> None:
    who, asked, known = question
    chosen = next(each for each in (*OPTIONAL, *OPTIONAL_AT_TARGET) if each is field)
    if chosen in OPTIONAL:
        poorer = replace(known, **{chosen.name: chosen.default})
    else:
        poorer = replace(
            known, targets=tuple(replace(target, **{chosen.name: chosen.default}) for target in known.targets)
        )
    assert strictness(decide(who, asked, poorer)) >= strictness(decide(*question))


@PROPERTY
@given(questions())
def test_a_viewer_never_writes(question: Question) -> None:
    who, asked, known = question
    if asked.kind is not Kind.READ:
        assert isinstance(decide(who, asked, replace(known, role=PlatformRole.VIEWER)), Refuse)


@PROPERTY
@given(questions())
def test_an_operator_acts_only_in_listed_guilds_and_never_writes_beyond_a_channel_without_a_person(
    question: Question,
) -> None:
    who, asked, known = question
    who = replace(who, kind=CallerKind.OPERATOR)
    decision = decide(who, asked, known)
    if not isinstance(decision, Refuse):
        assert who.guild_ids is not None
        assert GUILD in who.guild_ids
    if isinstance(decision, NeedsConfirmation):
        assert decision.strength is Strength.PERSON
    if asked.kind is Kind.WRITE and asked.reach is Reach.LEAVES:
        assert decision != ALLOW


@PROPERTY
@given(questions())
def test_an_explanation_decides_as_the_pipeline_and_never_speaks_of_what_is_hidden(question: Question) -> None:
    decision, explanation = decide(*question), pipeline.explain(*question)
    explained = explanation.decision
    if isinstance(explained, Refuse) and explained.hidden:
        # Something may be refused aloud before; of an object that is hidden nothing is told all the same.
        assert isinstance(decision, Refuse)
        assert explanation.steps == ()
        return
    assert explained == decision
    assert [report.step for report in explanation.steps] == [*pipeline.GATE_STEPS, *pipeline.JUDGE_STEPS]
    assert all(report.passed for report in explanation.steps) is not isinstance(decision, Refuse)


@PROPERTY
@given(questions(), st.data())
def test_a_hidden_refusal_is_the_same_whatever_else_is_true_of_the_target(
    question: Question, data: st.DataObject
) -> None:
    """Attack 12: the explanation of something hidden carries nothing that depends on it."""
    who, asked, known = question
    unseen = replace(known, targets=tuple(replace(target, visible=False) for target in known.targets))
    other = data.draw(knowledge(known))
    elsewise = replace(unseen, targets=tuple(replace(target, visible=False) for target in other.targets))
    assert pipeline.explain(who, asked, unseen) == pipeline.explain(who, asked, elsewise)
    assert decide(who, asked, unseen) == decide(who, asked, elsewise)


@PROPERTY
@given(questions(), st.data())
def test_an_allowed_read_stays_allowed_exactly_while_only_time_passes_within_its_bounds(
    question: Question, data: st.DataObject
) -> None:
    who, asked, known = question
    if asked.kind is not Kind.READ or not isinstance(decide(*question), Allow):
        return
    ages = st.sampled_from([0.0, 59.9, 60.0, 60.1, math.inf])
    platform_age: float = data.draw(ages)
    fact_age: float = data.draw(ages)
    moments = [0.0, known.now] if who.expires_at is None else [who.expires_at - 1, who.expires_at]
    now: float = data.draw(st.sampled_from(moments))
    later = replace(
        known,
        now=now,
        platform_age_seconds=platform_age,
        targets=tuple(replace(target, age_seconds=fact_age) for target in known.targets),
    )
    still = pipeline.still_allows(who, now, platform_age, fact_age)
    assert still is isinstance(decide(who, asked, later), Allow)
