"""Changing a guild's own settings."""

from __future__ import annotations

from typing import Annotated, Any, Self

import discord
from pydantic import Field, WithJsonSchema, model_validator

from operations.base import Change, Context, Inverse, Model, Preview, Reconcile, WriteOperation
from operations.discord.channel_edit import reachable
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.guild_settings import (
    CHANNEL_SETTINGS,
    ChannelSetting,
    GuildSettings,
    channel_ids_of,
    options_of,
    settings_of,
    shown_channel,
)
from operations.errors import Refused
from operations.guild_state import GuildView
from operations.preflight import guild_settings as rules
from operations.preflight import told
from operations.preflight.guilds import audit_reason_fits, two_factor_may_be_missing
from operations.refs import ChannelRef, GuildRef
from operations.sanitise import inline, sanitise
from policy.model import Need, Refuse, Step, Target, Tier
from policy.permissions import Bits


class GuildModifyInput(GuildSettings):
    guild: GuildRef | None = None
    afk_channel: ChannelRef | None = None
    system_channel: ChannelRef | None = None
    rules_channel: ChannelRef | None = None
    public_updates_channel: ChannelRef | None = None
    # Each of them stands above; told as an enum they would be read twice.
    clear: tuple[Annotated[ChannelSetting, WithJsonSchema({"type": "string"})], ...] = Field(
        default=(), description="Of these channels: to unset."
    )

    @model_validator(mode="after")
    def _set_or_cleared(self) -> Self:
        both = [setting for setting in self.clear if getattr(self, setting) is not None]
        if both:
            raise ValueError(f"either give {both[0]} or clear it")
        return self


class GuildModifyEffect(GuildSettings):
    """Only what changes is set. ``channels``: the new channel of a setting, None for none any more."""

    channels: dict[ChannelSetting, Target | None] = {}

    @property
    def fields(self) -> tuple[str, ...]:
        return (*self.given(), *self.channels)


class GuildModifyResult(Model):
    """``changed``: the fields that were set."""

    id: str
    name: str
    changed: list[str]


