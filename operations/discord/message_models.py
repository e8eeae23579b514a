"""What messages are made of, as callers write it and as effects keep it."""

from __future__ import annotations

from typing import Any

import discord
from pydantic import ConfigDict, Field

from operations.base import Model
from operations.preflight.messages import LinkButton, MessageDraft, PollDraft


class EmbedField(Model):
    name: str
    value: str
    inline: bool = False


EMBED_TEXTS = "title, description, url, footer, author, image_url, thumbnail_url"
EMBED_TEXTS_AS_SENT = "Texts as in message_send."


def _texts_together(schema: dict[str, Any]) -> None:
    """An embed's texts as one pattern: several tools take embeds, and each text by itself would be told in each."""
    texts = EMBED_TEXTS.split(", ")
    schema["properties"] = {name: part for name, part in schema["properties"].items() if name not in texts}
    schema["additionalProperties"] = {"type": "string"}


class EmbedInput(Model):
    """Who takes embeds tells of their texts: EMBED_TEXTS, or EMBED_TEXTS_AS_SENT."""

    model_config = ConfigDict(json_schema_extra=_texts_together)

    title: str | None = None
    description: str | None = None
    url: str | None = None
    color: int | None = Field(default=None, ge=0, le=0xFFFFFF)
    fields: list[EmbedField] = Field(default_factory=list[EmbedField], max_length=25)
    footer: str | None = None
    author: str | None = None
    image_url: str | None = None
    thumbnail_url: str | None = None

    def payload(self) -> dict[str, Any]:
        """As Discord takes it."""
        payload: dict[str, Any] = {"type": "rich"}
        for part in ("title", "description", "url", "color"):
            value = getattr(self, part)
            if value is not None:
                payload[part] = value
        if self.fields:
            payload["fields"] = [field.model_dump() for field in self.fields]
        if self.footer:
            payload["footer"] = {"text": self.footer}
        if self.author:
            payload["author"] = {"name": self.author}
        if self.image_url:
            payload["image"] = {"url": self.image_url}
        if self.thumbnail_url:
            payload["thumbnail"] = {"url": self.thumbnail_url}
        return payload

    @property
    def loads_remote_media(self) -> bool:
        return any(url and not url.startswith("attachment://") for url in (self.image_url, self.thumbnail_url))


class FileInput(Model):
    name: str = Field(min_length=1, max_length=260)
    data: str | None = Field(default=None, description="Base64.")
    url: str | None = Field(default=None, description="On Discord's CDN.")


class PollInput(Model):
    question: str
    answers: list[str]
    hours: int = 24
    multiple: bool = False


class ButtonInput(Model):
    """A link button; callers never supply a custom_id."""

    label: str
    url: str


class FileEffect(Model):
    """A file to send: its bytes (base64), or where they are and what they must hash to (SHA-256, hex)."""

    name: str
    sha256: str
    size: int
    data: str | None = None
    url: str | None = None


class PingEffect(Model):
    """Who may be notified; empty is nobody. ``replied_user``: so is the author of the message that is answered, whom
    the text need not mention.
    """

    everyone: bool = False
    role_ids: tuple[int, ...] = ()
    user_ids: tuple[int, ...] = ()
    replied_user: bool = False

    def allowed_mentions(self) -> discord.AllowedMentions:
        return discord.AllowedMentions(
            everyone=self.everyone,
            roles=[discord.Object(role_id) for role_id in self.role_ids],
            users=[discord.Object(user_id) for user_id in self.user_ids],
            replied_user=self.replied_user,
        )

    @property
    def anybody(self) -> bool:
        return self.everyone or bool(self.role_ids) or bool(self.user_ids)


def draft(
    content: str,
    embeds: list[EmbedInput],
    files: tuple[FileEffect, ...],
    poll: PollInput | None,
    buttons: list[ButtonInput],
) -> MessageDraft:
    """The same as the rules of preflight take it."""
    return MessageDraft(
        content=content,
        embeds=[embed.payload() for embed in embeds],
        file_bytes=tuple(file.size for file in files),
        buttons=tuple(LinkButton(button.label, button.url) for button in buttons),
        poll=None if poll is None else PollDraft(poll.question, tuple(poll.answers), poll.hours),
    )


def view_of(buttons: list[ButtonInput]) -> discord.ui.View | None:
    if not buttons:
        return None
    view = discord.ui.View(timeout=None)
    for button in buttons:
        view.add_item(discord.ui.Button[discord.ui.View](label=button.label, url=button.url))
    return view


def remote_media_problem(embeds: list[EmbedInput], *, tainted: bool) -> str | None:
    if not tainted or not any(embed.loads_remote_media for embed in embeds):
        return None
    return (
        "After reading text of others no embed may load a picture from elsewhere: what was read could leave by its "
        "address. Attach the picture as a file and name it attachment://<file name>."
    )
