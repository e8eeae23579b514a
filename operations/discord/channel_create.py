"""Making a channel or a category."""

from __future__ import annotations

from dataclasses import replace

import discord
from pydantic import Field

from operations.base import Change, Context, Inverse, Model, Preview, Reconcile, WriteOperation
from operations.discord.channel_kinds import TYPES, VOICE_TYPES, GuildChannelKind
from operations.discord.channel_settings import (
    ChannelSettings,
    common_problems,
    common_unknowns,
    room_in_category,
    room_in_guild,
    settings_problems,
)
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.overwrites import (
    OverwriteInput,
    ResolvedOverwrite,
    bits_under,
    named_bits,
    need_for_new_channel,
    overwrite_changes,
    overwrite_problems,
    resolve_overwrites,
    sendable,
)
from operations.errors import Refused
from operations.guild_state import GuildView
from operations.preflight import channels as rules
from operations.preflight import told
from operations.refs import CategoryRef, GuildRef
from operations.refusals import ambiguous, hidden, look_alike
from operations.resolve import Ambiguous, LookAlike, Resolver
from operations.sanitise import inline, sanitise
from policy.model import Need, Reach, Refuse, Requirement, Step, Target, Tier
from policy.permissions import Bits

_MISSING = discord.utils.MISSING


class ChannelCreateInput(ChannelSettings):
    guild: GuildRef | None = None
    name: str = Field(min_length=1, max_length=100)
    type: GuildChannelKind = "text"
    category: CategoryRef | None = None
    overwrites: tuple[OverwriteInput, ...] = Field(default=(), description="Instead of the category's.")


class ChannelCreateEffect(ChannelSettings):
    """Exactly what is made. No ``overwrites``: those of the category, else none."""

    name: str
    type: GuildChannelKind
    category: Target | None = None
    overwrites: tuple[ResolvedOverwrite, ...] = ()


class ChannelCreateResult(Model):
    """``inherited``: whether the channel has the category's permissions, as was said; None where nothing was said."""

    id: str
    name: str
    type: GuildChannelKind
    url: str
    inherited: bool | None = None


