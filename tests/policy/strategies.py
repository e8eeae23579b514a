"""Random questions to the pipeline: a world that passes, with a few departures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from policy.model import (
    OWNER_RANK,
    Caller,
    CallerKind,
    Face,
    Facts,
    Kind,
    OperationClass,
    PlatformRole,
    Reach,
    Requirement,
    Rule,
    Target,
    Tier,
)
from tests.policy.worlds import (
    ADMINISTRATOR,
    GUILD,
    MEMBER,
    NOW,
    OTHER_GUILD,
    OTHER_WORKSPACE,
    ROLES,
    SEND,
    caller,
    facts,
    installation,
    need,
    reading,
    requirement,
    target_facts,
)

Question = tuple[Caller, Requirement, Facts]
Change = tuple[str, dict[str, Any]]

PROPERTY = settings(max_examples=100, deadline=None, database=None)

ELSEWHERE = Target("channel", 1002, OTHER_GUILD, "elsewhere")
BITS = (0, SEND, ROLES, SEND | ROLES, ADMINISTRATOR)
KINDS = (CallerKind.OAUTH, CallerKind.MEMBER, CallerKind.OPERATOR, CallerKind.AUTOMATION)

# One departure each from the world in which everything passes: what it touches, and how. Many are harmless alone.
CHANGES: tuple[Change, ...] = (
    *(("caller", {"kind": kind}) for kind in KINDS),
    *(("caller", {"kind": kind, "guild_ids": None}) for kind in (CallerKind.TOKEN, *KINDS)),
    *(("caller", {"face": face}) for face in (Face.AGENT, Face.SLASH, Face.AUTOMATION)),
    *(("caller", {"workspace_id": workspace}) for workspace in (OTHER_WORKSPACE, None)),
    *(
        ("caller", {"scopes": frozenset(scopes)})
        for scopes in ((), ("messages:read",), ("messages:*",), ("*:write",), ("roles:write",))
    ),
    *(("caller", {"toolsets": frozenset({toolset})}) for toolset in ("messages", "roles")),
    *(("caller", {"guild_ids": frozenset(ids)}) for ids in ((), (OTHER_GUILD,), (GUILD, OTHER_GUILD))),
    *(("caller", {"expires_at": at}) for at in (NOW - 1, NOW, NOW + 1)),
    ("caller", {"read_only": True}),
    ("caller", {"always_tainted": True}),
    ("caller", {"active": False}),
    ("asked", {"faces": frozenset({Face.SLASH})}),
    ("asked", {"min_role": PlatformRole.VIEWER}),
    ("asked", {"min_role": PlatformRole.ADMIN}),
    *(("need", {"target": target}) for target in (MEMBER, ELSEWHERE)),
    *(("need", {name: bits}) for name in ("bot_bits", "actor_bits", "grants") for bits in BITS),
    ("need", {"outrank": True}),
    ("need", {"own": True}),
    ("need", {"own_waives": SEND}),
    *(("facts", {"platform_age_seconds": age}) for age in (60.0, 60.5)),
    ("facts", {"audience_ok": False}),
    *(("facts", {"role": role}) for role in (None, PlatformRole.VIEWER, PlatformRole.OWNER)),
    ("facts", {"installation": None}),
    ("facts", {"installation": installation(workspace_id=OTHER_WORKSPACE)}),
    ("facts", {"installation": installation(guild_id=OTHER_GUILD)}),
    ("facts", {"installation": installation(active=False)}),
    ("facts", {"guild_allowed": False}),
    ("facts", {"retry_after_seconds": 1.5}),
    ("target", {"visible": False}),
    *(("target", {"rank": rank}) for rank in (49, 50, 90, None)),
    # Whoever owns the guild ranks above every role: the two facts never disagree.
    ("target", {"rank": OWNER_RANK, "is_guild_owner": True}),
    ("target", {"is_own": False}),
    *(("target", {"rule": rule}) for rule in (Rule.CONFIRM, Rule.DENY)),
    *(("target", {"age_seconds": age}) for age in (60.0, 60.5)),
    *((who, {"bits": bits}) for who in ("bot", "actor") for bits in BITS),
    *((who, {"rank": rank}) for who in ("bot", "actor") for rank in (10, 90, OWNER_RANK)),
    *((who, {"timed_out": True}) for who in ("bot", "actor")),
    *((who, {"pending": True}) for who in ("bot", "actor")),
)


def changed(question: Question, change: Change, place: int) -> Question:
    """The question after one change; those of needs and targets are made at the ``place``-th."""
    who, asked, known = question
    part, values = change
    match part:
        case "caller":
            return replace(who, **values), asked, known
        case "asked":
            return who, replace(asked, **values), known
        case "need":
            needs = list(asked.needs)
            needs[place] = replace(needs[place], **values)
            return who, replace(asked, needs=tuple(needs)), known
        case "facts":
            return who, asked, replace(known, **values)
        case _:
            targets = list(known.targets)
            if part != "target":
                values = {part: replace(getattr(targets[place], part), **values)}
            targets[place] = replace(targets[place], **values)
            return who, asked, replace(known, targets=tuple(targets))


REQUIREMENTS = (
    reading(),
    *(
        requirement(tier=tier, reach=reach, operation_class=OperationClass.of(Kind.WRITE, tier))
        for tier in (Tier.WRITE, Tier.RISKY, Tier.CRITICAL)
        for reach in Reach
    ),
)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """A caller, what he asks for, and what is known: at most four departures from a world that passes."""
    asked = draw(st.sampled_from(REQUIREMENTS))
    count = draw(st.integers(1, 2))
    question = (
        caller(),
        replace(asked, needs=(need(),) * count),
        facts(
            targets=(target_facts(is_own=True),) * count,
            tainted=draw(st.booleans()),
            audience_leaks=draw(st.booleans()),
        ),
    )
    for change in draw(st.lists(st.sampled_from(CHANGES), max_size=4)):
        question = changed(question, change, draw(st.integers(0, count - 1)))
    return question


@st.composite
def knowledge(draw: st.DrawFn, known: Facts) -> Facts:
    """Other facts about the same targets."""
    question = (caller(), requirement(), known)
    for change in draw(st.lists(st.sampled_from([change for change in CHANGES if change[0] in AT_TARGET]), max_size=4)):
        question = changed(question, change, draw(st.integers(0, len(known.targets) - 1)))
    return question[2]


AT_TARGET = ("target", "bot", "actor")
