"""What an operation is: one class from which every face is made.

A subclass states its facts as class attributes and its behaviour as methods; both are checked when the class is
defined, so that a bad one fails at import. Input, Effect and Result come from the type parameters::

    class SendMessage(WriteOperation[SendMessageInput, SendMessageEffect, MessageResult]):
        \"\"\"Send a message to a channel or thread.\"\"\"

        name = "message_send"
        ...

Reads derive from ReadOperation, writes from WriteOperation, plan and draft moves from ControlOperation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from operations.refs import RefField
from policy.model import (
    Caller,
    Face,
    Kind,
    Need,
    OperationClass,
    PlatformRole,
    Reach,
    Refuse,
    Requirement,
    Strength,
    Target,
    Tier,
)
from policy.permissions import bits
from policy.scopes import least_role
from policy.taint import Source

if TYPE_CHECKING:
    import discord

    from operations.guild_state import GuildView
    from operations.plans import Asking
    from operations.services import Services
    from storage.calls import CallRecord
    from storage.session import Session

ALL_FACES = frozenset(Face)


class Model(BaseModel):
    """Base of every input, effect and result: frozen, and a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Empty(Model):
    """An input without fields."""


class Common(Model):
    """The arguments that every write takes; they are split off before the operation sees its own."""

    dry_run: bool = True
    reason: str | None = Field(default=None, max_length=400)
    idempotency_key: str | None = Field(default=None, min_length=1, max_length=200)
    plan_token: str | None = Field(default=None, max_length=200)


class Change(Model):
    """One field of one object, before and after."""

    target: str
    field: str
    before: Any = None
    after: Any = None


class Inverse(Model):
    """The call that undoes another one; decided as a new operation. ``reason``: where nobody gives one."""

    operation: str
    arguments: dict[str, Any]
    reason: str | None = None


class Reconcile(StrEnum):
    """How a lost answer is found again: by sending a message anew with its nonce, by our tag in Discord's audit log,
    or by looking whether the object is as the effect would leave it (where only this effect could have left it so).
    ATOMIC: effect and outcome are one transaction (operations.platform_writes), so that no answer can be lost."""

    NONCE = "nonce"
    AUDIT_LOG = "audit_log"
    READ_BACK = "read_back"
    ATOMIC = "atomic"
    NONE = "none"


InputT = TypeVar("InputT", bound=Model)
EffectT = TypeVar("EffectT", bound=Model)
ResultT = TypeVar("ResultT", bound=Model)


@dataclass(frozen=True, slots=True)
class Preview(Generic[EffectT]):
    """What would happen, read only.

    ``problems``: why Discord would refuse it (then nothing is executed). ``unknowns``: what cannot be known before.
    ``effect``: exactly what would be executed. ``fingerprint``: the observed state that the preview rests on ('' for
    none).
    """

    summary: str
    effect: EffectT
    changes: tuple[Change, ...] = ()
    problems: tuple[str, ...] = ()
    unknowns: tuple[str, ...] = ()
    fingerprint: str = ""
    inverse: Inverse | None = None
    reversible: bool = False


