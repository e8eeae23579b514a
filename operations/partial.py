"""Effects of several requests, of which the first took effect and a later one did not."""

from __future__ import annotations

from operations.base import Model


class PartlyDone(Exception):
    """Raised by an execution from the error that ended it (its ``__cause__``), or by a look at what became of it.

    ``result``: how far it came; the outcome carries it. The text says the same in words.
    """

    def __init__(self, result: Model, told: str) -> None:
        super().__init__(told)
        self.result = result
