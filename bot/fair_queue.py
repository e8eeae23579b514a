"""Whose turn it is: shares within shares, each served in proportion to its weight."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class _Share(Generic[T]):
    """A node of the tree. Inner ones hold shares, the last ones items.

    ``finish``: up to where it has been served, in its parent's time; ``time``: the time of the shares within it.
    ``count``: how many items wait in it.
    """

    __slots__ = ("count", "finish", "items", "rank", "shares", "time")

    def __init__(self, finish: float, rank: int) -> None:
        self.finish = finish
        self.rank = rank
        self.time = 0.0
        self.count = 0
        self.shares: dict[Hashable, _Share[T]] = {}
        self.items: deque[T] = deque()

    def next(self) -> _Share[T]:
        """The share within this one that is served next."""
        return min((share for share in self.shares.values() if share.count), key=_order)

    def tidy(self) -> None:
        """Forgets empty shares, save those that were served ahead of time: back at once, they still wait for theirs."""
        self.shares = {key: share for key, share in self.shares.items() if share.count or share.finish > self.time}


class FairQueue(Generic[T]):
    """Start-time fair queueing (https://doi.org/10.1145/248156.248171) over a tree of shares.

    An item waits at a path of keys: whose it is, from the largest share to the smallest. At each level the shares that
    have something waiting take turns; one that has just come is next. An item of weight 4 uses up half as much of its
    shares as one of weight 2. In the smallest share, items leave in order.
    """

    def __init__(self) -> None:
        self._root: _Share[T] = _Share(0.0, 0)

    def __len__(self) -> int:
        return self._root.count

    def push(self, path: tuple[Hashable, ...], item: T, *, rank: int = 0) -> None:
        """``rank``: which of the smallest shares goes first where two of them are next; the smaller, the sooner."""
        share = self._root
        share.count += 1
        for key in path:
            child = share.shares.get(key)
            if child is None:
                child = share.shares[key] = _Share(share.time, rank)
            elif not child.count:
                child.finish = max(child.finish, share.time)
            child.count += 1
            share = child
        share.items.append(item)

    def head(self) -> T:
        """The item that is next. Raises ValueError when none waits."""
        share = self._root
        while not share.items:
            share = share.next()
        return share.items[0]

    def pop(self, weight: float = 1.0) -> T:
        """Takes the item that is next; ``weight``: its own. Raises ValueError when none waits."""
        share = self._root
        share.count -= 1
        while not share.items:
            child = share.next()
            share.time = child.finish
            child.finish += 1.0 / weight
            child.count -= 1
            share.tidy()
            share = child
        item = share.items.popleft()
        self._rest()
        return item

    def discard(self, path: tuple[Hashable, ...], item: T) -> None:
        """Takes out an item that waits no longer, if it is still there."""
        shares = [self._root]
        for key in path:
            child = shares[-1].shares.get(key)
            if child is None:
                return
            shares.append(child)
        if item not in shares[-1].items:
            return
        shares[-1].items.remove(item)
        for share in shares:
            share.count -= 1
        self._rest()

    def _rest(self) -> None:
        """When nobody waits, nobody is ahead of anybody."""
        if not self._root.count:
            self._root = _Share(0.0, 0)

    def waiting(self, path: tuple[Hashable, ...]) -> int:
        """How many items wait in a share."""
        share = self._root
        for key in path:
            child = share.shares.get(key)
            if child is None:
                return 0
            share = child
        return share.count

    def turns_until_served(self, path: tuple[Hashable, ...]) -> int:
        """About how many items leave until one leaves that is added to the share at this path now, if all weigh the
        same and nobody else comes or goes.
        """
        turns = self.waiting(path) + 1
        share: _Share[T] | None = self._root
        for key in path:
            shares = {} if share is None else share.shares
            own = shares.get(key)
            others = sum(1 for other in shares.values() if other.count and other is not own)
            turns *= others + 1
            share = own
        return turns


def _order(share: _Share[T]) -> tuple[float, int]:
    return share.finish, share.rank