@dataclass(frozen=True, slots=True)
class Encoded:
    """A read's result that is already JSON, so that the same bytes are encoded once and served often."""

    json: bytes


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that the bot sent for somebody."""

    channel_id: int
    message_id: int


class Progress(Protocol):
    async def __call__(self, done: float, total: float | None = None, message: str | None = None) -> None: ...


async def no_progress(done: float, total: float | None = None, message: str | None = None) -> None:
    """For callers that did not ask for progress."""


@dataclass(frozen=True, slots=True)
class Context:
    """One call. Discord objects are reached through ``view`` at the moment of use and never kept over an await.

    ``targets``: field name of the input -> what it resolved to; ``many`` for fields that take a list.
    ``audit_reason``: the header for Discord's audit log, tagged so that a lost answer can be found again.
    """

    call_id: str
    caller: Caller
    now: float
    services: Services
    view: GuildView | None = None
    targets: Mapping[str, Target] = field(default_factory=dict[str, Target])
    many: Mapping[str, tuple[Target, ...]] = field(default_factory=dict[str, "tuple[Target, ...]"])
    reason: str | None = None
    audit_reason: str | None = None
    progress: Progress = no_progress

    @property
    def guild(self) -> GuildView:
        """The guild of this call as its requester sees it. Raises LookupError outside of a guild."""
        if self.view is None:
            raise LookupError("this call has no guild")
        return self.view

    @property
    def guild_target(self) -> Target:
        guild = self.guild
        return Target("guild", guild.id, guild.id, guild.discord.name)


class Operation(ABC):
    """Common to every kind. See architecture: class attributes are the declaration."""

    name: ClassVar[str]
    title: ClassVar[str]
    toolset: ClassVar[str]
    kind: ClassVar[Kind]
    tier: ClassVar[Tier]
    scope: ClassVar[str]
    description: ClassVar[str]
    Input: ClassVar[type[Model]]
    Result: ClassVar[type[Model]]
    refs: ClassVar[Mapping[str, RefField]]

    faces: ClassVar[frozenset[Face]] = ALL_FACES
    in_guild: ClassVar[bool] = True
    # For a guild that nobody has installed, and for no other: it takes the road of operations.claims.
    of_inert_guild: ClassVar[bool] = False
    in_default_set: ClassVar[bool] = False
    min_role: ClassVar[PlatformRole | None] = None
    bot_permissions: ClassVar[tuple[str, ...]] = ()
    actor_permissions: ClassVar[tuple[str, ...]] = ()
    open_to_members: ClassVar[str] = ""
    # It goes on while the guild, its caller or the whole process is paused.
    works_paused: ClassVar[bool] = False
    idempotent: ClassVar[bool] = False
    # Of a read whose result and needs are made of nothing but its arguments and the guild's structure as the requester
    # sees it: he may be given the same bytes until one of them changes. ``sources`` gives none.
    from_memory: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if ABC not in cls.__bases__:
            # Here, and not above: it checks against the classes of this module.
            from operations.declaring import declare

            declare(cls)

    @classmethod
    def operation_class(cls) -> OperationClass:
        """Through which generic operation it is called."""
        return OperationClass.of(cls.kind, cls.tier)

    def needs(self, ctx: Context, arguments: Any) -> tuple[Need, ...]:
        """Every object touched, source and destination, with the rights needed there. Default: the guild itself."""
        return (self.need(ctx.guild_target),) if self.in_guild else ()

    def need(self, target: Target, *, outrank: bool = False, grants: int = 0) -> Need:
        """The declared permissions at ``target``."""
        return Need(target, bits(*self.bot_permissions), bits(*self.actor_permissions), outrank, grants)

    def early_needs(self, guild: Target) -> tuple[Need, ...]:
        """Guild-wide rights, any of which is enough for a member or user to be looked up for this write. Override where
        the rights hang on who is named.
        """
        return (self.need(guild),)

    def requirement(self, ctx: Context, arguments: Any) -> Requirement:
        """What this call asks for. Override to raise tier or rights by the effect; never lower them."""
        return self.base_requirement(self.needs(ctx, arguments))

    @classmethod
    def base_requirement(cls, needs: tuple[Need, ...] = ()) -> Requirement:
        return Requirement(
            operation=cls.name,
            toolset=cls.toolset,
            kind=cls.kind,
            tier=cls.tier,
            operation_class=OperationClass.of(cls.kind, cls.tier),
            scope=cls.scope,
            faces=cls.faces,
            min_role=least_role(cls.kind, cls.scope) if cls.min_role is None else cls.min_role,
            reach=getattr(cls, "reach", Reach.LEAVES),
            in_guild=cls.in_guild,
            works_paused=cls.works_paused,
            of_inert_guild=cls.of_inert_guild,
            needs=needs,
            reader_bits=bits(*getattr(cls, "reader_permissions", ())),
        )


class ReadOperation(Operation, ABC, Generic[InputT, ResultT]):
    """Observes. ``sources`` names where foreign text in the result comes from, for taint."""

    kind = Kind.READ
    tier = Tier.READ

    def needs(self, ctx: Context, arguments: InputT) -> tuple[Need, ...]:
        return super().needs(ctx, arguments)

    @abstractmethod
    async def read(self, ctx: Context, arguments: InputT) -> ResultT | Encoded:
        """The result, within what the requester may see. May raise discord.HTTPException and Refused."""

    def sources(self, ctx: Context, arguments: InputT) -> tuple[Source, ...]:
        """Where member-written text in the result comes from; () when there is none."""
        return ()


class ControlOperation(Operation, ABC, Generic[InputT, ResultT]):
    """Moves a plan or a draft: no dry run, no plan of its own, audited."""

    kind = Kind.CONTROL
    tier = Tier.WRITE
    # Whether it runs the plan: then the worst may happen through it, and clients are told so. Rules and rate limits of
    # what is done are those of the plan's own operation.
    executes_plans: ClassVar[bool] = False

    @classmethod
    def operation_class(cls) -> OperationClass:
        return OperationClass.DESTROY if cls.executes_plans else super().operation_class()

    @abstractmethod
    async def control(self, ctx: Context, arguments: InputT) -> ResultT | Outcome:
        """The result, or the outcome of the write that it moved. May raise Refused."""


class Redirect(Operation, ABC, Generic[InputT, ResultT]):
    """Stands for another write, which it finds: that one takes the whole road by itself, at no less than this tier."""

    kind = Kind.WRITE
    tier = Tier.RISKY

    @abstractmethod
    async def found(self, ctx: Context, arguments: InputT) -> Inverse:
        """The call to make instead. May raise Refused."""


class WriteOperation(Operation, ABC, Generic[InputT, EffectT, ResultT]):
    """Has an effect. The preview computes it; exactly that is stored and executed."""

    kind = Kind.WRITE
    tier = Tier.WRITE
    reach: ClassVar[Reach] = Reach.LEAVES
    # With the reach AUDIENCE: who will read it holds these guild-wide; (): whoever sees a target does.
    reader_permissions: ClassVar[tuple[str, ...]] = ()
    reconcile: ClassVar[Reconcile] = Reconcile.NONE
    Effect: ClassVar[type[Model]]
    effect_version: ClassVar[int] = 1
    # Discord's audit log action (discord.AuditLogAction value) under which ``found`` looks; several where Discord
    # writes one or another.
    audit_action: ClassVar[int | tuple[int, ...] | None] = None
    # A confirmation of a critical effect asks for its target's name to be typed, unless one click is enough.
    one_click: ClassVar[bool] = False
    # The same, of a person who named operation and arguments himself and is shown what they come to; on a card of
    # somebody else's wish the name is typed.
    one_click_by_hand: ClassVar[bool] = False

    def needs(self, ctx: Context, arguments: InputT) -> tuple[Need, ...]:
        return super().needs(ctx, arguments)

    @classmethod
    def audit_actions(cls) -> tuple[int, ...]:
        """``audit_action`` as a tuple; () for none."""
        if cls.audit_action is None:
            return ()
        return cls.audit_action if isinstance(cls.audit_action, tuple) else (cls.audit_action,)

    @abstractmethod
    async def preview(self, ctx: Context, arguments: InputT) -> Preview[EffectT]:
        """Reads only; the rights are already decided. Problems are what Discord would refuse beyond rights."""

    @abstractmethod
    def needs_of(self, ctx: Context, effect: EffectT) -> tuple[Need, ...]:
        """The same needs from a stored effect: confirmation and recovery have no input."""

    def requirement_of(self, ctx: Context, effect: EffectT) -> Requirement:
        """The same requirement from a stored effect. Override together with ``requirement``."""
        return self.base_requirement(self.needs_of(ctx, effect))

    async def observe(self, ctx: Context, effect: EffectT) -> str:
        """The fingerprint now, to be compared with the preview's. Default: the effect rests on no observed state."""
        return ""

    @abstractmethod
    async def execute(self, ctx: Context, effect: EffectT) -> ResultT:
        """Does exactly ``effect``. May raise discord.HTTPException; sends what has an effect once."""

    def found(self, entry: discord.AuditLogEntry, effect: EffectT) -> ResultT | None:
        """The result, if this entry of Discord's audit log is this effect's; actor, action and tag were checked
        already.
        """
        return None

    async def read_back(self, ctx: Context, effect: EffectT) -> ResultT | None:
        """The result, if the object is now as the effect would leave it. Reads only."""
        return None

    async def keep(self, session: Session, call: CallRecord, effect: EffectT, result: ResultT) -> ResultT | None:
        """Writes what Guildhall itself remembers of the effect (a case, the end of a ban), in the transaction of its
        outcome; also when that was found out after a crash. Texts are sealed with storage.session.keyring_of(session).
        What it returns is the result from then on: with what is known only now, such as the number of the case. None
        leaves it. Default: nothing.
        """

    def stands(self, effect: EffectT) -> ResultT | None:
        """The result while Discord's answer stays lost, of a write whose greater part is Guildhall's own to remember:
        the case of a warning whose message may not have arrived. Default: what came of it is unknown.
        """
        return None

    def inverse_of(self, effect: EffectT, result: ResultT) -> Inverse | None:
        """The inverse where it is only known after the effect (the id of what was created)."""
        return None

    def quotes(self, effect: EffectT) -> tuple[SentMessage, ...]:
        """The messages whose text the effect or its inverse holds: when Discord deletes one, the call forgets it."""
        return ()

    def messages_of(self, effect: EffectT, result: ResultT) -> tuple[SentMessage, ...]:
        """The messages that the effect sent: the requester's own from now on."""
        return ()