class CreateChannel(WriteOperation[ChannelCreateInput, ChannelCreateEffect, ChannelCreateResult]):
    """Create a channel or category. In a category it inherits that one's permissions, unless overwrites are given."""

    name = "channel_create"
    toolset = "channels"
    scope = "channels:write"
    in_default_set = True
    # "Requires the MANAGE_CHANNELS permission." https://discord.com/developers/docs/resources/guild#create-guild-channel
    bot_permissions = ("manage_channels",)
    actor_permissions = ("manage_channels",)
    reach = Reach.AUDIENCE
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.channel_create.value

    # ------------------------------------------------------------------- rights
    def needs(self, ctx: Context, arguments: ChannelCreateInput) -> tuple[Need, ...]:
        named = named_bits(arguments.overwrites) if arguments.overwrites else None
        return self._needs(ctx, ctx.targets.get("category"), named)

    def needs_of(self, ctx: Context, effect: ChannelCreateEffect) -> tuple[Need, ...]:
        named = named_bits(effect.overwrites) if effect.overwrites else None
        return self._needs(ctx, effect.category, named)

    def _needs(self, ctx: Context, category: Target | None, named: int | None) -> tuple[Need, ...]:
        """``named``: the bits that overwrites name; None without any."""
        found = [self.need(ctx.guild_target)]
        if category is not None:
            # What the category takes away, it takes away for the making of channels in it too.
            at = self.need(category)
            found.append(replace(at, bot_bits=at.bot_bits | _VIEW, actor_bits=at.actor_bits | _VIEW))
        if named is not None:
            found.append(need_for_new_channel(ctx.guild_target, named))
        return tuple(found)

    def requirement(self, ctx: Context, arguments: ChannelCreateInput) -> Requirement:
        return self._raised(super().requirement(ctx, arguments), bool(arguments.overwrites))

    def requirement_of(self, ctx: Context, effect: ChannelCreateEffect) -> Requirement:
        return self._raised(super().requirement_of(ctx, effect), bool(effect.overwrites))

    @staticmethod
    def _raised(requirement: Requirement, has_overwrites: bool) -> Requirement:
        """Overwrites hand out and take away rights: as risky here as in channel_permissions_edit."""
        if not has_overwrites:
            return requirement
        return replace(requirement, tier=max(requirement.tier, Tier.RISKY), reach=Reach.LEAVES)

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: ChannelCreateInput) -> Preview[ChannelCreateEffect]:
        category = ctx.targets.get("category")
        if arguments.overwrites and arguments.category is not None:
            category = await _exactly(ctx.guild, arguments.category)
        effect = ChannelCreateEffect(
            name=arguments.name,
            type=arguments.type,
            topic=arguments.topic,
            category=category,
            slowmode_seconds=arguments.slowmode_seconds,
            nsfw=arguments.nsfw,
            bitrate=arguments.bitrate,
            user_limit=arguments.user_limit,
            overwrites=await resolve_overwrites(ctx, arguments.overwrites),
        )
        view, kind = ctx.guild, TYPES[effect.type]
        keeps_sight = not effect.overwrites or bool(
            bits_under(view.discord, view.me, effect.overwrites) & Bits.view_channel
        )
        return Preview(
            summary=_summary(view, effect),
            effect=effect,
            changes=_changes(view, effect, keeps_sight=keeps_sight),
            problems=told(
                settings_problems(view.discord, kind, effect.name, effect),
                rules.kind_is_allowed(kind, view.discord.features),
                _unsupported(effect, kind),
                room_in_guild(view),
                None if category is None else room_in_category(view, category.id),
                overwrite_problems(effect.overwrites),
                common_problems(ctx),
            ),
            unknowns=told(
                common_unknowns(ctx, Bits.manage_roles if effect.overwrites else 0, effect.name, kind),
                rules.kind_may_be_unavailable(kind),
            ),
            fingerprint=_seen(view, effect),
            reversible=keeps_sight,
        )

    async def observe(self, ctx: Context, effect: ChannelCreateEffect) -> str:
        return _seen(ctx.guild, effect)

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: ChannelCreateEffect) -> ChannelCreateResult:
        channel = await _create(ctx.guild.discord, effect, ctx.audit_reason)
        made = _result(channel.guild.id, channel.id, channel.name, effect)
        if effect.category is None or effect.overwrites:
            return made
        # Inheriting is Discord's doing, and documented nowhere: who relies on it should hear whether it happened.
        return made.model_copy(update={"inherited": channel.permissions_synced})

    def found(self, entry: discord.AuditLogEntry, effect: ChannelCreateEffect) -> ChannelCreateResult | None:
        channel_id = getattr(entry.target, "id", None)
        return None if channel_id is None else _result(entry.guild.id, channel_id, effect.name, effect)

    def inverse_of(self, effect: ChannelCreateEffect, result: ChannelCreateResult) -> Inverse | None:
        return Inverse(operation="channel_delete", arguments={"channel": result.id})


_VIEW = int(Bits.view_channel)


async def _exactly(view: GuildView, text: str) -> Target:
    """The category, named so that nothing else can be meant: overwrites make the call risky. Raises Refused."""
    found = await Resolver().resolve(view, "category", text, strict=True)
    match found:
        case Target():
            return found
        case Ambiguous():
            raise Refused(ambiguous("category", "category", found.candidates))
        case LookAlike():
            raise Refused(look_alike("category", "category", found.candidates))
        case None:
            raise Refused(hidden("category", "category"))


def _unsupported(effect: ChannelCreateEffect, kind: discord.ChannelType) -> tuple[str, ...]:
    found: list[str] = []
    if kind is discord.ChannelType.category and effect.category is not None:
        found.append("A category cannot stand in another category; leave `category` out.")
    if kind in VOICE_TYPES and effect.slowmode_seconds is not None:
        found.append("A voice channel's slowmode is set after it is made; leave it out here and use channel_edit.")
    return tuple(found)


def _summary(view: GuildView, effect: ChannelCreateEffect) -> str:
    name = inline(effect.name)
    guild = inline(view.discord.name)
    if effect.type == "category":
        what = f"Create the category {name}"
    else:
        what = f"Create the {effect.type} channel #{name}" if effect.type != "stage" else f"Create the stage #{name}"
    place = f" in the category {inline(effect.category.name)}" if effect.category is not None else ""
    rights = f" with {len(effect.overwrites)} permission overwrites" if len(effect.overwrites) > 1 else ""
    if len(effect.overwrites) == 1:
        rights = " with one permission overwrite"
    return f"{what}{place}{rights} in {guild}"


