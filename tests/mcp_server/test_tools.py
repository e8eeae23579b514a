"""What models and clients are told of each tool: kept as files, so that a change is seen in review."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import mcp.types as t
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.instructions import INSTRUCTIONS
from mcp_server.listing import ToolListing
from mcp_server.tools import tool
from operations.base import Common, Delegate, Model, Operation, Status
from operations.outcomes import structured
from policy.model import Face, Kind, Tier
from policy.presets import PRESETS
from tests.mcp_server.result_strategies import results_of
from tests.mcp_server.scripted_executor import read, write
from tests.mcp_server.served import REGISTRY, TOOLS

SNAPSHOTS = Path(__file__).parent / "snapshots" / "tools"
UPDATE = os.environ.get("UPDATE_SNAPSHOTS") == "1"

OFFERED = [operation for operation in REGISTRY if Face.MCP in operation.faces]
WRITES = [o for o in OFFERED if o.kind is Kind.WRITE and not isinstance(o, Delegate)]
READS = [o for o in OFFERED if o.kind is not Kind.WRITE and not isinstance(o, Delegate)]
DEFAULT_SET = [operation for operation in OFFERED if operation.in_default_set]
# The size of the default set in the catalogue's plan; a smaller one may use no more than its share.
FULL_DEFAULT_SET = 56
BYTES_A_TOOL = 500
LARGEST_TOOL_BYTES = 2_000
EVERYDAY_BYTES = 16 * 1024
WHOLE_BYTES = 64 * 1024

each = pytest.mark.parametrize("operation", OFFERED, ids=lambda operation: operation.name)


def wire(shown: t.Tool) -> dict[str, Any]:
    return shown.model_dump(by_alias=True, mode="json", exclude_none=True)


def read_by_a_model(operation: Operation) -> int:
    """Bytes of what a client hands on to its model."""
    shown = wire(TOOLS.get(operation.name, direct_writes=False))
    return len(orjson.dumps({key: shown[key] for key in ("name", "description", "inputSchema")}))


@each
def test_a_tool_is_told_as_its_snapshot_has_it(operation: Operation) -> None:
    """UPDATE_SNAPSHOTS=1 writes them anew."""
    path = SNAPSHOTS / f"{operation.name}.json"
    shown = orjson.dumps(wire(tool(operation)), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if UPDATE:
        path.write_bytes(shown)
    assert path.exists(), f"{path.name} is missing: run the tests with UPDATE_SNAPSHOTS=1 and review what it writes"
    assert shown.decode() == path.read_text(), "run the tests with UPDATE_SNAPSHOTS=1 and review the difference"


def test_no_snapshot_is_left_of_a_tool_that_is_gone() -> None:
    names = {operation.name for operation in OFFERED}
    gone = [path for path in SNAPSHOTS.glob("*.json") if path.stem not in names]
    if UPDATE:
        for path in gone:
            path.unlink()
    assert UPDATE or not gone


@each
def test_schemas_are_valid_and_small(operation: Operation) -> None:
    shown = wire(tool(operation))
    for schema in (shown["inputSchema"], shown.get("outputSchema", {"type": "object"})):
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
        written = orjson.dumps(schema).decode()
        assert "$ref" not in written
        assert "$defs" not in written
    assert shown["inputSchema"]["additionalProperties"] is False
    assert read_by_a_model(operation) <= LARGEST_TOOL_BYTES


@each
def test_the_input_is_that_of_the_operation_and_of_every_write(operation: Operation) -> None:
    properties = set(tool(operation).input_schema["properties"])
    own = set(operation.Input.model_fields)
    if operation in WRITES:
        assert properties == own | {"dry_run", "reason", "idempotency_key"}
        assert properties - own <= Common.model_fields.keys()
    else:
        assert properties == own


@each
def test_annotations_follow_the_tier(operation: Operation) -> None:
    hints = tool(operation).annotations
    assert hints is not None
    if isinstance(operation, Delegate):
        expected = {
            "operation_read": (True, False),
            "operation_write": (False, False),
            "operation_destroy": (False, True),
        }
        assert (hints.read_only_hint, hints.destructive_hint) == expected[operation.name]
    else:
        assert hints.read_only_hint is (operation.kind is Kind.READ)
        assert hints.destructive_hint is (operation.tier >= Tier.RISKY or operation.name == "plan_confirm")
    assert None not in (hints.idempotent_hint, hints.open_world_hint)


@pytest.mark.parametrize("name", ["plan_confirm", "audit_revert"])
def test_what_runs_another_operation_says_that_it_may_destroy_and_reaches_discord(name: str) -> None:
    hints = tool(next(operation for operation in OFFERED if operation.name == name)).annotations
    assert hints is not None
    assert (hints.destructive_hint, hints.open_world_hint) == (True, True)


@each
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_every_result_fits_the_output_schema(operation: Operation, data: st.DataObject) -> None:
    """Clients refuse an answer that doesn't."""
    schema = tool(operation).output_schema
    if schema is None:
        assert isinstance(operation, Delegate)
        return
    result: Model = data.draw(results_of(operation.Result))
    done = operation.kind is Kind.WRITE
    outcome = write(operation.name, Status.DONE, result) if done else read(operation.name, result)
    jsonschema.validate(structured(outcome), schema)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.DONE])
