"""What Discord itself says in a channel: joins, pins, boosts, threads, stages, security alerts."""

from __future__ import annotations

import discord

from operations.render_text import Lines
from operations.sanitise import inline

_Type = discord.MessageType

# Messages whose content is what their author wrote.
WRITTEN = frozenset({_Type.default, _Type.reply, _Type.chat_input_command, _Type.context_menu_command})


def system_text(lines: Lines, message: discord.Message) -> None:
    """One bracketed line that says what happened, with the ids that it refers to.

    discord.py has sentences for most types; some fail on messages that lack what they mention (a member without a shown
    activity, a starter message that was deleted), and newer types have none.
    """
    author = inline(message.author.name)
    match message.type:
        case _Type.new_member:
            sentence = f"{author} joined"
        case _Type.pins_add:
            sentence = f"{author} pinned a message"
        case _Type.thread_starter_message:
            _starter(lines, message)
            return
        case _Type.auto_moderation_action:
            sentence = f"AutoMod acted on a message of {author}"
        case _:
            sentence = lines.one_line(_sentence(message))
    if not sentence:
        sentence = f"system message: {message.type.name.replace('_', ' ')}"
        if message.content:
            sentence += f": {lines.one_line(message.content)}"
    reference = message.reference
    if reference is not None and reference.message_id is not None:
        sentence += f" (message {reference.message_id})"
    elif message.type is _Type.thread_created and reference is not None:
        sentence += f" (thread {reference.channel_id})"
    lines.add(f"[{sentence}]")


def _sentence(message: discord.Message) -> str:
    try:
        return message.system_content
    except (AttributeError, IndexError, TypeError, ValueError):
        return ""


def _starter(lines: Lines, message: discord.Message) -> None:
    reference = message.reference
    resolved = None if reference is None else reference.resolved
    number = "" if reference is None or reference.message_id is None else f" {reference.message_id}"
    if not isinstance(resolved, discord.Message):
        lines.add(f"[thread started from message{number}, which is not available]")
        return
    lines.add(f"[thread started from message{number} of {inline(resolved.author.name)}]")
    lines.block(resolved.content)
