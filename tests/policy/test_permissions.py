"""Permission bits by Discord's names."""

from __future__ import annotations

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.permissions import ALL, DANGEROUS, Bits, bits, join, missing, names_of
from tests.policy.strategies import PROPERTY

ANY_BITS = st.integers(0, ALL)


def test_every_permission_has_the_name_and_value_that_discord_py_gives_it() -> None:
    named = {bit.name: int(bit) for bit in Bits}
    assert named.items() <= discord.Permissions.VALID_FLAGS.items()


def test_no_permission_that_discord_py_knows_is_left_out() -> None:
    assert set(discord.Permissions.VALID_FLAGS.values()) == {int(bit) for bit in Bits}
    assert discord.Permissions.all().value == ALL


def test_what_discord_asks_a_second_factor_for_is_dangerous() -> None:
    assert discord.Permissions.elevated().value & ~DANGEROUS == 0


@pytest.mark.parametrize("harmless", ["view_channel", "send_messages", "add_reactions", "connect", "change_nickname"])
def test_what_every_member_may_hold_is_not_dangerous(harmless: str) -> None:
    assert not bits(harmless) & DANGEROUS


def test_names_become_bits_and_an_unknown_name_raises() -> None:
    assert bits() == 0
    assert bits("kick_members", "ban_members", "kick_members") == 0b110
    with pytest.raises(KeyError, match="fly"):
        bits("fly")


def test_unknown_bits_are_named_by_their_position() -> None:
    assert names_of(0) == ()
    assert names_of(1 | 1 << 47 | 1 << 60) == ("create_instant_invite", "bit_47", "bit_60")


@PROPERTY
@given(ANY_BITS)
def test_bits_and_their_names_are_the_same_thing(value: int) -> None:
    assert bits(*(name for name in names_of(value) if not name.startswith("bit_"))) == value & ALL & join(Bits)


@PROPERTY
@given(ANY_BITS, ANY_BITS)
def test_only_what_is_wanted_and_not_had_is_missing(have: int, want: int) -> None:
    have &= ~Bits.administrator
    lacking = missing(have, want)
    assert lacking & have == 0
    assert lacking | (have & want) == want


@PROPERTY
@given(ANY_BITS, ANY_BITS)
def test_an_administrator_misses_nothing(have: int, want: int) -> None:
    assert missing(have | Bits.administrator, want) == 0


def test_nobody_else_holds_administrator_by_holding_all_the_rest() -> None:
    assert missing(ALL & ~Bits.administrator, ALL) == Bits.administrator
