"""Which change of a policy lets through what was held before: a person's to make."""

from __future__ import annotations

from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.model import OperationClass, Tier
from policy.rules import (
    ChannelRules,
    ClassRules,
    GuildRules,
    effective,
    loosens,
    loosens_channel,
    mapped_role,
    raised_tier,
)
from tests.policy.strategies import PROPERTY
from tests.policy.test_rules import CLASS_RULES, CLASSES, LINEAGE
from tests.policy.worlds import requirement

ROLE_IDS = (1, 2, 3, 4)
OPERATION = requirement().operation
ROLE_MAPS = st.dictionaries(st.sampled_from(ROLE_IDS), st.sampled_from(["viewer", "member", "manager", "admin"]))
TIERS = st.dictionaries(st.sampled_from([OPERATION, "role_assign"]), st.sampled_from(["write", "risky", "critical"]))
CHANNEL_IDS = st.one_of(st.none(), st.sampled_from([7, 8]))
GUILD_RULES = st.builds(
    GuildRules,
    rules=CLASS_RULES,
    role_map=ROLE_MAPS,
    tiers=TIERS,
    record_reads=st.booleans(),
    approver_role_ids=st.sampled_from([(), (1,), (1, 2), (2, 1)]),
    four_eyes=st.booleans(),
    approvals_channel_id=CHANNEL_IDS,
    log_channel_id=CHANNEL_IDS,
)
HOLDINGS = tuple(chain.from_iterable(combinations(ROLE_IDS, count) for count in range(len(ROLE_IDS) + 1)))


@PROPERTY
@given(GUILD_RULES)
def test_leaving_all_as_it_is_loosens_nothing(rules: GuildRules) -> None:
    assert loosens(rules, rules) == ()


@PROPERTY
@given(GUILD_RULES)
def test_from_nothing_every_rule_tightens_but_a_role_map_upward(rules: GuildRules) -> None:
    assert set(loosens(GuildRules(), rules)) <= {"the role map upward"}


@PROPERTY
@given(GUILD_RULES, GUILD_RULES, CLASSES, LINEAGE, st.sampled_from([Tier.WRITE, Tier.RISKY, Tier.CRITICAL]))
def test_what_does_not_loosen_holds_everything_that_was_held(
    before: GuildRules, after: GuildRules, operation_class: OperationClass, lineage: list[ChannelRules], tier: Tier
) -> None:
    if loosens(before, after):
        return
    asked = requirement(tier=tier)
    assert effective(operation_class, after, lineage) >= effective(operation_class, before, lineage)
    assert raised_tier(after, asked) >= raised_tier(before, asked)
    assert all(mapped_role(after, held) <= mapped_role(before, held) for held in HOLDINGS)
    assert after.four_eyes >= before.four_eyes
    assert after.record_reads >= before.record_reads
    assert not before.approver_role_ids or set(before.approver_role_ids) == set(after.approver_role_ids)
    assert before.approvals_channel_id in (None, after.approvals_channel_id)
    assert before.log_channel_id in (None, after.log_channel_id)


@PROPERTY
@given(GUILD_RULES, GUILD_RULES, GUILD_RULES)
def test_two_steps_that_tighten_do_not_add_up_to_one_that_loosens(
    first: GuildRules, second: GuildRules, third: GuildRules
) -> None:
    if not loosens(first, second) and not loosens(second, third):
        assert loosens(first, third) == ()


@PROPERTY
@given(ROLE_MAPS, ROLE_MAPS)
def test_a_role_map_loosens_exactly_where_somebody_gains(before: dict[int, str], after: dict[int, str]) -> None:
    old, new = (GuildRules.model_validate({"role_map": role_map}) for role_map in (before, after))
    gains = any(mapped_role(new, held) > mapped_role(old, held) for held in HOLDINGS)
    assert bool(loosens(old, new)) is gains


@PROPERTY
@given(CLASS_RULES, CLASS_RULES, CLASSES, LINEAGE)
def test_a_channels_rules_that_do_not_loosen_hold_what_was_held(
    before: ClassRules, after: ClassRules, operation_class: OperationClass, others: list[ChannelRules]
) -> None:
    old, new = ChannelRules(rules=before), ChannelRules(rules=after)
    held = effective(operation_class, GuildRules(), [*others, old])
    if not loosens_channel(old, new):
        assert effective(operation_class, GuildRules(), [*others, new]) >= held


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"rules": {"write": "deny"}}, {"rules": {"write": "confirm"}}, "write from deny to confirm"),
        ({"tiers": {"role_assign": "critical"}}, {"tiers": {"role_assign": "risky"}}, "from critical to risky"),
        ({"tiers": {"role_assign": "risky"}}, {}, "the tier of role_assign from risky to unset"),
        ({"role_map": {"1": "viewer"}}, {}, "the role map upward"),
        ({"role_map": {"1": "viewer"}}, {"role_map": {"1": "viewer", "2": "member"}}, "the role map upward"),
        ({}, {"role_map": {"1": "manager"}}, "the role map upward"),
        ({"approver_role_ids": [1]}, {"approver_role_ids": [1, 2]}, "the approver roles"),
        ({"approver_role_ids": [1, 2]}, {"approver_role_ids": [1]}, "the approver roles"),
        ({"approvals_channel_id": 7}, {"approvals_channel_id": 8}, "the approvals channel"),
        ({"approvals_channel_id": 7}, {}, "the approvals channel"),
        ({"log_channel_id": 7}, {}, "the log channel"),
        ({"four_eyes": True}, {}, "four_eyes"),
        ({"record_reads": True}, {}, "record_reads"),
    ],
)
def test_what_loosens_is_told_by_name(before: dict[str, object], after: dict[str, object], told: str) -> None:
    [phrase] = loosens(GuildRules.model_validate(before), GuildRules.model_validate(after))
    assert told in phrase


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"approvals_channel_id": 7, "approver_role_ids": [1], "four_eyes": True}),
        ({"rules": {"write": "confirm"}}, {"rules": {"write": "deny", "read": "deny"}}),
        ({"tiers": {"role_assign": "risky"}}, {"tiers": {"role_assign": "critical", "message_send": "risky"}}),
        ({"role_map": {"1": "manager"}}, {"role_map": {"1": "viewer"}}),
        ({"role_map": {"1": "manager"}}, {}),
        ({"approver_role_ids": [1, 2]}, {"approver_role_ids": [2, 1]}),
    ],
)
def test_what_tightens_is_nobodys_loosening(before: dict[str, object], after: dict[str, object]) -> None:
    assert loosens(GuildRules.model_validate(before), GuildRules.model_validate(after)) == ()
