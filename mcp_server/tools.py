"""Operations as MCP tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mcp.types as t

from operations.base import ControlOperation, Delegate, Operation, Redirect
from operations.registry import Registry
from operations.schemas import Schema, input_schema, output_schema
from policy.model import Face, Kind, OperationClass

# What is kept by Guildhall itself; all else is Discord, which is a world with other people in it.
PLATFORM_TOOLSETS = frozenset({"audit", "automations", "meta"})

_DRY_RUN = "dry_run"
# The arguments of `operations.base.Common` that a client needs; the instructions say what they mean.
_COMMON: Mapping[str, Schema] = {
    _DRY_RUN: {"type": "boolean", "default": True},
    "reason": {"type": "string"},
    "idempotency_key": {"type": "string"},
}
_OUTCOME: Mapping[str, Schema] = {
    "status": {"type": "string"},
    "call_id": {"type": "string"},
    "summary": {"type": "string"},
    "plan_id": {"anyOf": [{"type": "string"}, {"type": "null"}]},
}


class ToolCatalogue:
    """Every operation that MCP offers, as a tool; made once."""

    def __init__(self, registry: Registry) -> None:
        self._previewing = {operation.name: tool(operation) for operation in registry if Face.MCP in operation.faces}
        self._direct = {name: _direct(tool) for name, tool in self._previewing.items()}

    def __contains__(self, name: object) -> bool:
        return name in self._previewing

    def get(self, name: str, *, direct_writes: bool) -> t.Tool:
        """``direct_writes``: the client's write mode is direct, so that a write runs unless told otherwise.

        Raises KeyError for an operation that MCP doesn't offer.
        """
        return (self._direct if direct_writes else self._previewing)[name]

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        found = self._previewing.get(name)
        return None if found is None else found.input_schema


def tool(operation: Operation) -> t.Tool:
    """For a client whose writes are previews unless it says otherwise."""
    return t.Tool(
        name=operation.name,
        title=operation.title,
        description=operation.description,
        input_schema=input_schema(operation.Input, more=_COMMON if _has_effect(operation) else {}),
        output_schema=_output(operation),
        annotations=_annotations(operation),
    )


def _direct(previewing: t.Tool) -> t.Tool:
    schema = previewing.input_schema
    if schema["properties"].get(_DRY_RUN) != _COMMON[_DRY_RUN]:
        return previewing
    properties = {**schema["properties"], _DRY_RUN: {**_COMMON[_DRY_RUN], "default": False}}
    return previewing.model_copy(update={"input_schema": {**schema, "properties": properties}})


def _has_effect(operation: Operation) -> bool:
    return operation.kind is Kind.WRITE and not isinstance(operation, Delegate)


def _output(operation: Operation) -> Schema | None:
    """None for a delegate: its answer is the inner operation's."""
    if isinstance(operation, Delegate):
        return None
    result = output_schema(operation.Result)
    if not _has_effect(operation):
        # A refusal holds none of its fields, and many clients check refusals against this schema as well.
        result.pop("required", None)
        return result
    return {
        "type": "object",
        "properties": {**_OUTCOME, "result": result},
        "required": ["status", "call_id"],
    }


def _reaches_discord(operation: Operation) -> bool:
    if isinstance(operation, Delegate | Redirect) or operation.toolset not in PLATFORM_TOOLSETS:
        return True
    return isinstance(operation, ControlOperation) and operation.executes_plans


def _annotations(operation: Operation) -> t.ToolAnnotations:
    kind = operation.delegates if isinstance(operation, Delegate) else operation.operation_class()
    reads = kind is OperationClass.READ
    return t.ToolAnnotations(
        read_only_hint=reads,
        destructive_hint=kind is OperationClass.DESTROY,
        idempotent_hint=reads or operation.idempotent,
        open_world_hint=_reaches_discord(operation),
    )
