"""Who may do what is Guildhall's own, by its pages alone (docs/operations.md; policy.md: steps 4 and 6, loosening) and
by the oracle of rights: without the product's code.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from policy.model import Installation
from sandbox.internals import Backend
from tests.truth.oracle import ADMINISTRATOR, Rights, sees
from tests.truth.tables import RowChange
from tests.truth.worlds import CaseAbout, Scene

MANAGE_GUILD = 1 << 5
READ_MESSAGE_HISTORY = 1 << 16
CONNECT = 1 << 20
MODERATE_MEMBERS = 1 << 40
BAN_MEMBERS = 1 << 2
VOICE = frozenset({2, 13})

MEMBER, MANAGER, ADMIN = 2, 3, 4
ROLES = {"manager": MANAGER, "admin": ADMIN}
WORDS = {MANAGER: "manager", ADMIN: "admin"}
STRENGTH = {"allow": 0, "confirm": 1, "deny": 2}
TIERS = {"write": 1, "risky": 2, "critical": 3}

# "role …" and "needs …" of docs/operations.md; what is not named asks for no more than a member.
LEAST = {
    "policy_set": MANAGER,
    "channel_policy_set": MANAGER,
    "approvers_set": ADMIN,
    "approvals_channel_set": ADMIN,
    "log_channel_set": MANAGER,
    "preset_set": MANAGER,
    "chat_channel_allow": MANAGER,
    "chat_channel_disallow": MANAGER,
    "agent_budget_set": MANAGER,
    "agent_model_set": ADMIN,
}
ASKED = {
    "member_warn": MODERATE_MEMBERS,
    "member_note": MODERATE_MEMBERS,
    "case_edit": MODERATE_MEMBERS,
    # Of somebody who is banned only Guildhall's own end of it changes.
    "member_ban": BAN_MEMBERS,
    "guild_pause": MANAGE_GUILD,
    "guild_resume": MANAGE_GUILD,
}
NAMES = {BAN_MEMBERS: "ban_members", MODERATE_MEMBERS: "moderate_members", MANAGE_GUILD: "manage_guild"}


def role_of(scene: Scene, rights: Rights, user_id: int) -> int:
    """Whoever claimed the guild is admin in it; else the highest of what the policy maps his roles to."""
    if user_id == scene.owner_id:
        return ADMIN
    mapped = [ROLES[scene.role_map[each]] for each in rights.held[user_id] if each in scene.role_map]
    return max(mapped, default=MEMBER)


def lacking(
    backend: Backend, rights: Rights, scene: Scene, operation: str, given: Mapping[str, Any], requester: int
) -> str:
    """Why the requester may not, whatever would come of it; "" when he may."""
    held = rights.at[requester, 0]
    role = role_of(scene, rights, requester)
    if rights.is_timed_out(requester):
        return "the requester is timed out, and Discord lets nobody use commands then"
    if role < LEAST.get(operation, 0):
        return f"the requester is not {WORDS[LEAST[operation]]} here"
    asked = ASKED.get(operation, 0)
    if asked & ~held:
        return f"the requester lacks {NAMES[asked]}"
    if operation == "member_warn" and rights.rank.get(_id(given, "member"), 0) >= rights.rank[requester]:
        return "the requester does not outrank whom he would warn"
    if operation == "member_report" and "member" in given:
        waiting = {(case.reported_by, case.user_id) for case in scene.cases.values()}
        return "he has reported that already" if (requester, _id(given, "member")) in waiting else ""
    if operation == "member_report":
        return _reads(backend, rights, requester, _id(given, "channel"))
    if operation == "case_edit" and (case := scene.cases.get(given["case"])) is not None:
        return _edits(backend, requester, given, case)
    if operation in ("token_renew", "token_revoke") and (owner := scene.tokens.get(given["client"])) is not None:
        others = operation == "token_renew" or role < ADMIN
        return "the token is somebody else's" if owner != requester and others else ""
    return ""


def loosening(scene: Scene, rights: Rights, requester: int, changes: Iterable[RowChange]) -> str:
    """Why the requester may not write these rows: loosening a policy takes an admin who is administrator in Discord."""
    if not any(_loosens(change) for change in changes):
        return ""
    if role_of(scene, rights, requester) >= ADMIN and rights.at[requester, 0] & ADMINISTRATOR:
        return ""
    return "it loosens the policy, and the requester is not both admin and administrator"


def foreign(installation: Installation, requester: int, call_id: str, changes: Iterable[RowChange]) -> list[str]:
    """What was written of another guild, or of somebody who did not ask for it."""
    found: list[str] = []
    for change in changes:
        row = change.after or change.before or {}
        ours = row.get("installation_id") == installation.id or row.get("call_id") == call_id
        ours = (
            ours
            or row.get("guild_ids") == [installation.guild_id]
            or requester in (row.get("user_id"), row.get("author_id"))
        )
        if not ours:
            found.append(f"a row of {change.table} was written, which is neither this guild's nor the requester's")
    return found


def _id(given: Mapping[str, Any], field: str) -> int:
    text = str(given.get(field, ""))
    return int(text) if text.isascii() and text.isdecimal() else 0


def _reads(backend: Backend, rights: Rights, requester: int, channel_id: int) -> str:
    channel = backend.channels.get(channel_id)
    if channel is None or not sees(backend, requester, channel_id):
        return "the requester does not see the channel"
    asked = READ_MESSAGE_HISTORY | (CONNECT if int(channel.type) in VOICE else 0)
    held = rights.at[requester, channel.permission_channel_id()]
    return "the requester cannot read what was said there" if asked & ~held else ""


def _edits(backend: Backend, requester: int, given: Mapping[str, Any], case: CaseAbout) -> str:
    """docs/operations.md, case_edit and case_get: nobody edits a case about himself, nor a text that he cannot see."""
    if case.user_id == requester:
        return "the case is about the requester"
    hidden = case.channel_id is not None and not sees(backend, requester, case.channel_id)
    return "the requester does not see where the case is from" if hidden and "new_reason" in given else ""


# ------------------------------------------------------------------ loosening
def _loosens(change: RowChange) -> bool:
    """policy.md, "Administration" and "Tiers and proofs"; from the rows as they are stored."""
    if change.table not in ("guild_policy", "channel_policy"):
        return False
    before, after = _rules(change.before), _rules(change.after)
    if any(_strength(after, each) < _strength(before, each) for each in ("read", "write", "destroy")):
        return True
    return change.table == "guild_policy" and _guild_loosens(before, after)


def _rules(row: Mapping[str, Any] | None) -> dict[str, Any]:
    if row is None:
        return {}
    found: dict[str, Any] = json.loads(row["rules"])
    return found


def _strength(rules: Mapping[str, Any], name: str) -> int:
    return STRENGTH[rules.get("rules", {}).get(name, "allow")]


def _guild_loosens(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    tiers, mapped = after.get("tiers", {}), before.get("role_map", {})
    lowered = any(TIERS[tier] > TIERS.get(tiers.get(name, ""), 0) for name, tier in before.get("tiers", {}).items())
    # No role here holds anybody down, so that taking a mapping out lifts nobody.
    lifted = any(
        ROLES.get(role, MEMBER) > ROLES.get(mapped.get(each, ""), MEMBER)
        for each, role in after.get("role_map", {}).items()
    )
    moved = any(
        before.get(name) and before.get(name) != after.get(name)
        for name in ("approver_role_ids", "approvals_channel_id", "log_channel_id", "preset")
    )
    ended = any(before.get(name) and not after.get(name) for name in ("four_eyes", "record_reads"))
    return lowered or lifted or moved or ended
