"""Changing a channel's settings, and moving it between categories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import discord
from pydantic import Field, model_validator

from operations.base import Change, Context, Inverse, Model, Preview, Reconcile, WriteOperation
from operations.discord.channel_kinds import ChannelKind, access_bits, kind_of, labelled, spoken
from operations.discord.channel_policies import loosens, raised, refuse_unless_policy_editor
from operations.discord.channel_settings import (
    ChannelSettings,
    common_problems,
    common_unknowns,
    room_in_category,
    settings_problems,
)
from operations.discord.channel_threads import refuse_threads
from operations.discord.channels import topic_of
from operations.discord.fingerprints import GONE, fingerprint
from operations.errors import Refused
from operations.guild_state import Channel, GuildView
from operations.preflight import channels as rules
from operations.preflight import told
from operations.refs import CategoryRef, ChannelRef, GuildRef
from operations.refusals import hidden
from operations.sanitise import inline, sanitise
from policy.model import Need, Reach, Refuse, Requirement, Step, Target

# As discord.py calls them.
_OPTIONS = {"slowmode_seconds": "slowmode_delay"}


class ChannelEditInput(ChannelSettings):
    channel: ChannelRef
    guild: GuildRef | None = None
    name: str | None = Field(default=None, min_length=1, max_length=100)
    category: CategoryRef | None = None
    leave_category: bool = Field(default=False, description="Move out of its category.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.leave_category and self.category is not None:
            raise ValueError("give either category or leave_category")
        return self


class ChannelEditEffect(ChannelSettings):
    """Only what changes is set. ``moves``: to ``category``, or out of any when that is None."""

    channel: Target
    type: ChannelKind
    name: str | None = None
    moves: bool = False
    category: Target | None = None

    def settings(self) -> dict[str, Any]:
        """The new value of each setting that changes."""
        fields = ("name", *ChannelSettings.model_fields)
        return {name: value for name in fields if (value := getattr(self, name)) is not None}


class ChannelEditResult(Model):
    """``changed``: the fields that were set."""

    id: str
    name: str
    type: ChannelKind
    url: str
    changed: list[str]


class EditChannel(WriteOperation[ChannelEditInput, ChannelEditEffect, ChannelEditResult]):
    """Change a channel's name, topic or settings, or move it to another category; it keeps its own permissions."""

    name = "channel_edit"
    toolset = "channels"
    scope = "channels:write"
    in_default_set = True
    bot_permissions = ("manage_channels",)
    actor_permissions = ("manage_channels",)
    reach = Reach.AUDIENCE
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.channel_update.value
    idempotent = True

    # ------------------------------------------------------------------- rights
    def needs(self, ctx: Context, arguments: ChannelEditInput) -> tuple[Need, ...]:
        return self._needs(ctx, ctx.targets["channel"], ctx.targets.get("category"))

    def needs_of(self, ctx: Context, effect: ChannelEditEffect) -> tuple[Need, ...]:
        return self._needs(ctx, effect.channel, effect.category)

    def _needs(self, ctx: Context, target: Target, category: Target | None) -> tuple[Need, ...]:
        found = [reachable(self.need(target), ctx.guild.channel(target.id))]
        if category is not None:
            found.append(reachable(self.need(category), ctx.guild.channel(category.id)))
        return tuple(found)

    def requirement(self, ctx: Context, arguments: ChannelEditInput) -> Requirement:
        moves = arguments.category is not None or arguments.leave_category
        requirement = super().requirement(ctx, arguments)
        return self._raised(ctx, requirement, ctx.targets["channel"], ctx.targets.get("category"), moves=moves)

    def requirement_of(self, ctx: Context, effect: ChannelEditEffect) -> Requirement:
        requirement = super().requirement_of(ctx, effect)
        return self._raised(ctx, requirement, effect.channel, effect.category, moves=effect.moves)

    def _raised(
        self, ctx: Context, requirement: Requirement, channel: Target, category: Target | None, *, moves: bool
    ) -> Requirement:
        if not moves or not _loosens(ctx, channel, category):
            return requirement
        return raised(requirement, self.need(ctx.guild_target))

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: ChannelEditInput) -> Preview[ChannelEditEffect]:
        view, target = ctx.guild, ctx.targets["channel"]
        channel = view.channel(target.id)
        if channel is None:
            raise Refused(hidden("channel", "channel"))
        channel = refuse_threads(channel, "thread_edit")
        category = ctx.targets.get("category")
        moves = arguments.category is not None or arguments.leave_category
        moves = moves and channel.category_id != (None if category is None else category.id)
        if moves and _loosens(ctx, target, category):
            refuse_unless_policy_editor(ctx, "This move")
        current = settings_of(channel)
        given = arguments.model_dump(include={"name", *ChannelSettings.model_fields}, exclude_none=True)
        changed = {name: value for name, value in given.items() if current.get(name) != value}
        effect = ChannelEditEffect(
            channel=target,
            type=kind_of(channel),
            moves=moves,
            category=category if moves else None,
            **changed,
        )
        return Preview(
            summary=_summary(view, channel, effect),
            effect=effect,
            changes=_changes(view, channel, effect),
            problems=told(
                None if changed or moves else "Nothing would change; give a field with a new value.",
                settings_problems(view.discord, channel.type, arguments.name, arguments),
                _place_problems(view, channel, effect),
                common_problems(ctx),
            ),
            unknowns=common_unknowns(ctx, 0, effect.name, channel.type),
            fingerprint=_seen(view, effect),
            inverse=_inverse(view, channel, effect),
            reversible=True,
        )

    async def observe(self, ctx: Context, effect: ChannelEditEffect) -> str:
        return _seen(ctx.guild, effect)

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: ChannelEditEffect) -> ChannelEditResult:
        if effect.moves and _loosens(ctx, effect.channel, effect.category):
            refuse_unless_policy_editor(ctx, "This move")
        guild = ctx.guild.discord
        channel = guild.get_channel(effect.channel.id)
        if channel is None:
            raise Refused(CHANNEL_GONE)
        options = {_OPTIONS.get(name, name): value for name, value in effect.settings().items()}
        if effect.moves:
            options["category"] = _destination(guild, effect)
        # Without a position discord.py sends one PATCH.
        await channel.edit(reason=ctx.audit_reason, **options)
        return _result(guild.id, effect)

    def found(self, entry: discord.AuditLogEntry, effect: ChannelEditEffect) -> ChannelEditResult | None:
        if getattr(entry.target, "id", None) != effect.channel.id:
            return None
        return _result(entry.guild.id, effect)


