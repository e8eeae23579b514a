"""Writes that are Guildhall's own: their effects are carried out in its tables, and who may is for its pages to say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from operations.base import Context, Model
from operations.platform_writes import PlatformWrite
from sandbox.world import World
from tests.truth.entitled import foreign, lacking, loosening
from tests.truth.explained import stricter
from tests.truth.findings import Finding
from tests.truth.named import Named
from tests.truth.oracle import Rights
from tests.truth.stage import Stage
from tests.truth.tables import RowChange, Written, applied
from tests.truth.verdicts import Product, Verdict, Write
from tests.truth.worlds import Scene

NOTHING = "nothing would be written"
Send = Callable[[Write, Context, Model], Awaitable[Written]]


class OwnJudge:
    """Of one guild. ``send``: carries out an effect that is a request to Discord as well, and what is kept of it."""

    def __init__(self, stage: Stage, scene: Scene, product: Product, named: Named, send: Send) -> None:
        self._stage = stage
        self._scene = scene
        self._product = product
        self._named = named
        self._send = send

    async def judge(
        self, operation: Write, given: Mapping[str, Any], requester: int, verdict: Verdict, before: Rights
    ) -> Finding:
        barred = lacking(self._world.backend, before, self._scene, operation.name, given, requester)
        if verdict.says == "no":
            return await self._judged_no(operation, given, requester, verdict, before, barred)
        assert verdict.executable is not None
        found = Finding(operation.name, verdict.says, "true", verdict.reason, executed=True)
        written = await self._carried_out(operation, *verdict.executable)
        refusal = written.refusal or ("" if written.changes else NOTHING)
        if refusal:
            kind = "true" if verdict.says == "unknown" else "false yes"
            return replace(found, kind=kind, discord=refusal, executed=False)
        if barred := barred or loosening(self._scene, before, requester, written.changes):
            return replace(found, kind="excess", discord=barred)
        installation = self._stage.core.facts.snapshot.installations[self._scene.guild_id]
        beyond = foreign(installation, requester, verdict.executable[0].call_id, written.changes)
        return replace(found, kind="beyond", discord="; ".join(beyond)) if beyond else found

    async def _judged_no(
        self,
        operation: Write,
        given: Mapping[str, Any],
        requester: int,
        verdict: Verdict,
        before: Rights,
        barred: str,
    ) -> Finding:
        found = Finding(operation.name, "no", "confirmed no", verdict.reason)
        if barred:
            return replace(found, discord=barred)
        if "No visible" in verdict.reason and self._named.unseen(given, requester):
            return replace(found, discord="the requester does not see it")
        if self._named.missing(operation, given):
            return replace(found, kind="not addressable", discord=verdict.reason)
        bare = verdict if verdict.executable else await self._product.without_rights(operation, given)
        if lacks := self._named.bot_lacks(verdict.reason, given):
            return replace(found, discord=f"the bot does not hold {lacks}")
        changes: tuple[RowChange, ...] = ()
        if bare.executable is not None:
            written = await self._carried_out(operation, *bare.executable)
            changes = written.changes
            if written.refusal or not changes:
                return replace(found, discord=written.refusal or NOTHING)
            if barred := loosening(self._scene, before, requester, changes):
                return replace(found, discord=barred)
        why = stricter(operation.name, verdict.reason) or stricter(operation.name, bare.reason)
        return replace(found, kind="unexplained no" if why is None else "explained no", discord=why or "written")

    @property
    def _world(self) -> World:
        return self._stage.sandbox.world

    async def _carried_out(self, operation: Write, ctx: Context, effect: Model) -> Written:
        if isinstance(operation, PlatformWrite):
            return await applied(self._stage.core.database, operation, ctx, effect)
        return await self._send(operation, ctx, effect)
