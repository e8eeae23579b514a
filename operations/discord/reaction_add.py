"""Reacting to a message with an emoji, as the bot."""

from __future__ import annotations

import discord
from pydantic import Field

from operations.base import Change, Context, Model, Preview, Reconcile, WriteOperation
from operations.discord.deleted_messages import fetched
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.message_places import connect_bit, messageable
from operations.discord.platform_posts import refuse_platform_posts
from operations.errors import Refused
from operations.guild_state import GuildView
from operations.member_rights import role_ids_of
from operations.preflight import reactions as rules
from operations.preflight import told
from operations.refs import ChannelRef, GuildRef, MessageRef
from operations.sanitise import inline
from policy import checks
from policy.model import Need, Reach, Refuse, Step, Target
from policy.permissions import Bits, bits


class ReactionAddInput(Model):
    message: MessageRef
    emoji: str = Field(min_length=1, max_length=64, description="👍, or a custom one's name, id or <:name:id>.")
    channel: ChannelRef | None = None
    guild: GuildRef | None = None


class ReactionAddEffect(Model):
    """``emoji``: as the request names it, ``name:id`` for a custom one. ``is_new``: nobody has reacted with it yet."""

    channel_id: int
    message_id: int
    emoji: str
    is_new: bool


class ReactionAddResult(Model):
    message_id: str
    channel_id: str
    emoji: str


class AddReaction(WriteOperation[ReactionAddInput, ReactionAddEffect, ReactionAddResult]):
    """React to a message with an emoji, as the bot. A reaction that others gave already needs no add_reactions."""

    name = "reaction_add"
    title = "Add a reaction"
    toolset = "reactions"
    scope = "reactions:write"
    in_default_set = True
    # "Additionally, if nobody else has reacted to the message using this emoji, this endpoint requires the
    # 'ADD_REACTIONS' permission": asked once the message is known.
    bot_permissions = ("view_channel", "read_message_history")
    actor_permissions = ("view_channel", "read_message_history")
    reach = Reach.AUDIENCE
    reconcile = Reconcile.READ_BACK
    idempotent = True

    # ------------------------------------------------------------------ rights
    def needs(self, ctx: Context, arguments: ReactionAddInput) -> tuple[Need, ...]:
        return (self._need(ctx, ctx.targets["message"], is_new=False),)

    def needs_of(self, ctx: Context, effect: ReactionAddEffect) -> tuple[Need, ...]:
        target = Target("message", effect.message_id, ctx.guild.id, str(effect.message_id), effect.channel_id)
        return (self._need(ctx, target, is_new=effect.is_new),)

    @staticmethod
    def _need(ctx: Context, target: Target, *, is_new: bool) -> Need:
        wanted = bits("view_channel", "read_message_history") | connect_bit(ctx.guild, target.channel_id or 0)
        if is_new:
            wanted |= Bits.add_reactions
        return Need(target, int(wanted), int(wanted))

    # ----------------------------------------------------------------- preview
    async def preview(self, ctx: Context, arguments: ReactionAddInput) -> Preview[ReactionAddEffect]:
        target = ctx.targets["message"]
        channel_id = target.channel_id or 0
        message = await fetched(ctx, channel_id, target.id, "message")
        await refuse_platform_posts(ctx, [message])
        view = ctx.guild
        emoji, problems = _chosen(view, arguments.emoji, message)
        there = _reaction(message, emoji)
        effect = ReactionAddEffect(channel_id=channel_id, message_id=target.id, emoji=emoji, is_new=there is None)
        self._refuse_without_right(ctx, target, effect)
        channel = messageable(view, channel_id)
        archived = isinstance(channel, discord.Thread) and channel.archived
        mine = there is not None and there.me
        return Preview(
            summary=f"React with {_shown(emoji)} to message {target.id} in #{inline(channel.name)} "
            f"in {inline(view.discord.name)}",
            effect=effect,
            changes=(
                Change(
                    target=f"message {target.id} in #{inline(channel.name)}",
                    field=f"my reaction {_shown(emoji)}",
                    before=mine,
                    after=True,
                ),
            ),
            problems=told(
                "Nothing would change; I have reacted with that emoji already." if mine else None,
                problems if there is None else None,
                rules.message_has_room(len(message.reactions), is_new=there is None),
                rules.thread_takes_reactions(archived=archived),
            ),
            fingerprint=_seen(effect, message),
        )

    def _refuse_without_right(self, ctx: Context, target: Target, effect: ReactionAddEffect) -> None:
        need = self._need(ctx, target, is_new=effect.is_new)
        known = ctx.guild.facts(need)
        refusal = checks.bot_holds_rights(need, known) or checks.actor_holds_rights(need, known)
        if refusal is not None:
            raise Refused(refusal)

    async def observe(self, ctx: Context, effect: ReactionAddEffect) -> str:
        try:
            message = await fetched(ctx, effect.channel_id, effect.message_id, "message")
        except Refused:
            return GONE
        return _seen(effect, message)

    # ----------------------------------------------------------------- execute
    async def execute(self, ctx: Context, effect: ReactionAddEffect) -> ReactionAddResult:
        channel = messageable(ctx.guild, effect.channel_id)
        await channel.get_partial_message(effect.message_id).add_reaction(effect.emoji)
        return _result(effect)

    async def read_back(self, ctx: Context, effect: ReactionAddEffect) -> ReactionAddResult | None:
        message = await messageable(ctx.guild, effect.channel_id).fetch_message(effect.message_id)
        there = _reaction(message, effect.emoji)
        return _result(effect) if there is not None and there.me else None


