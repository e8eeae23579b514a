"""What a caller that has read text of others may not do without a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.model import CallerKind, Face, Reach, Tier
from policy.taint import TAINT_SECONDS, Source, is_tainted, tier_under_taint
from tests.policy.strategies import PROPERTY
from tests.policy.worlds import caller, facts


@pytest.mark.parametrize(
    ("reach", "leaks", "expected"),
    [
        (Reach.LEAVES, False, Tier.RISKY),
        (Reach.LEAVES, True, Tier.RISKY),
        (Reach.AUDIENCE, True, Tier.RISKY),
        (Reach.AUDIENCE, False, Tier.WRITE),
        (Reach.SAME_CHANNEL, True, Tier.WRITE),
        (Reach.SAME_CHANNEL, False, Tier.WRITE),
    ],
)
def test_a_tainted_write_that_may_carry_text_away_becomes_risky(reach: Reach, leaks: bool, expected: Tier) -> None:
    assert tier_under_taint(Tier.WRITE, reach, tainted=True, audience_leaks=leaks) is expected


@PROPERTY
@given(st.sampled_from(list(Tier)), st.sampled_from(list(Reach)), st.booleans(), st.booleans())
def test_taint_never_lowers_a_tier(tier: Tier, reach: Reach, tainted: bool, leaks: bool) -> None:
    asked = tier_under_taint(tier, reach, tainted=tainted, audience_leaks=leaks)
    assert asked >= tier
    assert tainted or asked is tier


def test_who_has_read_nothing_is_not_tainted() -> None:
    assert not is_tainted(caller(), facts(tainted=False))
    assert is_tainted(caller(), facts(tainted=True))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"kind": CallerKind.OPERATOR}, True),
        ({"face": Face.AGENT}, True),
        ({"kind": CallerKind.MEMBER, "face": Face.AGENT}, True),
        ({"kind": CallerKind.AUTOMATION, "face": Face.AUTOMATION, "always_tainted": True}, True),
        ({"kind": CallerKind.AUTOMATION, "face": Face.AUTOMATION}, False),
        ({"kind": CallerKind.MEMBER, "face": Face.SLASH}, False),
    ],
)
def test_operators_the_agent_and_event_driven_automations_are_always_tainted(
    changes: dict[str, object], expected: bool
) -> None:
    assert is_tainted(caller(**changes), facts(tainted=False)) is expected


def test_sources_are_told_apart_by_place_and_gate() -> None:
    assert len({Source(1), Source(1), Source(1, 2), Source(2), Source(1, None, 8)}) == 4
    assert TAINT_SECONDS == 3600
