"""Line 3: a guild's policy is no master key. Whoever may change it ends with no confirmation path that he lacked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.discord.channel_policies import raised
from operations.platform.policies import SetPolicy
from policy import pipeline
from policy.model import (
    Decision,
    Face,
    NeedsConfirmation,
    PlatformRole,
    Refuse,
    Requirement,
    Standing,
    Strength,
    Target,
    Tier,
)
from policy.rules import GuildRules, effective, loosens, mapped_role, raised_tier
from policy.scopes import EVERYTHING
from tests.administering import asked, by_hand, done, pressed, refused
from tests.app import Place, until
from tests.policy.strategies import PROPERTY
from tests.policy.test_loosening import GUILD_RULES, HOLDINGS
from tests.policy.worlds import ADMINISTRATOR, GUILD, caller, facts, need, requirement, target_facts

GUILD_TARGET = Target("guild", GUILD, GUILD, "Harbor")
ROLES = st.sampled_from(PlatformRole)
BITS = st.sampled_from([0, ADMINISTRATOR])
REFUSED, BY_TWO, BY_PERSON, BY_CLIENT, FREE = 4, 3, 2, 1, 0


def asked_of(before: GuildRules, after: GuildRules) -> Requirement:
    """What policy_set asks for, made as it makes it."""
    guild_need = need(target=GUILD_TARGET, bot_bits=0, actor_bits=0)
    base = SetPolicy.base_requirement((guild_need,))
    return raised(base, guild_need) if loosens(before, after) else base


def decided(asked: Requirement, role: PlatformRole, bits: int, rules: GuildRules) -> Decision:
    """Steps 1-7 for a member with this role and these bits, under these rules."""
    who = caller(face=Face.SLASH, scopes=EVERYTHING)
    rule = effective(asked.operation_class, rules, [])
    known = facts(role=role, four_eyes=rules.four_eyes, tainted=False)
    target = target_facts(rule=rule)
    target = replace(target, actor=replace(target.actor, bits=bits))
    known = replace(known, targets=tuple(target for _ in asked.needs))
    asked = replace(asked, tier=raised_tier(rules, asked))
    gate = pipeline.gate(who, asked, known)
    return gate if isinstance(gate, Refuse) else pipeline.judge(who, asked, known)


def hardness(rules: GuildRules, held: tuple[int, ...], asked: Requirement) -> int:
    """How hard it is for a member who holds these roles in Discord to get this done."""
    decision = decided(asked, mapped_role(rules, held), ADMINISTRATOR, rules)
    if isinstance(decision, Refuse):
        return REFUSED
    if not isinstance(decision, NeedsConfirmation):
        return FREE
    if decision.strength is not Strength.PERSON:
        return BY_CLIENT
    return BY_TWO if rules.four_eyes else BY_PERSON


@PROPERTY
@given(ROLES, BITS, GUILD_RULES, GUILD_RULES, st.sampled_from(HOLDINGS), st.sampled_from([*Tier][1:]), ROLES)
def test_line_03_a_change_gives_a_path_only_by_an_admin_who_is_administrator_and_confirms_it(
    role: PlatformRole,
    bits: int,
    before: GuildRules,
    after: GuildRules,
    held: tuple[int, ...],
    tier: Tier,
    least: PlatformRole,
) -> None:
    decision = decided(asked_of(before, after), role, bits, before)
    if isinstance(decision, Refuse):
        return
    if loosens(before, after):
        assert role >= PlatformRole.ADMIN
        assert bits & ADMINISTRATOR
        assert decision == NeedsConfirmation(Strength.PERSON, Tier.CRITICAL)
        return
    assert role >= PlatformRole.MANAGER
    call = requirement(tier=tier, min_role=least)
    assert hardness(after, held, call) >= hardness(before, held, call)


@PROPERTY
@given(GUILD_RULES, st.sampled_from(HOLDINGS), ROLES)
def test_line_03_no_policy_takes_critical_from_a_person(
    rules: GuildRules, held: tuple[int, ...], least: PlatformRole
) -> None:
    assert hardness(rules, held, requirement(tier=Tier.CRITICAL, min_role=least)) >= BY_PERSON


@PROPERTY
@given(GUILD_RULES, GUILD_RULES)
def test_line_03_no_policy_locks_its_own_editor_out(before: GuildRules, after: GuildRules) -> None:
    """An admin who is administrator can always change it, with whoever four_eyes asks for."""
    decision = decided(asked_of(before, after), PlatformRole.ADMIN, ADMINISTRATOR, before)
    assert isinstance(decision, NeedsConfirmation)


def test_the_world_of_the_property_can_refuse_and_allow() -> None:
    """Else it would prove nothing."""
    free, strict = GuildRules(), GuildRules.model_validate({"rules": {"write": "deny"}})
    assert isinstance(decided(asked_of(strict, free), PlatformRole.MANAGER, ADMINISTRATOR, strict), Refuse)
    assert isinstance(decided(asked_of(strict, free), PlatformRole.ADMIN, 0, strict), Refuse)
    assert isinstance(decided(asked_of(free, strict), PlatformRole.MANAGER, 0, free), NeedsConfirmation)
    assert hardness(free, (), requirement()) == FREE
    assert hardness(strict, (), requirement()) == REFUSED
    assert isinstance(target_facts().actor, Standing)


# ------------------------------------------------------- by way of a channel
def moves(place: Place) -> list[tuple[str, dict[str, Any]]]:
    """Every way to get a channel from under its category's policy."""
    return [
        ("channel_edit", {"channel": place.channel("mod-room"), "category": place.channel("Talk")}),
        ("channel_edit", {"channel": place.channel("mod-room"), "leave_category": True}),
        ("channel_delete", {"channel": place.channel("Staff")}),
    ]


