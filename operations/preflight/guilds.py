"""What holds for every write in a guild."""

from __future__ import annotations

import discord

from policy.permissions import Bits, names_of

MAX_AUDIT_REASON = 512

# "These permissions require the owner account to use two-factor authentication when used on a guild that has
# server-wide 2FA enabled." https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags
TWO_FACTOR_BITS = int(
    Bits.kick_members
    | Bits.ban_members
    | Bits.administrator
    | Bits.manage_channels
    | Bits.manage_guild
    | Bits.manage_messages
    | Bits.manage_roles
    | Bits.manage_webhooks
    | Bits.manage_expressions
    | Bits.manage_threads
    | Bits.view_creator_monetization_analytics
)


def audit_reason_fits(header: str | None) -> str | None:
    """``header``: the whole reason as it is sent, our tag included, before it is URL-encoded.

    https://discord.com/developers/docs/resources/audit-log ("X-Audit-Log-Reason": 1-512 URL-encoded UTF-8 characters)
    """
    if header is None or len(header) <= MAX_AUDIT_REASON:
        return None
    over = len(header) - MAX_AUDIT_REASON
    return f"The reason is {over} characters too long for Discord's audit log; shorten it."


def two_factor_may_be_missing(mfa_level: discord.MFALevel, bits: int) -> str | None:
    """``bits``: the permissions that the call uses. A bot is held to its owner's account (see TWO_FACTOR_BITS)."""
    asked = bits & TWO_FACTOR_BITS
    if mfa_level is not discord.MFALevel.require_2fa or not asked:
        return None
    listed = ", ".join(names_of(asked))
    return (
        f"The guild asks for two-factor authentication for {listed}; "
        "whether the application's owner has it cannot be known."
    )


def automod_may_block(features: list[str], bot_bits: int) -> str | None:
    """``features``: of the guild, where AUTO_MODERATION says that rules are set up. Who manages the guild is exempt.

    https://discord.com/developers/docs/resources/guild#guild-object-guild-features
    https://discord.com/developers/docs/resources/auto-moderation
    """
    if "AUTO_MODERATION" not in features or bot_bits & (Bits.manage_guild | Bits.administrator):
        return None
    return "AutoMod may still block the text."
