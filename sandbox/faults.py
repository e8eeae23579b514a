"""Faults on demand: errors, resets, latency and hangs, before or after a request's effect."""

from __future__ import annotations

import fnmatch
import random
import re
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Fault(BaseModel):
    """What goes wrong, for which requests, and how often.

    `path` is matched after `/api/v10`, without the query: a regular expression if it begins with `^` (matched in full),
    else an fnmatch pattern. `latency` delays and then goes on; `hang` keeps the request waiting and then drops it.
    Without status, reset or hang, a fault is latency alone.
    """

    model_config = ConfigDict(extra="forbid")

    method: str = "*"
    path: str = "*"
    status: int | None = Field(default=None, ge=400, le=599)
    reset: bool = False
    latency: float = Field(default=0.0, ge=0, le=600)
    hang: float | None = Field(default=None, ge=0, le=600)
    when: Literal["before", "after"] = "before"
    times: int | None = Field(default=None, ge=1)
    rate: float = Field(default=1.0, gt=0, le=1)
    retry_after: float = Field(default=0.3, ge=0)
    scope: Literal["user", "shared", "global"] = "user"
    code: int = 0

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = (self.status is not None) + self.reset + (self.hang is not None)
        if kinds > 1:
            raise ValueError("a fault has one of status, reset and hang")
        if not kinds and not self.latency:
            raise ValueError("a fault needs one of status, reset, hang and latency")
        if self.path.startswith("^"):
            try:
                re.compile(self.path)
            except re.error as error:
                raise ValueError(f"path is no regular expression: {error}") from error
        return self

    def matches(self, method: str, path: str) -> bool:
        if self.method.upper() not in ("*", method):
            return False
        if self.path.startswith("^"):
            return re.fullmatch(self.path, path) is not None
        return fnmatch.fnmatchcase(path, self.path)


class Faults:
    """The faults in force. `rate` is drawn from a generator of its own, so that a seed repeats a run."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self._faults: list[Fault] = []

    def set(self, faults: list[Fault], *, seed: int | None = None) -> None:
        self._faults = list(faults)
        if seed is not None:
            self._random.seed(seed)

    def take(self, method: str, path: str, when: Literal["before", "after"]) -> list[Fault]:
        """The faults that strike now, each counted; a pure latency may come with one that ends the request."""
        struck: list[Fault] = []
        for fault in list(self._faults):
            if fault.when != when or not fault.matches(method, path) or self._random.random() >= fault.rate:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
            struck.append(fault)
            if fault.status is not None or fault.reset or fault.hang is not None:
                break
        return struck

    def remaining(self) -> list[Fault]:
        return list(self._faults)
