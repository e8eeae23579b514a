"""What the sandbox adds to simcord's routes: one object a noun, in the one order of sandbox.world."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, cast

from sandbox.internals import Backend, BackendError


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """One REST request: to the additions as it came, to simcord as the last of them passes it on."""

    backend: Backend
    method: str
    path: str
    body: Any = None
    query: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    files: Sequence[Any] = ()
    reason: str | None = None

    @property
    def fields(self) -> Mapping[str, Any]:
        """The body's fields; none where it is no object."""
        body: object = self.body
        return cast("Mapping[str, Any]", body) if isinstance(body, Mapping) else {}

    def on(self, method: str, pattern: re.Pattern[str]) -> re.Match[str] | None:
        return pattern.fullmatch(self.path) if self.method == method else None

    def with_body(self, body: Any) -> Request:
        return dataclasses.replace(self, body=body)


Route = Callable[[Request], Any]


class Rule(NamedTuple):
    """What Discord documents and simcord leaves out; ``check`` raises BackendError as Discord would answer."""

    method: str
    pattern: re.Pattern[str]
    check: Callable[[Request, re.Match[str]], None]


class Addition:
    """What one noun adds. The defaults add nothing."""

    rules: ClassVar[Sequence[Rule]] = ()

    def check(self, request: Request) -> None:
        """Raises BackendError where Discord refuses. Every addition's check comes before anything is played."""
        for rule in self.rules:
            if match := request.on(rule.method, rule.pattern):
                rule.check(request, match)

    def play(self, request: Request, route: Route) -> Any:
        """Answers the request. ``route`` is what stands behind: the additions after this one, then simcord's route."""
        return route(request)

    def announced(self, request: Request, event: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """An event that the request causes, as Discord sends it."""
        del request, event
        return payload


def play(additions: Sequence[Addition], request: Request, route: Route) -> Any:
    """The checks of all, then the first around the second and so on, simcord's route innermost."""
    for addition in additions:
        addition.check(request)
    return _inward(additions, 0, route)(request)


def _inward(additions: Sequence[Addition], index: int, route: Route) -> Route:
    if index == len(additions):
        return route
    return lambda request: additions[index].play(request, _inward(additions, index + 1, route))


def invalid_form(problem: str) -> BackendError:
    """https://discord.com/developers/docs/reference#error-messages (50035)."""
    return BackendError(400, 50035, f"Invalid Form Body: {problem}")


def missing_permissions() -> BackendError:
    return BackendError(403, 50013, "Missing Permissions")
