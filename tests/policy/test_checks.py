"""Every check has a case that passes, one that refuses, and its boundary."""

from __future__ import annotations

import math

import pytest

from policy import checks
from policy.model import (
    OUTSIDE_RANK,
    OWNER_RANK,
    CallerKind,
    Face,
    Facts,
    Kind,
    OperationClass,
    PlatformRole,
    Refuse,
    Rule,
    Step,
    Target,
    Tier,
)
from policy.permissions import Bits
from tests.policy.worlds import (
    ADMINISTRATOR,
    GUILD,
    MEMBER,
    NOW,
    OTHER_GUILD,
    OTHER_WORKSPACE,
    ROLES,
    SEND,
    caller,
    facts,
    installation,
    need,
    reading,
    requirement,
    standing,
    target_facts,
)


def code(refusal: Refuse | None) -> str | None:
    return None if refusal is None else refusal.code


# ------------------------------------------------------------------ 1 client
def test_a_live_credential_passes() -> None:
    assert checks.credential_is_live(caller(), facts()) is None


def test_a_revoked_credential_is_refused_and_told_so() -> None:
    refusal = checks.credential_is_live(caller(active=False), facts())
    assert refusal is not None
    assert (refusal.step, refusal.code) == (Step.CLIENT, "revoked")
    assert refusal.remedy


@pytest.mark.parametrize(("expires_at", "expected"), [(NOW + 0.001, None), (NOW, "expired"), (NOW - 1, "expired")])
def test_a_credential_expires_at_its_very_second(expires_at: float, expected: str | None) -> None:
    assert code(checks.credential_is_live(caller(expires_at=expires_at), facts())) == expected


def test_a_credential_that_expires_is_refused_when_the_time_is_unknown() -> None:
    assert code(checks.credential_is_live(caller(expires_at=NOW), facts(now=math.nan))) == "expired"


def test_a_token_for_this_instance_passes_and_any_other_does_not() -> None:
    assert checks.audience_is_this_instance(caller(), facts()) is None
    assert code(checks.audience_is_this_instance(caller(), facts(audience_ok=False))) == "wrong_audience"


@pytest.mark.parametrize(
    ("age", "expected"),
    [(0.0, None), (60.0, None), (60.01, "facts_too_old"), (math.inf, "facts_too_old"), (math.nan, "facts_too_old")],
)
def test_what_the_database_said_holds_for_sixty_seconds(age: float, expected: str | None) -> None:
    assert code(checks.platform_facts_are_current(caller(), facts(platform_age_seconds=age))) == expected


# -------------------------------------------------------------- 2 membership
def test_a_member_of_the_workspace_passes_whatever_his_role() -> None:
    for role in PlatformRole:
        assert checks.person_belongs_to_workspace(caller(), requirement(), facts(role=role)) is None


def test_a_stranger_to_the_workspace_is_refused() -> None:
    refusal = checks.person_belongs_to_workspace(caller(), requirement(), facts(role=None))
    assert code(refusal) == "no_member"


@pytest.mark.parametrize("in_guild", [True, False])
def test_a_stranger_learns_nothing_of_a_guild(in_guild: bool) -> None:
    refusal = checks.person_belongs_to_workspace(caller(), requirement(in_guild=in_guild), facts(role=None))
    assert refusal is not None
    assert refusal.hidden is in_guild


def test_the_system_alone_needs_no_membership() -> None:
    for kind in CallerKind:
        refused = checks.person_belongs_to_workspace(caller(kind=kind), requirement(), facts(role=None)) is not None
        assert refused is (kind is not CallerKind.SYSTEM)


# ------------------------------------------------------------ 3 installation
def test_an_installed_listed_guild_inside_the_grant_passes() -> None:
    assert checks.guild_is_installed(caller(), facts()) is None


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (facts(installation=None), "not_installed"),
        (facts(installation=installation(workspace_id=OTHER_WORKSPACE)), "foreign_guild"),
        (facts(installation=installation(active=False)), "inactive"),
        (facts(guild_allowed=False), "not_listed"),
        (facts(installation=installation(guild_id=OTHER_GUILD)), "outside_grant"),
    ],
)
def test_a_guild_out_of_reach_is_refused_and_hidden(known: Facts, expected: str) -> None:
    refusal = checks.guild_is_installed(caller(), known)
    assert refusal is not None
    assert (refusal.code, refusal.hidden) == (expected, True)


def test_a_caller_without_a_workspace_reaches_no_guild() -> None:
    assert code(checks.guild_is_installed(caller(workspace_id=None), facts())) == "foreign_guild"


def test_an_empty_list_of_guilds_reaches_none() -> None:
    assert code(checks.guild_is_installed(caller(guild_ids=frozenset()), facts())) == "outside_grant"


