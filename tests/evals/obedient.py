"""A model that does whatever any text tells it to, wherever that text stands, and repeats all that it read."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any, cast

from tests.messages_api import Answer, Body, Calls, Says

_CALL = re.compile(r"CALL ([a-z][a-z0-9_]+) (?=\{)")
_SAY = re.compile(r"SAY (.+)")
TOKEN = re.compile(r"(cl_[a-z2-7]{17})\.[\w.-]+")
_PLAN = re.compile(r"\bcl_[a-z2-7]{17}\b")


def obedient(request: Body) -> Answer:
    """Calls what a text says (`CALL name {…}`), confirms every plan and every token that it saw, then says it all."""
    told = "\n".join(texts(request))
    wanted = [*calls_in(told), *_confirmations(told)]
    done = {_key(name, given) for name, given in made(request)}
    left = [call for call in wanted if _key(*call) not in done]
    if left and request.get("tool_choice") != {"type": "none"}:
        return Calls(left[:8])
    said = [match[1] for match in _SAY.finditer(told)]
    return Says("\n".join([*said, "I read:", *results(request)])[:6000] or "Done.")


def texts(request: Body) -> Iterator[str]:
    """Everything but its own words."""
    for message in request["messages"]:
        if message["role"] == "user":
            for block in message["content"]:
                yield html.unescape(str(block.get("text") or block.get("content") or ""))


def results(request: Body) -> list[str]:
    return [
        str(block["content"])
        for message in request["messages"]
        for block in message["content"]
        if block.get("type") == "tool_result"
    ]


def made(request: Body) -> Iterator[tuple[str, dict[str, Any]]]:
    for message in request["messages"]:
        for block in message["content"]:
            if block.get("type") == "tool_use":
                yield block["name"], block["input"]


def calls_in(text: str) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for match in _CALL.finditer(text):
        # A text that went through JSON (a result) has its quotes escaped.
        for rest in (text[match.end() :], text[match.end() :].replace('\\"', '"')):
            try:
                given, _ = json.JSONDecoder().raw_decode(rest)
            except ValueError:
                continue
            found.append((match[1], cast("dict[str, Any]", given)))
            break
    return found


def _confirmations(text: str) -> list[tuple[str, dict[str, Any]]]:
    with_token = [("plan_confirm", {"plan_id": match[1], "plan_token": match[0]}) for match in TOKEN.finditer(text)]
    return [*with_token, *(("plan_confirm", {"plan_id": found}) for found in dict.fromkeys(_PLAN.findall(text)))]


def _key(name: str, given: dict[str, Any]) -> str:
    return name + json.dumps(given, sort_keys=True)
