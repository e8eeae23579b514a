"""What simcord leaves out of messages: what they may hold, where, and the limits of deleting many at once."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import discord

from sandbox.additions import Addition, Request, Rule, invalid_form
from sandbox.internals import Backend, BackendError, Channel, Message

MAX_CONTENT = 2000
MAX_BULK_DELETE_AGE = datetime.timedelta(days=14)
MAX_QUESTION, MAX_ANSWER, MAX_ANSWERS, MAX_POLL_HOURS = 300, 55, 10, 768
_TEXTLESS = frozenset({discord.ChannelType.category.value, discord.ChannelType.forum.value})
# "at least one of content, embeds, sticker_ids, components, files[n], or poll"; a forward has a reference alone.
_PARTS = ("embeds", "sticker_ids", "components", "attachments", "poll", "message_reference")
_EMBED_PARTS = ("title", "description", "fields", "image", "thumbnail", "author", "footer", "video", "provider")
_BUTTON, _LINK_STYLE = 2, 5
_WEB = ("http", "https")
_SEND = re.compile(r"/channels/(?P<channel>\d+)/messages")
_ONE = re.compile(r"/channels/(?P<channel>\d+)/messages/(?P<message>\d+)")
_BY_WEBHOOK = re.compile(r"/webhooks/\d+/[^/]+")
_BULK_DELETE = re.compile(r"/channels/\d+/messages/bulk-delete")


def _sending(request: Request, match: re.Match[str]) -> None:
    """A message in a guild's channel or thread.

    https://discord.com/developers/docs/resources/message#create-message
    """
    backend, body = request.backend, request.fields
    channel = backend.get_channel(int(match["channel"]))
    if channel.guild_id is None:
        return
    if int(channel.type) in _TEXTLESS:
        # https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes
        raise BackendError(400, 50008, "Cannot send messages in a non-text channel")
    _require(backend, channel, "send_messages_in_threads" if channel.is_thread else "send_messages")
    _content(body)
    _texts(body)
    _addresses(body)
    _holds_something(body)
    # https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags
    for asked, permission in (
        (body.get("embeds"), "embed_links"),
        (body.get("attachments"), "attach_files"),
        (body.get("poll"), "send_polls"),
        (body.get("message_reference"), "read_message_history"),
    ):
        if asked:
            _require(backend, channel, permission)
    _poll(body)
    _locked(backend, channel)
    _reply(backend, channel, body.get("message_reference"))


def _by_webhook(request: Request, _match: re.Match[str]) -> None:
    """https://discord.com/developers/docs/resources/webhook#execute-webhook"""
    body = request.fields
    _holds_something(body)
    _content(body)
    _texts(body)
    _addresses(body)


def _editing(request: Request, match: re.Match[str]) -> None:
    """https://discord.com/developers/docs/resources/message#edit-message"""
    backend, body = request.backend, request.fields
    channel = backend.get_channel(int(match["channel"]))
    if channel.guild_id is None:
        return
    message = backend.messages.get(channel.id, {}).get(int(match["message"]))
    if message is not None and message.author_id != backend.bot_user.id:
        return  # the route itself says whose it is
    _content(body)
    _texts(body)
    _addresses(body)
    if message is not None:
        _something_left(message, body)
    metadata = channel.thread_metadata
    if metadata is not None and metadata.archived:
        # "Thread is archived": https://discord.com/developers/docs/topics/threads#active--archived-threads
        raise BackendError(400, 50083, "Thread is archived")
    _locked(backend, channel)


def _require(backend: Backend, channel: Channel, *permissions: str) -> None:
    backend.require_permissions(channel.guild_id, backend.bot_user.id, channel.id, *permissions)


def _content(body: Mapping[str, Any]) -> None:
    """ "content: Message contents (up to 2000 characters)" """
    if len(str(body.get("content") or "")) > MAX_CONTENT:
        raise invalid_form("content: Must be 2000 or fewer in length.")


def _holds_something(body: Mapping[str, Any]) -> None:
    if not any(body.get(part) for part in _PARTS) and not str(body.get("content") or "").strip():
        raise _empty()


def _something_left(message: Message, body: Mapping[str, Any]) -> None:
    """What an edit leaves out stays; a message that would hold nothing is refused as a new one is."""
    kept = {
        "embeds": message.embeds,
        "components": message.components,
        "attachments": message.attachments,
        "sticker_ids": message.stickers,
        "poll": message.poll,
    }
    content = body.get("content", message.content)
    if not str(content or "").strip() and not any(body.get(part, kept[part]) for part in kept):
        raise _empty()


def _empty() -> BackendError:
    """https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes"""
    return BackendError(400, 50006, "Cannot send an empty message")


def _locked(backend: Backend, channel: Channel) -> None:
    """ "Users (including bot users) without the MANAGE_THREADS permission will be unable to create or update messages
    in locked threads."

    https://discord.com/developers/docs/topics/threads#locked-threads
    """
    if channel.thread_metadata is None or not channel.thread_metadata.locked or channel.guild_id is None:
        return
    bits = backend.compute_permissions(channel.guild_id, backend.bot_user.id, channel.id)
    if not bits & discord.Permissions.manage_threads.flag:
        raise BackendError(400, 160005, "Thread is locked")


