"""Arguments that don't fit an operation's input: one sentence a problem, with what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from operations.sanitise import inline
from policy.model import Refuse, Step

_MAX_PROBLEMS = 10
_MAX_ECHO = 40

_EXAMPLES = {
    "string": 'a string, such as "general"',
    "integer": "a whole number, such as 10",
    "number": "a number, such as 1.5",
    "boolean": "true or false",
    "array": 'a list, such as ["a", "b"]',
    "object": "an object with named fields",
}
_WRONG_TYPE = {
    "string_type": "string",
    "int_type": "integer",
    "int_parsing": "integer",
    "int_from_float": "integer",
    "float_type": "number",
    "float_parsing": "number",
    "bool_type": "boolean",
    "bool_parsing": "boolean",
    "list_type": "array",
    "tuple_type": "array",
    "set_type": "array",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
}


class InvalidArguments(Exception):
    """Arguments were refused before anything was looked up. ``problems``: one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)

    @classmethod
    def of(
        cls, error: ValidationError, model: type[BaseModel], more: Mapping[str, str] | None = None
    ) -> InvalidArguments:
        """From a failed validation of ``model``. Values are never repeated, save short words.

        ``more``: arguments that are taken beside those of the model, with their JSON types.
        """
        schema = model.model_json_schema()
        if more:
            beside = {name: {"type": kind} for name, kind in more.items()}
            schema = {**schema, "properties": {**schema.get("properties", {}), **beside}}
        details = error.errors(include_url=False, include_context=True, include_input=True)
        problems = list(dict.fromkeys(_sentence(detail, schema) for detail in details))
        if len(problems) > _MAX_PROBLEMS:
            problems = [*problems[:_MAX_PROBLEMS], f"And {len(problems) - _MAX_PROBLEMS} more problems."]
        return cls(problems)

    def refusal(self) -> Refuse:
        return Refuse(
            Step.VALIDATE, "invalid_arguments", " ".join(self.problems), "Correct the arguments and call again."
        )


def _sentence(detail: ErrorDetails, schema: Mapping[str, Any]) -> str:
    kind = detail["type"]
    context = detail.get("ctx", {})
    field = _field(detail["loc"])
    if kind == "extra_forbidden":
        return _unknown(detail["loc"], schema)
    if kind == "missing":
        return f"`{field}` is missing; give {_wanted(_at(schema, detail['loc']), schema)}."
    if kind in _WRONG_TYPE:
        wanted = _wanted(_at(schema, detail["loc"]), schema) or _EXAMPLES[_WRONG_TYPE[kind]]
        return f"`{field}` must be {wanted}, not {_shown(detail['input'])}."
    if kind in ("literal_error", "enum"):
        return f"`{field}` must be {context.get('expected', 'one of its values')}{_meant(detail['input'], context)}."
    if kind in ("string_too_long", "string_too_short"):
        bound = context.get("max_length", context.get("min_length"))
        least = "at most" if kind == "string_too_long" else "at least"
        length = len(detail["input"]) if isinstance(detail["input"], str) else 0
        return f"`{field}` takes {least} {bound:,} characters; it has {length:,}."
    if kind in ("too_long", "too_short"):
        bound = context.get("max_length", context.get("min_length"))
        least = "at most" if kind == "too_long" else "at least"
        return f"`{field}` takes {least} {bound:,} entries; it has {context.get('actual_length')}."
    for name, words in (
        ("le", "at most"),
        ("lt", "less than"),
        ("ge", "at least"),
        ("gt", "more than"),
        ("multiple_of", "a multiple of"),
    ):
        if name in context:
            bound = context[name]
            number = f"{bound:,}" if isinstance(bound, int | float) else bound
            return f"`{field}` must be {words} {number}, not {_shown(detail['input'])}."
    if kind == "string_pattern_mismatch":
        return f"`{field}` must match {context.get('pattern')}."
    # A validator of our own speaks for itself: pydantic puts this before its words.
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ").rstrip(".")
    return f"`{field}`: {message}." if field else f"{message[:1].upper()}{message[1:]}."


def _unknown(location: tuple[int | str, ...], schema: Mapping[str, Any]) -> str:
    name = str(location[-1]) if location else ""
    known = list(_properties(_at(schema, location[:-1]), schema))
    where = _field(location[:-1])
    inside = f" in `{where}`" if where else ""
    close = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.6)
    shown = inline(name, _MAX_ECHO)
    if close:
        return f"There is no argument `{shown}`{inside}; did you mean {' or '.join(f'`{match}`' for match in close)}?"
    listed = ", ".join(f"`{each}`" for each in known) or "none"
    return f"There is no argument `{shown}`{inside}; there are: {listed}."


def _meant(value: object, context: Mapping[str, Any]) -> str:
    if not isinstance(value, str):
        return ""
    words = [word.strip("' ") for word in str(context.get("expected", "")).replace(" or ", ",").split(",")]
    close = difflib.get_close_matches(value.lower()[:_MAX_ECHO], words, n=1, cutoff=0.6)
    return f"; perhaps '{close[0]}' is meant" if close else f", not {_shown(value)}"


def _shown(value: object) -> str:
    """What was given, without repeating more of it than a word."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return inline(str(value), _MAX_ECHO)
        case str() if len(value) <= _MAX_ECHO:
            return f"'{inline(value, _MAX_ECHO)}'"
        case str():
            return f"a text of {len(value):,} characters"
        case None:
            return "null"
        case list() | tuple():
            return "a list"
        case dict():
            return "an object"
        case _:
            return "this"


def _field(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif not _is_branch(part):
            path += f".{inline(part, _MAX_ECHO)}" if path else inline(part, _MAX_ECHO)
    return path


def _is_branch(part: str) -> bool:
    """pydantic names the branches of a union in the path (``str``, ``function-before[…]``, a model's name)."""
    return "[" in part or part in ("str", "int", "float", "bool", "none", "constrained-str", "constrained-int")


def _at(schema: Mapping[str, Any], location: tuple[int | str, ...]) -> Mapping[str, Any]:
    """The schema of a place in the arguments; empty where it cannot be told."""
    node: Mapping[str, Any] = schema
    for part in location:
        node = _resolved(node, schema)
        node = node.get("items", {}) if isinstance(part, int) else node.get("properties", {}).get(part, {})
    return _resolved(node, schema)


def _resolved(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    for branch in node.get("anyOf", ()):
        if branch.get("type") != "null":
            return _resolved(branch, schema)
    reference = node.get("$ref")
    if reference is None:
        return node
    return _resolved(schema.get("$defs", {}).get(str(reference).rpartition("/")[2], {}), schema)


def _properties(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", _resolved(node, schema).get("properties", {}))


def _wanted(node: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What to write at a place, from its schema."""
    choices = node.get("enum")
    if choices:
        return "one of " + ", ".join(repr(choice) for choice in choices)
    if node.get("type") == "array":
        inner = _resolved(node.get("items", {}), schema).get("type")
        return f"a list of {inner}s" if inner in ("string", "integer", "number") else _EXAMPLES["array"]
    examples = node.get("examples")
    if examples:
        return f"for example {examples[0]!r}"
    return _EXAMPLES.get(str(node.get("type")), "a value")
