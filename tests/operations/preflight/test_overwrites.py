from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.preflight.overwrites import (
    Overwrite,
    joined,
    named_bits_are_held,
    new_channel_leaves_manage_roles,
    overwrite_bits,
    overwrite_bits_are_known,
    overwrite_count_fits,
    overwrite_is_consistent,
    overwrites_fit_one_request,
)
from policy.permissions import ALL, bits

PROPERTY = settings(max_examples=100, deadline=None, database=None)
SEND = bits("send_messages")
VIEW = bits("view_channel")
MANAGE_ROLES = bits("manage_roles")
ADMINISTRATOR = bits("administrator")

sets = st.integers(0, ALL)


@pytest.mark.parametrize(
    ("before", "after", "granted", "denied"),
    [
        (Overwrite(), Overwrite(allow=SEND), SEND, 0),
        (Overwrite(), Overwrite(deny=SEND), 0, SEND),
        (Overwrite(deny=SEND), Overwrite(), SEND, 0),
        (Overwrite(allow=SEND), Overwrite(), 0, SEND),
        (Overwrite(deny=SEND), Overwrite(allow=SEND), SEND, 0),
        (Overwrite(allow=SEND), Overwrite(allow=SEND | VIEW), VIEW, 0),
        (Overwrite(allow=SEND, deny=VIEW), Overwrite(allow=SEND, deny=VIEW), 0, 0),
    ],
)
def test_an_edit_grants_and_denies_what_it_changes(
    before: Overwrite, after: Overwrite, granted: int, denied: int
) -> None:
    found = overwrite_bits(before, after)
    assert (found.granted, found.denied) == (granted, denied)
    assert found.changed == granted | denied
    assert found.named == after.bits


@PROPERTY
@given(sets, sets, sets, sets)
def test_a_bit_that_nobody_touched_is_never_counted(allow: int, deny: int, new_allow: int, new_deny: int) -> None:
    found = overwrite_bits(Overwrite(allow, deny & ~allow), Overwrite(new_allow, new_deny & ~new_allow))
    same = ~((allow ^ new_allow) | ((deny & ~allow) ^ (new_deny & ~new_allow)))
    assert not found.changed & same
    assert found.changed == ~same


def test_several_edits_are_joined() -> None:
    both = joined([overwrite_bits(Overwrite(), Overwrite(SEND)), overwrite_bits(Overwrite(), Overwrite(0, VIEW))])
    assert (both.granted, both.denied, both.named) == (SEND, VIEW, SEND | VIEW)


def test_a_bit_is_not_allowed_and_denied_at_once() -> None:
    assert overwrite_is_consistent(Overwrite(SEND, VIEW)) is None
    assert overwrite_is_consistent(Overwrite(SEND, SEND)) == "send_messages cannot be allowed and denied at once."


def test_unknown_bits_are_named() -> None:
    assert overwrite_bits_are_known(Overwrite(ALL)) is None
    assert overwrite_bits_are_known(Overwrite(1 << 60)) == "Unknown permissions: bit_60."


@pytest.mark.parametrize(("count", "fits"), [(1000, True), (1001, False)])
def test_a_channel_takes_1000_overwrites(count: int, fits: bool) -> None:
    assert (overwrite_count_fits(count) is None) is fits


@pytest.mark.parametrize(("count", "fits"), [(100, True), (101, False)])
def test_one_request_takes_100_overwrites(count: int, fits: bool) -> None:
    assert (overwrites_fit_one_request(count) is None) is fits


def test_the_bot_allows_and_denies_only_what_it_holds() -> None:
    assert named_bits_are_held(SEND, SEND | VIEW) is None
    assert named_bits_are_held(SEND, 0, SEND) is None
    assert named_bits_are_held(SEND, ADMINISTRATOR) is None
    assert named_bits_are_held(SEND, 0, has_manage_roles_overwrite=True) is None
    assert named_bits_are_held(SEND | VIEW, VIEW) == (
        "I lack send_messages, so I cannot allow or deny it; grant it to me, or leave it out."
    )


def test_manage_roles_on_a_new_channel_is_for_administrators() -> None:
    assert new_channel_leaves_manage_roles(SEND, 0) is None
    assert new_channel_leaves_manage_roles(MANAGE_ROLES, ADMINISTRATOR) is None
    assert new_channel_leaves_manage_roles(MANAGE_ROLES, MANAGE_ROLES) is not None
