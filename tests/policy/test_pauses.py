"""What a pause holds, and which bursts bring one about."""

from __future__ import annotations

import pytest

from policy import bursts, checks
from policy.model import (
    ALLOW,
    CallerKind,
    Face,
    Facts,
    Kind,
    OperationClass,
    Pause,
    PauseCause,
    PauseScope,
    Refuse,
    Step,
    Tier,
)
from policy.pauses import in_force, key_of
from tests.policy.worlds import NOW, caller, decide, facts, reading, requirement

GUILD = Pause(PauseScope.GUILD, NOW + 60)


@pytest.mark.parametrize("scope", list(PauseScope))
def test_writes_are_refused_with_until_when_and_who_ends_it(scope: PauseScope) -> None:
    decision = decide(caller(), requirement(), facts(pause=Pause(scope, NOW + 60)))
    assert isinstance(decision, Refuse)
    assert (decision.step, decision.code, decision.hidden) == (Step.INSTALLATION, checks.PAUSED, False)
    assert "until 2027-01-15 08:01:00 UTC" in decision.reason
    assert "resume" in decision.remedy
    assert decision.retry_after_seconds == 60


def test_one_that_is_open_ended_names_no_time() -> None:
    decision = decide(caller(), requirement(), facts(pause=Pause(PauseScope.GUILD)))
    assert isinstance(decision, Refuse)
    assert "until somebody ends it" in decision.reason
    assert decision.retry_after_seconds is None


def test_reading_and_what_works_meanwhile_go_on() -> None:
    assert decide(caller(), reading(), facts(pause=GUILD)) == ALLOW
    assert decide(caller(), requirement(works_paused=True), facts(pause=GUILD)) == ALLOW
    moving = requirement(kind=Kind.CONTROL)
    assert isinstance(decide(caller(), moving, facts(pause=GUILD)), Refuse)


def test_one_that_has_run_out_holds_nothing() -> None:
    assert decide(caller(), requirement(), facts(pause=Pause(PauseScope.GUILD, NOW))) == ALLOW


def test_what_is_not_known_of_pauses_refuses() -> None:
    unknown = Facts(now=NOW, platform_age_seconds=0.0).pause
    assert isinstance(decide(caller(), requirement(), facts(pause=unknown)), Refuse)


def test_a_foreign_guild_stays_hidden_while_it_is_paused() -> None:
    decision = decide(caller(), requirement(), facts(pause=GUILD, installation=None))
    assert isinstance(decision, Refuse)
    assert decision.hidden


def test_the_widest_that_holds_is_told() -> None:
    process, own = Pause(PauseScope.PROCESS, NOW - 1), Pause(PauseScope.CALLER)
    assert in_force([process, None, GUILD, own], NOW) is GUILD


def test_the_agent_in_a_members_name_is_somebody_else() -> None:
    member = caller(kind=CallerKind.MEMBER, client_id="discord:42", face=Face.SLASH)
    agent = caller(kind=CallerKind.MEMBER, client_id="discord:42", face=Face.AGENT)
    assert key_of(member) != key_of(agent)


# ------------------------------------------------------------------- bursts
DESTROYING = requirement(operation="channel_delete", operation_class=OperationClass.DESTROY, tier=Tier.CRITICAL)


def refusal(step: Step, code: str = "x", retry_after_seconds: float | None = None) -> Refuse:
    return Refuse(step, code, "no", retry_after_seconds=retry_after_seconds)


@pytest.mark.parametrize("step", [Step.SCOPE, Step.CHANNEL, Step.DISCORD, Step.RESOLVE, Step.MEMBERSHIP])
def test_refused_writes_count(step: Step) -> None:
    assert bursts.counts_as(caller(), requirement(), refusal(step)) is PauseCause.REFUSALS


@pytest.mark.parametrize("step", [Step.VALIDATE, Step.CLIENT, Step.EXECUTE])
def test_mistakes_and_credentials_that_others_use_count_for_nobody(step: Step) -> None:
    assert bursts.counts_as(caller(), requirement(), refusal(step)) is None


def test_what_is_refused_for_a_while_counts_for_nobody() -> None:
    assert bursts.counts_as(caller(), requirement(), refusal(Step.DISCORD, retry_after_seconds=5.0)) is None
    assert bursts.counts_as(caller(), requirement(), refusal(Step.INSTALLATION, checks.PAUSED)) is None


def test_reads_the_system_and_moves_of_unknown_plans_count_for_nobody() -> None:
    assert bursts.counts_as(caller(), reading(), refusal(Step.DISCORD)) is None
    assert bursts.counts_as(caller(), None, refusal(Step.RESOLVE)) is None
    assert bursts.counts_as(caller(kind=CallerKind.SYSTEM), requirement(), refusal(Step.DISCORD)) is None


def test_deletions_count_whether_they_are_let_through_or_come_too_fast() -> None:
    assert bursts.counts_as(caller(), DESTROYING, None) is PauseCause.DESTRUCTIONS
    assert (
        bursts.counts_as(caller(), DESTROYING, refusal(Step.RATE, retry_after_seconds=3.0)) is PauseCause.DESTRUCTIONS
    )
    assert bursts.counts_as(caller(), requirement(), None) is None
    assert bursts.counts_as(caller(), requirement(), refusal(Step.RATE, retry_after_seconds=3.0)) is None


@pytest.mark.parametrize("cause", list(bursts.BURSTS))
def test_a_burst_is_many_within_its_time(cause: PauseCause) -> None:
    burst = bursts.BURSTS[cause]
    quick = [NOW - burst.seconds / 2] * burst.count
    assert bursts.is_burst(cause, quick, NOW)
    assert not bursts.is_burst(cause, quick[1:], NOW)
    assert not bursts.is_burst(cause, [NOW - burst.seconds, *quick[1:]], NOW)
