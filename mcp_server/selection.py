"""The `?toolsets=` of an MCP URL: which tools are listed. It can only narrow what a client may do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from operations.base import Operation
from policy.model import Caller, Kind
from policy.presets import META, PRESETS, READ_ONLY


class UnknownToolset(ValueError):
    """A name that is neither a toolset nor a preset; the message lists those that are."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Toolsets and presets by name. ``read_only`` is the preset of that name: it forbids writes as well."""

    toolsets: frozenset[str] = frozenset()
    presets: frozenset[str] = frozenset()
    read_only: bool = False

    def shows(self, operation: Operation) -> bool:
        if not self.toolsets and not self.presets:
            return operation.kind is Kind.READ
        # Without these a client could neither find nor call what isn't listed.
        if operation.toolset == META and operation.in_default_set:
            return True
        return operation.toolset in self.toolsets or any(PRESETS[name].shows(operation) for name in self.presets)

    def narrow(self, caller: Caller) -> Caller:
        """The caller with no more than was selected. Presets choose what is listed; only ``read_only`` bounds."""
        toolsets = caller.toolsets
        if self.toolsets and not self.presets:
            chosen = self.toolsets | {META}
            toolsets = chosen if toolsets is None else toolsets & chosen
        return replace(caller, toolsets=toolsets, read_only=caller.read_only or self.read_only)


def parse(text: str, toolsets: Collection[str]) -> Selection | None:
    """Names separated by commas; None when there is none. Raises UnknownToolset."""
    names = {name.strip() for name in text.split(",")} - {""}
    if not names:
        return None
    unknown = sorted(name for name in names if name not in toolsets and name not in PRESETS)
    if unknown:
        known = ", ".join([*sorted(toolsets), *PRESETS])
        raise UnknownToolset(f"'{unknown[0][:40]}' is neither a toolset nor a preset. There are: {known}.")
    presets = names & PRESETS.keys()
    return Selection(frozenset(names - presets), frozenset(presets - {READ_ONLY}), READ_ONLY in presets)
