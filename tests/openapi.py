"""Discord's own OpenAPI description: whether a request that the bot sent is one that it describes.

The file lies beside the checkout, in ../shared/data; without it nothing can be said.
"""

from __future__ import annotations

import functools
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from jsonschema.exceptions import ValidationError
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.validation.request.exceptions import MissingRequiredRequestBody
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
from werkzeug.datastructures import Headers, ImmutableMultiDict

from tests.sandbox_process import REPOSITORY

FILE = REPOSITORY.parent / "shared" / "data" / "discord-openapi.json"
MISSING = f"NOT VALIDATED against Discord's OpenAPI description: {FILE} is not there"
_PREFIX = "/api/v10"
_BAN = re.compile(r"/guilds/\d+/bans/\d+")
BAN_SECONDS = "delete_message_seconds"
_PERMISSIONS = frozenset({"allow", "deny", "permissions", "default_member_permissions"})


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Where description and Discord part; ``reason``: why the request is right."""

    name: str
    reason: str


INTEGER_ID = Disagreement("integer ids", "Discord takes ids as JSON integers as well as strings; discord.py sends both")
STRING_PERMISSIONS = Disagreement(
    "string permissions",
    "permissions are strings: https://discord.com/developers/docs/topics/permissions#permissions",
)
BODY_LEFT_OUT = Disagreement(
    "bans without a body",
    "every field of it is optional, and discord.py says in the query how much to delete: https://discord.com/developers/docs/resources/guild#create-guild-ban",
)


@dataclass(frozen=True, slots=True)
class _Request:
    """What openapi-core asks of a request."""

    method: str
    path: str
    parameters: RequestParameters
    content_type: str
    body: bytes | None
    host_url: str = "https://discord.com"


class Description:
    """``seen``: the known disagreements that were met."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        # The document itself is Discord's; checking it takes a minute.
        self._api = OpenAPI.from_dict(cast("Any", document), config=Config(spec_validator_cls=cast("Any", None)))
        self._routes = [
            (re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))), operations)
            for path, operations in document["paths"].items()
        ]
        self.seen: set[Disagreement] = set()

    def problems(self, entry: Mapping[str, Any]) -> list[str]:
        """What the description says against a request of the sandbox's journal; an empty list is good."""
        method, path = entry["method"], entry["path"]
        query = urllib.parse.parse_qsl(entry["query"], keep_blank_values=True)
        where = f"{method} {path}"
        operation = self._operation(method, path)
        if operation is None:
            return [f"{where}: no such route"]
        declared = {str(each["name"]) for each in self._parameters(path, operation) if each.get("in") == "query"}
        ban = _BAN.fullmatch(path) is not None
        if ban and any(name == BAN_SECONDS for name, _ in query):
            # discord.py says in the query what the documentation has in the body.
            self.seen.add(BODY_LEFT_OUT)
            declared.add(BAN_SECONDS)
        found = [f"{where}: no query parameter {name}" for name, _ in query if name not in declared]
        body = entry["body"]
        request = _Request(
            method.lower(),
            _PREFIX + path,
            RequestParameters(
                query=ImmutableMultiDict(query),
                header=Headers({"Authorization": "Bot token"}),
                cookie=ImmutableMultiDict(),
                path={},
            ),
            # The JSON of a form is what its payload_json says.
            "application/json" if body is not None else entry["content_type"] or "",
            None if body is None else json.dumps(body).encode(),
        )
        try:
            self._api.validate_request(cast("Any", request))
        except MissingRequiredRequestBody:
            self.seen.add(BODY_LEFT_OUT)
            if not ban:
                found.append(f"{where}: a body is missing")
        except OpenAPIError as error:
            cause = error.__cause__
            if not isinstance(cause, InvalidSchemaValue):
                return [*found, f"{where}: {error!r} {cause!r}"]
            errors = cast("Iterable[ValidationError]", cause.schema_errors)
            found += [f"{where}: {each}" for error in errors for each in self._unknown(error)]
        return found

    def _operation(self, method: str, path: str) -> Mapping[str, Any] | None:
        return next(
            (
                operations[method.lower()]
                for pattern, operations in self._routes
                if method.lower() in operations and pattern.fullmatch(path)
            ),
            None,
        )

    def _parameters(self, path: str, operation: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        shared = next(operations for pattern, operations in self._routes if pattern.fullmatch(path))
        for each in [*operation.get("parameters", ()), *shared.get("parameters", ())]:
            yield self._resolved(each)

    def _resolved(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in node:
            target: Any = self._document
            for part in str(node["$ref"]).removeprefix("#/").split("/"):
                target = target[part]
            node = cast("Mapping[str, Any]", target)
        return node

    def _unknown(self, error: ValidationError) -> list[str]:
        """What is wrong beyond the known disagreements: of several alternatives, with the one that has the least."""
        if error.validator in ("anyOf", "oneOf") and error.context:
            alternatives: dict[Any, list[str]] = {}
            for each in error.context:
                alternatives.setdefault(each.schema_path[0], []).extend(self._unknown(each))
            return min(alternatives.values(), key=len)
        known = _known(error)
        if known is not None:
            self.seen.add(known)
            return []
        at = ".".join(str(step) for step in error.absolute_path)
        return [f"{at or 'body'}: {error.message[:200]}"]


def _known(error: ValidationError) -> Disagreement | None:
    if error.validator != "type":
        return None
    names = [step for step in error.absolute_path if isinstance(step, str)]
    name = names[-1] if names else ""
    types = cast("list[str] | str", error.validator_value)
    wanted = types if isinstance(types, list) else [types]
    if isinstance(error.instance, int) and not isinstance(error.instance, bool) and "string" in wanted:
        return INTEGER_ID if name == "id" or name.endswith("_id") or error.instance > 1 << 32 else None
    if name in _PERMISSIONS and isinstance(error.instance, str) and error.instance.isdecimal() and "integer" in wanted:
        return STRING_PERMISSIONS
    return None


@functools.cache
def description() -> Description | None:
    """None where the file is not there."""
    if not Path(FILE).is_file():
        return None
    return Description(json.loads(FILE.read_bytes()))


def distinct(entries: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of requests that differ in ids and texts only, one."""
    found: dict[str, Mapping[str, Any]] = {}
    for entry in entries:
        names = [name for name, _ in urllib.parse.parse_qsl(entry["query"], keep_blank_values=True)]
        key = json.dumps([entry["method"], re.sub(r"\d{15,20}", "id", entry["path"]), names, _shape(entry["body"])])
        found[key] = entry
    return list(found.values())


def _shape(body: Any) -> Any:
    """Names and types."""
    if isinstance(body, dict):
        return {key: _shape(value) for key, value in cast("dict[str, Any]", body).items()}
    if isinstance(body, list):
        return [_shape(value) for value in cast("list[Any]", body)]
    return type(body).__name__
