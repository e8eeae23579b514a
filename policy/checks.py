"""One check a function, named for what it requires. Each takes facts and returns a refusal or None."""

from __future__ import annotations

import math

from policy.model import (
    OWNER_RANK,
    Caller,
    CallerKind,
    Facts,
    Kind,
    Need,
    PlatformRole,
    Refuse,
    Requirement,
    Rule,
    Standing,
    Step,
    TargetFacts,
)
from policy.pauses import held_in_words
from policy.permissions import Bits, missing, names_of
from policy.presets import is_served
from policy.scopes import OWN_DATA, covers

MAX_FACT_AGE_SECONDS = 60.0
PAUSED = "paused"

# These act in the guilds that they were given and in no other: for them, no list is no guild.
BOUND_TO_GUILDS = frozenset({CallerKind.OPERATOR, CallerKind.MEMBER, CallerKind.AUTOMATION})

UNKNOWN = Refuse(
    Step.RESOLVE,
    "unknown",
    "There is no such object, or you cannot see it.",
    "Check the name or the id; list what you can see with guild_list or channel_list.",
)

GUILD_TAKEN = Refuse(
    Step.INSTALLATION,
    "guild_taken",
    "This guild is claimed already.",
    "To begin anew, remove the bot from the guild, invite it again and claim it.",
)

TARGETS_UNKNOWN = Refuse(
    Step.DISCORD,
    "targets_unknown",
    "What Discord says of the target could not be had.",
    "Try again in a few seconds; GET /ready shows the connection to Discord.",
    retry_after_seconds=5.0,
)


# ------------------------------------------------------------------ 1 client
def credential_is_live(caller: Caller, facts: Facts) -> Refuse | None:
    if not caller.active:
        return Refuse(Step.CLIENT, "revoked", "This credential is revoked.", "Ask whoever issued it for a new one.")
    if caller.expires_at is not None and not facts.now < caller.expires_at:
        return Refuse(Step.CLIENT, "expired", "This credential has expired.", "Ask whoever issued it for a new one.")
    return None


def audience_is_this_instance(caller: Caller, facts: Facts) -> Refuse | None:
    if facts.audience_ok:
        return None
    return Refuse(Step.CLIENT, "wrong_audience", "This token was issued for another server.", "Log in to this one.")


def platform_facts_are_current(caller: Caller, facts: Facts) -> Refuse | None:
    if facts.platform_age_seconds <= MAX_FACT_AGE_SECONDS:
        return None
    return Refuse(
        Step.CLIENT,
        "facts_too_old",
        f"The database has not answered {_since(facts.platform_age_seconds)}, so nobody's rights can be checked.",
        "Try again when GET /ready says that the database is up.",
        retry_after_seconds=5.0,
    )


# -------------------------------------------------------------- 2 membership
def person_belongs_to_workspace(caller: Caller, requirement: Requirement, facts: Facts) -> Refuse | None:
    if facts.role is not None or caller.kind is CallerKind.SYSTEM:
        return None
    return Refuse(
        Step.MEMBERSHIP,
        "no_member",
        "The person behind this call does not belong to the workspace.",
        "Ask an admin of the workspace, or join one of its guilds.",
        hidden=requirement.in_guild,
    )


# ------------------------------------------------------------ 3 installation
def guild_is_installed(caller: Caller, facts: Facts) -> Refuse | None:
    installation = facts.installation
    if installation is None:
        return Refuse(Step.INSTALLATION, "not_installed", "The guild is not installed in this workspace.", hidden=True)
    if installation.workspace_id != caller.workspace_id:
        return Refuse(Step.INSTALLATION, "foreign_guild", "The guild belongs to another workspace.", hidden=True)
    if not installation.active:
        return Refuse(Step.INSTALLATION, "inactive", "The guild's installation is not active.", hidden=True)
    if not facts.guild_allowed:
        return Refuse(Step.INSTALLATION, "not_listed", "The guild is not in ALLOWED_GUILD_IDS.", hidden=True)
    if caller.guild_ids is None:
        if caller.kind in BOUND_TO_GUILDS:
            return Refuse(Step.INSTALLATION, "no_guilds", "The credential names no guild.", hidden=True)
    elif installation.guild_id not in caller.guild_ids:
        return Refuse(Step.INSTALLATION, "outside_grant", "The credential does not reach this guild.", hidden=True)
    return None


def guild_is_inert(caller: Caller, facts: Facts) -> Refuse | None:
    """For a claim: of a guild that nobody has installed, by a caller who was made for that one guild."""
    guild_id = facts.claimed_guild_id
    if guild_id is None or caller.guild_ids is None or guild_id not in caller.guild_ids:
        return Refuse(Step.INSTALLATION, "outside_grant", "The credential does not reach this guild.", hidden=True)
    if facts.installation is not None:
        return GUILD_TAKEN
    if not facts.guild_allowed:
        return Refuse(
            Step.INSTALLATION,
            "not_listed",
            "This instance serves listed guilds only, and this one is not listed.",
            "Ask whoever runs it to add the guild's id to ALLOWED_GUILD_IDS.",
        )
    return None


