"""The one mechanism by which the sandbox adds to simcord's routes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sandbox.additions import Addition, Request, Route, Rule, invalid_form, play
from sandbox.internals import BackendError
from sandbox.world import World

REQUEST = Request(World().backend, "POST", "/things/7", {"name": "seven"})


class Named(Addition):
    def __init__(self, name: str, heard: list[str]) -> None:
        self._name = name
        self._heard = heard

    def play(self, request: Request, route: Route) -> Any:
        self._heard.append(f"{self._name} before")
        result = route(request.with_body({**request.fields, self._name: True}))
        self._heard.append(f"{self._name} after")
        return result


class Refusing(Addition):
    @staticmethod
    def _refuse(request: Request, match: re.Match[str]) -> None:
        if request.fields["name"] == "seven":
            raise invalid_form(f"thing {match['thing']}")

    rules = (Rule("POST", re.compile(r"/things/(?P<thing>\d+)"), _refuse),)


def test_the_first_stands_around_the_others_and_the_route_gets_what_all_made_of_the_body() -> None:
    heard: list[str] = []
    result = play([Named("outer", heard), Named("inner", heard)], REQUEST, lambda request: request.body)
    assert result == {"name": "seven", "outer": True, "inner": True}
    assert heard == ["outer before", "inner before", "inner after", "outer after"]


def test_a_refusal_of_the_last_comes_before_anything_is_played() -> None:
    heard: list[str] = []
    with pytest.raises(BackendError, match="thing 7"):
        play([Named("outer", heard), Refusing()], REQUEST, lambda request: request.body)
    assert heard == []


@pytest.mark.parametrize(("method", "path"), [("GET", "/things/7"), ("POST", "/things/7/parts"), ("POST", "/things")])
def test_a_rule_is_asked_only_of_its_method_and_its_whole_path(method: str, path: str) -> None:
    request = Request(REQUEST.backend, method, path, REQUEST.body)
    assert play([Refusing()], request, lambda _request: "done") == "done"


@pytest.mark.parametrize("body", [None, [1], "text"])
def test_a_body_that_is_no_object_has_no_fields_and_reaches_the_route_as_it_is(body: Any) -> None:
    request = REQUEST.with_body(body)
    assert request.fields == {}
    assert play([Addition()], request, lambda passed: passed.body) == body