def _changes(view: GuildView, effect: ChannelCreateEffect, *, keeps_sight: bool) -> tuple[Change, ...]:
    target = f"new channel #{inline(effect.name)}"
    changes = [Change(target=target, field="exists", before=False, after=True)]
    settings = (
        ("topic", None if effect.topic is None else sanitise(effect.topic)),
        ("slowmode_seconds", effect.slowmode_seconds),
        ("nsfw", effect.nsfw),
        ("bitrate", effect.bitrate),
        ("user_limit", effect.user_limit),
    )
    changes += [Change(target=target, field=name, after=value) for name, value in settings if value is not None]
    if effect.category is not None and not effect.overwrites:
        category = view.channel(effect.category.id)
        count = len(category.overwrites) if isinstance(category, discord.CategoryChannel) else 0
        inherited = f"inherited from the category {inline(effect.category.name)} ({count} overwrites)"
        changes.append(Change(target=target, field="permissions", after=inherited))
    elif effect.category is not None:
        changes.append(Change(target=target, field="permissions", after="its own, not those of the category"))
    changes += overwrite_changes(effect.overwrites)
    if not keeps_sight:
        # Nothing that Discord refuses, but a person should know before it is done.
        changes.append(Change(target=target, field="seen by me", after=False))
    return tuple(changes)


def _seen(view: GuildView, effect: ChannelCreateEffect) -> str:
    """The category and what would be inherited from it."""
    if effect.category is None:
        return fingerprint({})
    category = view.channel(effect.category.id)
    if not isinstance(category, discord.CategoryChannel):
        return GONE
    overwrites = [
        (subject.id, *(each.value for each in overwrite.pair())) for subject, overwrite in category.overwrites.items()
    ]
    return fingerprint({"category": category.id, "overwrites": [] if effect.overwrites else sorted(overwrites)})


def _category(guild: discord.Guild, effect: ChannelCreateEffect) -> discord.CategoryChannel | None:
    if effect.category is None:
        return None
    category = guild.get_channel(effect.category.id)
    if isinstance(category, discord.CategoryChannel):
        return category
    raise Refused(
        Refuse(Step.EXECUTE, "category_gone", "The category was deleted meanwhile.", "Choose another category.")
    )


async def _create(guild: discord.Guild, effect: ChannelCreateEffect, reason: str | None) -> discord.abc.GuildChannel:
    """One request. Raises Refused when what it rests on is gone, and discord.HTTPException."""
    category = _category(guild, effect)
    overwrites = sendable(guild, effect.overwrites)
    topic = _MISSING if effect.topic is None else effect.topic
    slowmode = _MISSING if effect.slowmode_seconds is None else effect.slowmode_seconds
    nsfw = _MISSING if effect.nsfw is None else effect.nsfw
    bitrate = _MISSING if effect.bitrate is None else effect.bitrate
    user_limit = _MISSING if effect.user_limit is None else effect.user_limit
    match effect.type:
        case "category":
            return await guild.create_category(effect.name, overwrites=overwrites, reason=reason)
        case "voice":
            return await guild.create_voice_channel(
                effect.name,
                category=category,
                bitrate=bitrate,
                user_limit=user_limit,
                nsfw=nsfw,
                overwrites=overwrites,
                reason=reason,
            )
        case "stage":
            return await guild.create_stage_channel(
                effect.name,
                category=category,
                bitrate=bitrate,
                user_limit=user_limit,
                nsfw=nsfw,
                overwrites=overwrites,
                reason=reason,
            )
        case "forum" | "media":
            return await guild.create_forum(
                effect.name,
                category=category,
                topic=topic,
                slowmode_delay=slowmode,
                nsfw=nsfw,
                media=effect.type == "media",
                overwrites=overwrites,
                reason=reason,
            )
        case "text" | "announcement":
            return await guild.create_text_channel(
                effect.name,
                category=category,
                news=effect.type == "announcement",
                topic=topic,
                slowmode_delay=slowmode,
                nsfw=nsfw,
                overwrites=overwrites,
                reason=reason,
            )


def _result(guild_id: int, channel_id: int, name: str, effect: ChannelCreateEffect) -> ChannelCreateResult:
    return ChannelCreateResult(
        id=str(channel_id),
        name=sanitise(name, limit=100),
        type=effect.type,
        url=f"https://discord.com/channels/{guild_id}/{channel_id}",
    )
