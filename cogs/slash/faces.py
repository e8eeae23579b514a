"""Which operations have a slash command of their own, made from their input: a line each.

What reads badly as options (embeds, files, lists of overwrites) is left out; operations that a person is served better
with by hand have their command beside this list. Discord takes 100 commands, 25 options of each, and 8,000 characters
of a command's names and descriptions.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SlashFace:
    """``command``: its name, with its group before it. ``without``: fields that it does not offer. ``named``: options
    that bear another name than their field, by field. ``here``: without a channel or message it means the channel in
    which it is used. ``needs``: fields that may be left out elsewhere, and not here. ``description``: where the
    operation's own first sentence is not what people should read.
    """

    command: str
    operation: str
    without: frozenset[str] = frozenset()
    named: dict[str, str] = field(default_factory=dict[str, str])
    here: bool = False
    needs: frozenset[str] = frozenset()
    description: str = ""


def _face(
    command: str,
    operation: str,
    *without: str,
    here: bool = False,
    needs: str = "",
    description: str = "",
    **named: str,
) -> SlashFace:
    return SlashFace(command, operation, frozenset(without), named, here, frozenset(needs.split()), description)


GROUPS = {
    "channel": "Create, change and remove channels",
    "permission": "What roles and members may do in a channel",
    "thread": "Threads",
    "role": "Roles, and who has them",
    "invite": "Invites to this guild",
    "message": "Messages sent through Guildhall, and their removal",
    "member": "Members of this guild",
    "webhook": "Webhooks",
}

FACES: tuple[SlashFace, ...] = (
    _face("timeout", "member_timeout", "until", needs="duration_seconds"),
    _face("untimeout", "member_timeout_remove"),
    _face("kick", "member_kick"),
    _face("ban", "member_ban", "until", delete_message_seconds="delete_messages"),
    _face("unban", "member_unban"),
    _face(
        "purge",
        "message_purge",
        "since",
        "until",
        here=True,
        description="Delete many messages here at once: you see how many, then one click does it.",
    ),
    _face("lock", "channel_lock", here=True, description="Keep members from writing here; moderators still can."),
    _face("unlock", "channel_unlock", here=True, description="Give back what was before the lock."),
    _face("bans", "ban_list", "cursor"),
    _face("undo", "audit_revert"),
    _face("channel create", "channel_create", "overwrites"),
    _face("channel edit", "channel_edit"),
    _face("channel delete", "channel_delete"),
    _face("channel show", "channel_get"),
    _face(
        "permission allow",
        "channel_permissions_edit",
        "deny",
        "clear",
        description="Allow a role or member something in a channel.",
    ),
    _face(
        "permission deny",
        "channel_permissions_edit",
        "allow",
        "clear",
        description="Deny a role or member something in a channel.",
    ),
    _face(
        "permission clear",
        "channel_permissions_edit",
        "allow",
        "deny",
        description="Neither allow nor deny it in a channel: what counts is the role's own right.",
    ),
    _face("permission reset", "channel_permissions_delete"),
    _face("permission list", "channel_permissions_list"),
    _face("thread create", "thread_create", here=True),
    _face("thread list", "thread_list", "cursor"),
    _face("role create", "role_create"),
    _face("role edit", "role_modify"),
    _face("role delete", "role_delete"),
    _face("role move", "role_reorder"),
    _face("role assign", "role_assign"),
    _face("role remove", "role_remove"),
    _face("role list", "role_list"),
    _face("role show", "role_get"),
    _face("invite create", "invite_create", here=True, max_age_seconds="expires_after"),
    _face("invite list", "invite_list", "cursor"),
    _face("invite delete", "invite_delete"),
    _face("message send", "message_send", "embeds", "files", "poll", "buttons", "ping", "crosspost", here=True),
    _face("message edit", "message_edit", "embeds", "buttons"),
    _face("message delete", "message_delete"),
    _face("message react", "reaction_add"),
    _face("member show", "member_get"),
    _face("member nickname", "member_edit"),
    _face("webhook create", "webhook_create", "avatar"),
    _face("webhook list", "webhook_list", "cursor"),
    _face("webhook delete", "webhook_delete", "channel"),
    _face("pause", "guild_pause"),
    _face("resume", "guild_resume"),
    _face("agent-budget", "agent_budget_set"),
)
