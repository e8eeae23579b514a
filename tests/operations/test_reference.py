"""The page of operations that is generated from the catalogue."""

from __future__ import annotations

import pytest

from bot.catalogue import CATALOGUE
from operations.base import Delegate, Operation
from operations.reference import render
from operations.registry import Registry
from policy.model import Kind

PAGE = render(Registry(CATALOGUE))
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n### ")[1:]}


def test_every_operation_has_one_section_under_its_toolset() -> None:
    assert set(SECTIONS) == {operation.name for operation in CATALOGUE}
    for toolset in Registry(CATALOGUE).toolsets:
        assert f"\n## {toolset}\n" in PAGE
    assert PAGE.endswith("\n")
    assert render(Registry(CATALOGUE)) == PAGE


@pytest.mark.parametrize("operation", CATALOGUE, ids=lambda each: each.name)
def test_a_section_tells_description_tier_scope_faces_and_every_argument(operation: type[Operation]) -> None:
    section = SECTIONS[operation.name]
    assert operation.description in section
    assert f"tier {operation.tier.label}" in section
    assert f"scope `{operation.scope}`" in section
    for field in operation.Input.model_fields:
        assert f"| `{field}` |" in section
    if not operation.Input.model_fields:
        assert "No arguments." in section
    takes_common = operation.kind is Kind.WRITE and not issubclass(operation, Delegate)
    assert ("`dry_run`, `reason`" in section) is takes_common
    for permission in operation.actor_permissions:
        assert permission in section
