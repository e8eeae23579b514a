"""Plans that are moved by hand, so that what the face makes of them can be looked at by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from operations.base import Change, Empty, Outcome, PlanInfo, Preview, Status
from operations.errors import Refused
from operations.outcomes import structured
from operations.plans import CardPlace, PersonProof, PlanView, Proof
from policy.model import Caller, CallerKind, Face, Kind, Refuse, Step, Strength, Target, Tier
from storage.calls import CallState

UNKNOWN = Refuse(Step.RESOLVE, "unknown_plan", "There is no plan of this id that you can see.", "Check the id.")
USED_UP = Refuse(Step.EXECUTE, "plan_done", "The plan is done.", "Call the operation again for a new plan.")
NEEDS_PERSON = Refuse(Step.EXECUTE, "needs_person", "Only a person can confirm this.", "Open its card.")
DELETED = {"id": "5", "name": "old", "type": "text"}
TOKEN = "a-plan-token"
CHANGES = (Change(target="channel 5 #old", field="exists", before=True, after=None),)


def preview() -> Preview[Empty]:
    return Preview("Delete #old", Empty(), changes=CHANGES, unknowns=("AutoMod may block it",), reversible=True)


def not_done(plan_id: str, refusal: Refuse) -> Outcome:
    return Outcome(Status.REFUSED, "plan_confirm", Kind.CONTROL, plan_id, refusal=refusal)


def waiting(view: PlanView, operation: str = "channel_delete") -> Outcome:
    """What the call that made this plan comes to."""
    plan = PlanInfo(view.plan_id, view.expires_at, view.strength, TOKEN, view.approve_url)
    return Outcome(
        Status.NEEDS_CONFIRMATION,
        operation,
        Kind.WRITE,
        view.plan_id,
        view.tier,
        preview=preview(),
        plan=plan,
        arguments={"channel": "5"},
    )


@dataclass
class ScriptedPlans:
    """``confirmed``: by whom, and with what proof. A plan is its requester's client's alone, and can be done once."""

    views: dict[str, PlanView] = field(default_factory=dict[str, PlanView])
    confirmed: list[tuple[str, Caller, Proof]] = field(default_factory=list[tuple[str, Caller, Proof]])
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)
    waits: int = 0

    def add(self, plan_id: str, client_id: str, strength: Strength = Strength.TOKEN, **more: Any) -> PlanView:
        critical = strength is Strength.PERSON
        given: dict[str, Any] = {
            "plan_id": plan_id,
            "operation": "channel_delete",
            "title": "Channel delete",
            "tier": Tier.CRITICAL if critical else Tier.RISKY,
            "strength": strength,
            "state": CallState.PENDING,
            "workspace_id": "ws_1",
            "installation_id": "in_1",
            "guild_id": 1,
            "requester_id": 200,
            "requester_kind": CallerKind.TOKEN,
            "client_id": client_id,
            "client_name": "test",
            "face": Face.MCP,
            "tainted": False,
            "sources": frozenset(),
            "reason": "",
            "targets": (Target("channel", 5, 1, "old"),),
            "name_to_type": None,
            "summary": "Delete #old",
            "changes": CHANGES,
            "unknowns": ("AutoMod may block it",),
            "reversible": True,
            "created_at": time.time(),
            "expires_at": time.time() + 600,
            "asked": True,
            "origin_channel_id": None,
            "card": CardPlace(1, 2, 3) if critical else None,
            "confirmed_by": None,
            "settled_at": None,
            "outcome": None,
            "detail": "",
        }
        view = self.views[plan_id] = PlanView(**given | more)
        return view

    async def settle(self, plan_id: str, state: CallState, outcome: Mapping[str, Any] | None = None) -> None:
        async with self.moved:
            self.views[plan_id] = replace(self.views[plan_id], state=state, outcome=outcome)
            self.moved.notify_all()

    def _of(self, plan_id: str, by: Caller) -> PlanView:
        view = self.views.get(plan_id)
        if view is None or view.client_id != by.client_id or not by.active:
            raise Refused(UNKNOWN)
        return view

    async def view(self, plan_id: str, by: Caller) -> PlanView:
        return self._of(plan_id, by)

    async def wait(self, plan_id: str, by: Caller, timeout_seconds: float) -> PlanView:
        self._of(plan_id, by)
        self.waits += 1
        try:
            async with asyncio.timeout(timeout_seconds), self.moved:
                await self.moved.wait_for(lambda: self.views[plan_id].state.terminal)
        except TimeoutError:
            pass
        finally:
            self.waits -= 1
        return self._of(plan_id, by)

    async def open(self, by: Caller, guild_id: int) -> Sequence[PlanView]:
        return [view for view in self.views.values() if not view.state.terminal]

    async def ask(self, plan_id: str, by: Caller) -> Outcome:
        return waiting(self._of(plan_id, by))

    async def confirm(self, plan_id: str, by: Caller, proof: Proof) -> Outcome:
        view = self._of(plan_id, by)
        if view.state.terminal:
            return not_done(plan_id, USED_UP)
        if view.strength is Strength.PERSON and not isinstance(proof, PersonProof):
            return not_done(plan_id, NEEDS_PERSON)
        self.confirmed.append((plan_id, by, proof))
        done = Outcome(
            Status.DONE,
            view.operation,
            Kind.WRITE,
            plan_id,
            view.tier,
            data=DELETED,
            preview=preview(),
        )
        await self.settle(plan_id, CallState.DONE, structured(done))
        return done

    async def cancel(self, plan_id: str, by: Caller, reason: str = "") -> PlanView:
        self._of(plan_id, by)
        await self.settle(plan_id, CallState.CANCELLED, structured(not_done(plan_id, USED_UP)))
        return self.views[plan_id]

    async def deny(self, plan_id: str, by: Caller, proof: PersonProof) -> PlanView:
        await self.settle(plan_id, CallState.DENIED, structured(not_done(plan_id, USED_UP)))
        return self.views[plan_id]
