"""Schemas are small, and still tell the truth."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal, cast

import pytest
from jsonschema import Draft202012Validator
from pydantic import Field

from bot.catalogue import CATALOGUE
from operations.base import Delegate, Model
from operations.schemas import input_schema, output_schema


class Colour(StrEnum):
    """For programmers."""

    RED = "red"
    BLUE = "blue"


class Part(Model):
    """For programmers."""

    name: str = Field(description="What it is called.")
    number: int | None = None


class Asked(Model):
    channel: str = Field(min_length=1, max_length=200)
    parts: list[Part] = Field(default_factory=list[Part], max_length=3)
    colour: Colour | None = None
    kind: Literal["a", "b"] = "a"
    limit: int = Field(default=25, ge=1, le=100, description="How many.")
    part: Part | None = None


def everything(schema: Any) -> list[dict[str, Any]]:
    """The schema and all within it."""
    if isinstance(schema, list):
        return [found for each in schema for found in everything(each)]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(schema, dict):
        return []
    within: list[dict[str, Any]] = [schema]
    for each in schema.values():  # pyright: ignore[reportUnknownVariableType]
        within += everything(each)
    return within


def test_an_argument_that_may_be_left_out_has_neither_null_nor_an_empty_default() -> None:
    schema = input_schema(Asked, more={})
    assert schema["required"] == ["channel"]
    assert schema["properties"]["channel"] == {"type": "string"}
    assert schema["properties"]["limit"] == {
        "type": "integer",
        "default": 25,
        "minimum": 1,
        "maximum": 100,
        "description": "How many.",
    }
    assert schema["properties"]["colour"]["enum"] == ["red", "blue"]
    assert schema["properties"]["part"]["type"] == "object"
    assert "default" not in schema["properties"]["parts"]
    assert schema["properties"]["parts"]["maxItems"] == 3


def test_further_properties_stand_beside_the_models_own() -> None:
    schema = input_schema(Asked, more={"dry_run": {"type": "boolean"}})
    assert schema["properties"]["dry_run"] == {"type": "boolean"}
    assert schema["additionalProperties"] is False


def test_nothing_refers_elsewhere_and_no_docstring_leaks() -> None:
    for schema in (input_schema(Asked, more={}), output_schema(Asked)):
        for each in everything(schema):
            assert not {"$ref", "$defs", "title"} & {key for key in each if not isinstance(each[key], dict)}
            assert each.get("description") != "For programmers."


OPERATIONS = [operation for operation in CATALOGUE if not issubclass(operation, Delegate)]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_the_schemas_of_the_catalogue_are_valid_and_self_contained(operation: Any) -> None:
    for schema in (input_schema(operation.Input, more={}), output_schema(operation.Result)):
        Draft202012Validator.check_schema(schema)
        assert not any("$ref" in each for each in everything(schema))
        assert schema["type"] == "object"


def fits(schema: dict[str, Any], value: dict[str, Any]) -> bool:
    return not list(cast("Any", Draft202012Validator(schema)).iter_errors(value))


def test_what_the_model_takes_the_schema_takes_and_the_other_way_round() -> None:
    schema = input_schema(Asked, more={})
    good: list[dict[str, Any]] = [
        {"channel": "a"},
        {"channel": "a", "parts": [{"name": "b"}], "colour": "red", "kind": "b", "limit": 100},
    ]
    bad: list[dict[str, Any]] = [
        {},
        {"channel": "a", "limit": 0},
        {"channel": "a", "colour": "green"},
        {"channel": "a", "parts": [{}]},
        {"channel": "a", "extra": 1},
    ]
    for given in good:
        Asked.model_validate(given)
        assert fits(schema, given)
    for given in bad:
        with pytest.raises(ValueError, match="validation error"):
            Asked.model_validate(given)
        assert not fits(schema, given)


def test_a_result_without_its_absent_fields_fits_its_schema() -> None:
    class Told(Model):
        id: str
        note: str | None = None
        parts: list[Part] = Field(default_factory=list[Part])

    schema = output_schema(Told)
    for result in (Told(id="1"), Told(id="1", note="n", parts=[Part(name="p")])):
        assert fits(schema, result.model_dump(mode="json", exclude_none=True))
    assert not fits(schema, {"note": "n"})
