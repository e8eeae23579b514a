"""One state: what the product says of a call, and what Discord says to its effect."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import discord

from operations import call_ids
from operations.base import Context, Model
from operations.errors import Refused
from operations.ledger import phase
from operations.partial import PartlyDone
from sandbox.internals import BackendError
from sandbox.trials import Trial
from tests.openapi import description
from tests.truth.entitled import foreign, lacking
from tests.truth.explained import ABOUT_ITSELF, NOT_AS_A_PERSON, beyond, simulated, stricter
from tests.truth.findings import Finding
from tests.truth.named import Named
from tests.truth.oracle import Rights, excesses, rights
from tests.truth.own_judge import OwnJudge
from tests.truth.scope import is_own
from tests.truth.stage import Stage
from tests.truth.tables import Written, kept
from tests.truth.verdicts import Product, Verdict, Write
from tests.truth.worlds import Scene


@dataclass(frozen=True, slots=True)
class Answer:
    """What Discord says to an effect: "" when it takes it. ``gap``: the simulation has no such route or field.

    ``against``: what its OpenAPI description says against the requests that were sent.
    """

    refusal: str = ""
    gap: bool = False
    against: str = ""
    excess: tuple[str, ...] = ()


class Judge:
    """Of one guild. Nothing else may change it meanwhile."""

    def __init__(self, stage: Stage, scene: Scene) -> None:
        self._stage = stage
        self._scene = scene
        self._trial = Trial(stage.sandbox.world, scene.guild_id)
        self._before: Rights | None = None
        self._product = Product(stage, scene)
        self._named = Named(stage.sandbox.world.backend, scene)
        self._own = OwnJudge(stage, scene, self._product, self._named, self._carried_out)

    async def judge(self, operation: Write, given: Mapping[str, Any], requester: int) -> Finding:
        verdict = await self._product.verdict(operation, given, requester)
        if is_own(operation):
            assert self._before is not None
            return await self._own.judge(operation, given, requester, verdict, self._before)
        if verdict.says == "no":
            return await self._judged_no(operation, given, requester, verdict)
        assert verdict.executable is not None
        ctx, effect = verdict.executable
        answer = await self._attempt(operation, ctx, effect, requester=requester)
        found = Finding(operation.name, verdict.says, "true", verdict.reason, answer.refusal, executed=True)
        if answer.gap:
            return replace(found, kind="gap")
        if answer.refusal:
            return replace(found, kind="true" if verdict.says == "unknown" else "false yes", executed=False)
        if answer.against:
            return replace(found, kind="undescribed", discord=answer.against)
        by_hand = await self._attempt(operation, ctx, effect, acting_as=requester)
        if barred := self._barred_unasked(operation, given, requester):
            return replace(found, kind="excess", discord=barred)
        too_strict = None
        if by_hand.refusal and not self._is_the_bots(operation, given, requester):
            too_strict = simulated(operation.name, by_hand.refusal)
            if too_strict is None:
                return replace(found, kind="excess", discord=by_hand.refusal)
        if excess := "; ".join(answer.excess):
            why = beyond(operation.name, excess)
            return replace(found, kind="beyond" if why is None else "explained beyond", discord=why or excess)
        return found if too_strict is None else replace(found, kind="explained excess", discord=too_strict)

    # ------------------------------------------------------------------- a no
    async def _judged_no(self, operation: Write, given: Mapping[str, Any], requester: int, verdict: Verdict) -> Finding:
        found = Finding(operation.name, "no", "confirmed no", verdict.reason)
        bare = verdict if verdict.executable else await self._product.without_rights(operation, given)
        if bare.executable is None:
            if "No visible" in verdict.reason and self._named.unseen(given, requester):
                return replace(found, discord="the requester does not see it")
            if bare.reason.startswith("read refused"):
                return replace(found, discord=bare.reason)
            missing = self._named.missing(operation, given)
            if not missing and (lacks := self._named.bot_lacks(bare.reason, given)):
                return replace(found, discord=f"the bot does not hold {lacks}")
            if barred := self._barred(operation, given, requester):
                return replace(found, discord=barred)
            why = None if missing else self._stricter(operation, verdict, bare)
            kind = "not addressable" if missing else "unexplained no" if why is None else "explained no"
            return replace(found, kind=kind, discord=why or bare.reason)
        ctx, effect = bare.executable
        for acting_as in (None, requester):
            if acting_as is not None and self._is_the_bots(operation, given, requester):
                continue
            answer = await self._attempt(operation, ctx, effect, acting_as=acting_as)
            if answer.gap:
                return replace(found, kind="gap", discord=answer.refusal)
            if answer.refusal or answer.against:
                return replace(found, discord=answer.refusal or answer.against)
            if acting_as is not None and (barred := self._barred_unasked(operation, given, requester)):
                return replace(found, discord=barred)
        if operation.name == "message_edit" and (refusal := await self._may_not_speak(given, requester)):
            return replace(found, discord=refusal)
        if "No visible" in verdict.reason and self._named.unseen(given, requester):
            return replace(found, discord="the requester does not see it")
        why = self._stricter(operation, verdict, bare)
        return replace(found, kind="unexplained no" if why is None else "explained no", discord=why or "taken")

    def _barred_unasked(self, operation: Write, given: Mapping[str, Any], requester: int) -> str:
        """Where the last attempt took no request that changes anything, Discord was not asked: the pages are."""
        requests = self._stage.sandbox.journal.requests()
        if any(each["method"] != "GET" for each in requests):
            return ""
        return self._barred(operation, given, requester)

    def _barred(self, operation: Write, given: Mapping[str, Any], requester: int) -> str:
        """Why the requester may not, by the pages alone."""
        assert self._before is not None
        backend = self._stage.sandbox.world.backend
        return lacking(backend, self._before, self._scene, operation.name, given, requester)

    @staticmethod
    def _stricter(operation: Write, verdict: Verdict, bare: Verdict) -> str | None:
        return stricter(operation.name, verdict.reason) or stricter(operation.name, bare.reason)

    def _is_the_bots(self, operation: Write, given: Mapping[str, Any], requester: int) -> bool:
        """Whether it is about a message of the bot's, which nobody else can have sent, or about the bot itself."""
        if operation.name in ABOUT_ITSELF and str(given.get("member")) == str(self._scene.bot_id):
            return True
        said = next((each for each in self._scene.said if str(each.message_id) == str(given.get("message"))), None)
        if operation.name not in NOT_AS_A_PERSON or said is None or said.author_id != self._scene.bot_id:
            return False
        return operation.name == "message_edit" or said.own_of == requester

    async def _may_not_speak(self, given: Mapping[str, Any], requester: int) -> str:
        """Discord's answer to words of the requester's own in the channel; "" when it takes them."""
        world = self._stage.sandbox.world
        with self._trial.run(acting_as=requester):
            try:
                world.arrived("POST", f"/channels/{given['channel']}/messages", body={"content": "words"})
            except BackendError as error:
                return str(error)
        return ""

    # --------------------------------------------------------------- attempts
    async def _attempt(
        self,
        operation: Write,
        ctx: Context,
        effect: Model,
        *,
        acting_as: int | None = None,
        requester: int | None = None,
    ) -> Answer:
        """Executes the effect, and puts everything back. ``requester``: against whom the oracle measures it."""
        ctx = replace(ctx, call_id=call_ids.new_call_id())
        self._stage.sandbox.journal.clear_requests()
        with self._trial.run(acting_as=acting_as), self._cache_kept():
            try:
                with phase("execute", ctx.call_id):
                    result = await operation.execute(ctx, effect)
            except Refused as refused:
                return Answer(f"refused before sending: {refused.refusal.reason}")
            except PartlyDone as partly:
                return Answer(f"broke off: {partly}")
            except discord.HTTPException as error:
                return Answer(f"{error.status} {error.code}: {error.text}", gap=error.status >= 500)
            except (ValueError, TypeError) as error:
                return Answer(f"refused by discord.py: {error!r}")
            excess = (*self._excess(requester), *await self._kept(operation, ctx, effect, result, requester))
            return Answer(against=self._against(), excess=excess)

    async def _kept(
        self, operation: Write, ctx: Context, effect: Model, result: Model, requester: int | None
    ) -> tuple[str, ...]:
        """What is written with the outcome: it is written, and of nobody else's."""
        if requester is None:
            return ()
        installation = self._stage.core.facts.snapshot.installations[self._scene.guild_id]
        written = await kept(self._stage.core.database, operation, ctx, installation, effect, result)
        if written is None:
            return ()
        if written.refusal:
            return (f"what is kept of it was refused: {written.refusal}",)
        return tuple(foreign(installation, requester, ctx.call_id, written.changes))

    async def _carried_out(self, operation: Write, ctx: Context, effect: Model) -> Written:
        """An effect of Guildhall's own that sends something as well."""
        installation = self._stage.core.facts.snapshot.installations[self._scene.guild_id]
        with self._trial.run(), self._cache_kept():
            try:
                with phase("execute", ctx.call_id):
                    result = await operation.execute(ctx, effect)
            except AttributeError as error:
                return Written(f"refused by discord.py: {error!r}")  # the bot has no channel with itself
            written = await kept(self._stage.core.database, operation, ctx, installation, effect, result)
        assert written is not None
        return written

    def _against(self) -> str:
        known = description()
        requests = self._stage.sandbox.journal.requests()
        return "" if known is None else "; ".join(problem for each in requests for problem in known.problems(each))

    def _excess(self, requester: int | None) -> tuple[str, ...]:
        if requester is None:
            return ()
        if self._before is None:
            raise RuntimeError("look before the trial")
        after = rights(self._stage.sandbox.world.backend, self._scene.guild_id)
        return tuple(excesses(self._before, after, requester))

    def look(self) -> None:
        """Before the first state: the rights as they are."""
        self._before = rights(self._stage.sandbox.world.backend, self._scene.guild_id)

    @contextlib.contextmanager
    def _cache_kept(self) -> Generator[None]:
        """discord.py puts what it is answered into its cache: there, too, nothing may be left of a trial."""
        guild = self._stage.core.client.get_guild(self._scene.guild_id)
        assert guild is not None
        stores: list[dict[int, Any]] = [
            guild._channels,  # pyright: ignore[reportPrivateUsage]
            guild._roles,  # pyright: ignore[reportPrivateUsage]
            guild._threads,  # pyright: ignore[reportPrivateUsage]
            guild._members,  # pyright: ignore[reportPrivateUsage]
        ]
        kept = [dict(store) for store in stores]
        try:
            yield
        finally:
            for store, content in zip(stores, kept, strict=True):
                store.clear()
                store.update(content)
