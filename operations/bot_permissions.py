"""What the bot may not do in a guild, and for what it would have to: from the catalogue's own declarations."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

import discord

from operations.base import Operation
from policy.permissions import Bits, bits, missing, names_of
from policy.presets import ALL, PRESETS

# What Guildhall itself needs, whatever it is asked for.
OWN = {
    "view_channel": "see the channels that it is asked about",
    "send_messages": "answer, and post cards and log entries",
    "embed_links": "post cards and log entries",
    "read_message_history": "read back what it has posted",
}
# https://support.discord.com/hc/en-us/articles/206029707: as Discord's settings call them, where that is another name.
LABELS = {
    "create_instant_invite": "Create Invite",
    "manage_guild": "Manage Server",
    "view_channel": "View Channels",
    "moderate_members": "Timeout Members",
    "send_messages_in_threads": "Send Messages in Threads",
    "mention_everyone": "Mention @everyone, @here and All Roles",
}
MOST_PURPOSES = 3
MOST_CHARACTERS = 70


@dataclass(frozen=True, slots=True)
class Lacking:
    """A permission by discord.py's name, as Discord calls it, and what it is for; ``more``: uses that are left out."""

    name: str
    label: str
    purposes: tuple[str, ...]
    more: int = 0

    def __str__(self) -> str:
        also = f", and {self.more} more" if self.more else ""
        return f"{self.label}: to {'; to '.join(self.purposes)}{also}"


def lacking(operations: Iterable[Operation], held: int, preset: str | None = None) -> tuple[Lacking, ...]:
    """What the bot would need for what a guild is served with, and lacks guild-wide; the lowest bit first."""
    chosen = PRESETS[preset or ALL]
    purposes: dict[str, list[str]] = {name: [purpose] for name, purpose in OWN.items() if missing(held, bits(name))}
    for operation in operations:
        if not chosen.serves(operation.name, operation.toolset, operation.kind):
            continue
        for name in names_of(missing(held, bits(*operation.bot_permissions))):
            purposes.setdefault(name, []).append(_purpose(operation))
    return tuple(
        Lacking(name, label(name), tuple(found[:MOST_PURPOSES]), max(0, len(found) - MOST_PURPOSES))
        for name, found in sorted(purposes.items(), key=lambda item: bits(item[0]))
    )


def label(name: str) -> str:
    return LABELS.get(name, name.replace("_", " ").title())


def invite_url(application_id: int, guild_id: int, held: int, wanted: Iterable[Lacking]) -> str:
    """Discord's page on which a member with Manage Server grants exactly these, and what the bot has already.

    https://discord.com/developers/docs/topics/oauth2#bot-authorization-flow
    """
    value = (held | bits(*(each.name for each in wanted))) & int(sum(Bits))
    return discord.utils.oauth_url(
        application_id,
        permissions=discord.Permissions(value),
        guild=discord.Object(guild_id),
        scopes=("bot", "applications.commands"),
        disable_guild_select=True,
    )


def _purpose(operation: Operation) -> str:
    """The beginning of its description, as the end of a sentence."""
    text = operation.description
    for end in (". ", "; ", ": ", " ("):
        text = text.partition(end)[0]
    text = textwrap.shorten(text.rstrip("."), MOST_CHARACTERS, placeholder="…")
    # Some reads are described by what they show.
    return f"show {text[:1].lower()}{text[1:]}" if text.startswith("One ") else text[:1].lower() + text[1:]
