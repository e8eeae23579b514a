"""Which overwrites a lock changes, and what an unlock makes of them."""

from __future__ import annotations

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.preflight.channel_locks import LOCKED, VIEW, Restored, locked, restored, was_changed_since
from operations.preflight.overwrites import Overwrite
from policy.permissions import Bits, bits

TEXT = LOCKED[discord.ChannelType.text]
World = dict[int, Overwrite]
EVERYONE, MOD, MEMBER, HELPER = 1, 2, 3, 4
ALL_WRITE = bits("view_channel", "send_messages", "add_reactions", "send_messages_in_threads", "create_public_threads")
MODERATOR = {MOD: bits("manage_messages", "send_messages")}


def lock(overwrites: dict[int, Overwrite], moderators: dict[int, int] = MODERATOR) -> dict[int, Overwrite]:
    return locked(TEXT, EVERYONE, ALL_WRITE, overwrites, moderators, frozenset())


def test_everyone_is_denied_and_a_moderating_role_keeps_what_it_had() -> None:
    assert lock({}) == {MOD: Overwrite(TEXT & ALL_WRITE, 0), EVERYONE: Overwrite(0, TEXT)}
    assert [*lock({})] == [MOD, EVERYONE], "moderators first"


def test_a_moderating_role_gets_nothing_that_it_did_not_have() -> None:
    mute = Overwrite(0, int(Bits.send_messages))
    changed = lock({MOD: mute})
    assert not changed[MOD].allow & Bits.send_messages
    assert changed[MOD].deny == mute.deny


def test_a_private_channel_stays_private() -> None:
    private = {EVERYONE: Overwrite(0, VIEW)}
    changed = lock(private)
    assert MOD not in changed, "it sees nothing there"
    assert changed == {EVERYONE: Overwrite(0, VIEW | TEXT)}
    seen = lock({**private, MOD: Overwrite(VIEW, 0)})
    assert seen[MOD] == Overwrite(VIEW | TEXT & ALL_WRITE, 0)


def test_what_lets_ordinary_roles_and_members_write_is_taken() -> None:
    there = {MEMBER: Overwrite(int(Bits.send_messages | Bits.attach_files), 0), HELPER: Overwrite(0, 1)}
    changed = lock(there)
    assert changed[MEMBER] == Overwrite(int(Bits.attach_files), 0)
    assert HELPER not in changed
    assert MEMBER not in locked(TEXT, EVERYONE, ALL_WRITE, there, {}, frozenset({MEMBER}))


def test_an_administrator_role_needs_nothing() -> None:
    assert MOD not in lock({}, {MOD: int(Bits.administrator)})


@pytest.mark.parametrize("kind", list(LOCKED))
def test_a_second_lock_changes_nothing(kind: discord.ChannelType) -> None:
    first = locked(LOCKED[kind], EVERYONE, ALL_WRITE, {}, MODERATOR, frozenset())
    assert locked(LOCKED[kind], EVERYONE, ALL_WRITE, first, MODERATOR, frozenset()) == {}


def test_what_was_changed_by_hand_since_stays_and_is_told() -> None:
    as_locked = Overwrite(0, TEXT)
    now = Overwrite(int(Bits.add_reactions), TEXT & ~Bits.add_reactions)
    assert restored(Overwrite(), as_locked, now) == Restored(
        Overwrite(int(Bits.add_reactions), 0), int(Bits.add_reactions)
    )
    assert was_changed_since("@Mods", int(Bits.add_reactions)) == (
        "add_reactions of @Mods was changed since the lock and stays as it is."
    )
    assert was_changed_since("@Mods", 0) is None


def test_an_overwrite_that_a_lock_made_goes_and_one_that_was_empty_stays() -> None:
    assert restored(None, Overwrite(0, TEXT), Overwrite(0, TEXT)) == Restored(None)
    assert restored(Overwrite(), Overwrite(0, TEXT), Overwrite(0, TEXT)) == Restored(Overwrite())
    # Removed by hand: nothing is left to give back, and nothing is made anew.
    assert restored(None, Overwrite(0, TEXT), None) == Restored(None)


overwrites = st.builds(
    lambda allow, deny: Overwrite(allow & ~deny, deny), st.integers(0, (1 << 53) - 1), st.integers(0, (1 << 53) - 1)
)
worlds = st.dictionaries(st.integers(1, 6), overwrites, max_size=6)


@given(worlds, st.integers(0, (1 << 53) - 1), st.sampled_from(list(LOCKED)))
def test_an_unlock_gives_back_exactly_what_was(
    there: dict[int, Overwrite], role: int, kind: discord.ChannelType
) -> None:
    changed = locked(LOCKED[kind], EVERYONE, ALL_WRITE, there, {MOD: role}, frozenset({6}))
    for subject_id, as_locked in changed.items():
        was = there.get(subject_id)
        assert restored(was, as_locked, as_locked) == Restored(was)
        assert restored(was, as_locked, was).after == was, "a second unlock changes nothing"


@given(worlds, st.integers(0, (1 << 53) - 1), st.sampled_from(list(LOCKED)))
def test_nobody_gains_a_bit_that_is_not_locked(
    there: dict[int, Overwrite], role: int, kind: discord.ChannelType
) -> None:
    changed = locked(LOCKED[kind], EVERYONE, ALL_WRITE, there, {MOD: role}, frozenset())
    for subject_id, after in changed.items():
        was = there.get(subject_id, Overwrite())
        assert (after.allow ^ was.allow) & ~LOCKED[kind] == 0
        assert (after.deny ^ was.deny) & ~LOCKED[kind] == 0
        assert subject_id == MOD or not after.allow & ~was.allow


@given(worlds, overwrites, overwrites, overwrites)
def test_bits_that_the_lock_did_not_change_stay_as_they_are(
    there: dict[int, Overwrite], was: Overwrite, as_locked: Overwrite, now: Overwrite
) -> None:
    after = restored(was, as_locked, now).after or Overwrite()
    untouched = ~((was.allow ^ as_locked.allow) | (was.deny ^ as_locked.deny))
    assert (after.allow ^ now.allow) & untouched == 0
    assert (after.deny ^ now.deny) & untouched == 0
