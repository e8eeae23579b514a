"""The vocabulary of policy: who calls, what is asked, what is known, what is decided.

Everything here is frozen, so that a decision can be repeated, logged and tested without a loop or a mock (what every
call makes anew is frozen by the type checker alone, see policy.frozen).
Discord ids and permission bits are plain ints; times are seconds since the epoch (UTC).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from policy.frozen import frozen


class Tier(IntEnum):
    """How much a call can change; decides which proof it needs."""

    READ = 0
    WRITE = 1
    RISKY = 2
    CRITICAL = 3

    @property
    def label(self) -> str:
        return self.name.lower()


class Kind(StrEnum):
    """READ observes; WRITE has an effect and a preview; CONTROL moves a plan or a draft."""

    READ = "read"
    WRITE = "write"
    CONTROL = "control"


class OperationClass(StrEnum):
    """The three classes that channel policies and the generic tools speak of."""

    READ = "read"
    WRITE = "write"
    DESTROY = "destroy"

    @classmethod
    def of(cls, kind: Kind, tier: Tier) -> OperationClass:
        """The class of an operation by the tier in the catalogue (not by a raised one)."""
        if kind is Kind.READ:
            return cls.READ
        if kind is Kind.CONTROL or tier <= Tier.WRITE:
            return cls.WRITE
        return cls.DESTROY


class Face(StrEnum):
    """Where a call came in."""

    MCP = "mcp"
    AGENT = "agent"
    SLASH = "slash"
    AUTOMATION = "automation"
    CONSOLE = "console"
    CLI = "cli"


class CallerKind(StrEnum):
    OAUTH = "oauth"
    TOKEN = "token"  # noqa: S105 - the word, not a secret
    OPERATOR = "operator"
    MEMBER = "member"
    COMMAND_LINE = "command_line"
    AUTOMATION = "automation"
    SYSTEM = "system"


class PlatformRole(IntEnum):
    """Roles inside a workspace. Discord's own rights bound each of them."""

    VIEWER = 0
    MEMBER = 1
    MANAGER = 2
    ADMIN = 3
    OWNER = 4

    @property
    def label(self) -> str:
        return self.name.lower()

    @classmethod
    def named(cls, name: str) -> PlatformRole:
        """Raises KeyError for a name that is no role."""
        return cls[name.upper()]


class Strength(IntEnum):
    """What a confirmation proves: TOKEN and CLIENT only the client, PERSON a human."""

    NONE = 0
    TOKEN = 1
    CLIENT = 2
    PERSON = 3


class Reach(StrEnum):
    """What taint asks of a write (see policy.taint)."""

    LEAVES = "leaves"
    AUDIENCE = "audience"
    SAME_CHANNEL = "same_channel"


class Rule(IntEnum):
    """What a guild or channel policy says of an operation class. The strictest wins."""

    ALLOW = 0
    CONFIRM = 1
    DENY = 2


