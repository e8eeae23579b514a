"""What the product says of a call, by its own road up to the preview."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from operations import call_ids
from operations.base import Context, Model, Preview, WriteOperation
from operations.decider import Prepared
from operations.errors import Refused
from operations.failures import DISCORD_FAILED
from operations.guild_state import GuildVanished
from operations.ledger import SendRefused, phase
from operations.refusals import Rejected
from policy.model import Caller, Refuse
from tests.truth.arguments import parsed
from tests.truth.stage import Stage
from tests.truth.worlds import Scene

Write = WriteOperation[Any, Any, Any]
Says = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the product says. ``reason``: why not, or what is not known. ``executable``: context and effect, if any."""

    says: Says
    reason: str = ""
    executable: tuple[Context, Model] | None = None


class Product:
    """Of one guild."""

    def __init__(self, stage: Stage, scene: Scene) -> None:
        self._stage = stage
        self._scene = scene

    async def verdict(self, operation: Write, given: Mapping[str, Any], requester: int) -> Verdict:
        try:
            prepared = await self._prepared(operation, given, self._caller(operation, requester))
        except Rejected as rejected:
            return Verdict("no", f"{rejected.truth.code}: {rejected.truth.reason}")
        decision = prepared.decide(0.0)
        if isinstance(decision, Refuse):
            return Verdict("no", f"{decision.code}: {decision.reason}")
        preview = await self._preview(operation, prepared)
        if isinstance(preview, str):
            return Verdict("no", preview)
        executable = (prepared.ctx, preview.effect)
        if preview.problems:
            return Verdict("no", " ".join(preview.problems), executable)
        if preview.unknowns:
            return Verdict("unknown", " ".join(preview.unknowns), executable)
        return Verdict("yes", "", executable)

    async def without_rights(self, operation: Write, given: Mapping[str, Any]) -> Verdict:
        """What the call would be for the bot itself, whatever policy says to it; of administration, for the owner."""
        try:
            prepared = await self._prepared(operation, given, self._caller(operation, None))
        except Rejected as rejected:
            return Verdict("no", f"{rejected.truth.code}: {rejected.truth.reason}")
        preview = await self._preview(operation, prepared)
        if isinstance(preview, str):
            return Verdict("no", preview)
        return Verdict("no", " ".join(preview.problems), (prepared.ctx, preview.effect))

    def _caller(self, operation: Write, user_id: int | None) -> Caller:
        return self._stage.caller(self._scene.guild_id, user_id, operation, owner_id=self._scene.owner_id)

    async def _prepared(self, operation: Write, given: Mapping[str, Any], caller: Caller) -> Prepared:
        arguments, reason = parsed(type(operation), given)
        return await self._stage.decider.prepare(
            operation,
            arguments,
            caller,
            call_ids.new_call_id(),
            self._stage.services,
            reason=reason,
            audit_reason="gh:truth",
        )

    async def _preview(self, operation: Write, prepared: Prepared) -> Preview[Any] | str:
        ctx = prepared.ctx
        try:
            with phase("preview", ctx.call_id):
                return await operation.preview(ctx, cast("Any", prepared.arguments))
        except Refused as refused:
            return f"{refused.refusal.code}: {refused.refusal.reason}"
        except (SendRefused, GuildVanished):
            raise  # nothing that Discord says
        except DISCORD_FAILED as error:
            return f"read refused: {error}"
