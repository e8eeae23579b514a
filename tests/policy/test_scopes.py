"""Scopes of credentials and the wildcards in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.model import Kind, PlatformRole
from policy.scopes import EVERYTHING, EVERYTHING_BUT_ADMIN, PRESETS, READ_ONLY, covers, least_role, parse
from tests.policy.strategies import PROPERTY

TOOLSETS = st.sampled_from(["messages", "members", "roles", "direct_messages", "admin"])
ACTIONS = st.sampled_from(["read", "write", "moderate", "policy", "tokens"])


def granted(*scopes: str) -> frozenset[str]:
    return frozenset(scopes)


@pytest.mark.parametrize(
    ("scope", "wanted", "expected"),
    [
        ("messages:write", "messages:write", True),
        ("messages:write", "messages:read", False),
        ("messages:write", "roles:write", False),
        ("messages:*", "messages:read", True),
        ("messages:*", "roles:read", False),
        ("*:write", "messages:write", True),
        ("*:write", "messages:read", False),
        ("*:write", "members:moderate", False),
        ("*:write", "admin:write", False),
        ("*:write", "admin:policy", False),
        ("*:read", "admin:read", False),
        ("*:policy", "admin:policy", False),
        ("members:write", "members:moderate", False),
        ("members:moderate", "members:moderate", True),
        ("admin:policy", "admin:policy", True),
        ("admin:policy", "admin:tokens", False),
        ("admin:*", "admin:tokens", True),
        ("admin:*", "messages:write", False),
        ("messages", "messages:write", False),
        ("", "messages:write", False),
    ],
)
def test_a_scope_covers_what_it_names_and_no_more(scope: str, wanted: str, expected: bool) -> None:
    assert covers(granted(scope), wanted) is expected


def test_no_scope_covers_nothing() -> None:
    assert not covers(frozenset(), "messages:read")


@PROPERTY
@given(st.frozensets(st.tuples(st.sampled_from(["*", "messages", "members", "roles"]), ACTIONS)), ACTIONS)
def test_only_a_scope_of_admin_reaches_administration(scopes: frozenset[tuple[str, str]], action: str) -> None:
    held = frozenset(f"{toolset}:{given_action}" for toolset, given_action in scopes)
    assert not covers(held, f"admin:{action}")


@PROPERTY
@given(st.frozensets(st.tuples(TOOLSETS, ACTIONS).map(":".join)), TOOLSETS, ACTIONS)
def test_without_wildcards_a_scope_is_covered_only_by_itself(held: frozenset[str], toolset: str, action: str) -> None:
    wanted = f"{toolset}:{action}"
    assert covers(held, wanted) is (wanted in held)


@PROPERTY
@given(TOOLSETS, ACTIONS)
def test_each_preset_holds_at_least_the_one_before(toolset: str, action: str) -> None:
    wanted = f"{toolset}:{action}"
    held = [covers(scopes, wanted) for scopes in (READ_ONLY, EVERYTHING_BUT_ADMIN, EVERYTHING)]
    assert held == sorted(held)


def test_only_the_widest_preset_reaches_administration() -> None:
    assert [covers(PRESETS[name], "admin:policy") for name in ("read", "write", "all")] == [False, False, True]


def test_presets_and_scopes_are_parsed_together() -> None:
    assert parse(["read", "members:moderate", "admin:*"]) == granted("*:read", "members:moderate", "admin:*")
    assert parse([]) == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "messages",
        "messages:",
        ":write",
        "Messages:write",
        "messages:write:x",
        "messages write",
        "*",
        "messages:write\n",
    ],
)
def test_a_bad_scope_is_named_together_with_the_form(text: str) -> None:
    with pytest.raises(ValueError, match="<toolset>:<action>") as caught:
        parse(["read", text])
    assert f"'{text}'" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "scope", "expected"),
    [
        (Kind.READ, "messages:read", PlatformRole.VIEWER),
        (Kind.WRITE, "messages:write", PlatformRole.MEMBER),
        (Kind.CONTROL, "meta:write", PlatformRole.MEMBER),
        (Kind.WRITE, "members:moderate", PlatformRole.MEMBER),
        (Kind.READ, "admin:policy", PlatformRole.MANAGER),
        (Kind.WRITE, "admin:policy", PlatformRole.MANAGER),
    ],
)
def test_viewers_read_members_act_and_administration_needs_a_manager(
    kind: Kind, scope: str, expected: PlatformRole
) -> None:
    assert least_role(kind, scope) is expected