UNKNOWN_EMOJI = Refuse(
    Step.VALIDATE,
    "unknown_emoji",
    "`emoji` is neither an emoji nor the name or id of one of this guild.",
    "Give a single emoji such as 👍, or a custom emoji of this guild by its name, id or <:name:id>.",
)
AMBIGUOUS_EMOJI = Refuse(
    Step.VALIDATE, "ambiguous_emoji", "Several emoji of this guild have that name.", "Give the id instead."
)


def _chosen(view: GuildView, text: str, message: discord.Message) -> tuple[str, tuple[str, ...]]:
    """The emoji as a request names it, and what keeps it from being a new reaction. Raises Refused for an unknown one.

    Only emoji of this guild, and those that stand below the message already: what other guilds the bot is in shows by
    nothing.
    """
    if rules.is_unicode_emoji(text):
        return text, ()
    emoji_id = rules.custom_emoji_id(text)
    for reaction in message.reactions:
        there = reaction.emoji
        if not isinstance(there, str) and emoji_id is not None and there.id == emoji_id:
            return f"{there.name}:{there.id}", (
                "That emoji is of another guild; only a reaction with it can be joined.",
            )
    name = text.strip(":")
    found = [each for each in view.discord.emojis if (each.name == name if emoji_id is None else each.id == emoji_id)]
    if not found:
        raise Refused(UNKNOWN_EMOJI)
    if len(found) > 1:
        raise Refused(AMBIGUOUS_EMOJI)
    emoji = found[0]
    role_ids = [role.id for role in emoji.roles]
    return f"{emoji.name}:{emoji.id}", told(
        rules.emoji_is_available(available=emoji.available),
        rules.emoji_is_for(role_ids, role_ids_of(view.me), "I"),
        rules.emoji_is_for(role_ids, role_ids_of(view.actor), "You"),
    )


def _reaction(message: discord.Message, emoji: str) -> discord.Reaction | None:
    return next((reaction for reaction in message.reactions if _named(reaction.emoji) == _bare(emoji)), None)


def _named(emoji: discord.Emoji | discord.PartialEmoji | str) -> str:
    if isinstance(emoji, str):
        return _bare(emoji)
    return _bare(emoji.name) if emoji.id is None else str(emoji.id)


def _bare(emoji: str) -> str:
    """What two ways of writing one emoji have in common: the id, or the characters without what asks for a picture."""
    _, _, emoji_id = emoji.partition(":")
    return emoji_id or emoji.replace("\ufe0f", "")


def _shown(emoji: str) -> str:
    name, _, emoji_id = emoji.partition(":")
    return f":{inline(name)}:" if emoji_id else inline(name)


def _seen(effect: ReactionAddEffect, message: discord.Message) -> str:
    there = _reaction(message, effect.emoji)
    return fingerprint({"message": message.id, "is_new": there is None, "mine": there is not None and there.me})


def _result(effect: ReactionAddEffect) -> ReactionAddResult:
    return ReactionAddResult(
        message_id=str(effect.message_id), channel_id=str(effect.channel_id), emoji=_shown(effect.emoji)
    )
