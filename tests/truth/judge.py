"""One state: what the product says of a call, and what Discord says to its effect."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import discord

from operations import call_ids
from operations.base import Context, Model, Preview, WriteOperation
from operations.decider import Prepared
from operations.errors import Refused
from operations.failures import DISCORD_FAILED
from operations.guild_state import GuildVanished
from operations.ledger import SendRefused, phase
from operations.refusals import Rejected
from policy.model import Caller, Refuse
from policy.permissions import Bits
from sandbox.internals import BackendError
from sandbox.trials import Trial
from tests.openapi import description
from tests.truth.explained import ABOUT_ITSELF, NOT_AS_A_PERSON, beyond, simulated, stricter
from tests.truth.oracle import Rights, addressable, excesses, rights
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


@dataclass(frozen=True, slots=True)
class Answer:
    """What Discord says to an effect: "" when it takes it. ``gap``: the simulation has no such route or field.

    ``against``: what its OpenAPI description says against the requests that were sent.
    """

    refusal: str = ""
    gap: bool = False
    against: str = ""
    excess: tuple[str, ...] = ()


FindingKind = Literal[
    "undescribed",
    "explained beyond",
    "explained excess",
    "true",
    "false yes",
    "excess",
    "beyond",
    "confirmed no",
    "explained no",
    "not addressable",
    "unexplained no",
    "gap",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """``kind`` "excess": policy lets a person do what Discord would refuse him; "beyond": the oracle of rights sees
    more given than the requester holds; "undescribed": a request that Discord's OpenAPI description does not know.
    """

    operation: str
    says: Says
    kind: FindingKind
    reason: str = ""
    discord: str = ""
    executed: bool = False

    @property
    def is_wrong(self) -> bool:
        return self.kind in ("false yes", "excess", "beyond", "unexplained no", "gap", "undescribed")


class Judge:
    """Of one guild. Nothing else may change it meanwhile."""

    def __init__(self, stage: Stage, scene: Scene) -> None:
        self._stage = stage
        self._scene = scene
        self._trial = Trial(stage.sandbox.world, scene.guild_id)
        self._before: Rights | None = None

    async def judge(self, operation: Write, given: Mapping[str, Any], requester: int) -> Finding:
        verdict = await self._verdict(operation, given, self._stage.caller(self._scene.guild_id, requester))
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
        too_strict = None
        if by_hand.refusal and not self._is_the_bots(operation, given, requester):
            too_strict = simulated(operation.name, by_hand.refusal)
            if too_strict is None:
                return replace(found, kind="excess", discord=by_hand.refusal)
        if excess := "; ".join(answer.excess):
            why = beyond(operation.name, excess)
            return replace(found, kind="beyond" if why is None else "explained beyond", discord=why or excess)
        return found if too_strict is None else replace(found, kind="explained excess", discord=too_strict)

    # ------------------------------------------------------------- the product
    async def _prepared(self, operation: Write, given: Mapping[str, Any], caller: Caller) -> Prepared:
        parsed = operation.Input.model_validate(given)
        return await self._stage.decider.prepare(
            operation, parsed, caller, call_ids.new_call_id(), self._stage.services, audit_reason="gh:truth"
        )

    async def _verdict(self, operation: Write, given: Mapping[str, Any], caller: Caller) -> Verdict:
        try:
            prepared = await self._prepared(operation, given, caller)
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

    # ------------------------------------------------------------------- a no
    async def _judged_no(self, operation: Write, given: Mapping[str, Any], requester: int, verdict: Verdict) -> Finding:
        found = Finding(operation.name, "no", "confirmed no", verdict.reason)
        bare = verdict if verdict.executable else await self._without_rights(operation, given)
        if bare.executable is None:
            if "No visible" in verdict.reason and self._unseen(given, requester):
                return replace(found, discord="the requester does not see it")
            if bare.reason.startswith("read refused"):
                return replace(found, discord=bare.reason)
            missing = self._unseen(given, self._scene.bot_id)
            missing += [*self._not_banned(operation, given), *self._not_there(given)]
            if not missing and (lacking := self._bot_lacks(bare.reason, given)):
                return replace(found, discord=f"the bot does not hold {lacking}")
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
        if operation.name == "message_edit" and (refusal := await self._may_not_speak(given, requester)):
            return replace(found, discord=refusal)
        if "No visible" in verdict.reason and self._unseen(given, requester):
            return replace(found, discord="the requester does not see it")
        why = self._stricter(operation, verdict, bare)
        return replace(found, kind="unexplained no" if why is None else "explained no", discord=why or "taken")

    async def _without_rights(self, operation: Write, given: Mapping[str, Any]) -> Verdict:
        """What the call would be for the bot itself, whatever policy says to it."""
        try:
            prepared = await self._prepared(operation, given, self._stage.caller(self._scene.guild_id, None))
        except Rejected as rejected:
            return Verdict("no", f"{rejected.truth.code}: {rejected.truth.reason}")
        preview = await self._preview(operation, prepared)
        if isinstance(preview, str):
            return Verdict("no", preview)
        return Verdict("no", " ".join(preview.problems), (prepared.ctx, preview.effect))

    def _unseen(self, given: Mapping[str, Any], user_id: int) -> list[int]:
        """The ids in a call of which this member may not know."""
        backend = self._stage.sandbox.world.backend
        named = _ids(given)
        invite = backend.invites.get(str(given.get("invite")))
        if "invite" in given:
            # A code is no id: it leads to its channel.
            named.append(0 if invite is None else invite.channel_id)
        return [each for each in named if not addressable(backend, self._scene.guild_id, user_id, each)]

    @staticmethod
    def _stricter(operation: Write, verdict: Verdict, bare: Verdict) -> str | None:
        return stricter(operation.name, verdict.reason) or stricter(operation.name, bare.reason)

    def _not_banned(self, operation: Write, given: Mapping[str, Any]) -> list[int]:
        """Whose ban a call names, where there is none."""
        bans = self._stage.sandbox.world.backend.guilds[self._scene.guild_id].bans
        named = [int(given[field]) for field, ref in operation.refs.items() if ref.kind == "ban" and field in given]
        return [user_id for user_id in named if user_id not in bans]

    def _not_there(self, given: Mapping[str, Any]) -> list[int]:
        """The messages and webhooks that a call names together with a channel in which they are not."""
        if not str(given.get("channel", "")).isdecimal():
            return []
        backend = self._stage.sandbox.world.backend
        here = backend.messages.get(int(given["channel"]), {})
        named = _ids([given.get("message"), given.get("messages"), given.get("reply_to")])
        hooks = [each for each in _ids([given.get("webhook")]) if each in backend.webhooks]
        elsewhere = [each for each in hooks if backend.webhooks[each].channel_id != int(given["channel"])]
        return [*elsewhere, *(message_id for message_id in named if message_id not in here)]

    def _bot_lacks(self, reason: str, given: Mapping[str, Any]) -> str:
        """The permissions that the product says the bot lacks (in the channel of the call, else guild-wide), if it
        lacks each of them.
        """
        match = re.search(r"I lack ([a-z_, ]+) at ", reason)
        if match is None:
            return ""
        backend = self._stage.sandbox.world.backend
        channel = backend.channels.get(int(given["channel"])) if str(given.get("channel", "")).isdecimal() else None
        where = 0 if channel is None else channel.permission_channel_id()
        held = rights(backend, self._scene.guild_id).at[self._scene.bot_id, where]
        return match[1] if not any(held & Bits[name] for name in match[1].split(", ")) else ""

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
                    await operation.execute(ctx, effect)
            except Refused as refused:
                return Answer(f"refused before sending: {refused.refusal.reason}")
            except discord.HTTPException as error:
                return Answer(f"{error.status} {error.code}: {error.text}", gap=error.status >= 500)
            except (ValueError, TypeError) as error:
                return Answer(f"refused by discord.py: {error!r}")
            return Answer(against=self._against(), excess=self._excess(requester))

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


def _ids(given: Any) -> list[int]:
    """Every id in arguments."""
    if isinstance(given, str):
        return [int(given)] if given.isascii() and given.isdecimal() and len(given) >= 15 else []
    if isinstance(given, Mapping):
        given = list(cast("Mapping[str, Any]", given).values())
    return [found for each in cast("list[Any]", given) for found in _ids(each)] if isinstance(given, list) else []