CHANNEL_GONE = Refuse(
    Step.EXECUTE,
    "channel_gone",
    "The channel was deleted meanwhile.",
    "channel_list shows the channels that you can see.",
)


def reachable(need: Need, channel: Channel | None) -> Need:
    """The need with what it takes to reach the channel at all."""
    more = 0 if channel is None else access_bits(channel.type)
    return replace(need, bot_bits=need.bot_bits | more, actor_bits=need.actor_bits | more)


def settings_of(channel: discord.abc.GuildChannel) -> Mapping[str, Any]:
    """The settings as they are, by the names of ChannelSettings; those that the kind lacks are absent."""
    found: dict[str, Any] = {"name": channel.name}
    if rules.setting_applies("topic", channel.type) is None:
        found["topic"] = topic_of(channel) or ""
    for name, setting, attribute in (
        ("slowmode_seconds", "slowmode", "slowmode_delay"),
        ("nsfw", "nsfw", "nsfw"),
        ("bitrate", "bitrate", "bitrate"),
        ("user_limit", "user_limit", "user_limit"),
    ):
        if rules.setting_applies(setting, channel.type) is None:
            found[name] = getattr(channel, attribute)
    return found


def _loosens(ctx: Context, channel: Target, category: Target | None) -> bool:
    after = (channel.id,) if category is None else (channel.id, category.id)
    return loosens(ctx, ctx.guild.lineage_ids(channel), after)


