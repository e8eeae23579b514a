"""Roles in words: what they are called, what they give, and who manages those that people do not."""

from __future__ import annotations

import discord

from operations.sanitise import inline
from policy.model import Target
from policy.permissions import ADMINISTRATOR, names_of


def managed_by(role: discord.Role) -> str | None:
    """Who gives and takes a role that nobody assigns by hand; None for one that people do.

    https://discord.com/developers/docs/topics/permissions#role-object-role-tags-structure
    """
    tags = role.tags
    if tags is None:
        return "an integration" if role.managed else None
    if tags.is_bot_managed():
        return "a bot"
    if tags.is_premium_subscriber():
        return "boosting"
    if tags.is_guild_connection():
        return "a linked account"
    if tags.subscription_listing_id is not None or tags.is_available_for_purchase():
        return "a subscription"
    return "an integration" if role.managed or tags.is_integration() else None


def role_target(role: discord.Role) -> Target:
    return Target("role", role.id, role.guild.id, role.name)


def called(subject: Target) -> str:
    """A role or member inside a sentence: ``@Mods``."""
    return f"@{inline(subject.name.removeprefix('@'))}"


def labelled(subject: Target) -> str:
    """A role or member as the target of a change: ``role 123 @Mods``."""
    return f"{subject.kind} {subject.id} {called(subject)}"


def told_permissions(value: int) -> list[str]:
    """By name, lowest bit first; administrator stands for all."""
    return ["administrator"] if value & ADMINISTRATOR else list(names_of(value))