def nothing_is_paused(requirement: Requirement, facts: Facts) -> Refuse | None:
    """Reads go on, and so do cancelling and whatever ends or tightens things."""
    pause = facts.pause
    if pause is None or requirement.kind is Kind.READ or requirement.works_paused or not pause.holds(facts.now):
        return None
    reason, remedy = held_in_words(pause)
    left = None if pause.until is None else pause.until - facts.now
    return Refuse(Step.INSTALLATION, PAUSED, reason, remedy, retry_after_seconds=left)


# ------------------------------------------------------------------- 4 scope
def face_offers_operation(caller: Caller, requirement: Requirement) -> Refuse | None:
    if caller.face in requirement.faces:
        return None
    return Refuse(
        Step.SCOPE,
        "face",
        f"{requirement.operation} is not offered through {caller.face.value}.",
        f"Use it through: {', '.join(sorted(face.value for face in requirement.faces))}.",
    )


def guild_serves_operation(caller: Caller, requirement: Requirement, facts: Facts) -> Refuse | None:
    """What the system does of itself (ending what was begun) is not bounded by what people are served with."""
    if not requirement.in_guild or caller.kind is CallerKind.SYSTEM or is_served(facts.preset, requirement):
        return None
    return Refuse(
        Step.SCOPE,
        "preset",
        f"This guild is served with the preset {facts.preset or 'nothing'}, which leaves out {requirement.operation}.",
        "A workspace admin chooses another one with /setup.",
    )


def toolset_is_enabled(caller: Caller, requirement: Requirement) -> Refuse | None:
    if caller.toolsets is None or requirement.toolset in caller.toolsets:
        return None
    return Refuse(
        Step.SCOPE,
        "toolset",
        f"The toolset {requirement.toolset} is not enabled for this client.",
        f"Issue a token with the toolset {requirement.toolset}.",
    )


def client_may_write(caller: Caller, requirement: Requirement) -> Refuse | None:
    if not caller.read_only or requirement.kind is Kind.READ:
        return None
    return Refuse(Step.SCOPE, "read_only", "This client may only read.", "Issue a token that is not read-only.")


def scope_is_granted(caller: Caller, requirement: Requirement) -> Refuse | None:
    if covers(caller.scopes, requirement.scope):
        return None
    return Refuse(
        Step.SCOPE,
        "scope",
        f"The scope {requirement.scope} is missing.",
        f"Issue a token with {requirement.scope}.",
    )


def deed_is_listed(caller: Caller, requirement: Requirement) -> Refuse | None:
    """No person's rights bound the system: it does what policy.system names, and nothing else."""
    if caller.kind is not CallerKind.SYSTEM or requirement.operation in caller.deeds:
        return None
    return Refuse(
        Step.SCOPE, "no_deed", f"The system does not call {requirement.operation} by itself.", "Ask a person to do it."
    )


def role_suffices(requirement: Requirement, role: PlatformRole | None) -> Refuse | None:
    """Viewers only read, also where an operation names no role; over his own data everybody decides himself."""
    named_alone = requirement.kind is Kind.READ or requirement.scope == OWN_DATA
    least = requirement.min_role if named_alone else max(requirement.min_role, PlatformRole.MEMBER)
    if role is not None and role >= least:
        return None
    return Refuse(
        Step.SCOPE,
        "role",
        f"{requirement.operation} needs the workspace role {least.label} or higher.",
        "Ask an admin of the workspace for that role.",
    )


# ----------------------------------------------------------------- 5 channel
def channel_policy_allows(requirement: Requirement, need: Need, facts: TargetFacts) -> Refuse | None:
    # The rules are lifted by administration alone: under a `deny` of its own nobody could take that back.
    beyond = requirement.scope.startswith("admin:") or requirement.scope == OWN_DATA
    if facts.rule is not Rule.DENY or beyond:
        return None
    return Refuse(
        Step.CHANNEL,
        "denied_by_policy",
        f"The policy here denies {requirement.operation_class.value} operations at {_where(need)}.",
        "Choose another channel, or ask an admin of the workspace to change the policy.",
    )


# ----------------------------------------------------------------- 6 discord
def facts_are_fresh(need: Need, facts: TargetFacts) -> Refuse | None:
    if facts.age_seconds <= MAX_FACT_AGE_SECONDS:
        return None
    return Refuse(
        Step.DISCORD,
        "stale",
        f"What I know of {_where(need)} has not been confirmed {_since(facts.age_seconds)}.",
        "Try again in a few seconds; GET /ready shows the connection to Discord.",
        retry_after_seconds=5.0,
    )


def target_is_in_guild(requirement: Requirement, need: Need, facts: Facts) -> Refuse | None:
    """What was resolved must lie in the guild that the first steps decided about."""
    if not requirement.in_guild:
        return None
    installed = None if facts.installation is None else facts.installation.guild_id
    guild_id = facts.claimed_guild_id if requirement.of_inert_guild else installed
    if guild_id is not None and need.target.guild_id == guild_id:
        return None
    return Refuse(Step.INSTALLATION, "foreign_target", f"{_where(need)} is not in the guild of this call.", hidden=True)


