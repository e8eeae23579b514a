"""Callers come from the platform's facts, also when a stored call is taken up again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from operations.callers import OWN_AFFAIRS, Callers
from policy.model import CallerKind, Face, Installation, Strength, Tier
from policy.scopes import EVERYTHING, covers
from storage.calls import CallRecord, CallState
from storage.snapshot import Client, ClientKind

GUILD, PERSON, NOW = 123456789012345678, 223456789012345678, 1_000.0


def client(**more: Any) -> Client:
    given: dict[str, Any] = {
        "id": "mc_1",
        "workspace_id": "ws_1",
        "user_id": PERSON,
        "name": "laptop",
        "kind": ClientKind.TOKEN,
        "token_mac": "mac",
        "scopes": frozenset({"messages:read"}),
        "toolsets": frozenset({"messages"}),
        "guild_ids": frozenset({GUILD}),
        "read_only": False,
        "direct_writes": True,
        "created_at": NOW,
        "created_by": PERSON,
        "expires_at": NOW + 60,
        "revoked_at": None,
    }
    return Client(**(given | more))


def record(**more: Any) -> CallRecord:
    given: dict[str, Any] = {
        "call_id": "cl_a",
        "operation": "message_send",
        "state": CallState.EXECUTING,
        "tier": Tier.WRITE,
        "installation_id": "in_1",
        "workspace_id": "ws_1",
        "guild_id": GUILD,
        "client_id": "mc_1",
        "user_id": PERSON,
        "caller_kind": CallerKind.TOKEN,
        "face": Face.MCP,
        "reason": "",
        "effect": "{}",
        "effect_version": 1,
        "fingerprint": "",
        "preview": "{}",
        "strength": Strength.NONE,
        "created_at": NOW,
    }
    return CallRecord(**(given | more))


def callers(*known: Client, installed: bool = True) -> Callers:
    snapshot = SimpleNamespace(
        clients={each.id: each for each in known},
        installations={GUILD: Installation("in_1", "ws_1", GUILD)} if installed else {},
    )
    tokens = {"ghd_known": known[0]} if known else {}
    facts: Any = SimpleNamespace(snapshot=snapshot, find_client=tokens.get)
    return Callers(facts)


def test_a_token_stands_for_its_person_within_its_grant() -> None:
    found = callers(client()).from_token("ghd_known")
    assert found is not None
    assert (found.kind, found.user_id, found.workspace_id, found.client_id) == (
        CallerKind.TOKEN,
        PERSON,
        "ws_1",
        "mc_1",
    )
    assert found.guild_ids == {GUILD}
    assert found.scopes == {"messages:read"} | OWN_AFFAIRS
    assert found.toolsets == {"messages", "meta"}
    assert (found.active, found.expires_at, found.direct_writes, found.always_tainted) == (True, NOW + 60, True, False)
    assert callers(client()).from_token("ghd_other") is None


def test_a_revoked_token_is_known_as_such() -> None:
    found = callers(client(revoked_at=NOW)).from_token("ghd_known")
    assert found is not None
    assert not found.active


def test_nobody_stands_behind_an_operator_and_it_is_always_tainted() -> None:
    found = callers(client(kind=ClientKind.OPERATOR)).from_token("ghd_known")
    assert found is not None
    assert found.is_operator
    assert found.user_id is None
    assert found.always_tainted


def test_a_client_without_a_list_of_toolsets_has_all_of_them() -> None:
    assert callers().of_client(client(toolsets=None), Face.MCP).toolsets is None


@pytest.mark.parametrize(("face", "tainted"), [(Face.SLASH, False), (Face.AGENT, True)])
def test_a_member_acts_in_his_guild_alone(face: Face, tainted: bool) -> None:
    found = callers().of_member(GUILD, PERSON, face)
    assert found is not None
    assert (found.kind, found.client_id, found.guild_ids) == (
        CallerKind.MEMBER,
        f"discord:{PERSON}",
        frozenset({GUILD}),
    )
    assert found.always_tainted is tainted
    assert found.direct_writes
    assert all(covers(found.scopes, scope) for scope in EVERYTHING)


def test_a_member_of_a_guild_that_is_not_installed_is_no_caller() -> None:
    assert callers(installed=False).of_member(GUILD, PERSON, Face.SLASH) is None


def test_a_stored_call_is_taken_up_with_the_rights_of_now() -> None:
    narrowed = client(scopes=frozenset[str](), read_only=True, revoked_at=NOW)
    found = callers(narrowed).revive(record())
    assert (found.active, found.read_only, found.scopes) == (False, True, OWN_AFFAIRS)
    assert found.user_id == PERSON


def test_a_stored_call_of_a_client_that_is_gone_may_do_nothing() -> None:
    found = callers().revive(record())
    assert not found.active
    assert found.scopes == frozenset()
    assert (found.user_id, found.client_id, found.kind) == (PERSON, "mc_1", CallerKind.TOKEN)


def test_a_members_stored_call_is_his_while_the_guild_is_installed() -> None:
    stored = record(caller_kind=CallerKind.MEMBER, client_id=f"discord:{PERSON}", face=Face.AGENT)
    found = callers().revive(stored)
    assert found.active
    assert found.always_tainted
    assert not callers(installed=False).revive(stored).active
