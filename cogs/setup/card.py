"""The set-up card: an embed that says how the guild stands, and what can be pressed on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import discord

from cogs.card_text import words
from cogs.setup import texts
from cogs.setup.ids import Press, SetupIds
from cogs.setup.state import SetupState

# https://discord.com/developers/docs/resources/message#embed-object-embed-limits
FIELD_CHARACTERS = 1024
MOST_CHOSEN = 10
COLOUR = discord.Colour.blurple()


def embed(state: SetupState, *, in_dm: bool = False, finished: bool = False) -> discord.Embed:
    card = discord.Embed(title=texts.TITLE, description=_description(state, in_dm, finished), colour=COLOUR)
    if state.claimed:
        chat = texts.CHAT_CHANNELS_ARE.format(channels=_listed(f"<#{each}>" for each in state.chat_channel_ids))
        card.add_field(name=texts.CHAT_CHANNELS, value=chat, inline=False)
        log = () if state.log_channel_id is None else (f"<#{state.log_channel_id}>",)
        card.add_field(name=texts.LOG_CHANNEL, value=texts.LOG_CHANNEL_IS.format(channel=_listed(log)), inline=False)
        roles = _listed((f"<@&{each}>" for each in state.approver_role_ids), texts.ANYBODY_WITH_RIGHTS)
        card.add_field(name=texts.APPROVERS, value=texts.APPROVERS_ARE.format(roles=roles), inline=False)
        card.add_field(name=texts.PRESET, value=texts.PRESET_IS.format(preset=state.preset), inline=False)
    if state.claimed or state.claimable:
        card.add_field(name=texts.LACKING, value=lacking_text(state), inline=False)
    return card


def _description(state: SetupState, in_dm: bool, finished: bool) -> str:
    if not state.claimed and not state.claimable:
        return texts.UNLISTED.format(guild_id=state.guild_id)
    if not state.claimed:
        return texts.INERT_IN_DM.format(guild=words(state.guild_name, 100)) if in_dm else texts.INERT
    if finished:
        return texts.FINISHED
    return texts.CLAIMED_IN_DM if in_dm else texts.CLAIMED


def lacking_text(state: SetupState) -> str:
    """A line a permission; what does not fit is counted."""
    if not state.lacking:
        return texts.LACKS_NOTHING
    lines = [f"**{each.label}**{str(each)[len(each.label) :]}" for each in state.lacking]
    shown: list[str] = []
    room = FIELD_CHARACTERS - len(texts.AND_MORE) - 8
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        shown.append(line)
    left = len(lines) - len(shown)
    return "\n".join([*shown, *([texts.AND_MORE.format(count=left)] if left else [])])


def _listed(mentions: Iterable[str], otherwise: str = texts.NONE) -> str:
    return ", ".join(list(mentions)[:25]) or otherwise


def view(state: SetupState, ids: SetupIds, guild: discord.Guild, *, in_dm: bool = False) -> discord.ui.View | None:
    """What can be pressed; None where nothing can."""
    if not state.claimed and not state.claimable:
        return None
    items: list[discord.ui.Item[Any]] = []
    if state.claimed and not in_dm:
        items += _menus(state, ids, guild)
    if not state.claimed:
        items.append(_button(ids, Press.CLAIM, state, texts.CLAIM, discord.ButtonStyle.success))
    items.append(_button(ids, Press.LOOK_AGAIN, state, texts.LOOK_AGAIN, discord.ButtonStyle.secondary))
    if state.claimed:
        items.append(_button(ids, Press.DONE, state, texts.DONE, discord.ButtonStyle.primary))
    if state.lacking:
        items.append(discord.ui.Button(label=texts.GRANT, url=state.invite_url, row=4))
    shown = discord.ui.View(timeout=None)
    for item in items:
        shown.add_item(item)
    # It is recognised by its custom ids alone, also after a restart.
    shown.stop()
    return shown


def _button(
    ids: SetupIds, press: Press, state: SetupState, label: str, style: discord.ButtonStyle
) -> discord.ui.Button[Any]:
    return discord.ui.Button(label=label, style=style, custom_id=ids.make(press, state.guild_id), row=4)


def _menus(state: SetupState, ids: SetupIds, guild: discord.Guild) -> list[discord.ui.Item[Any]]:
    text_channels = [discord.ChannelType.text, discord.ChannelType.news]
    chat = [each for each in state.chat_channel_ids if guild.get_channel(each) is not None][:MOST_CHOSEN]
    log = [each for each in (state.log_channel_id,) if each is not None and guild.get_channel(each) is not None]
    roles = [each for each in state.approver_role_ids if guild.get_role(each) is not None][:MOST_CHOSEN]
    return [
        discord.ui.ChannelSelect(
            custom_id=ids.make(Press.CHAT_CHANNELS, guild.id),
            channel_types=text_channels,
            placeholder=texts.CHOOSE_CHAT,
            min_values=0,
            max_values=MOST_CHOSEN,
            default_values=[_default(each, discord.SelectDefaultValueType.channel) for each in chat],
            row=0,
        ),
        discord.ui.ChannelSelect(
            custom_id=ids.make(Press.LOG_CHANNEL, guild.id),
            channel_types=text_channels,
            placeholder=texts.CHOOSE_LOG,
            min_values=0,
            max_values=1,
            default_values=[_default(each, discord.SelectDefaultValueType.channel) for each in log],
            row=1,
        ),
        discord.ui.RoleSelect(
            custom_id=ids.make(Press.APPROVERS, guild.id),
            placeholder=texts.CHOOSE_APPROVERS,
            min_values=0,
            max_values=MOST_CHOSEN,
            default_values=[_default(each, discord.SelectDefaultValueType.role) for each in roles],
            row=2,
        ),
        discord.ui.Select(
            custom_id=ids.make(Press.PRESET, guild.id),
            placeholder=texts.CHOOSE_PRESET,
            options=[
                discord.SelectOption(label=name, description=said, default=name == state.preset)
                for name, said in texts.PRESETS.items()
            ],
            row=3,
        ),
    ]


def _default(object_id: int, kind: discord.SelectDefaultValueType) -> discord.SelectDefaultValue:
    return discord.SelectDefaultValue(id=object_id, type=kind)
