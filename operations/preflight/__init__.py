"""What Discord would refuse beyond rights: one rule a function, over plain facts.

A rule returns a sentence that says what is wrong and what would do, or None. Where the answer cannot be known before
Discord gives it, a function whose name says ``may`` returns the sentence for the preview's unknowns.
"""

from __future__ import annotations

from collections.abc import Iterable


def told(*found: str | Iterable[str] | None) -> tuple[str, ...]:
    """The sentences among the answers of several rules, in their order, each once."""
    sentences: list[str] = []
    for answer in found:
        if answer is not None:
            sentences.extend([answer] if isinstance(answer, str) else answer)
    return tuple(dict.fromkeys(sentences))
