"""Which of Discord's events are asked for, and what to do when Discord refuses to send them."""

from __future__ import annotations

import discord

from bot.settings import PORTAL, Settings


def intents_for(settings: Settings) -> discord.Intents:
    """No more than what is switched on needs. https://discord.com/developers/docs/events/gateway#gateway-intents"""
    return discord.Intents(
        guilds=True,
        members=settings.members_intent,
        moderation=True,  # Discord's audit log: what moderators do by hand
        emojis_and_stickers=True,
        voice_states=True,
        guild_messages=True,
        message_content=settings.message_content_intent,
        guild_reactions=settings.agent_enabled,  # a reaction stops the agent
        guild_scheduled_events=True,
    )


def members_to_cache(intents: discord.Intents) -> discord.MemberCacheFlags:
    """Without the members intent, who is cached is never updated: then only the bot itself is (it always is)."""
    if not intents.members:
        return discord.MemberCacheFlags.none()
    return discord.MemberCacheFlags.from_intents(intents)


def refused_intents(intents: discord.Intents) -> str:
    """One line for close code 4014: what to switch on in the portal, or which setting to turn off."""
    asked = {
        "Server Members Intent": ("MEMBERS_INTENT", intents.members),
        "Message Content Intent": ("MESSAGE_CONTENT_INTENT", intents.message_content),
    }
    switches = [f"'{switch}'" for switch, (_, is_asked) in asked.items() if is_asked]
    settings = [f"{name}=false" for name, is_asked in asked.values() if is_asked]
    return (
        f"Discord refused the bot's privileged intents. Switch on {' and '.join(switches)} at {PORTAL} → your "
        f"application → Bot → Privileged Gateway Intents, or set {' and '.join(settings)}."
    )
