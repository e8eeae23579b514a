"""Callers, requirements and facts for which every step says yes; tests change one thing at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from policy import pipeline
from policy.model import (
    ALLOW,
    Caller,
    CallerKind,
    Decision,
    Face,
    Facts,
    Installation,
    Kind,
    Need,
    NeedsConfirmation,
    OperationClass,
    PlatformRole,
    Reach,
    Refuse,
    Requirement,
    Rule,
    Standing,
    Target,
    TargetFacts,
    Tier,
)
from policy.permissions import Bits

GUILD, OTHER_GUILD = 111, 222
WORKSPACE, OTHER_WORKSPACE = "ws_1", "ws_2"
NOW = 1_800_000_000.0

SEND = int(Bits.send_messages)
ROLES = int(Bits.manage_roles)
ADMINISTRATOR = int(Bits.administrator)

CHANNEL = Target("channel", 1001, GUILD, "general")
MEMBER = Target("member", 2001, GUILD, "alice")


def caller(**changes: Any) -> Caller:
    base = Caller(
        kind=CallerKind.TOKEN,
        face=Face.MCP,
        client_id="mc_1",
        workspace_id=WORKSPACE,
        user_id=42,
        scopes=frozenset({"*:read", "*:write", "*:moderate"}),
        guild_ids=frozenset({GUILD}),
    )
    return replace(base, **changes)


def need(**changes: Any) -> Need:
    return replace(Need(CHANNEL, bot_bits=SEND, actor_bits=SEND), **changes)


def requirement(**changes: Any) -> Requirement:
    base = Requirement(
        operation="message_send",
        toolset="messages",
        kind=Kind.WRITE,
        tier=Tier.WRITE,
        operation_class=OperationClass.WRITE,
        scope="messages:write",
        faces=frozenset(Face),
        min_role=PlatformRole.MEMBER,
        reach=Reach.AUDIENCE,
        needs=(need(),),
    )
    return replace(base, **changes)


def reading(**changes: Any) -> Requirement:
    return requirement(
        **{
            "operation": "message_get",
            "kind": Kind.READ,
            "tier": Tier.READ,
            "operation_class": OperationClass.READ,
            "scope": "messages:read",
            "min_role": PlatformRole.VIEWER,
            **changes,
        }
    )


def standing(**changes: Any) -> Standing:
    return replace(Standing(bits=SEND, rank=50, timed_out=False, pending=False), **changes)


def target_facts(**changes: Any) -> TargetFacts:
    base = TargetFacts(
        visible=True,
        bot=standing(rank=90),
        actor=standing(rank=50),
        rank=10,
        rule=Rule.ALLOW,
        age_seconds=0.0,
    )
    return replace(base, **changes)


def installation(**changes: Any) -> Installation:
    return replace(Installation("in_1", WORKSPACE, GUILD), **changes)


def facts(**changes: Any) -> Facts:
    base = Facts(
        now=NOW,
        platform_age_seconds=0.0,
        audience_ok=True,
        role=PlatformRole.MEMBER,
        installation=installation(),
        guild_allowed=True,
        pause=None,
        preset="all",
        targets=(target_facts(),),
        tainted=False,
        audience_leaks=False,
        four_eyes=False,
        retry_after_seconds=0.0,
    )
    return replace(base, **changes)


def at_target(**changes: Any) -> Facts:
    """Passing facts, but for these of the one target."""
    return facts(targets=(target_facts(**changes),))


def decide(who: Caller, asked: Requirement, known: Facts) -> Decision:
    """The whole pipeline, as the executor walks it."""
    early = pipeline.gate(who, asked, known)
    return early if isinstance(early, Refuse) else pipeline.judge(who, asked, known)


def strictness(decision: Decision) -> int:
    """0 allows, higher asks for more; 9 refuses."""
    if isinstance(decision, NeedsConfirmation):
        return int(decision.strength)
    return 0 if decision == ALLOW else 9
