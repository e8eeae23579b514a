"""Shares take turns, each in proportion to its weight, and no share is served ahead of time twice."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.fair_queue import FairQueue

Path = tuple[str, str]


def queue_of(*items: tuple[Path, int]) -> FairQueue[str]:
    queue = FairQueue[str]()
    for path, count in items:
        for _ in range(count):
            queue.push(path, "/".join(path))
    return queue


def served(queue: FairQueue[str], count: int) -> Counter[str]:
    return Counter(queue.pop() for _ in range(count))


def test_the_largest_shares_take_turns_and_the_shares_within_them_too() -> None:
    queue = queue_of((("a", "x"), 90), (("a", "y"), 90), (("b", "z"), 90))
    assert served(queue, 40) == {"a/x": 10, "a/y": 10, "b/z": 20}


def test_who_has_just_come_is_next_whoever_waits() -> None:
    queue = queue_of((("a", "x"), 1000))
    served(queue, 100)
    queue.push(("b", "z"), "new")
    queue.push(("a", "y"), "its neighbour")
    assert sorted(queue.pop() for _ in range(3)) == ["a/x", "its neighbour", "new"]


def test_who_comes_back_as_soon_as_he_is_served_gets_no_more_than_his_turns() -> None:
    queue = queue_of((("a", "x"), 100), (("b", "z"), 1))
    counted = Counter[str]()
    for _ in range(40):
        item = queue.pop()
        counted[item] += 1
        if item == "b/z":
            queue.push(("b", "z"), item)
    assert counted == {"a/x": 20, "b/z": 20}


def test_a_heavier_item_uses_up_less_of_its_share() -> None:
    queue, weights = FairQueue[str](), {"urgent": 8.0, "slow": 2.0}
    for _ in range(100):
        for rank, name in enumerate(weights):
            queue.push((name,), name, rank=rank)
    counted = Counter[str]()
    for _ in range(50):
        head = queue.head()
        assert queue.pop(weights[head]) == head
        counted[head] += 1
    assert counted == {"urgent": 40, "slow": 10}


def test_where_two_are_next_the_rank_decides() -> None:
    queue = FairQueue[str]()
    queue.push(("slow",), "slow", rank=4)
    queue.push(("urgent",), "urgent", rank=0)
    assert [queue.pop(), queue.pop()] == ["urgent", "slow"]


def test_how_long_an_item_would_wait_is_known_before_it_waits() -> None:
    queue = queue_of((("a", "x"), 10), (("b", "z"), 3))
    assert queue.turns_until_served(("a", "x")) == 22
    assert queue.turns_until_served(("a", "y")) == 4
    assert queue.turns_until_served(("c", "x")) == 3
    assert FairQueue[str]().turns_until_served(("a", "x")) == 1


def test_what_waits_no_longer_is_taken_out_and_is_not_missed_when_it_has_gone() -> None:
    queue = queue_of((("a", "x"), 1), (("b", "z"), 1))
    for _ in range(2):
        queue.discard(("a", "x"), "a/x")
    queue.discard(("c", "x"), "never there")
    assert (len(queue), queue.waiting(("a",)), queue.waiting(("b", "z"))) == (1, 0, 1)
    assert queue.pop() == "b/z"
    with pytest.raises(ValueError, match="empty"):
        queue.head()


paths = st.tuples(st.sampled_from("abc"), st.sampled_from("xy"))


@given(st.lists(st.one_of(paths, st.none()), max_size=80))
def test_everything_is_served_once_and_each_share_in_order(steps: list[Path | None]) -> None:
    """None serves."""
    queue, out, pushed = FairQueue[tuple[Path, int]](), list[tuple[Path, int]](), list[tuple[Path, int]]()
    for number, path in enumerate(steps):
        if path is not None:
            pushed.append((path, number))
            queue.push(path, (path, number))
        elif queue:
            out.append(queue.pop())
    while queue:
        out.append(queue.pop())
    assert sorted(out) == sorted(pushed)
    for path in {path for path, _ in pushed}:
        assert all(earlier < later for earlier, later in pairwise(number for each, number in out if each == path))


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=60))
def test_of_those_who_wait_all_the_time_nobody_is_ever_two_turns_ahead(order: list[str]) -> None:
    queue, counted = FairQueue[str](), Counter[str]()
    for name in order:
        queue.push((name,), name)
    while min(queue.waiting((name,)) for name in set(order)):
        counted[queue.pop()] += 1
        turns = [counted[name] for name in set(order)]
        assert max(turns) - min(turns) <= 1
