"""The reference of operations, from the catalogue: what docs/operations.md says is generated, never written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from operations.base import Common, Delegate, Operation, Reconcile
from operations.registry import Registry
from policy.model import Kind
from policy.scopes import least_role

HEADER = """# Operations

Generated from the catalogue by `make docs`; do not edit.

Every operation is an MCP tool of the same name. Tier: **read** changes nothing; **write** runs with `dry_run=false`;
**risky** needs a confirmation, **critical** a person's. The tier named here is the least one: an effect, a guild's
policy or text of others that was read may raise it. Ids are decimal strings; wherever an id is asked, a name, a mention
or a jump link serves as well. `guild` may be left out where you can reach only one.

Every write also takes `dry_run` (default true), `reason` (for Discord's audit log, at most 400 characters) and
`idempotency_key` (the same key gives the stored answer for 24 hours).
"""


def render(registry: Registry) -> str:
    """The whole page as Markdown."""
    parts = [HEADER]
    for toolset in registry.toolsets:
        parts.append(f"\n## {toolset}\n")
        parts.extend(_section(operation) for operation in registry if operation.toolset == toolset)
    return "\n".join(parts).rstrip() + "\n"


def _section(operation: Operation) -> str:
    lines = [f"### {operation.name}\n", f"{operation.description}\n"]
    facts = [
        f"tier {operation.tier.label}",
        f"scope `{operation.scope}`",
        f"role {_role(operation)}",
        f"faces {', '.join(sorted(face.value for face in operation.faces))}",
    ]
    if operation.in_default_set:
        facts.append("in the default set")
    if operation.actor_permissions:
        facts.append(f"needs {', '.join(operation.actor_permissions)}")
    reconcile: Reconcile | None = getattr(operation, "reconcile", None)
    if reconcile is not None:
        facts.append(f"a lost answer is found by {reconcile.value.replace('_', ' ')}")
    lines.append(f"*{'; '.join(facts)}.*\n")
    lines.append(_arguments(operation))
    return "\n".join(lines)


def _role(operation: Operation) -> str:
    role = operation.min_role
    return (least_role(operation.kind, operation.scope) if role is None else role).label


def _arguments(operation: Operation) -> str:
    schema = operation.Input.model_json_schema()
    properties: Mapping[str, Any] = schema.get("properties", {})
    if not properties:
        return "No arguments.\n"
    required = set(schema.get("required", ()))
    rows = ["| argument | type | required | meaning |", "| --- | --- | --- | --- |"]
    for name, field in properties.items():
        ref = operation.refs.get(name)
        kind = f"{ref.kind}{'s' if ref.many else ''}" if ref else _type(field)
        meaning = str(field.get("description", "")).replace("|", "\\|")
        rows.append(f"| `{name}` | {kind} | {'yes' if name in required else ''} | {meaning} |")
    common = "" if operation.kind is not Kind.WRITE or isinstance(operation, Delegate) else _common()
    return "\n".join(rows) + f"\n{common}"


def _type(field: Mapping[str, Any]) -> str:
    options = [option for option in field.get("anyOf", [field]) if option.get("type") != "null"]
    return " or ".join(_one(option) for option in options)


def _one(option: Mapping[str, Any]) -> str:
    if "enum" in option:
        return ", ".join(f"`{value}`" for value in option["enum"])
    if option.get("type") == "array":
        return f"list of {_type(option.get('items', {}))}"
    return str(option.get("type", option.get("$ref", "object").rpartition("/")[2]))


def _common() -> str:
    return f"\nAnd {', '.join(f'`{name}`' for name in Common.model_fields if name != 'plan_token')}.\n"
