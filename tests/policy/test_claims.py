"""Claims: steps 2 and 3 for a guild that nobody has installed, and for no other; and what a guild is served with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from policy import pipeline
from policy.model import ALLOW, CallerKind, Decision, Facts, Kind, Refuse, Step
from policy.permissions import Bits
from policy.presets import PRESETS
from policy.rules import GuildRules, loosens
from tests.policy.worlds import GUILD, OTHER_GUILD, at_target, caller, facts, need, requirement, standing

MANAGE = int(Bits.manage_guild)
CLAIM = requirement(
    operation="guild_claim",
    toolset="administration",
    scope="admin:claim",
    of_inert_guild=True,
    needs=(need(bot_bits=0, actor_bits=MANAGE),),
)
CLAIMANT = caller(
    kind=CallerKind.MEMBER, workspace_id=None, scopes=frozenset({"admin:claim"}), guild_ids=frozenset({GUILD})
)


def inert(**changes: Any) -> Facts:
    known = at_target(actor=standing(bits=MANAGE))
    return replace(known, **{"installation": None, "claimed_guild_id": GUILD, **changes})


def decided(known: Facts, by: Any = CLAIMANT, asked: Any = CLAIM) -> Decision:
    decision = pipeline.gate(by, asked, known)
    return decision if isinstance(decision, Refuse) else pipeline.judge(by, asked, known)


def test_a_member_with_the_right_claims_a_guild_that_nobody_has() -> None:
    assert decided(inert()) == ALLOW


@pytest.mark.parametrize(
    ("known", "step", "code", "hidden"),
    [
        (inert(role=None), Step.MEMBERSHIP, "no_member", True),
        (inert(claimed_guild_id=None), Step.INSTALLATION, "outside_grant", True),
        (inert(claimed_guild_id=OTHER_GUILD), Step.INSTALLATION, "outside_grant", True),
        (inert(installation=facts().installation), Step.INSTALLATION, "guild_taken", False),
        (inert(guild_allowed=False), Step.INSTALLATION, "not_listed", False),
        (inert(targets=at_target(actor=standing(bits=0)).targets), Step.DISCORD, "you_lack_permission", False),
        (inert(retry_after_seconds=2.0), Step.RATE, "rate_limited", False),
    ],
)
def test_a_claim_is_refused_where_one_thing_is_missing(known: Facts, step: Step, code: str, hidden: bool) -> None:
    decision = decided(known)
    assert isinstance(decision, Refuse)
    assert (decision.step, decision.code, decision.hidden) == (step, code, hidden)


def test_a_claimant_may_nothing_else_and_the_road_of_a_claim_is_no_other_operations() -> None:
    for asked in (
        requirement(),
        requirement(toolset="administration", scope="admin:policy"),
        replace(CLAIM, of_inert_guild=False),
    ):
        assert isinstance(decided(inert(), asked=asked), Refuse)


@pytest.mark.parametrize("guild_ids", [None, frozenset[int](), frozenset({OTHER_GUILD})])
def test_only_a_caller_of_that_very_guild_claims_it(guild_ids: frozenset[int] | None) -> None:
    assert isinstance(decided(inert(), by=replace(CLAIMANT, guild_ids=guild_ids)), Refuse)


# ------------------------------------------------------------------- presets
def test_a_guild_is_served_with_its_preset_alone_and_administration_stays() -> None:
    known = facts(preset="read_only")
    refused = decided(known, caller(), requirement())
    assert isinstance(refused, Refuse)
    assert (refused.step, refused.code) == (Step.SCOPE, "preset")
    setting = requirement(operation="policy_set", toolset="administration")
    assert decided(known, caller(), setting) == ALLOW
    assert decided(known, caller(kind=CallerKind.SYSTEM, deeds=frozenset({"message_send"})), requirement()) == ALLOW
    unknown = decided(facts(preset="nonsense"), caller(), requirement())
    assert isinstance(unknown, Refuse)


def test_what_undoes_something_that_is_served_is_served_too() -> None:
    everyday = PRESETS["everyday"]
    assert everyday.serves("member_timeout", "members", Kind.WRITE)
    assert everyday.serves("member_timeout_remove", "members", Kind.WRITE)
    assert not everyday.serves("member_ban", "members", Kind.WRITE)


def test_choosing_a_preset_tightens_and_changing_one_may_loosen() -> None:
    nothing, everyday, everything = GuildRules(), GuildRules(preset="everyday"), GuildRules(preset="all")
    assert loosens(nothing, everyday) == ()
    assert loosens(everything, everyday) == ()
    assert loosens(everyday, everyday) == ()
    assert loosens(everyday, nothing) == ("the preset from everyday to all",)
    assert loosens(everyday, GuildRules(preset="read_only")) == ("the preset from everyday to read_only",)
