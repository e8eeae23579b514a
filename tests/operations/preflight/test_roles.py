from __future__ import annotations

import pytest

from operations.preflight import roles as rules
from policy.permissions import ALL, Bits


@pytest.mark.parametrize(("name", "fits"), [("Crew", True), ("x" * 100, True), ("x" * 101, False), ("  ", False)])
def test_a_name_takes_1_to_100_characters(name: str, fits: bool) -> None:
    assert (rules.name_fits(name) is None) is fits


def test_a_guild_takes_250_roles_with_everyone() -> None:
    assert rules.guild_has_room(249) is None
    assert "250 of 250" in str(rules.guild_has_room(250))


def test_everyone_and_managed_roles_are_neither_deleted_nor_given() -> None:
    for rule in (rules.role_is_deletable, rules.role_is_assignable):
        assert rule(is_everyone=False, managed_by=None) is None
        assert "every member has it" in str(rule(is_everyone=True, managed_by=None))
        assert "managed by a bot" in str(rule(is_everyone=False, managed_by="a bot"))


def test_everyone_has_permissions_only() -> None:
    assert rules.everyone_has_permissions_only(["name"], is_everyone=False) is None
    assert rules.everyone_has_permissions_only([], is_everyone=True) is None
    assert "leave out name, hoist" in str(rules.everyone_has_permissions_only(["name", "hoist"], is_everyone=True))


def test_the_bot_holds_what_a_role_carries_when_its_permissions_are_set() -> None:
    carried = int(Bits.ban_members | Bits.connect)
    assert rules.carried_bits_are_held(carried, carried) is None
    assert rules.carried_bits_are_held(carried, int(Bits.administrator)) is None
    assert rules.carried_bits_are_held(ALL, ALL) is None
    assert "ban_members, which I lack" in str(rules.carried_bits_are_held(carried, int(Bits.connect)))


def test_everyone_stays_lowest() -> None:
    assert rules.everyone_stays_lowest(moves_everyone=False, below_everyone=False) is None
    assert rules.everyone_stays_lowest(moves_everyone=True, below_everyone=False) is not None
    assert rules.everyone_stays_lowest(moves_everyone=False, below_everyone=True) is not None


def test_a_position_lies_within_the_list() -> None:
    assert [position for position in range(-1, 5) if rules.position_fits(position, 3) is None] == [1, 2, 3]