@pytest.mark.parametrize("operation", WRITES, ids=lambda operation: operation.name)
def test_every_other_outcome_of_a_write_fits_it_too(operation: Operation, status: Status) -> None:
    schema = tool(operation).output_schema
    assert schema is not None
    jsonschema.validate(structured(write(operation.name, status)), schema)


@pytest.mark.parametrize("status", [Status.REFUSED, Status.FAILED, Status.UNKNOWN])
@pytest.mark.parametrize("operation", READS, ids=lambda operation: operation.name)
def test_an_error_of_a_read_fits_it_too(operation: Operation, status: Status) -> None:
    """Clients that check errors as well would show their own complaint instead of ours."""
    schema = tool(operation).output_schema
    assert schema is not None
    error = replace(write(operation.name, status), kind=operation.kind, preview=None)
    jsonschema.validate(structured(error), schema)


def test_the_default_set_is_small_enough_for_a_models_attention() -> None:
    assert sum(map(read_by_a_model, DEFAULT_SET)) <= BYTES_A_TOOL * max(len(DEFAULT_SET), FULL_DEFAULT_SET)


def test_the_everyday_preset_is_smaller_still() -> None:
    shown = [operation for operation in OFFERED if PRESETS["everyday"].shows(operation)]
    assert 0 < len(shown) <= 30
    assert sum(map(read_by_a_model, shown)) <= EVERYDAY_BYTES


def test_the_whole_answer_stays_below_its_bound() -> None:
    page = ToolListing(REGISTRY, TOOLS).page(
        tuple(operation.name for operation in DEFAULT_SET), direct_writes=False, cursor=None
    )
    assert len(orjson.dumps(page.model_dump(by_alias=True, mode="json", exclude_none=True))) <= WHOLE_BYTES


def test_a_direct_client_gets_an_honest_default_and_nothing_else_differs() -> None:
    for operation in OFFERED:
        previewing = wire(TOOLS.get(operation.name, direct_writes=False))
        direct = wire(TOOLS.get(operation.name, direct_writes=True))
        dry_run = direct["inputSchema"]["properties"].get("dry_run")
        if dry_run is not None:
            assert dry_run["default"] is False
            dry_run["default"] = True
        assert direct == previewing


def test_the_instructions_are_short_and_explain_what_the_schemas_do_not() -> None:
    assert len(INSTRUCTIONS) <= 2_000
    for word in ("dry_run", "reason", "idempotency_key", "guild", "cursor", *Status):
        assert word in INSTRUCTIONS


def test_input_schemas_are_there_for_header_checks() -> None:
    for operation in OFFERED:
        assert TOOLS.input_schema(operation.name) == tool(operation).input_schema
    assert TOOLS.input_schema("nothing") is None