def target_is_visible(need: Need, facts: TargetFacts) -> Refuse | None:
    if facts.visible:
        return None
    return Refuse(Step.DISCORD, "not_visible", f"The requester cannot see {_where(need)}.", hidden=True)


def holds(who: str, verb: str, standing: Standing, wanted: int, need: Need) -> Refuse | None:
    lacking = missing(standing.bits, wanted)
    if not lacking:
        return None
    code = "bot_lacks_permission" if who == "I" else "you_lack_permission"
    listed = ", ".join(names_of(lacking))
    remedy = f"Grant me {listed} there." if who == "I" else f"Ask someone who holds {listed} there."
    return Refuse(Step.DISCORD, code, f"{who} {verb} {listed} at {_where(need)}.", remedy)


def bot_holds_rights(need: Need, facts: TargetFacts) -> Refuse | None:
    return holds("I", "lack", facts.bot, _asked(need.bot_bits, need, facts), need)


def actor_holds_rights(need: Need, facts: TargetFacts) -> Refuse | None:
    return holds("You", "lack", facts.actor, _asked(need.actor_bits, need, facts), need)


def _asked(bits: int, need: Need, facts: TargetFacts) -> int:
    return bits & ~need.own_waives if facts.is_own else bits


def actor_may_act(requirement: Requirement, facts: TargetFacts) -> Refuse | None:
    if requirement.kind is Kind.READ:
        return None
    if facts.actor.timed_out:
        return Refuse(Step.DISCORD, "you_are_timed_out", "You are timed out in this guild.", "Wait until it ends.")
    if facts.actor.pending:
        return Refuse(
            Step.DISCORD, "you_are_pending", "You have not accepted this guild's rules.", "Accept them in Discord."
        )
    return None


def bot_may_act(requirement: Requirement, facts: TargetFacts) -> Refuse | None:
    if requirement.kind is Kind.READ or not facts.bot.timed_out:
        return None
    return Refuse(Step.DISCORD, "bot_is_timed_out", "I am timed out in this guild.", "Remove my timeout.")


def grants_are_held(need: Need, facts: TargetFacts) -> Refuse | None:
    """Discord lets nobody hand out, or take away by overwrite, a permission he does not hold himself."""
    for who, verb, standing in (("I", "lack", facts.bot), ("You", "lack", facts.actor)):
        refusal = holds(who, verb, standing, need.grants, need)
        if refusal is not None:
            return Refuse(
                refusal.step, "grant_exceeds_rights", refusal.reason + " Nobody grants what he lacks.", refusal.remedy
            )
    return None


def target_is_outranked(need: Need, facts: TargetFacts) -> Refuse | None:
    if not need.outrank:
        return None
    if facts.is_bot:
        return Refuse(Step.DISCORD, "bot_itself", "I cannot do that to myself.", "Pick another target.")
    if facts.rank is None:
        return Refuse(
            Step.DISCORD,
            "rank_unknown",
            f"I do not know where {_where(need)} stands among the roles.",
            "Try again in a few seconds; it may have been deleted or have left.",
        )
    if facts.is_guild_owner or facts.rank >= OWNER_RANK:
        return Refuse(Step.DISCORD, "owner", "The guild's owner cannot be a target.", "Pick another member.")
    if facts.rank >= facts.bot.rank:
        return Refuse(
            Step.DISCORD,
            "bot_rank",
            f"My top role is not above {_where(need)}.",
            "Move my role up in the guild's settings, or pick another target.",
        )
    if facts.rank >= facts.actor.rank:
        return Refuse(Step.DISCORD, "your_rank", f"Your top role is not above {_where(need)}.", "Pick another target.")
    return None


def message_is_own(need: Need, facts: TargetFacts) -> Refuse | None:
    if not need.own or facts.is_own:
        return None
    return Refuse(
        Step.DISCORD,
        "not_your_message",
        "I did not send that message for you.",
        "Only messages that I sent at your own request can be changed.",
    )


# -------------------------------------------------------------------- 7 rate
def rate_allows(facts: Facts) -> Refuse | None:
    if facts.retry_after_seconds <= 0:
        return None
    if not math.isfinite(facts.retry_after_seconds):
        return Refuse(
            Step.RATE,
            "rate_unknown",
            "The limits could not be checked.",
            "Try again in a few seconds.",
            retry_after_seconds=5.0,
        )
    return Refuse(
        Step.RATE,
        "rate_limited",
        "Too many calls of this kind for now.",
        f"Come back in {facts.retry_after_seconds:.1f} s.",
        retry_after_seconds=facts.retry_after_seconds,
    )


def _since(age_seconds: float) -> str:
    return f"for {age_seconds:.0f} s" if math.isfinite(age_seconds) else "yet"


def _where(need: Need) -> str:
    target = need.target
    if not target.name:
        return f"the {target.kind} {target.id}"
    match target.kind:
        case "channel" | "thread":
            return f"#{target.name}"
        case "member" | "role":
            return f"@{target.name}"
        case "webhook" | "invite":
            return f"the {target.kind} {target.name}"
        case _:
            return target.name


def is_administrator(bits: int) -> bool:
    return bool(bits & Bits.administrator)