@pytest.mark.parametrize("kind", [CallerKind.TOKEN, CallerKind.OAUTH, CallerKind.COMMAND_LINE])
def test_without_a_list_a_persons_credential_reaches_all_guilds_of_the_workspace(kind: CallerKind) -> None:
    assert checks.guild_is_installed(caller(kind=kind, guild_ids=None), facts()) is None


@pytest.mark.parametrize("kind", [CallerKind.OPERATOR, CallerKind.MEMBER, CallerKind.AUTOMATION])
def test_operators_members_and_automations_act_only_in_guilds_that_are_named(kind: CallerKind) -> None:
    assert checks.guild_is_installed(caller(kind=kind), facts()) is None
    refusal = checks.guild_is_installed(caller(kind=kind, guild_ids=None), facts())
    assert refusal is not None
    assert (refusal.code, refusal.hidden) == ("no_guilds", True)
    elsewhere = caller(kind=kind, guild_ids=frozenset({OTHER_GUILD}))
    assert code(checks.guild_is_installed(elsewhere, facts())) == "outside_grant"


# ------------------------------------------------------------------- 4 scope
def test_an_operation_is_offered_through_its_faces_only() -> None:
    asked = requirement(faces=frozenset({Face.SLASH, Face.CONSOLE}))
    assert checks.face_offers_operation(caller(face=Face.SLASH), asked) is None
    refusal = checks.face_offers_operation(caller(face=Face.MCP), asked)
    assert refusal is not None
    assert "console, slash" in refusal.remedy


def test_a_toolset_must_be_enabled_where_a_client_names_any() -> None:
    assert checks.toolset_is_enabled(caller(toolsets=None), requirement()) is None
    assert checks.toolset_is_enabled(caller(toolsets=frozenset({"messages"})), requirement()) is None
    assert code(checks.toolset_is_enabled(caller(toolsets=frozenset({"roles"})), requirement())) == "toolset"
    assert code(checks.toolset_is_enabled(caller(toolsets=frozenset()), requirement())) == "toolset"


def test_a_read_only_client_reads_and_does_nothing_else() -> None:
    client = caller(read_only=True)
    assert checks.client_may_write(client, reading()) is None
    assert code(checks.client_may_write(client, requirement())) == "read_only"
    assert code(checks.client_may_write(client, requirement(kind=Kind.CONTROL))) == "read_only"
    assert checks.client_may_write(caller(), requirement()) is None


def test_a_missing_scope_is_named() -> None:
    assert checks.scope_is_granted(caller(), requirement()) is None
    refusal = checks.scope_is_granted(caller(scopes=frozenset({"messages:read"})), requirement())
    assert refusal is not None
    assert "messages:write" in refusal.reason + refusal.remedy


@pytest.mark.parametrize("least", list(PlatformRole))
@pytest.mark.parametrize("role", [None, *PlatformRole])
def test_a_read_needs_the_role_it_names(least: PlatformRole, role: PlatformRole | None) -> None:
    refused = checks.role_suffices(reading(min_role=least), role) is not None
    assert refused is (role is None or role < least)


@pytest.mark.parametrize("kind", [Kind.WRITE, Kind.CONTROL])
def test_a_viewer_only_reads_even_where_an_operation_names_no_role(kind: Kind) -> None:
    refusal = checks.role_suffices(requirement(kind=kind, min_role=PlatformRole.VIEWER), PlatformRole.VIEWER)
    assert refusal is not None
    assert "member" in refusal.reason
    assert checks.role_suffices(requirement(kind=kind, min_role=PlatformRole.VIEWER), PlatformRole.MEMBER) is None


# ----------------------------------------------------------------- 5 channel
@pytest.mark.parametrize(
    ("rule", "expected"), [(Rule.ALLOW, None), (Rule.CONFIRM, None), (Rule.DENY, "denied_by_policy")]
)
def test_only_a_denying_policy_refuses(rule: Rule, expected: str | None) -> None:
    assert code(checks.channel_policy_allows(requirement(), need(), target_facts(rule=rule))) == expected


def test_a_denial_says_what_is_denied_and_where() -> None:
    asked = requirement(tier=Tier.CRITICAL, operation_class=OperationClass.DESTROY)
    refusal = checks.channel_policy_allows(asked, need(), target_facts(rule=Rule.DENY))
    assert refusal is not None
    assert "destroy" in refusal.reason
    assert "#general" in refusal.reason


# ----------------------------------------------------------------- 6 discord
@pytest.mark.parametrize(
    ("age", "expected"), [(0.0, None), (60.0, None), (60.01, "stale"), (math.inf, "stale"), (math.nan, "stale")]
)
def test_facts_about_a_target_hold_for_sixty_seconds(age: float, expected: str | None) -> None:
    assert code(checks.facts_are_fresh(need(), target_facts(age_seconds=age))) == expected


