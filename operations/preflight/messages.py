"""Messages: what they may hold, and where they may go.

Discord counts code points: "the API calculates length based on the number of codepoints in the string"
(https://github.com/discord/discord-api-docs/issues/1315), as Python does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import discord

from operations.preflight import told
from operations.preflight.addresses import web_address_fits
from operations.preflight.embeds import Embed, embeds_fit

MAX_CONTENT = 2000
MAX_FILES = 10
MAX_STICKERS = 3
MAX_BUTTONS = 25
MAX_REQUEST_BYTES = 25 * 1024 * 1024
# The parts of a multipart request around the files: boundaries, headers, the JSON itself.
_OVERHEAD_BYTES = 1024

_Kind = discord.ChannelType


@dataclass(frozen=True, slots=True)
class LinkButton:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class PollDraft:
    """``duration_hours``: how long it runs."""

    question: str
    answers: tuple[str, ...]
    duration_hours: int = 24


@dataclass(frozen=True, slots=True)
class MessageDraft:
    """All that a message would hold. ``file_bytes``: the size of each file. ``embeds``: as they go over the wire."""

    content: str = ""
    embeds: Sequence[Embed] = ()
    file_bytes: tuple[int, ...] = ()
    sticker_count: int = 0
    buttons: tuple[LinkButton, ...] = ()
    poll: PollDraft | None = None


def draft_problems(draft: MessageDraft, filesize_limit_bytes: int) -> tuple[str, ...]:
    """Every rule about what a message holds. ``filesize_limit_bytes``: ``guild.filesize_limit``."""
    return told(
        message_holds_something(draft),
        content_fits(draft.content),
        embeds_fit(draft.embeds),
        files_fit(draft.file_bytes, filesize_limit_bytes),
        request_fits(draft),
        stickers_fit(draft.sticker_count),
        buttons_fit(draft.buttons),
        None if draft.poll is None else poll_fits(draft.poll),
    )


# ------------------------------------------------------------------- content
def message_holds_something(draft: MessageDraft) -> str | None:
    """ "You must provide a value for at least one of content, embeds, sticker_ids, components, files[n], or poll."

    https://discord.com/developers/docs/resources/message#create-message
    """
    if draft.content.strip() or draft.embeds or draft.file_bytes or draft.sticker_count or draft.buttons or draft.poll:
        return None
    return "The message is empty; give content, an embed, a file, a sticker or a poll."


def content_fits(content: str) -> str | None:
    """https://discord.com/developers/docs/resources/message#create-message-jsonform-params (content)"""
    if len(content) <= MAX_CONTENT:
        return None
    return (
        f"A message takes at most {MAX_CONTENT:,} characters; this has {len(content):,}. "
        "Split it into several messages, or send it as a file."
    )


def files_fit(file_bytes: Sequence[int], filesize_limit_bytes: int) -> Iterator[str]:
    """https://discord.com/developers/docs/reference#uploading-files; at most 10 (error 30015)."""
    if len(file_bytes) > MAX_FILES:
        yield f"A message takes at most {MAX_FILES} files; there are {len(file_bytes)}."
    for number, size in enumerate(file_bytes, start=1):
        if size > filesize_limit_bytes:
            yield f"File {number} has {_mebibytes(size)}; this guild takes at most {_mebibytes(filesize_limit_bytes)}."


def request_fits(draft: MessageDraft) -> str | None:
    """ "The maximum request size when sending a message is 25 MiB."

    https://discord.com/developers/docs/resources/message#create-message
    """
    if not draft.file_bytes:
        return None  # text alone stays far below
    total = sum(draft.file_bytes) + _OVERHEAD_BYTES * (len(draft.file_bytes) + 1) + 4 * len(draft.content)
    if total <= MAX_REQUEST_BYTES:
        return None
    return f"The files have {_mebibytes(total)} together; a message takes at most {_mebibytes(MAX_REQUEST_BYTES)}."


def stickers_fit(count: int) -> str | None:
    """https://discord.com/developers/docs/resources/message#create-message-jsonform-params (sticker_ids: up to 3)"""
    return None if count <= MAX_STICKERS else f"A message takes at most {MAX_STICKERS} stickers; there are {count}."


def buttons_fit(buttons: Sequence[LinkButton]) -> Iterator[str]:
    """Five rows of five; label of at most 80 and address of at most 512 characters.

    https://discord.com/developers/docs/components/reference#button
    """
    if len(buttons) > MAX_BUTTONS:
        yield f"A message takes at most {MAX_BUTTONS} buttons; there are {len(buttons)}."
    for number, button in enumerate(buttons, start=1):
        if not button.label.strip():
            yield f"Button {number} needs a label."
        elif len(button.label) > 80:
            yield f"The label of button {number} takes at most 80 characters; it has {len(button.label)}."
        problem = web_address_fits(button.url, f"The url of button {number}", 512, ("http", "https", "discord"))
        if problem:
            yield problem