class Delegate(Operation, ABC):
    """Calls another operation by name, of one class only: policy, audit and limits apply to the inner one."""

    in_guild = False
    delegates: ClassVar[OperationClass]


class DelegateInput(Model):
    """Name and arguments of the inner operation."""

    name: str = Field(description="Operation name, as tool_search gives it.")
    arguments: dict[str, Any] = Field(default_factory=dict, description="Its arguments.")


class Status(StrEnum):
    PREVIEW = "preview"
    DONE = "done"
    NEEDS_CONFIRMATION = "needs_confirmation"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PlanInfo:
    """A stored plan as its requester sees it. Times are seconds since the epoch.

    ``approve_url``: where a person confirms it, once one was asked.
    """

    plan_id: str
    expires_at: float
    strength: Strength
    plan_token: str | None = None
    approve_url: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to; every face renders it.

    ``data``: the result of a read, or of a write that was done. ``arguments``: what the caller sent, for the exact
    next call. ``through``: the generic operation by which it was called, since the caller may know no other way, with
    ``outer``, its own arguments, where they are not just name and arguments.
    ``seen``: the places of the guild that one has to see to know what it tells: whoever repeats it elsewhere holds them
    against the audience there (operations.audience).
    """

    status: Status
    operation: str
    kind: Kind
    call_id: str
    tier: Tier = Tier.READ
    data: Model | Encoded | Mapping[str, Any] | None = None
    preview: Preview[Any] | None = None
    plan: PlanInfo | None = None
    refusal: Refuse | None = None
    detail: str = ""
    error_code: int | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    through: str = ""
    outer: Mapping[str, Any] | None = None
    seen: frozenset[Source] = frozenset()

    @property
    def is_error(self) -> bool:
        return self.status in (Status.REFUSED, Status.FAILED, Status.UNKNOWN)


class Executor(Protocol):
    """The one road, as operations and faces see it."""

    async def run(
        self,
        name: str,
        arguments: Mapping[str, Any],
        caller: Caller,
        *,
        progress: Progress = no_progress,
        asking: Asking | None = None,
    ) -> Outcome: ...

    def run_at_once(self, name: str, arguments: Mapping[str, Any], caller: Caller) -> Outcome | None:
        """What ``run`` would come to, where that is known without waiting. None says nothing of the call."""
        ...


Work = Callable[[], Awaitable[None]]
