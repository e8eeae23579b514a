"""`tools/list` and strict clients: nothing in it that one of them would refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, cast

import jsonschema
import pytest

from tests.clients.demo_process import Demo
from tests.clients.inspector_peer import InspectorPeer, InspectorSession
from tests.clients.listing import Tools, listed_tools
from tests.clients.newcomer import address
from tests.clients.peers import Programs

# The narrowest rule of those who provide models; the specification allows more.
NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
HINTS = {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}
TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}


@pytest.fixture
async def tools(demo: Demo) -> Tools:
    return await listed_tools(demo.mcp_url, demo.token)


def schemas(tools: Tools) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, tool in tools.items():
        for which in ("inputSchema", "outputSchema"):
            if which in tool:
                yield f"{name}.{which}", tool[which]


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema and every schema in it."""
    if isinstance(schema, dict):
        found = cast("dict[str, Any]", schema)
        yield found
        for key, value in found.items():
            inner: list[Any] = []
            if key == "properties":
                inner = list(value.values())
            elif key in ("anyOf", "oneOf", "allOf", "prefixItems"):
                inner = value
            elif key in ("items", "additionalProperties"):
                inner = [value]
            for each in inner:
                yield from parts(each)


async def test_names_titles_descriptions_and_hints_are_as_models_providers_want_them(tools: Tools) -> None:
    assert {"guild_list", "channel_list", "message_list_recent", "message_send", "audit_list"} <= tools.keys()
    for name, tool in tools.items():
        assert NAME.match(name)
        assert tool["title"]
        assert tool["description"]
        assert tool["annotations"].keys() == HINTS
        assert {type(hint) for hint in tool["annotations"].values()} == {bool}


async def test_every_schema_is_a_valid_object_without_references(tools: Tools) -> None:
    for where, schema in schemas(tools):
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object", where
        assert "$ref" not in json.dumps(schema), where
        assert set(schema.get("required", ())) <= schema["properties"].keys(), where


async def test_every_part_of_a_schema_has_one_type(tools: Tools) -> None:
    """A list of types is valid, and refused by clients that translate schemas into a dialect without it."""
    for where, schema in schemas(tools):
        for part in parts(schema):
            assert part.get("type") in TYPES or "anyOf" in part or "enum" in part, (where, part)
            assert part.get("type") != "array" or "items" in part or ".output" in where, (where, part)


async def test_the_inspector_finds_nothing_that_is_not_portable(demo: Demo, programs: Programs) -> None:
    peer = InspectorPeer("http", "modern")
    async with peer.connected(programs, address(demo, peer)) as session:
        assert isinstance(session, InspectorSession)
        assert await session.portability() == ""