@pytest.mark.asyncio(loop_scope="session")
async def test_line_03_a_channel_moved_to_where_its_policy_would_loosen_is_for_editors_of_the_policy(
    place: Place,
) -> None:
    await place.set_policy("Staff", destroy="confirm", write="confirm")
    await place.set_role("ada", PlatformRole.MANAGER)  # administrator in Discord, no admin of the workspace
    for operation, arguments in moves(place):
        for who in ("marlow", "ada"):
            refusal = await refused(place, operation, who, **arguments)
            assert (refusal.step.value, refusal.code) == ("scope", "role"), (operation, who)
            assert "admin" in refusal.reason
    await place.set_role("marlow", PlatformRole.ADMIN)  # admin of the workspace, no administrator in Discord
    for operation, arguments in moves(place):
        assert (await refused(place, operation, "marlow", **arguments)).code == "you_lack_permission"
    await place.set_role("ada", PlatformRole.ADMIN)
    waiting = await asked(place, "channel_edit", "ada", **moves(place)[0][1])
    assert waiting.tier is Tier.CRITICAL
    assert waiting.preview is not None
    assert (await pressed(place, waiting, "ada")).status.value == "done"


@pytest.mark.asyncio(loop_scope="session")
async def test_line_03_an_admin_by_role_map_edits_the_policy_and_moves_its_channels_alike(place: Place) -> None:
    await place.set_rules(role_map={int(place.role("Admin")): "admin"})
    await place.set_policy("Staff", write="confirm")
    waiting = await asked(place, "channel_edit", "ada", channel=place.channel("mod-room"), leave_category=True)
    assert (await pressed(place, waiting, "ada")).status.value == "done"


@pytest.mark.asyncio(loop_scope="session")
async def test_line_03_a_move_is_judged_again_by_the_policy_of_its_confirmation(place: Place) -> None:
    """It loosened nothing when it was asked for."""
    await place.set_rules(tiers={"channel_edit": "critical"})
    waiting = await asked(place, "channel_edit", "marlow", channel=place.channel("mod-room"), leave_category=True)
    await place.set_policy("Staff", write="deny")
    outcome = await pressed(place, waiting, "marlow")
    assert outcome.refusal is not None
    assert outcome.refusal.code in ("role", "denied_by_policy")
    assert (await place.channels())["mod-room"]["parent_id"] == place.channel("Staff")


@pytest.mark.asyncio(loop_scope="session")
async def test_line_03_undoing_a_move_into_a_strict_category_is_a_loosening_too(place: Place) -> None:
    await place.set_policy("Staff", write="confirm")
    moved = await by_hand(
        place, "channel_edit", "marlow", channel=place.channel("general"), category=place.channel("Staff")
    )
    if moved.status.value == "needs_confirmation":
        moved = await pressed(place, moved, "marlow")
    assert moved.status.value == "done", moved
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None
    channel = guild.get_channel(int(place.channel("general")))
    assert channel is not None
    await until(lambda: channel.category_id == int(place.channel("Staff")), "the move arrives")
    assert (await refused(place, "audit_revert", "marlow", call=moved.call_id)).code == "role"


@pytest.mark.asyncio(loop_scope="session")
async def test_line_03_a_moderator_with_manager_role_tightens_and_cannot_take_it_back(place: Place) -> None:
    await place.set_role("marlow", PlatformRole.MANAGER)
    tightened = await by_hand(place, "policy_set", "marlow", write="deny")
    assert tightened.status.value == "done"
    assert (await refused(place, "policy_set", "marlow", write="allow")).code == "role"
    assert (await refused(place, "audit_revert", "marlow", call=tightened.call_id)).code == "role"
    assert (await done(place, "policy_get", "marlow"))["rules"]["write"] == "deny"