class Step(StrEnum):
    """The eight steps; VALIDATE and RESOLVE come before them: bad arguments, unknown objects."""

    VALIDATE = "validate"
    RESOLVE = "resolve"
    CLIENT = "client"
    MEMBERSHIP = "membership"
    INSTALLATION = "installation"
    SCOPE = "scope"
    CHANNEL = "channel"
    DISCORD = "discord"
    RATE = "rate"
    EXECUTE = "execute"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks; comes from trusted context only, never from arguments.

    ``client_id`` names the grant (an MCPClient) or the Discord identity (``discord:<user id>``).
    ``user_id`` is the person behind it; None for an operator and for the system.
    ``direct_writes`` is the client's write mode: True lets ``dry_run`` default to False.
    ``toolsets`` None means all. ``deeds``: the operations that the system may do (policy.system); for nobody else.
    """

    kind: CallerKind
    face: Face
    client_id: str
    workspace_id: str | None
    user_id: int | None = None
    client_name: str = ""
    scopes: frozenset[str] = frozenset()
    toolsets: frozenset[str] | None = None
    guild_ids: frozenset[int] | None = None
    read_only: bool = False
    direct_writes: bool = False
    always_tainted: bool = False
    expires_at: float | None = None
    active: bool = True
    deeds: frozenset[str] = frozenset()

    @property
    def is_operator(self) -> bool:
        return self.kind is CallerKind.OPERATOR

    @property
    def identity(self) -> str:
        """The key under which limits and sessions are counted."""
        return self.client_id


@frozen
class Target:
    """A resolved Discord object: exact id, the guild it was found in, its name when it was resolved.

    ``channel_id`` is set for objects that live in a channel (message, thread, webhook, invite):
    the channel whose rights apply.
    """

    kind: str
    id: int
    guild_id: int
    name: str = ""
    channel_id: int | None = None


@frozen
class Need:
    """One object touched, and the rights needed there.

    ``outrank``: both bot and requester must stand above the target (a member or a role).
    ``grants``: bits that the effect hands out or takes away; they must be a subset of what both hold.
    ``own``: the message must have been sent through Guildhall for this same requester.
    ``own_waives``: bits that neither the bot nor he needs where it was.
    """

    target: Target
    bot_bits: int = 0
    actor_bits: int = 0
    outrank: bool = False
    grants: int = 0
    own: bool = False
    own_waives: int = 0


@frozen
class Requirement:
    """What one call asks for. ``tier`` may be higher than the catalogue's, never lower.

    ``works_paused``: it goes on while writes are held (see Pause).
    ``of_inert_guild``: it is for a guild that nobody has installed, and for no other.
    ``reader_bits``: with the reach AUDIENCE, what everybody holds guild-wide who will read it (0: whoever sees a target
    reads it).
    """

    operation: str
    toolset: str
    kind: Kind
    tier: Tier
    operation_class: OperationClass
    scope: str
    faces: frozenset[Face]
    min_role: PlatformRole = PlatformRole.VIEWER
    reach: Reach = Reach.LEAVES
    in_guild: bool = True
    works_paused: bool = False
    of_inert_guild: bool = False
    needs: tuple[Need, ...] = ()
    reader_bits: int = 0


@frozen
class Standing:
    """What a member (the requester or the bot) holds at a target. What is not said refuses.

    ``rank`` orders roles as Discord does (position, then the older id); the guild's owner ranks above every role.
    """

    bits: int
    rank: int
    is_owner: bool = False
    timed_out: bool = True
    pending: bool = True


OWNER_RANK = 1 << 90
# Whoever is known to be outside the guild (a ban by id) stands below everybody in it.
OUTSIDE_RANK = -1


@frozen
class TargetFacts:
    """Everything known about one target; same order as Requirement.needs.

    ``rank`` is the target's own rank (a member's top role, a role's position), None where it has none or is not known.
    ``source`` is ``gateway`` or ``rest``; ``age_seconds`` how old the oldest fact in here may be.
    """

    visible: bool
    bot: Standing
    actor: Standing
    rank: int | None = None
    is_guild_owner: bool = False
    is_bot: bool = False
    is_administrator: bool = False
    is_own: bool = False
    rule: Rule = Rule.DENY
    source: str = "gateway"
    age_seconds: float = math.inf


@dataclass(frozen=True, slots=True)
class Installation:
    """A guild that a workspace has installed. All tenant rows hang on ``id``: a new installation starts empty.

    ``claimed_by``: the member who claimed it; in this guild he has the role of an admin. None for one that the instance
    installed by itself.
    """

    id: str
    workspace_id: str
    guild_id: int
    active: bool = True
    claimed_by: int | None = None


class PauseScope(StrEnum):
    """Whose writes are held: everybody's everywhere, everybody's in one guild, one caller's in one guild."""

    PROCESS = "process"
    GUILD = "guild"
    CALLER = "caller"


class PauseCause(StrEnum):
    """BY_HAND: a person wanted it; the others are what made Guildhall pause a caller by itself."""

    BY_HAND = "by_hand"
    REFUSALS = "refusals"
    DESTRUCTIONS = "destructions"


@dataclass(frozen=True, slots=True)
class Pause:
    """Writes are held. ``until`` None: until somebody ends it."""

    scope: PauseScope
    until: float | None = None
    cause: PauseCause = PauseCause.BY_HAND

    def holds(self, now: float) -> bool:
        return self.until is None or now < self.until


# What is known of pauses where nothing is known.
EVERYTHING_PAUSED = Pause(PauseScope.PROCESS)


@frozen
class Facts:
    """What the pipeline knows. A fact that could not be had stays at its refusing default.

    ``claimed_guild_id``: the guild that a claim is about, installed or not; ``installation`` says which. ``preset``:
    what the guild is served with (policy.presets).
    """

    now: float
    platform_age_seconds: float
    audience_ok: bool = False
    role: PlatformRole | None = None
    installation: Installation | None = None
    claimed_guild_id: int | None = None
    guild_allowed: bool = False
    pause: Pause | None = EVERYTHING_PAUSED
    preset: str = ""
    targets: tuple[TargetFacts, ...] = ()
    tainted: bool = True
    audience_leaks: bool = True
    four_eyes: bool = True
    retry_after_seconds: float = math.inf


@dataclass(frozen=True, slots=True)
class Allow:
    """Steps passed; nothing more is asked."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """A step said no.

    ``hidden``: the answer must be the one of an object that does not exist; step and reason stay in the audit.
    ``remedy`` says what the caller can do. ``retry_after_seconds`` is set by the rate step.
    """

    step: Step
    code: str
    reason: str
    remedy: str = ""
    hidden: bool = False
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class NeedsConfirmation:
    """Steps passed, but the effect waits for a proof of at least this strength, at this tier."""

    strength: Strength
    tier: Tier


Decision = Allow | Refuse | NeedsConfirmation
ALLOW = Allow()


@dataclass(frozen=True, slots=True)
class StepReport:
    """One line of an explanation: did this step pass, and if not why and what would help."""

    step: Step
    passed: bool
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Steps 1-7 for one call, and what would still be asked if all pass."""

    steps: tuple[StepReport, ...]
    decision: Decision = field(default=ALLOW)