def poll_fits(poll: PollDraft) -> Iterator[str]:
    """https://discord.com/developers/docs/resources/poll#poll-create-request-object and #poll-media-object"""
    if not 1 <= len(poll.question.strip()) <= 300:
        yield f"A poll's question takes 1 to 300 characters; this has {len(poll.question.strip())}."
    if not 1 <= len(poll.answers) <= 10:
        yield f"A poll takes 1 to 10 answers; there are {len(poll.answers)}."
    for number, answer in enumerate(poll.answers, start=1):
        if not 1 <= len(answer.strip()) <= 55:
            yield f"Answer {number} of the poll takes 1 to 55 characters; it has {len(answer.strip())}."
    if not 1 <= poll.duration_hours <= 768:
        yield f"A poll runs for 1 to 768 hours (32 days), not {poll.duration_hours}."


# --------------------------------------------------------------- destination
def destination_takes_messages(kind: discord.ChannelType) -> str | None:
    """Errors 50008 and 40058. https://discord.com/developers/docs/resources/channel#channel-object-channel-types"""
    if kind is _Kind.category:
        return "A category takes no messages; choose one of its channels."
    if kind in (_Kind.forum, _Kind.media):
        return "A forum takes posts, not messages; send to one of its posts, or create a post."
    if kind in (_Kind.group, _Kind.news_thread, _Kind.public_thread, _Kind.private_thread, _Kind.private):
        return None
    if kind in (_Kind.text, _Kind.news, _Kind.voice, _Kind.stage_voice):
        return None
    return "That kind of channel takes no messages; choose a text channel or a thread."


def thread_takes_messages(*, locked: bool, may_manage_threads: bool) -> str | None:
    """ "Users (including bot users) without MANAGE_THREADS … won't be able to create or update messages in locked
    threads."

    https://discord.com/developers/docs/topics/threads#locked-threads
    """
    if not locked or may_manage_threads:
        return None
    return "The thread is locked; it takes messages only from those with manage_threads there."


def thread_may_stay_archived(*, archived: bool, locked: bool) -> str | None:
    """ "Sending a message will automatically unarchive the thread, unless the thread has been locked by a moderator."

    https://discord.com/developers/docs/topics/threads#active--archived-threads
    """
    if not archived or not locked:
        return None
    return "The thread is archived and locked; Discord may ask to unarchive it first."


def thread_is_unarchived(*, archived: bool, locked: bool) -> bool:
    """Whether sending to the thread also unarchives it: a change that a preview should name."""
    return archived and not locked


def reply_target_is_here(channel_id: int, target_channel_id: int) -> str | None:
    """https://discord.com/developers/docs/resources/message#message-reference-types (a reply stays in its channel)"""
    if channel_id == target_channel_id:
        return None
    return "A reply must go to the channel of the message that it answers."


def reply_may_be_refused(target: discord.MessageType) -> str | None:
    """Discord refuses replies to system messages (REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE); to which, is not written."""
    if target in _ANSWERABLE:
        return None
    return "The message to reply to is a system message; Discord may refuse a reply to it."


_ANSWERABLE = frozenset(
    {
        discord.MessageType.default,
        discord.MessageType.reply,
        discord.MessageType.chat_input_command,
        discord.MessageType.context_menu_command,
    }
)


# -------------------------------------------------------------------- editing
def message_is_from_bot(author_id: int, bot_user_id: int, *, by_webhook: bool) -> str | None:
    """Error 50005. A webhook's messages are edited through the webhook; an app's answers to commands are its own."""
    if author_id == bot_user_id and not by_webhook:
        return None
    return "Only my own messages can be edited."


def message_is_editable(kind: discord.MessageType, *, has_poll: bool = False, is_voice: bool = False) -> str | None:
    """Errors 50021, 520003, 50162. https://discord.com/developers/docs/resources/message#edit-message"""
    if kind not in _ANSWERABLE:
        return "That is a system message; it cannot be edited."
    if has_poll:
        return "A message with a poll cannot be edited; end the poll, or send a new one."
    if is_voice:
        return "A voice message cannot be edited."
    return None


def thread_takes_edits(*, archived: bool, locked: bool, may_manage_threads: bool) -> str | None:
    """ "Users cannot edit messages … [in] archived threads" (error 50083), nor update them in locked ones.

    https://discord.com/developers/docs/topics/threads#active--archived-threads
    """
    if archived:
        return "The thread is archived; unarchive it before a message in it is edited."
    return thread_takes_messages(locked=locked, may_manage_threads=may_manage_threads)


def _mebibytes(count: int) -> str:
    return f"{count / (1024 * 1024):.1f} MiB"
