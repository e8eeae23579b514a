"""Messages for models and people: plain rows and lines of text in which no message reads as blank.

The rows are typed dictionaries, built without validation: an operation names them in its Result, so that its schema
comes from here, and hands them out as they are. Fields that would be empty are absent. Text of others is sanitised.
"""

from __future__ import annotations

import datetime
from typing import Literal, NotRequired

import discord
from typing_extensions import TypedDict

from operations.render_components import components
from operations.render_embeds import embed, poll
from operations.render_system import WRITTEN, system_text
from operations.render_text import Lines, Names, emoji_text, minutes, size
from operations.sanitise import cap, inline, sanitise

NOTHING = "[nothing to show: Discord gave this message without content]"

_INTERACTIONS = {
    discord.InteractionType.application_command: "a command",
    discord.InteractionType.component: "a button or menu",
    discord.InteractionType.modal_submit: "a form",
}

AuthorKind = Literal["human", "bot", "webhook"]


class AuthorRow(TypedDict):
    id: str
    name: str
    kind: AuthorKind


class AttachmentRow(TypedDict):
    id: str
    filename: str
    size: int
    content_type: NotRequired[str]
    url: str


class ReactionRow(TypedDict):
    emoji: str
    emoji_id: NotRequired[str]
    count: int


class ReplyRow(TypedDict):
    id: str
    author: NotRequired[AuthorRow]
    deleted: NotRequired[bool]


class MessageRow(TypedDict):
    id: str
    author: AuthorRow
    at: str
    edited_at: NotRequired[str]
    text: str
    reply_to: NotRequired[ReplyRow]
    thread_id: NotRequired[str]
    pinned: NotRequired[bool]
    attachments: NotRequired[list[AttachmentRow]]
    reactions: NotRequired[list[ReactionRow]]
    jump_url: NotRequired[str]


def message_row(
    message: discord.Message, names: Names | None = None, *, text_limit: int | None = None, jump_url: bool = False
) -> MessageRow:
    """A message as a plain dictionary.

    ``names`` resolves what the text mentions, within what the reader sees; without it no channel is named.
    ``text_limit`` caps ``text``, with the length told. ``thread_id`` is the thread that was started from the message.
    """
    text = message_text(message, names)
    row: MessageRow = {
        "id": str(message.id),
        "author": author_row(message),
        "at": iso(message.created_at),
        "text": text if text_limit is None else cap(text, text_limit),
    }
    if message.edited_at is not None:
        row["edited_at"] = iso(message.edited_at)
    reply = reply_row(message)
    if reply is not None:
        row["reply_to"] = reply
    if message.flags.has_thread:
        row["thread_id"] = str(message.id)  # a thread has the id of the message that it was started from
    if message.pinned:
        row["pinned"] = True
    if message.attachments:
        row["attachments"] = [attachment_row(attachment) for attachment in message.attachments]
    if message.reactions:
        row["reactions"] = [reaction_row(reaction) for reaction in message.reactions]
    if jump_url:
        row["jump_url"] = message.jump_url
    return row


def message_line(message: discord.Message, names: Names | None = None) -> str:
    """A message as text for models: a head line, and everything further indented below it.

    The indent is what tells the head of a message from a line that somebody wrote to look like one.
    """
    author = author_row(message)
    kind = "" if author["kind"] == "human" else f" [{author['kind']}]"
    head = f"[{minutes(message.created_at)}] {author['name']}{kind} (id {author['id']}, message {message.id}"
    reply = reply_row(message)
    if reply is not None:
        to = f" of {reply['author']['name']}" if "author" in reply else ""
        head += f", reply to {reply['id']}{to}{', deleted' if 'deleted' in reply else ''}"
    if message.edited_at is not None:
        head += f", edited {minutes(message.edited_at)}"
    if message.pinned:
        head += ", pinned"
    if message.flags.has_thread:
        head += f", thread {message.id}"
    lines = [f"{head}): {message_text(message, names)}"]
    lines.extend(attachment.url for attachment in message.attachments)
    if message.reactions:
        counted = (f"{emoji_text(reaction.emoji)} {reaction.count}" for reaction in message.reactions)
        lines.append(f"[reactions] {', '.join(counted)}")
    return "\n".join(lines).replace("\n", "\n    ")


