"""How a guild stands: claimed or not, what is set, what the bot lacks."""

from __future__ import annotations

from dataclasses import dataclass

import discord

from operations.bot_permissions import Lacking, invite_url, lacking
from operations.registry import Registry
from policy.presets import ALL
from policy.rules import GuildRules
from storage.facts import PlatformFacts


@dataclass(frozen=True, slots=True)
class SetupState:
    """``claimable`` False: the instance serves listed guilds only, and this is none of them."""

    guild_id: int
    guild_name: str
    claimed: bool
    claimable: bool
    lacking: tuple[Lacking, ...]
    invite_url: str
    chat_channel_ids: tuple[int, ...] = ()
    log_channel_id: int | None = None
    approver_role_ids: tuple[int, ...] = ()
    preset: str = ALL


class SetupStates:
    """Reads it from what is in memory. ``allowed_guild_ids`` empty: no list is set."""

    def __init__(
        self, registry: Registry, facts: PlatformFacts, application_id: int, allowed_guild_ids: frozenset[int]
    ) -> None:
        self._registry = registry
        self._facts = facts
        self._application_id = application_id
        self._allowed = allowed_guild_ids

    def is_inert(self, guild_id: int) -> bool:
        return guild_id not in self._facts.snapshot.installations

    def is_claimable(self, guild_id: int) -> bool:
        return not self._allowed or guild_id in self._allowed

    def of(self, guild: discord.Guild) -> SetupState:
        snapshot = self._facts.snapshot
        installation = snapshot.installations.get(guild.id)
        rules = GuildRules() if installation is None else snapshot.guild_rules.get(installation.id, GuildRules())
        held = guild.me.guild_permissions.value
        lacks = lacking(self._registry, held, rules.preset)
        return SetupState(
            guild_id=guild.id,
            guild_name=guild.name,
            claimed=installation is not None,
            claimable=self.is_claimable(guild.id),
            lacking=lacks,
            invite_url=invite_url(self._application_id, guild.id, held, lacks),
            chat_channel_ids=()
            if installation is None
            else tuple(sorted(snapshot.chat_channels.get(installation.id, ()))),
            log_channel_id=rules.log_channel_id,
            approver_role_ids=rules.approver_role_ids,
            preset=rules.preset or ALL,
        )