class ModifyGuild(WriteOperation[GuildModifyInput, GuildModifyEffect, GuildModifyResult]):
    """Change a guild's settings. Only Community guilds have a description, a rules and an updates channel."""

    name = "guild_modify"
    title = "Change a guild"
    toolset = "guilds"
    scope = "guilds:write"
    tier = Tier.RISKY
    in_default_set = True
    bot_permissions = ("manage_guild",)
    actor_permissions = ("manage_guild",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.guild_update.value
    idempotent = True

    # ------------------------------------------------------------------ rights
    def needs(self, ctx: Context, arguments: GuildModifyInput) -> tuple[Need, ...]:
        return self._needs(ctx, [target for name in CHANNEL_SETTINGS if (target := ctx.targets.get(name))])

    def needs_of(self, ctx: Context, effect: GuildModifyEffect) -> tuple[Need, ...]:
        return self._needs(ctx, [target for target in effect.channels.values() if target is not None])

    def _needs(self, ctx: Context, channels: list[Target]) -> tuple[Need, ...]:
        seen = (reachable(Need(target), ctx.guild.channel(target.id)) for target in channels)
        return (self.need(ctx.guild_target), *seen)

    # ----------------------------------------------------------------- preview
    async def preview(self, ctx: Context, arguments: GuildModifyInput) -> Preview[GuildModifyEffect]:
        view, guild = ctx.guild, ctx.guild.discord
        current, current_ids = settings_of(guild), channel_ids_of(guild)
        given = arguments.given()
        if "name" in given:
            given["name"] = given["name"].strip()
        changed = {name: value for name, value in given.items() if current[name] != value}
        asked: dict[ChannelSetting, Target | None] = {
            setting: ctx.targets.get(setting)
            for setting in CHANNEL_SETTINGS
            if setting in ctx.targets or setting in arguments.clear
        }
        channels: dict[ChannelSetting, Target | None] = {
            setting: target for setting, target in asked.items() if current_ids[setting] != _id(target)
        }
        effect = GuildModifyEffect(**changed, channels=channels)
        inverse, exact = _inverse(view, effect)
        return Preview(
            summary=f"Change {', '.join(effect.fields) or 'nothing'} of the guild {inline(guild.name)}",
            effect=effect,
            changes=_changes(view, effect),
            problems=told(
                None if effect.fields else "Nothing would change; give a field with a new value.",
                _problems(view, arguments, asked),
                audit_reason_fits(ctx.audit_reason),
            ),
            unknowns=told(
                two_factor_may_be_missing(guild.mfa_level, Bits.manage_guild),
                rules.community_may_ask_for_more(
                    effect.verification_level, effect.explicit_content_filter, guild.features
                ),
            ),
            fingerprint=_seen(view, effect),
            inverse=inverse,
            reversible=exact,
        )

    async def observe(self, ctx: Context, effect: GuildModifyEffect) -> str:
        return _seen(ctx.guild, effect)

    # ----------------------------------------------------------------- execute
    async def execute(self, ctx: Context, effect: GuildModifyEffect) -> GuildModifyResult:
        guild = ctx.guild.discord
        options = options_of(effect)
        options |= {setting: _channel(guild, target) for setting, target in effect.channels.items()}
        await guild.edit(reason=ctx.audit_reason, **options)
        return _result(guild.id, effect.name or guild.name, effect)

    def found(self, entry: discord.AuditLogEntry, effect: GuildModifyEffect) -> GuildModifyResult | None:
        return _result(entry.guild.id, effect.name or entry.guild.name, effect)


def _id(target: Target | None) -> int | None:
    return None if target is None else target.id


def _channel(guild: discord.Guild, target: Target | None) -> discord.abc.GuildChannel | None:
    if target is None:
        return None
    channel = guild.get_channel(target.id)
    if channel is None:
        raise Refused(
            Refuse(
                Step.EXECUTE,
                "channel_gone",
                f"#{inline(target.name)} was deleted meanwhile.",
                "Choose another channel.",
            )
        )
    return channel


def _problems(
    view: GuildView, arguments: GuildModifyInput, asked: dict[ChannelSetting, Target | None]
) -> tuple[str, ...]:
    guild = view.discord
    named = [*arguments.given(), *(setting for setting, target in asked.items() if target is not None)]
    kinds = {
        setting: channel.type
        for setting, target in asked.items()
        if target is not None and (channel := view.channel(target.id)) is not None
    }
    return told(
        None if arguments.name is None else rules.guild_name_fits(arguments.name),
        None if arguments.description is None else rules.description_fits(arguments.description),
        None if arguments.afk_timeout_seconds is None else rules.afk_timeout_fits(arguments.afk_timeout_seconds),
        None if arguments.preferred_locale is None else rules.locale_exists(arguments.preferred_locale),
        *(rules.setting_takes_channel(setting, kind) for setting, kind in kinds.items()),
        *(rules.community_has_setting(name, guild.features) for name in named),
        *(rules.community_keeps_channel(setting, guild.features) for setting in arguments.clear),
    )


def _changes(view: GuildView, effect: GuildModifyEffect) -> tuple[Change, ...]:
    guild = view.discord
    target, current, current_ids = f"guild {guild.id} {inline(guild.name)}", settings_of(guild), channel_ids_of(guild)
    changes: list[Change] = []
    for name, value in effect.given().items():
        before = current[name]
        if name == "description":
            # The present one is somebody else's text: its length is enough.
            before = f"{len(before)} characters"
        elif name == "name":
            before = inline(before)
        changes.append(
            Change(target=target, field=name, before=before, after=sanitise(value) if isinstance(value, str) else value)
        )
    for setting, channel in effect.channels.items():
        after = None if channel is None else f"{channel.id} #{inline(channel.name)}"
        before = shown_channel(view, current_ids[setting])
        changes.append(Change(target=target, field=setting, before=before, after=after))
    return tuple(changes)


def _seen(view: GuildView, effect: GuildModifyEffect) -> str:
    """The values that would be replaced, and whether the channels are there."""
    guild = view.discord
    if any(target is not None and guild.get_channel(target.id) is None for target in effect.channels.values()):
        return GONE
    current, current_ids = settings_of(guild), channel_ids_of(guild)
    return fingerprint(
        {name: current[name] for name in effect.given()} | {name: current_ids[name] for name in effect.channels}
    )


def _inverse(view: GuildView, effect: GuildModifyEffect) -> tuple[Inverse | None, bool]:
    """The inverse, and whether it restores all: a Community guild never goes back to having no rules channel."""
    guild = view.discord
    current, current_ids = settings_of(guild), channel_ids_of(guild)
    arguments: dict[str, Any] = {name: current[name] for name in effect.given()}
    unset = [setting for setting in effect.channels if current_ids[setting] is None]
    kept = [setting for setting in unset if rules.community_keeps_channel(setting, guild.features)]
    arguments |= {setting: str(current_ids[setting]) for setting in effect.channels if setting not in unset}
    if cleared := [setting for setting in unset if setting not in kept]:
        arguments["clear"] = cleared
    if not arguments:
        return None, False
    return Inverse(operation="guild_modify", arguments={"guild": str(guild.id), **arguments}), not kept


def _result(guild_id: int, name: str, effect: GuildModifyEffect) -> GuildModifyResult:
    return GuildModifyResult(id=str(guild_id), name=sanitise(name, limit=100), changed=list(effect.fields))
