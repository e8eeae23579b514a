"""Guild and channel policy: inheritance, raised tiers, mapped roles."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from policy.model import OperationClass, PlatformRole, Rule, Tier
from policy.rules import RULES, ChannelRules, ClassRules, GuildRules, RuleName, effective, mapped_role, raised_tier
from tests.policy.strategies import PROPERTY
from tests.policy.worlds import reading, requirement

NAMES = st.sampled_from(get_args(RuleName))
CLASS_RULES = st.builds(ClassRules, read=st.sampled_from(["allow", "deny"]), write=NAMES, destroy=NAMES)
GUILD_RULES = st.builds(GuildRules, rules=CLASS_RULES)
LINEAGE = st.lists(st.builds(ChannelRules, rules=CLASS_RULES), max_size=3)
CLASSES = st.sampled_from(list(OperationClass))


def test_what_is_not_named_allows() -> None:
    for operation_class in OperationClass:
        assert effective(operation_class, GuildRules(), [ChannelRules()]) is Rule.ALLOW


def test_a_rule_speaks_of_its_own_class_only() -> None:
    guild = GuildRules(rules=ClassRules(destroy="deny", write="confirm"))
    assert [
        effective(each, guild, []) for each in (OperationClass.READ, OperationClass.WRITE, OperationClass.DESTROY)
    ] == [
        Rule.ALLOW,
        Rule.CONFIRM,
        Rule.DENY,
    ]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_deny_wins_wherever_in_the_lineage_it_stands(place: int) -> None:
    lineage = [ChannelRules(rules=ClassRules(write="allow"))] * 3
    lineage[place] = ChannelRules(rules=ClassRules(write="deny"))
    assert effective(OperationClass.WRITE, GuildRules(rules=ClassRules(write="confirm")), lineage) is Rule.DENY


def test_a_channel_cannot_allow_what_its_guild_denies() -> None:
    guild = GuildRules(rules=ClassRules(write="deny"))
    assert effective(OperationClass.WRITE, guild, [ChannelRules(rules=ClassRules(write="allow"))]) is Rule.DENY


@PROPERTY
@given(CLASSES, GUILD_RULES, LINEAGE)
def test_the_strictest_rule_holds_in_any_order(
    operation_class: OperationClass, guild: GuildRules, lineage: list[ChannelRules]
) -> None:
    rule = effective(operation_class, guild, lineage)
    assert rule is effective(operation_class, guild, reversed(lineage))
    every = [guild.rules.of(operation_class), *(channel.rules.of(operation_class) for channel in lineage)]
    assert rule in every
    assert all(rule >= each for each in every)


@PROPERTY
@given(CLASSES, GUILD_RULES, LINEAGE, CLASS_RULES)
def test_one_more_policy_never_loosens(
    operation_class: OperationClass, guild: GuildRules, lineage: list[ChannelRules], more: ClassRules
) -> None:
    longer = [*lineage, ChannelRules(rules=more)]
    assert effective(operation_class, guild, longer) >= effective(operation_class, guild, lineage)


def test_the_names_of_rules_are_in_the_order_of_strictness() -> None:
    assert [RULES[name] for name in ("allow", "confirm", "deny")] == sorted(Rule)


@pytest.mark.parametrize(
    "bad",
    [
        {"rules": {"read": "confirm"}},
        {"rules": {"write": "maybe"}},
        {"rules": {"delete": "deny"}},
        {"role_map": {"1": "owner"}},
        {"role_map": {"moderators": "manager"}},
        {"tiers": {"message_send": "read"}},
        {"surprise": True},
    ],
)
def test_a_policy_that_nobody_could_mean_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GuildRules.model_validate(bad)


def test_a_policy_survives_being_stored_as_json() -> None:
    rules = GuildRules(
        rules=ClassRules(write="confirm"), role_map={2**63 - 1: "admin"}, tiers={"role_assign": "critical"}
    )
    assert GuildRules.model_validate_json(rules.model_dump_json()) == rules


# ---------------------------------------------------------------------- tiers
@pytest.mark.parametrize("tier", [Tier.WRITE, Tier.RISKY, Tier.CRITICAL])
@pytest.mark.parametrize("name", ["write", "risky", "critical", None])
def test_a_guild_raises_a_tier_and_never_lowers_it(tier: Tier, name: Any) -> None:
    asked = requirement(tier=tier)
    guild = GuildRules(tiers={} if name is None else {asked.operation: name})
    raised = raised_tier(guild, asked)
    assert raised >= tier
    assert raised is max(tier, Tier[(name or "write").upper()])


def test_a_raised_tier_is_that_of_one_operation() -> None:
    guild = GuildRules(tiers={"role_assign": "critical"})
    assert raised_tier(guild, requirement()) is Tier.WRITE
    assert raised_tier(guild, reading()) is Tier.READ


# ---------------------------------------------------------------------- roles
@pytest.mark.parametrize(
    ("role_ids", "expected"),
    [
        ((), PlatformRole.MEMBER),
        ((9,), PlatformRole.MEMBER),
        ((1,), PlatformRole.VIEWER),
        ((1, 9), PlatformRole.VIEWER),
        ((1, 2), PlatformRole.MANAGER),
        ((3, 2, 1), PlatformRole.ADMIN),
    ],
)
def test_a_member_has_the_highest_role_that_his_roles_map_to(role_ids: tuple[int, ...], expected: PlatformRole) -> None:
    guild = GuildRules(role_map={1: "viewer", 2: "manager", 3: "admin"})
    assert mapped_role(guild, role_ids) is expected


@PROPERTY
@given(
    st.dictionaries(st.integers(1, 9), st.sampled_from(["viewer", "member", "manager", "admin"])),
    st.sets(st.integers(1, 9)),
)
def test_no_mapping_makes_an_owner(role_map: dict[int, Any], role_ids: set[int]) -> None:
    assert mapped_role(GuildRules(role_map=role_map), role_ids) < PlatformRole.OWNER


def test_a_policy_that_says_nothing_records_no_reads_and_asks_for_no_second_person() -> None:
    guild = GuildRules()
    assert (guild.record_reads, guild.four_eyes, guild.approver_role_ids) == (False, False, ())
    assert (guild.approvals_channel_id, guild.log_channel_id) == (None, None)


@pytest.mark.parametrize(
    ("policy", "field"), [(ClassRules(), "write"), (GuildRules(), "four_eyes"), (ChannelRules(), "rules")]
)
def test_a_policy_in_use_is_not_changed_in_place(policy: ClassRules | GuildRules | ChannelRules, field: str) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(policy, field, None)