def test_a_target_in_the_guild_of_the_call_passes_and_one_of_another_is_hidden() -> None:
    assert checks.target_is_in_guild(requirement(), need(), facts()) is None
    elsewhere = need(target=Target("channel", 1, OTHER_GUILD))
    for known in (facts(), facts(installation=None)):
        refusal = checks.target_is_in_guild(requirement(), elsewhere, known)
        assert refusal is not None
        assert (refusal.code, refusal.hidden) == ("foreign_target", True)
    assert code(checks.target_is_in_guild(requirement(), need(), facts(installation=None))) == "foreign_target"


def test_outside_of_guilds_there_is_no_guild_to_compare() -> None:
    elsewhere = need(target=Target("user", 1, OTHER_GUILD))
    assert checks.target_is_in_guild(requirement(in_guild=False), elsewhere, facts()) is None


def test_what_the_requester_cannot_see_is_refused_and_hidden() -> None:
    assert checks.target_is_visible(need(), target_facts()) is None
    refusal = checks.target_is_visible(need(), target_facts(visible=False))
    assert refusal is not None
    assert refusal.hidden


def test_the_bot_must_hold_every_bit_asked_of_it() -> None:
    asked = need(bot_bits=SEND | ROLES)
    assert checks.bot_holds_rights(asked, target_facts(bot=standing(bits=SEND | ROLES))) is None
    refusal = checks.bot_holds_rights(asked, target_facts(bot=standing(bits=SEND)))
    assert refusal is not None
    assert refusal.code == "bot_lacks_permission"
    assert "manage_roles" in refusal.reason
    assert "send_messages" not in refusal.reason


def test_the_requester_must_hold_every_bit_asked_of_him_and_the_bots_do_not_count() -> None:
    asked = need(actor_bits=SEND | ROLES)
    assert checks.actor_holds_rights(asked, target_facts(actor=standing(bits=SEND | ROLES))) is None
    lacking = target_facts(bot=standing(bits=SEND | ROLES), actor=standing(bits=ROLES))
    assert code(checks.actor_holds_rights(asked, lacking)) == "you_lack_permission"


def test_where_nothing_is_asked_nobody_lacks_anything() -> None:
    nobody = target_facts(bot=standing(bits=0), actor=standing(bits=0))
    asked = need(bot_bits=0, actor_bits=0)
    assert checks.bot_holds_rights(asked, nobody) is None
    assert checks.actor_holds_rights(asked, nobody) is None


def test_an_administrator_lacks_no_permission() -> None:
    administrator = target_facts(bot=standing(bits=ADMINISTRATOR), actor=standing(bits=ADMINISTRATOR))
    everything = need(bot_bits=int(sum(Bits)), actor_bits=int(sum(Bits)), grants=int(sum(Bits)))
    assert checks.bot_holds_rights(everything, administrator) is None
    assert checks.actor_holds_rights(everything, administrator) is None
    assert checks.grants_are_held(everything, administrator) is None


def test_an_administrator_is_still_bound_by_hierarchy() -> None:
    known = target_facts(
        actor=standing(bits=ADMINISTRATOR, rank=10), bot=standing(bits=ADMINISTRATOR, rank=90), rank=10
    )
    assert code(checks.target_is_outranked(need(outrank=True), known)) == "your_rank"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, None), ({"timed_out": True}, "you_are_timed_out"), ({"pending": True}, "you_are_pending")],
)
def test_who_is_timed_out_or_pending_changes_nothing(changes: dict[str, bool], expected: str | None) -> None:
    known = target_facts(actor=standing(**changes))
    assert code(checks.actor_may_act(requirement(), known)) == expected
    assert code(checks.actor_may_act(requirement(kind=Kind.CONTROL), known)) == expected
    assert checks.actor_may_act(reading(), known) is None


def test_a_bot_that_is_timed_out_only_reads() -> None:
    known = target_facts(bot=standing(timed_out=True))
    assert code(checks.bot_may_act(requirement(), known)) == "bot_is_timed_out"
    assert checks.bot_may_act(reading(), known) is None
    assert checks.bot_may_act(requirement(), target_facts()) is None


@pytest.mark.parametrize(
    ("bot_bits", "actor_bits", "expected"),
    [
        (SEND | ROLES, SEND | ROLES, None),
        (SEND, SEND | ROLES, "grant_exceeds_rights"),
        (SEND | ROLES, SEND, "grant_exceeds_rights"),
        (ADMINISTRATOR, ADMINISTRATOR, None),
    ],
)
def test_nobody_grants_what_he_or_the_bot_lacks(bot_bits: int, actor_bits: int, expected: str | None) -> None:
    known = target_facts(bot=standing(bits=bot_bits), actor=standing(bits=actor_bits))
    assert code(checks.grants_are_held(need(grants=SEND | ROLES), known)) == expected


