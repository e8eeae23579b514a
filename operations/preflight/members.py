"""Members: what keeps one from being timed out, renamed or banned, beyond rights and rank."""

from __future__ import annotations

import unicodedata

from policy.permissions import Bits

MAX_TIMEOUT_SECONDS = 28 * 86_400
MAX_DELETE_MESSAGE_SECONDS = 604_800
MAX_NICKNAME = 32
MIN_BAN_SECONDS = 60
MAX_BAN_SECONDS = 5 * 366 * 86_400


# ------------------------------------------------------------------- timeouts
def timeout_has_a_length(seconds: float) -> str | None:
    """``seconds``: from now until its end.

    "when the user's timeout will expire and the user will be able to communicate in the guild again (up to 28 days in
    the future)" https://discord.com/developers/docs/resources/guild#modify-guild-member-json-params
    """
    if seconds < 1:
        return "That time has passed; a timeout ends in the future."
    if seconds > MAX_TIMEOUT_SECONDS:
        return "A timeout ends at most 28 days from now."
    return None


def target_is_not_administrator(role_bits: int, name: str) -> str | None:
    """``role_bits``: what the target's roles give guild-wide. The owner is no target at all (policy).

    "will throw a 403 error if the user has the ADMINISTRATOR permission or is the owner of the guild"
    https://discord.com/developers/docs/resources/guild#modify-guild-member-json-params
    """
    if not role_bits & Bits.administrator:
        return None
    return f"@{name} is an administrator, whom Discord lets nobody time out; take that role away first."


# ------------------------------------------------------------------ nicknames
def nickname_fits(nickname: str) -> str | None:
    """``nickname``: as it would be sent; "" removes it.

    "Nicknames must be between 1 and 32 characters long."
    https://discord.com/developers/docs/resources/user#usernames-and-nicknames
    """
    if len(nickname) <= MAX_NICKNAME:
        return None
    return f"A nickname takes 1 to {MAX_NICKNAME} characters; this has {len(nickname)}."


def trimmed(nickname: str) -> str:
    """ "Names are sanitized and trimmed of leading, trailing, and excessive internal whitespace."

    https://discord.com/developers/docs/resources/user#usernames-and-nicknames
    """
    return " ".join(nickname.split())


def nickname_may_differ(nickname: str) -> str | None:
    """ "We limit some zero-width and non-rendering characters." (the page above)"""
    if not any(unicodedata.category(character).startswith("C") for character in nickname):
        return None
    return "Discord may drop characters of the nickname that show as nothing."


def requester_outranks_bot(requester_rank: int, bot_rank: int, *, is_itself: bool = False) -> str | None:
    """Whom the bot renames, the requester must be able to rename: the bot too is above some members.

    ``is_itself``: nobody stands behind the call. Ranks as in operations.member_rights.
    https://discord.com/developers/docs/topics/permissions#permission-hierarchy
    """
    if is_itself or requester_rank > bot_rank:
        return None
    return "Your top role is not above mine, so you cannot rename me; ask somebody whose role is."


def bot_reaches_nickname(bot_rank: int, target_rank: int, *, is_owner: bool) -> str | None:
    """For a requester who renames himself: the bot does it for him, so it must stand above him.

    https://discord.com/developers/docs/topics/permissions#permission-hierarchy ("A bot can only ... edit nicknames for
    users whose highest role is lower than the bot's highest role")
    """
    if is_owner:
        return "Nobody but the owner changes the owner's nickname; do it in Discord."
    if target_rank >= bot_rank:
        return "My top role is not above yours; change your nickname in Discord, or have my role moved up."
    return None


# ----------------------------------------------------------------------- bans
def ban_has_a_length(seconds: float) -> str | None:
    """``seconds``: from now until its end."""
    if seconds < MIN_BAN_SECONDS:
        return "A temporary ban ends at least a minute from now."
    if seconds > MAX_BAN_SECONDS:
        return "A temporary ban ends within five years; leave its end out for one that stays."
    return None


def messages_go_with_a_new_ban(delete_message_seconds: int, *, banned: bool) -> str | None:
    """Discord deletes messages with a ban that it makes; only the end of one that is there changes here."""
    if not banned or not delete_message_seconds:
        return None
    return "They are banned already, so that no message would be deleted with it; use message_purge."


def outside_bans_may_be_exhausted(*, is_member: bool) -> str | None:
    """Error 30035, "Maximum number of bans for non-guild members have been exceeded"; the number is not documented.

    https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
    """
    if is_member:
        return None
    return "Discord limits how many people outside of a guild can be banned; whether there is room cannot be known."


# ------------------------------------------------------------------- warnings
def bots_take_no_warning(*, is_bot: bool) -> str | None:
    if not is_bot:
        return None
    return "A bot reads no warnings; write to whoever runs it, or make a note with member_note."


def requester_outranks(requester_rank: int, target_rank: int, name: str, *, is_owner: bool) -> str | None:
    """Discord knows no warnings; whom one could not time out one does not warn. Ranks as in operations.member_rights.

    https://discord.com/developers/docs/topics/permissions#permission-hierarchy
    """
    if is_owner:
        return "Nobody warns the guild's owner."
    if target_rank >= requester_rank:
        return f"Your top role is not above @{name}; ask somebody whose role is."
    return None
