"""Results of operations as lines for people, made from their fields; they go into a block of code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

# What says which of a list is meant, first.
_NAMES = ("name", "username", "title", "display_name", "code", "operation", "call_id", "id", "channel", "field")


def lines(data: Mapping[str, Any]) -> list[str]:
    """One field a line; what is in a list or another object stands below, indented."""
    return list(_fields(data, ""))


def _fields(data: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in data.items():
        yield from _field(_label(key), value, indent)


def _field(label: str, value: Any, indent: str) -> Iterator[str]:
    if _is_empty(value) or label == "Cursor":
        # A place in a list is for programs to go on from.
        return
    if isinstance(value, Mapping):
        yield f"{indent}{label}:"
        yield from _fields(cast("Mapping[str, Any]", value), indent + "  ")
    elif isinstance(value, list):
        yield from _several(label, cast("list[Any]", value), indent)
    else:
        yield f"{indent}{label}: {_shown(value, indent)}"


def _several(label: str, values: list[Any], indent: str) -> Iterator[str]:
    if not any(isinstance(value, Mapping | list) for value in values):
        yield f"{indent}{label}: {', '.join(_shown(value, indent) for value in values)}"
        return
    yield f"{indent}{label} ({len(values)}):"
    for value in values:
        if isinstance(value, Mapping):
            yield from _row(cast("Mapping[str, Any]", value), indent)
        else:
            yield f"{indent}- {_shown(value, indent)}"


def _row(data: Mapping[str, Any], indent: str) -> Iterator[str]:
    """An object of a list: its plain fields in one line, the name first."""
    plain = {key: value for key, value in data.items() if not isinstance(value, Mapping | list)}
    first = next((key for key in _NAMES if not _is_empty(plain.get(key))), None)
    head = [] if first is None else [_shown(plain.pop(first), indent)]
    if first != "id" and not _is_empty(plain.get("id")):
        head.append(f"({plain.pop('id')})")
    rest = [f"{_label(key).lower()} {_shown(value, indent)}" for key, value in plain.items() if not _is_empty(value)]
    yield f"{indent}- {' '.join(head)}{' – ' if head and rest else ''}{', '.join(rest)}"
    for key, value in data.items():
        if isinstance(value, Mapping | list):
            yield from _field(_label(key), value, indent + "  ")


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _label(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _shown(value: Any, indent: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"\n{indent}  ".join(str(value).splitlines())
