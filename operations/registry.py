"""The catalogue's type: look-up by name, toolsets, visibility for a caller, search."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping

from operations.base import Operation
from policy.model import Caller, Kind
from policy.scopes import covers

WORD = re.compile(r"[a-z0-9]+")
# Of two words the shorter one has at least so many letters, and the longer one at most so many more ("sends", "send").
SHORTEST_STEM = 4
LONGEST_ENDING = 3


class Registry:
    """Immutable after construction. Raises ValueError for two operations of one name."""

    def __init__(self, classes: Iterable[type[Operation]]) -> None:
        self._operations: dict[str, Operation] = {}
        for cls in classes:
            if cls.name in self._operations:
                raise ValueError(f"two operations are called {cls.name}")
            self._operations[cls.name] = cls()
        self._words = {name: _words(operation) for name, operation in self._operations.items()}

    def get(self, name: str) -> Operation | None:
        return self._operations.get(name)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._operations.values())

    def __len__(self) -> int:
        return len(self._operations)

    @property
    def toolsets(self) -> tuple[str, ...]:
        return tuple(sorted({operation.toolset for operation in self}))

    def offered(self, caller: Caller) -> tuple[Operation, ...]:
        """What this caller's credential allows: face, toolset, scope and write mode. Roles and rights are decided at
        each call.
        """
        return tuple(operation for operation in self if could_use(caller, operation))

    def search(self, query: str, caller: Caller, limit: int) -> list[Operation]:
        """Operations that a caller could use, those whose name and description fit best first."""
        wanted = WORD.findall(query.lower())
        scored = [
            (score, operation.name, operation)
            for operation in self.offered(caller)
            if (score := _score(wanted, self._words[operation.name])) > 0
        ]
        # Of two that fit as well the one with the shorter name was meant: `message_delete`, not its sibling in bulk.
        scored.sort(key=lambda found: (-found[0], found[1].count("_"), found[1]))
        return [operation for _, _, operation in scored[:limit]]

    def close_to(self, name: str, caller: Caller, limit: int) -> list[str]:
        """Names that a misspelt one may stand for, among those that the caller could use; the likeliest first."""
        offered = [operation.name for operation in self.offered(caller)]
        close = difflib.get_close_matches(name.lower(), offered, n=limit, cutoff=0.75)
        found = [operation.name for operation in self.search(name.replace("_", " "), caller, limit)]
        return list(dict.fromkeys([*close, *found]))[:limit]


def could_use(caller: Caller, operation: Operation) -> bool:
    return (
        caller.face in operation.faces
        and (caller.toolsets is None or operation.toolset in caller.toolsets)
        and (operation.kind is Kind.READ or not caller.read_only)
        and covers(caller.scopes, operation.scope)
    )


def _words(operation: Operation) -> Mapping[str, float]:
    weights: dict[str, float] = {}
    for text, weight in ((operation.description, 1.0), (operation.toolset, 2.0), (operation.name, 4.0)):
        for word in WORD.findall(text.lower().replace("_", " ")):
            weights[word] = max(weights.get(word, 0.0), weight)
    return weights


def _score(wanted: list[str], weights: Mapping[str, float]) -> float:
    total = 0.0
    for word in wanted:
        best = weights.get(word, 0.0)
        if not best and len(word) >= 3:
            best = max((weight / 2 for known, weight in weights.items() if _akin(word, known)), default=0.0)
        total += best
    return total


def _akin(word: str, known: str) -> bool:
    """A beginning of a known word, or one with another ending."""
    if known.startswith(word):
        return True
    return len(known) >= SHORTEST_STEM and word.startswith(known) and len(word) - len(known) <= LONGEST_ENDING