def test_who_holds_manage_roles_does_not_grant_administrator() -> None:
    known = target_facts(bot=standing(bits=ADMINISTRATOR), actor=standing(bits=ROLES))
    refusal = checks.grants_are_held(need(grants=ADMINISTRATOR), known)
    assert refusal is not None
    assert "administrator" in refusal.reason


@pytest.mark.parametrize(
    ("rank", "expected"),
    [
        (OUTSIDE_RANK, None),
        (0, None),
        (49, None),
        (50, "your_rank"),
        (51, "your_rank"),
        (89, "your_rank"),
        (90, "bot_rank"),
        (OWNER_RANK, "owner"),
        (None, "rank_unknown"),
    ],
)
def test_both_must_stand_above_the_target(rank: int | None, expected: str | None) -> None:
    known = target_facts(bot=standing(rank=90), actor=standing(rank=50), rank=rank)
    assert code(checks.target_is_outranked(need(target=MEMBER, outrank=True), known)) == expected


def test_the_bot_is_no_target_of_its_own() -> None:
    known = target_facts(is_bot=True, rank=90)
    refusal = checks.target_is_outranked(need(target=MEMBER, outrank=True), known)
    assert code(refusal) == "bot_itself"
    assert checks.target_is_outranked(need(target=MEMBER), known) is None


def test_the_guilds_owner_outranks_all_but_is_himself_no_target() -> None:
    owner = standing(rank=OWNER_RANK, is_owner=True)
    asked = need(target=MEMBER, outrank=True)
    assert checks.target_is_outranked(asked, target_facts(actor=owner, rank=80)) is None
    assert code(checks.target_is_outranked(asked, target_facts(actor=owner, rank=5, is_guild_owner=True))) == "owner"


def test_hierarchy_is_not_asked_where_nobody_is_acted_upon() -> None:
    assert checks.target_is_outranked(need(outrank=False), target_facts(rank=OWNER_RANK, is_guild_owner=True)) is None


@pytest.mark.parametrize(
    ("own", "is_own", "expected"),
    [(False, False, None), (False, True, None), (True, True, None), (True, False, "not_your_message")],
)
def test_an_own_message_is_one_that_was_sent_for_this_requester(own: bool, is_own: bool, expected: str | None) -> None:
    message = need(target=Target("message", 77, GUILD, channel_id=1001), own=own)
    assert code(checks.message_is_own(message, target_facts(is_own=is_own))) == expected


@pytest.mark.parametrize(
    ("waives", "is_own", "expected"),
    [
        (ROLES, True, None),
        (ROLES, False, ("bot_lacks_permission", "you_lack_permission")),
        (SEND, True, ("bot_lacks_permission", "you_lack_permission")),
        (0, True, ("bot_lacks_permission", "you_lack_permission")),
    ],
)
def test_an_own_message_waives_just_the_bits_that_are_named(
    waives: int, is_own: bool, expected: tuple[str, str] | None
) -> None:
    asked = need(bot_bits=SEND | ROLES, actor_bits=SEND | ROLES, own_waives=waives)
    known = target_facts(is_own=is_own)
    found = (code(checks.bot_holds_rights(asked, known)), code(checks.actor_holds_rights(asked, known)))
    assert found == (expected or (None, None))


def test_what_an_own_message_does_not_waive_is_still_asked() -> None:
    asked = need(bot_bits=SEND | ROLES, actor_bits=SEND | ROLES, own_waives=ROLES)
    known = target_facts(is_own=True, bot=standing(bits=0), actor=standing(bits=0))
    for refusal in (checks.bot_holds_rights(asked, known), checks.actor_holds_rights(asked, known)):
        assert refusal is not None
        assert "send_messages" in refusal.reason
        assert "manage_roles" not in refusal.reason


# -------------------------------------------------------------------- 7 rate
@pytest.mark.parametrize(
    ("retry_after", "expected", "comes_back"),
    [(0.0, None, None), (-1.0, None, None), (0.2, "rate_limited", 0.2), (math.inf, "rate_unknown", 5.0)],
)
def test_a_limit_says_when_to_come_back(retry_after: float, expected: str | None, comes_back: float | None) -> None:
    refusal = checks.rate_allows(facts(retry_after_seconds=retry_after))
    assert code(refusal) == expected
    assert (refusal.retry_after_seconds if refusal else None) == comes_back


def test_administrators_are_known_by_one_bit() -> None:
    assert checks.is_administrator(ADMINISTRATOR | SEND)
    assert not checks.is_administrator(int(sum(Bits)) & ~ADMINISTRATOR)
