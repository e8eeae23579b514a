"""JSON Schemas of inputs and results, as small as they can be and still tell the truth.

pydantic repeats every field's name as a title, keeps nested models in ``$defs`` and writes a nullable as a union. A
model reads all of that with each conversation, so titles go, references are inlined, and what may be absent is just not
required.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

Schema = dict[str, Any]

# Objects below this depth are told without their fields: root, the rows of a list, but not what a row is made of.
OUTPUT_DEPTH = 2
_OUTPUT_KEYWORDS = frozenset({"type", "properties", "required", "items", "anyOf"})
_REFERENCE = "#/$defs/"
# The discriminator is OpenAPI's, and points into $defs.
_DROPPED = frozenset({"title", "$defs", "discriminator"})
# No sensible value is longer, or larger, or has more parts; the refusal of one that is names the limit.
_LONG = 64
_LARGE = 10_000
_MANY = 10


def input_schema(model: type[BaseModel], *, more: Mapping[str, Schema]) -> Schema:
    """What a call of this input may hold. ``more``: properties that aren't in the model.

    A field that may be left out is shown without its null and without an empty default: leaving it out means the same.
    Bounds that no sensible value misses are left to the refusal that names them.
    """
    schema = _inlined(_generate(model, "validation"), {}, (), _as_argument)
    properties = cast("dict[str, Schema]", schema.get("properties", {}))
    properties.update({name: dict(extra) for name, extra in more.items()})
    required = {"required": schema["required"]} if "required" in schema else {}
    return {"type": "object", "properties": properties, **required, "additionalProperties": False}


def output_schema(model: type[BaseModel]) -> Schema:
    """What a result of this model looks like on the wire, where fields that are None are left out.

    Further fields are allowed, so that a result may grow. Checks of values are left out: the server made them. No field
    has a list of types: some clients translate schemas into a dialect without those.
    """
    schema = _inlined(_generate(model, "serialization"), {}, (), _as_result)
    return _outline(schema, OUTPUT_DEPTH)


ANY_KIND = [{"type": kind} for kind in ("string", "number", "boolean", "object", "array", "null")]


class _Generator(GenerateJsonSchema):
    """Docstrings of models and enums tell programmers, not callers: descriptions are those of fields."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return _undescribed(super().model_schema(schema))

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        return _undescribed(super().typed_dict_schema(schema))

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return _undescribed(super().dataclass_schema(schema))

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        return _undescribed(super().enum_schema(schema))


def _undescribed(schema: JsonSchemaValue) -> JsonSchemaValue:
    schema.pop("description", None)
    return schema


def _generate(model: type[BaseModel], mode: Any) -> Schema:
    return model.model_json_schema(mode=mode, schema_generator=_Generator)


def _inlined(
    schema: Schema, definitions: Mapping[str, Schema], inside: tuple[str, ...], nullable: Callable[[Schema], Schema]
) -> Schema:
    """Without references and titles. A model that holds itself is told as an object from the second time on."""
    definitions = schema.get("$defs", definitions)
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = reference.removeprefix(_REFERENCE)
        siblings = {key: value for key, value in schema.items() if key != "$ref"}
        if name in inside:
            return {"type": "object", **_inlined(siblings, definitions, inside, nullable)}
        # pydantic puts an enum's docstring back after its schema was made.
        definition = _undescribed({**definitions[name]})
        return _inlined({**definition, **siblings}, definitions, (*inside, name), nullable)
    if "oneOf" in schema:
        schema = {**schema, "anyOf": schema["oneOf"]}
        del schema["oneOf"]
    found: Schema = {}
    for key, value in schema.items():
        if key in _DROPPED:
            continue
        if key == "properties":
            found[key] = {name: _inlined(part, definitions, inside, nullable) for name, part in value.items()}
        elif key in ("anyOf", "allOf", "prefixItems"):
            found[key] = [_inlined(part, definitions, inside, nullable) for part in value]
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            found[key] = _inlined(cast("Schema", value), definitions, inside, nullable)
        else:
            found[key] = value
    return nullable(found)


def _as_result(schema: Schema) -> Schema:
    """Any value is told as each kind of value: a schema without a word reads like a mistake."""
    return schema if schema.keys() - {"default"} else {"anyOf": list(ANY_KIND)}


def _as_argument(schema: Schema) -> Schema:
    schema = _merged(schema, [part for part in schema.get("anyOf", ()) if part != {"type": "null"}])
    found = {key: value for key, value in schema.items() if not _goes_without_saying(key, value)}
    if "description" in found:
        found["description"] = found.pop("description")  # last: people look for the type first
    return found


def _goes_without_saying(key: str, value: object) -> bool:
    match key:
        case "default":
            return not value
        case "additionalProperties":
            return isinstance(value, bool)
        case "minLength":
            return value == 1
        case "maxLength":
            return isinstance(value, int) and value >= _LONG
        case "maximum":
            return isinstance(value, int) and value >= _LARGE
        case "maxItems":
            return isinstance(value, int) and value >= _MANY
        case "minimum":
            return value == 0
        case "pattern":
            return True  # the description has an example
        case _:
            return False


def _present(schema: Schema) -> Schema:
    """A field as it is where it isn't left out; any value may be null as well."""
    if schema.get("anyOf") == ANY_KIND:
        return schema
    return _merged(schema, [part for part in schema.get("anyOf", ()) if part != {"type": "null"}])


def _merged(schema: Schema, alternatives: list[Schema]) -> Schema:
    if not alternatives:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**alternatives[0], **rest} if len(alternatives) == 1 else {**rest, "anyOf": alternatives}


def _outline(schema: Schema, depth: int) -> Schema:
    found = {key: value for key, value in schema.items() if key in _OUTPUT_KEYWORDS}
    properties: dict[str, Schema] = found.pop("properties", {})
    required: list[str] = found.pop("required", [])
    if properties and depth > 0:
        found["properties"] = {name: _outline(_present(part), depth - 1) for name, part in properties.items()}
        always = [name for name in required if not _may_be_null(properties[name])]
        if always:
            found["required"] = always
    if "items" in found:
        # A list is no level of its own: what counts is how deep its rows are.
        items = _outline(found.pop("items"), depth)
        if items != {"type": "object"}:
            found["items"] = items
    if "anyOf" in found:
        found["anyOf"] = [_outline(part, depth) for part in found["anyOf"]]
    return found


def _may_be_null(schema: Schema) -> bool:
    """Whether None fits, so that the field may be absent."""
    if "const" in schema or "enum" in schema:
        return None in schema.get("enum", (schema.get("const"),))
    kind = schema.get("type")
    if kind is None:
        return not schema.get("anyOf") or any(_may_be_null(part) for part in schema["anyOf"])
    return kind == "null" or "null" in kind
