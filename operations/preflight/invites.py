"""Invites: where they lead, and how many a guild holds."""

from __future__ import annotations

import discord

_Kind = discord.ChannelType

# As Discord's OpenAPI description has them (CreateGuildInviteRequest: max_age, max_uses); 0 is no limit.
MAX_AGE_SECONDS = 5_184_000
MAX_USES = 100
DEFAULT_AGE_SECONDS = 86_400
MAX_INVITES = 1_000

_HOMES = frozenset({_Kind.text, _Kind.news, _Kind.voice, _Kind.stage_voice, _Kind.forum, _Kind.media})


def channel_takes_invites(kind: discord.ChannelType) -> str | None:
    """ "Create a new invite object for the channel. Only usable for guild channels." (error 50024)

    https://discord.com/developers/docs/resources/channel#create-channel-invite
    """
    return None if kind in _HOMES else "An invite leads to a channel, not to a category or a thread; choose a channel."


def guild_has_room_for_invites(count: int) -> str | None:
    """Error 30016. https://discord.com/developers/docs/topics/opcodes-and-status-codes#json"""
    if count < MAX_INVITES:
        return None
    return f"The guild already has {MAX_INVITES:,} invites; delete one first."


def invites_are_paused(features: list[str]) -> str:
    """INVITES_DISABLED: "guild has paused invites, preventing new users from joining".

    https://discord.com/developers/docs/resources/guild#guild-object-guild-features
    """
    return (
        "; nobody joins by it for now, since the guild has paused its invites" if "INVITES_DISABLED" in features else ""
    )


def invite_is_not_vanity(code: str, vanity_code: str | None) -> str | None:
    """The vanity address is a setting of the guild. https://discord.com/developers/docs/resources/guild#get-guild-vanity-url"""
    if vanity_code is None or code != vanity_code:
        return None
    return "That is the guild's vanity address, not an invite; it is changed in the guild's settings."