def _place_problems(view: GuildView, channel: discord.abc.GuildChannel, effect: ChannelEditEffect) -> tuple[str, ...]:
    if not effect.moves:
        return ()
    return told(rules.setting_applies("parent", channel.type), room_in_category(view, _id(effect.category)))


def _id(target: Target | None) -> int | None:
    return None if target is None else target.id


def _summary(view: GuildView, channel: discord.abc.GuildChannel, effect: ChannelEditEffect) -> str:
    what = spoken(effect.channel, channel.type)
    guild = inline(view.discord.name)
    fields = list(effect.settings())
    if not effect.moves:
        return f"Change {', '.join(fields) or 'nothing'} of {what} in {guild}"
    place = "out of its category" if effect.category is None else f"to the category {inline(effect.category.name)}"
    also = f" and change its {', '.join(fields)}" if fields else ""
    return f"Move {what} {place}{also} in {guild}; its permissions stay as they are"


def _changes(view: GuildView, channel: discord.abc.GuildChannel, effect: ChannelEditEffect) -> tuple[Change, ...]:
    target, current = labelled(effect.channel), settings_of(channel)
    changes: list[Change] = []
    for name, value in effect.settings().items():
        before = current.get(name)
        if name == "topic":
            # The present topic is somebody else's text: its length is enough.
            before = f"{len(before or '')} characters"
        elif name == "name":
            before = inline(str(before))
        changes.append(
            Change(target=target, field=name, before=before, after=sanitise(value) if isinstance(value, str) else value)
        )
    if effect.moves:
        before = None if channel.category is None else _place_name(view, channel.category)
        after = None if effect.category is None else f"{effect.category.id} {inline(effect.category.name)}"
        changes.append(Change(target=target, field="category", before=before, after=after))
    return tuple(changes)


def _place_name(view: GuildView, category: discord.CategoryChannel) -> str | None:
    """None for a category that the requester does not see."""
    if category.id not in view.visible_ids():
        return None
    return f"{category.id} {inline(category.name)}"


def _seen(view: GuildView, effect: ChannelEditEffect) -> str:
    """The values that would be replaced, and where the channel would go."""
    channel = view.discord.get_channel(effect.channel.id)
    if channel is None:
        return GONE
    current = settings_of(channel)
    seen: dict[str, object] = {name: current.get(name) for name in effect.settings()}
    if effect.moves:
        seen["category"] = channel.category_id
    if effect.category is not None and view.discord.get_channel(effect.category.id) is None:
        return GONE
    return fingerprint({"id": channel.id, "type": channel.type.value, **seen})


def _inverse(view: GuildView, channel: discord.abc.GuildChannel, effect: ChannelEditEffect) -> Inverse:
    current = settings_of(channel)
    arguments: dict[str, Any] = {"channel": str(channel.id), "guild": str(view.id)}
    arguments |= {name: current.get(name) for name in effect.settings()}
    if effect.moves and channel.category_id is None:
        arguments["leave_category"] = True
    elif effect.moves:
        arguments["category"] = str(channel.category_id)
    return Inverse(operation="channel_edit", arguments=arguments)


def _destination(guild: discord.Guild, effect: ChannelEditEffect) -> discord.CategoryChannel | None:
    if effect.category is None:
        return None
    category = guild.get_channel(effect.category.id)
    if isinstance(category, discord.CategoryChannel):
        return category
    raise Refused(
        Refuse(Step.EXECUTE, "category_gone", "The category was deleted meanwhile.", "Choose another category.")
    )


def _result(guild_id: int, effect: ChannelEditEffect) -> ChannelEditResult:
    changed = [*effect.settings(), *(["category"] if effect.moves else [])]
    return ChannelEditResult(
        id=str(effect.channel.id),
        name=sanitise(effect.name or effect.channel.name, limit=100),
        type=effect.type,
        url=f"https://discord.com/channels/{guild_id}/{effect.channel.id}",
        changed=changed,
    )