def _reply(backend: Backend, channel: Channel, reference: Any) -> None:
    """ "fail_if_not_exists: … whether to error if the referenced message doesn't exist …, defaults to true"

    https://discord.com/developers/docs/resources/message#message-reference-structure
    """
    if not isinstance(reference, Mapping):
        return
    named = cast("Mapping[str, Any]", reference)
    if int(named.get("type") or 0) != 0 or not named.get("fail_if_not_exists", True) or not named.get("message_id"):
        return
    if int(named["message_id"]) not in backend.messages.get(channel.id, {}):
        raise invalid_form("message_reference: Unknown message")


def _texts(body: Mapping[str, Any]) -> None:
    """An embed shows something; a field of it has a name and a value; a button has a label where it has no emoji.

    https://discord.com/developers/docs/resources/message#embed-object-embed-field-structure,
    https://discord.com/developers/docs/components/reference#button
    """
    for embed in cast("list[Mapping[str, Any]]", body.get("embeds") or []):
        if not any(embed.get(part) for part in _EMBED_PARTS):
            raise invalid_form("embed: BASE_TYPE_REQUIRED: This field is required")
        for field in cast("list[Mapping[str, Any]]", embed.get("fields") or []):
            for part in ("name", "value"):
                if not str(field.get(part) or "").strip():
                    raise invalid_form(f"embed.fields.{part}: This field is required")
    for button in _buttons(body):
        if not button.get("emoji") and not str(button.get("label") or "").strip():
            raise invalid_form("button: A button needs a label or an emoji")


def _poll(body: Mapping[str, Any]) -> None:
    """ "The text of the field … the maximum length is 300 for the question, and 55 for any answer", up to 10 answers,
    for up to 32 days.

    https://discord.com/developers/docs/resources/poll#poll-media-object, #poll-create-request-object
    """
    poll = cast("Mapping[str, Any]", body.get("poll") or {})
    if not poll:
        return
    question = _part(poll, "question", "text")
    answers = [_part(each, "poll_media", "text") for each in cast("list[Mapping[str, Any]]", poll.get("answers") or [])]
    if not 1 <= len(question.strip()) <= MAX_QUESTION:
        raise invalid_form(f"poll.question: 1 to {MAX_QUESTION} characters")
    if not 1 <= len(answers) <= MAX_ANSWERS or not all(1 <= len(each.strip()) <= MAX_ANSWER for each in answers):
        raise invalid_form(f"poll.answers: 1 to {MAX_ANSWERS} of {MAX_ANSWER} characters")
    if not 1 <= int(poll.get("duration") or 24) <= MAX_POLL_HOURS:
        raise invalid_form(f"poll.duration: 1 to {MAX_POLL_HOURS} hours")


def _buttons(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for row in cast("list[Mapping[str, Any]]", body.get("components") or []):
        for button in cast("list[Mapping[str, Any]]", row.get("components") or []):
            if button.get("type") == _BUTTON:
                yield button


def _addresses(body: Mapping[str, Any]) -> None:
    """Links and images lead to the web; an image may be one of the message's own files.

    https://discord.com/developers/docs/resources/message#embed-object-embed-image-structure ("only supports http(s) and
    attachments"), https://discord.com/developers/docs/components/reference#button
    """
    for path, address, schemes in _links(body):
        if address.partition("://")[0].lower() not in schemes or "://" not in address:
            raise invalid_form(f"{path}: Scheme must be one of {schemes}.")


def _links(body: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for embed in cast("list[Mapping[str, Any]]", body.get("embeds") or []):
        if embed.get("url"):
            yield "embed.url", str(embed["url"]), _WEB
        for part in ("image", "thumbnail"):
            if address := _part(embed, part, "url"):
                yield f"embed.{part}.url", address, (*_WEB, "attachment")
    for button in _buttons(body):
        if button.get("style") == _LINK_STYLE:
            yield "button.url", str(button.get("url")), (*_WEB, "discord")


def _part(whole: Mapping[str, Any], part: str, field: str) -> str:
    """A text of an object in an object; "" where there is none."""
    return str(cast("Mapping[str, Any]", whole.get(part) or {}).get(field) or "")


def _bulk_delete(request: Request, _match: re.Match[str]) -> None:
    """Nothing old and nothing twice.

    "This endpoint will not delete messages older than 2 weeks, and will fail with a 400 BAD REQUEST if any message
    provided is older than that or if any duplicate message IDs are provided."
    https://discord.com/developers/docs/resources/message#bulk-delete-messages
    """
    message_ids = [int(message_id) for message_id in request.fields.get("messages") or ()]
    if len(set(message_ids)) != len(message_ids):
        raise invalid_form("messages contains duplicates")
    oldest = request.backend.clock.now() - MAX_BULK_DELETE_AGE
    if any(discord.utils.snowflake_time(message_id) < oldest for message_id in message_ids):
        raise BackendError(400, 50034, "You can only bulk delete messages that are under 14 days old.")


class Messages(Addition):
    rules = (
        Rule("POST", _SEND, _sending),
        Rule("PATCH", _ONE, _editing),
        Rule("POST", _BY_WEBHOOK, _by_webhook),
        Rule("POST", _BULK_DELETE, _bulk_delete),
    )
