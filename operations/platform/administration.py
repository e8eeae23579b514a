"""What administrative operations share: whose guild it is, who may loosen its policy, and names beside ids."""

from __future__ import annotations

from dataclasses import replace

import discord
from pydantic import ValidationError

from operations.base import Context, Model
from operations.discord.channel_policies import raised
from operations.errors import Refused
from operations.membership import NO_RULES
from operations.sanitise import inline
from policy.model import Installation, Need, Refuse, Requirement, Step
from policy.permissions import names_of
from policy.rules import ChannelRules, ClassRules, GuildRules
from storage import policies
from storage.facts import DENY_ALL
from storage.session import Session

ROLES_DECIDE = "The workspace's roles decide who administers, not Discord's."
CHANNEL_GONE = "It no longer exists."
CHANNEL_HIDDEN = "You can't see it."
LOOSENS = "LOOSENS THE POLICY"


class NamedChannel(Model):
    """``id`` and ``name`` are absent where the reader can't see the channel, and ``name`` where it is gone; ``note``
    says so.
    """

    id: str | None = None
    name: str | None = None
    note: str | None = None


class NamedRole(Model):
    """``name`` is absent where the role is gone."""

    id: str
    name: str | None = None


def installation_of(ctx: Context) -> Installation:
    """The guild's installation, as of now. Raises Refused."""
    found = ctx.services.facts.snapshot.installations.get(ctx.guild.id)
    if found is None:
        raise Refused(
            Refuse(Step.INSTALLATION, "not_installed", "The guild is not installed any more.", "Claim it again.")
        )
    return found


def rules_of(ctx: Context) -> GuildRules:
    """The guild's policy in force."""
    return ctx.services.facts.snapshot.guild_rules.get(installation_of(ctx).id, NO_RULES)


def channel_rules_of(ctx: Context, channel_id: int) -> ChannelRules:
    """A channel's own rules in force."""
    return ctx.services.facts.snapshot.channel_rules.get((installation_of(ctx).id, channel_id), ChannelRules())


async def stored_rules(session: Session, installation_id: str) -> GuildRules:
    """As stored; damaged ones deny all, as they do in force, so that they can be set right."""
    try:
        return await policies.guild(session, installation_id)
    except ValidationError:
        return GuildRules(rules=DENY_ALL)


async def stored_channel_rules(session: Session, installation_id: str, channel_id: int) -> ChannelRules:
    """The same, of one channel."""
    try:
        return (await policies.channels(session, installation_id)).get(channel_id, ChannelRules())
    except ValidationError:
        return ChannelRules(rules=DENY_ALL)


def loosening(requirement: Requirement, guild_need: Need, loosened: tuple[str, ...]) -> Requirement:
    """What a change asks for: one that loosens, of a workspace admin who is Discord administrator, and of a person.
    Tightening goes on while everything else is paused.
    """
    return replace(raised(requirement, guild_need), works_paused=False) if loosened else requirement


def summary_of(ctx: Context, what: str, loosened: tuple[str, ...]) -> str:
    """One line, the loosening first: cards, announcements and the log are to show it."""
    guild = inline(ctx.guild.discord.name)
    return f"{LOOSENS} of {guild} ({'; '.join(loosened)}): {what}" if loosened else f"{what} in {guild}"


def named_channel(ctx: Context, channel_id: int) -> NamedChannel:
    """A channel as the reader may know it."""
    channel = ctx.guild.channel(channel_id)
    if channel is None:
        return NamedChannel(id=str(channel_id), note=CHANNEL_GONE)
    if not ctx.guild.sees(channel):
        return NamedChannel(note=CHANNEL_HIDDEN)
    return NamedChannel(id=str(channel_id), name=inline(channel.name))


def channel_words(ctx: Context, channel_id: int | None) -> str | None:
    """The same as one text, for a change."""
    if channel_id is None:
        return None
    found = named_channel(ctx, channel_id)
    if found.id is None:
        return "a channel that you can't see"
    return f"#{found.name} ({found.id})" if found.name is not None else f"{found.id}, which no longer exists"


def is_gone(ctx: Context, channel_id: int | None) -> bool:
    return channel_id is not None and ctx.guild.channel(channel_id) is None


def named_role(ctx: Context, role_id: int) -> NamedRole:
    role = ctx.guild.discord.get_role(role_id)
    return NamedRole(id=str(role_id), name=None if role is None else inline(role.name))


def role_words(ctx: Context, role_id: int) -> str:
    found = named_role(ctx, role_id)
    return f"@{found.name} ({found.id})" if found.name is not None else f"{found.id}, which no longer exists"


def posting_problem(ctx: Context, channel_id: int) -> str | None:
    """Why the bot could not post embeds there."""
    channel = ctx.guild.channel(channel_id)
    if channel is None:
        return "The channel is gone; pick another."
    if isinstance(channel, discord.Thread):
        return "A thread is archived by itself, and then nothing is seen there; pick a channel."
    if not isinstance(channel, discord.abc.Messageable):
        return f"#{inline(channel.name)} is not a channel that messages are sent to; pick a text channel."
    wanted = discord.Permissions(view_channel=True, send_messages=True, embed_links=True).value
    lacking = wanted & ~ctx.guild.bot_bits(channel)
    if lacking:
        return f"I lack {', '.join(names_of(lacking))} in #{inline(channel.name)}. Grant me that there first."
    return None


def with_given(rules: ClassRules, given: dict[str, str | None]) -> ClassRules:
    """The rules with those replaced that are given."""
    named = {name: rule for name, rule in given.items() if rule is not None}
    return ClassRules.model_validate(rules.model_dump() | named)
