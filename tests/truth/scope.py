"""Which operations the sweep judges: every write in a guild. The others have no preview of their own, and are named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.catalogue import CATALOGUE
from operations.base import Delegate, Operation, WriteOperation
from operations.platform_writes import PlatformWrite
from policy.model import Face, Kind

LEFT_OUT: Mapping[str, str] = {
    "guild_claim": "it is for guilds that are not installed, by a road without the eight steps' installation; "
    "tests/policy/test_claims.py and tests/stories/test_setting_up.py have it",
    "audit_revert": "it stands for the inverse of an earlier write, whose own preview is judged",
    "plan_confirm": "it carries out a stored preview, which is judged as the write that it is of",
    "plan_cancel": "it ends a plan and has no preview",
}
"""Every other operation that changes something, and why it is not judged."""

SWEPT: list[type[Operation]] = [
    operation for operation in CATALOGUE if issubclass(operation, WriteOperation) and operation.name not in LEFT_OUT
]

CHANGING: list[type[Operation]] = [
    operation for operation in CATALOGUE if operation.kind is not Kind.READ and not issubclass(operation, Delegate)
]
"""All that change anything."""


def is_own(operation: type[Operation] | WriteOperation[Any, Any, Any]) -> bool:
    """Whether it is Guildhall's own: Discord knows nothing like it, so that Guildhall's pages say who may. A warning
    is: its direct message is the bot's, whoever asks for it.
    """
    kind = operation if isinstance(operation, type) else type(operation)
    return issubclass(kind, PlatformWrite) or kind.name == "member_warn"


def face_of(operation: type[Operation] | WriteOperation[Any, Any, Any]) -> Face:
    """Through which a person calls it here: administration is offered to no MCP client."""
    return Face.MCP if Face.MCP in operation.faces else Face.SLASH
