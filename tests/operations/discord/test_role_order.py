"""Which roles a move touches: small, and always the order that was asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from operations.discord.role_order import Move, Rung, index_beside, index_of, moved

LADDER = tuple(Rung(role_id, position) for position, role_id in enumerate((10, 20, 30, 40), start=1))


def order_after(ladder: tuple[Rung, ...], moves: tuple[Move, ...]) -> list[int]:
    after = {move.id: move.after for move in moves}
    rungs = [Rung(rung.id, after.get(rung.id, rung.position)) for rung in ladder]
    return [rung.id for rung in sorted(rungs, key=lambda rung: (rung.position, -rung.id))]


def test_the_roles_between_exchange_their_positions() -> None:
    assert moved(LADDER, 10, 2) == (Move(20, 2, 1), Move(30, 3, 2), Move(10, 1, 3))
    assert moved(LADDER, 30, 0) == (Move(30, 3, 1), Move(10, 1, 2), Move(20, 2, 3))
    assert moved(LADDER, 20, 1) == ()
    assert moved(LADDER, 99, 1) == ()


def test_gaps_stay_where_they_are() -> None:
    ladder = (Rung(10, 2), Rung(20, 5), Rung(30, 9))
    assert moved(ladder, 10, 1) == (Move(20, 5, 2), Move(10, 2, 5))


def test_of_two_at_one_position_the_upper_one_gives_way() -> None:
    ladder = (Rung(20, 1), Rung(10, 1), Rung(30, 2), Rung(40, 7))
    assert moved(ladder, 20, 1) == (Move(20, 1, 2), Move(30, 2, 3))


def test_above_and_below_are_places_right_beside() -> None:
    assert index_beside(LADDER, 10, 30, above=True) == 2
    assert index_beside(LADDER, 10, 30, above=False) == 1
    assert index_beside(LADDER, 40, 20, above=True) == 2
    assert index_beside(LADDER, 40, 20, above=False) == 1


def test_above_everyone_is_the_lowest_place_and_nothing_is_below() -> None:
    assert index_beside(LADDER, 40, 1, above=True) == 0
    assert index_beside(LADDER, 40, 1, above=False) is None


@st.composite
def ladders(draw: st.DrawFn) -> tuple[Rung, ...]:
    positions = draw(st.lists(st.integers(1, 12), min_size=1, max_size=10))
    ids = draw(st.permutations(range(100, 100 + len(positions))))
    rungs = [Rung(role_id, position) for role_id, position in zip(ids, positions, strict=True)]
    return tuple(sorted(rungs, key=lambda rung: (rung.position, -rung.id)))


@given(ladder=ladders(), data=st.data())
def test_any_move_gives_the_order_asked_for_and_touches_nothing_below_it(
    ladder: tuple[Rung, ...], data: st.DataObject
) -> None:
    start, index = data.draw(st.integers(0, len(ladder) - 1)), data.draw(st.integers(0, len(ladder) - 1))
    role_id = ladder[start].id
    wanted = [rung.id for rung in ladder if rung.id != role_id]
    wanted.insert(index, role_id)
    moves = moved(ladder, role_id, index)
    assert order_after(ladder, moves) == wanted
    untouched = {rung.id for rung in ladder[: min(start, index)]}
    assert not untouched & {move.id for move in moves}
    assert all(move.before != move.after > 0 for move in moves)
    assert index_of(ladder, role_id) == start
