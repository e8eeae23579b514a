"""An executor that answers as it was told, so that what the face makes of outcomes can be looked at by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from operations.base import Change, Empty, Encoded, Model, Outcome, PlanInfo, Preview, Progress, Status, no_progress
from operations.plans import Asking
from operations.registry import Registry
from policy.model import Caller, Kind, Refuse, Step, Strength

CALL_ID = "cl_abcdefghijklmnopq"
NO = Refuse(Step.DISCORD, "no", "The bot's top role is below @Mods.", "Move it above, or pick another member.")


@dataclass
class ScriptedExecutor:
    """``outcomes``: by operation. What isn't there is refused as unknown, with what comes close."""

    registry: Registry
    outcomes: dict[str, Outcome | Exception] = field(default_factory=dict[str, "Outcome | Exception"])
    calls: list[tuple[str, Mapping[str, Any], Caller]] = field(
        default_factory=list[tuple[str, Mapping[str, Any], Caller]]
    )
    steps: int = 0
    progress: tuple[float, ...] = ()
    gate: asyncio.Event | None = None

    async def run(
        self,
        name: str,
        arguments: Mapping[str, Any],
        caller: Caller,
        *,
        progress: Progress = no_progress,
        asking: Asking | None = None,
    ) -> Outcome:
        self.calls.append((name, arguments, caller))
        for step in range(self.steps):
            await progress(step + 1, self.steps, f"step {step + 1}")
        for done in self.progress:
            await progress(done, None, None)
        if self.gate is not None:
            await self.gate.wait()
        outcome = self.outcomes.get(name)
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is not None:
            return outcome
        close = [operation.name for operation in self.registry.search(name.replace("_", " "), caller, 3)]
        refusal = Refuse(
            Step.VALIDATE,
            "unknown_operation",
            "There is no operation of that name.",
            f"Close ones: {', '.join(close)}.",
        )
        return Outcome(Status.REFUSED, name, Kind.READ, CALL_ID, refusal=refusal)

    def run_at_once(self, name: str, arguments: Mapping[str, Any], caller: Caller) -> Outcome | None:
        """Everything takes the road that can wait."""
        return None


def read(name: str, data: Model | Encoded | None) -> Outcome:
    return Outcome(Status.DONE, name, Kind.READ, CALL_ID, data=data)


def write(name: str, status: Status, result: Model | None = None) -> Outcome:
    """A write's outcome with everything that belongs to this status."""
    changes = (Change(target="channel 5 #old", field="exists", before=True, after=None),)
    preview = Preview(f"Do {name}", Empty(), changes=changes, unknowns=("AutoMod may block it",), reversible=True)
    plan = None
    if status is Status.NEEDS_CONFIRMATION:
        plan = PlanInfo("pln_1", 1_800_000_000.0, Strength.PERSON)
    return Outcome(
        status,
        name,
        Kind.WRITE,
        CALL_ID,
        data=result if status is Status.DONE else None,
        preview=None if status is Status.REFUSED else preview,
        plan=plan,
        refusal=NO if status is Status.REFUSED else None,
        detail="Discord said no." if status in (Status.FAILED, Status.UNKNOWN) else "",
        error_code=50013 if status is Status.FAILED else None,
        arguments={"channel": "5"},
    )
