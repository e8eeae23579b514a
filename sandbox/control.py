"""The control API: how people in the simulated world act, and how tests arrange it.

On loopback only, with the token of this start; POST and JSON; Host and Origin are checked, so that no web page that a
browser on this machine shows can reach it.
"""

from __future__ import annotations

import dataclasses
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from sandbox.internals import BackendError, SetupError

logger = logging.getLogger(__name__)

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


class ActionBody(BaseModel):
    """What an action takes. Ids are strings of digits; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


@dataclasses.dataclass(frozen=True, slots=True)
class Action:
    """One action: its name, its body, and what it does; the answer is a JSON object."""

    name: str
    body: type[ActionBody]
    run: Callable[[Any], Awaitable[dict[str, Any]]]


def _json(data: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, headers={"Content-Type": "application/json"})


def is_loopback_host(host: str | None, port: int) -> bool:
    """Whether a Host header names this machine and this port. What else it names was rebound."""
    return host in {f"{name}:{port}" for name in _LOOPBACK_NAMES}


class Control:
    """The door: who may come in, and which action it is."""

    def __init__(self, actions: Iterable[Action], port: int) -> None:
        self.token = secrets.token_urlsafe(32)
        self._port = port
        self._actions: dict[str, Action] = {}
        for action in actions:
            if action.name in self._actions:
                raise ValueError(f"two actions are called {action.name}")
            self._actions[action.name] = action

    async def handle(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        action = self._actions.get(request.match_info["action"])
        if action is None:
            return _json({"error": "no such action", "actions": sorted(self._actions)}, 404)
        try:
            body = action.body.model_validate_json(await request.read() or b"{}")
        except ValidationError as error:
            return _json({"error": f"{action.name}: {_say(error)}"}, 400)
        try:
            return _json(await action.run(body))
        except BackendError as error:
            return _json({"error": str(error), "status": error.status, "code": error.code}, 400)
        except SetupError as error:
            return _json({"error": "\n".join([str(error), *getattr(error, "__notes__", ())])}, 400)

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not is_loopback_host(request.headers.get("Host"), self._port):
            return _json({"error": "the Host header has to name this machine and port"}, 403)
        origin = request.headers.get("Origin")
        if origin is not None and not is_loopback_host(origin.removeprefix("http://"), self._port):
            return _json({"error": "the Origin is not this sandbox"}, 403)
        if request.method != "POST":
            return _json({"error": "actions are POST requests"}, 405)
        expected = f"Bearer {self.token}".encode()
        if not secrets.compare_digest(request.headers.get("Authorization", "").encode(), expected):
            return _json({"error": "the header Authorization: Bearer <control token> is missing or wrong"}, 401)
        if request.content_type != "application/json":
            return _json({"error": "the Content-Type has to be application/json"}, 415)
        return None


def _say(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'body'}: {problem['msg']}" for problem in error.errors()
    )
