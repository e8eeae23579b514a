"""Cursors are sealed to the caller, the operation and the guild."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations import cursors
from operations.base import Context
from operations.errors import Refused
from policy.model import Caller
from storage.crypto import Keyring
from tests.operations.callers import caller

OLD, NEW = "a key of the tests, long enough to be one", "another key of the tests, long enough to be one"
POSITION: list[int | str] = [123456789012345678, "b"]


def context(of: Caller | None = None, *, guild_id: int | None = 1, keys: tuple[str, ...] = (OLD,)) -> Context:
    """Cursors ask nothing of a call but its caller, its guild and the keys."""
    services: Any = SimpleNamespace(database=SimpleNamespace(keyring=Keyring(keys)))
    view: Any = None if guild_id is None else SimpleNamespace(id=guild_id)
    return Context("cl_a", of or caller(), 0.0, services, view)


def opened(ctx: Context, operation: str, cursor: str) -> list[int | str]:
    return cursors.open_cursor(ctx, operation, cursor)


@given(st.lists(st.one_of(st.integers(0, 2**63 - 1), st.text(max_size=40)), min_size=1, max_size=4))
def test_a_cursor_gives_back_the_position_that_it_stands_for(position: list[int | str]) -> None:
    assert opened(context(), "audit_list", cursors.seal(context(), "audit_list", position)) == position


@pytest.mark.parametrize(
    "other",
    [
        {"of": caller(user_id=6)},
        {"of": caller(client_id="mc_2")},
        {"of": caller(workspace_id="ws_2")},
        {"of": caller(user_id=None)},
        {"guild_id": 2},
        {"guild_id": None},
        {"keys": (NEW,)},
    ],
    ids=["person", "client", "workspace", "nobody", "guild", "no guild", "key"],
)
def test_a_borrowed_cursor_reads_as_unknown(other: dict[str, Any]) -> None:
    cursor = cursors.seal(context(), "audit_list", POSITION)
    with pytest.raises(Refused) as refused:
        opened(context(**other), "audit_list", cursor)
    assert refused.value.refusal is cursors.UNKNOWN_CURSOR


def test_a_cursor_of_another_operation_reads_as_unknown() -> None:
    with pytest.raises(Refused):
        opened(context(), "message_list_recent", cursors.seal(context(), "audit_list", POSITION))


def test_no_edit_of_a_cursor_is_taken() -> None:
    cursor = cursors.seal(context(), "audit_list", POSITION)
    for place, character in enumerate(cursor):
        edited = cursor[:place] + ("A" if character != "A" else "B") + cursor[place + 1 :]
        with pytest.raises(Refused):
            opened(context(), "audit_list", edited)


def test_another_position_with_the_old_seal_is_not_taken() -> None:
    seal = cursors.seal(context(), "audit_list", POSITION).partition(".")[2]
    body = base64.urlsafe_b64encode(b"[1]").decode().rstrip("=")
    for forged in (
        f"{body}.{seal}",
        f"{body}.",
        body,
        f"{body}.{seal[:15]}",
        f"{body}.{'0' * 64}",
        f"{body}.{'0' * 65}",
    ):
        with pytest.raises(Refused):
            opened(context(), "audit_list", forged)


@given(st.text(max_size=80))
def test_nothing_that_a_caller_can_make_up_is_taken_or_breaks(cursor: str) -> None:
    with pytest.raises(Refused):
        opened(context(), "audit_list", cursor)


def test_cursors_outlive_a_rotation_of_the_keys() -> None:
    cursor = cursors.seal(context(), "audit_list", POSITION)
    assert opened(context(keys=(NEW, OLD)), "audit_list", cursor) == POSITION


def test_a_cursor_says_what_to_do_when_it_is_unknown() -> None:
    assert "leave it out to begin anew" in cursors.UNKNOWN_CURSOR.remedy