def message_text(message: discord.Message, names: Names | None = None) -> str:
    """Everything in a message that can be read, what its author wrote first."""
    lines = Lines(Names(message.guild) if names is None else names, message.mentions)
    if message.type in WRITTEN:
        lines.block(message.content)
    else:
        system_text(lines, message)
    _body(lines, message)
    for snapshot in message.message_snapshots:
        lines.add(f"[forwarded message of {minutes(snapshot.created_at)} UTC]")
        lines.block(snapshot.content)
        _body(lines, snapshot)
    if message.poll is not None:
        poll(lines, message.poll)
    _circumstances(lines, message)
    return lines.join() if lines else NOTHING


def _body(lines: Lines, message: discord.Message | discord.MessageSnapshot) -> None:
    """What messages and snapshots of forwarded ones have in common, beside their content."""
    if message.components:
        components(lines, message.components)
    for shown in message.embeds:
        embed(lines, shown)
    for attachment in message.attachments:
        _attachment(lines, attachment, voice=message.flags.voice)
    for sticker in message.stickers:
        lines.add(f"[sticker] {lines.one_line(sticker.name)} {sticker.url}")


def _circumstances(lines: Lines, message: discord.Message) -> None:
    metadata = message.interaction_metadata
    if metadata is not None:
        how = _INTERACTIONS.get(metadata.type, "an interaction")
        lines.add(f"[answer to {how} of {inline(metadata.user.name)} (id {metadata.user.id})]")
    if message.activity is not None:
        application = "" if message.application is None else f" of {inline(message.application.name)}"
        lines.add(f"[activity invitation{application}]")
    flags = message.flags
    if flags.loading:
        lines.add("[the app is still working on its answer]")
    if flags.is_crossposted:
        gone = ", which was deleted there" if flags.source_message_deleted else ""
        lines.add(f"[published from a followed channel{gone}]")


def _attachment(lines: Lines, attachment: discord.Attachment, *, voice: bool) -> None:
    known = [attachment.content_type or "unknown type", size(attachment.size)]
    if attachment.duration is not None:
        known.append(f"{attachment.duration:.0f} s")
    if attachment.is_spoiler():
        known.append("spoiler")
    kind = "voice message" if voice else "attachment"
    described = f": {lines.one_line(attachment.description)}" if attachment.description else ""
    lines.add(f"[{kind}] {inline(attachment.filename, 260)} ({', '.join(map(lines.one_line, known))}){described}")


def author_row(message: discord.Message) -> AuthorRow:
    """Who sent a message, by username: nicknames are taken freely, so they name nobody."""
    author = message.author
    # An app's answer to an interaction carries its application's id as webhook id, though it is the bot that speaks.
    by_webhook = message.webhook_id not in (None, message.application_id) and message.interaction_metadata is None
    kind: AuthorKind = "webhook" if by_webhook else "bot" if author.bot else "human"
    return {"id": str(author.id), "name": inline(author.name), "kind": kind}


def reply_row(message: discord.Message) -> ReplyRow | None:
    """The message that this one answers; None for a message that answers none."""
    reference = message.reference
    if reference is None or reference.message_id is None or message.type not in WRITTEN:
        return None
    if reference.type is not discord.MessageReferenceType.default or message.flags.is_crossposted:
        return None
    row: ReplyRow = {"id": str(reference.message_id)}
    resolved = reference.resolved
    if isinstance(resolved, discord.Message):
        row["author"] = author_row(resolved)
    elif isinstance(resolved, discord.DeletedReferencedMessage):
        row["deleted"] = True
    return row


def attachment_row(attachment: discord.Attachment) -> AttachmentRow:
    row: AttachmentRow = {
        "id": str(attachment.id),
        "filename": inline(attachment.filename, 260),
        "size": attachment.size,
        "url": sanitise(attachment.url),
    }
    if attachment.content_type:
        row["content_type"] = sanitise(attachment.content_type)
    return row


def reaction_row(reaction: discord.Reaction) -> ReactionRow:
    emoji = reaction.emoji
    row: ReactionRow = {"emoji": emoji_text(emoji), "count": reaction.count}
    if not isinstance(emoji, str) and emoji.id is not None:
        row["emoji_id"] = str(emoji.id)
    return row


def iso(at: datetime.datetime) -> str:
    """ISO 8601 in UTC by seconds: ``2026-11-20T14:05:00Z``."""
    return f"{at.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
