"""The guild that most tests play in."""

from __future__ import annotations

from typing import Any

MODERATOR = [
    "manage_channels",
    "manage_roles",
    "manage_messages",
    "manage_threads",
    "moderate_members",
    "view_audit_log",
    "manage_webhooks",
    "create_instant_invite",
]
STAFF_ONLY: list[dict[str, Any]] = [
    {"role": "@everyone", "deny": ["view_channel"]},
    {"role": "Moderator", "allow": ["view_channel"]},
    {"role": "Guildhall", "allow": ["view_channel"]},
]
ADMINS_ONLY: list[dict[str, Any]] = [
    {"role": "@everyone", "deny": ["view_channel"]},
    {"role": "Guildhall", "allow": ["view_channel"]},
]
HARBOR: dict[str, Any] = {
    "owner": "olive",
    "features": ["COMMUNITY", "NEWS"],
    "roles": [
        {"name": "Admin", "permissions": ["administrator"]},
        {"name": "Moderator", "permissions": MODERATOR},
        {"name": "Member"},
    ],
    "members": [
        {"name": "ada", "roles": ["Admin"]},
        {"name": "marlow", "roles": ["Moderator"]},
        {"name": "nina", "roles": ["Member"]},
        {"name": "bela", "roles": ["Member"]},
        {"name": "wren", "roles": ["Member"]},
    ],
    "channels": [
        {"name": "Talk", "type": "category"},
        {"name": "general", "category": "Talk", "topic": "anything goes"},
        {"name": "news", "type": "announcement", "category": "Talk"},
        {"name": "lounge", "type": "voice", "category": "Talk"},
        {"name": "Staff", "type": "category", "overwrites": STAFF_ONLY},
        {"name": "mod-room", "category": "Staff", "overwrites": STAFF_ONLY, "topic": "what only staff reads"},
        {"name": "Cellar", "type": "category", "overwrites": ADMINS_ONLY},
        {"name": "vault", "category": "Cellar", "overwrites": ADMINS_ONLY},
        {"name": "help", "type": "forum", "tags": ["open"]},
    ],
}
"""The usual guild: ada administers, marlow moderates, nina and bela are members, wren is a viewer in the workspace.

Only staff sees #mod-room; only ada and the owner see #vault, which marlow could otherwise manage.
"""
