"""Refs: fields of an input that name a Discord object by id, name, mention or jump link."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field


@dataclass(frozen=True, slots=True)
class Ref:
    """Marks a field as the name of an object of this kind."""

    kind: str


@dataclass(frozen=True, slots=True)
class RefField:
    """A ref field of an input: the kind of object, and whether it takes a list."""

    kind: str
    many: bool


def _text(value: object) -> object:
    """Ids are decimal strings everywhere outside; integers are taken too."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else value


_Text = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=200)]

# The address of a webhook, the two last parts of it, or the token alone: whoever knows it may write as the webhook.
_WEBHOOK_SECRET = re.compile(r"/webhooks/|[0-9]{15,20}/[\w-]{8}|[\w-]{60}")


def _without_secret(text: str) -> str:
    """A webhook's token never enters the platform."""
    if _WEBHOOK_SECRET.search(text):
        raise ValueError("give the webhook's id or name alone; its address holds its token, which belongs nowhere else")
    return text


GuildRef = Annotated[_Text, Ref("guild")]
ChannelRef = Annotated[_Text, Ref("channel")]
CategoryRef = Annotated[_Text, Ref("category")]
MessageRef = Annotated[_Text, Ref("message")]
MemberRef = Annotated[_Text, Ref("member")]
# A member, or by id or mention anybody on Discord.
UserRef = Annotated[_Text, Ref("user")]
# A member, or by id or mention whoever may have been one: whether there is such a person is not asked.
PersonRef = Annotated[_Text, Ref("person")]
# Somebody who is banned here: by id, mention or exact username.
BannedRef = Annotated[_Text, Ref("ban")]
RoleRef = Annotated[_Text, Ref("role")]
MentionableRef = Annotated[_Text, Ref("mentionable")]
WebhookRef = Annotated[_Text, AfterValidator(_without_secret), Ref("webhook")]
InviteRef = Annotated[_Text, Ref("invite")]
# The id of something that is not looked up, such as an entry of Discord's audit log.
PlainId = Annotated[str, BeforeValidator(_text), Field(pattern=r"^[0-9]{15,20}$")]


def ref_fields(model: type[BaseModel]) -> Mapping[str, RefField]:
    """The ref fields of an input, by name."""
    found: dict[str, RefField] = {}
    for name, info in model.model_fields.items():
        marks = [mark for mark in info.metadata if isinstance(mark, Ref)]
        many = False
        if not marks:
            nested, many = _search(info.annotation, many=False)
            marks = [nested] if nested else []
        if marks:
            found[name] = RefField(marks[0].kind, many)
    return found


def _search(annotation: Any, *, many: bool) -> tuple[Ref | None, bool]:
    for mark in getattr(annotation, "__metadata__", ()):
        if isinstance(mark, Ref):
            return mark, many
    origin = getattr(annotation, "__origin__", None)
    for argument in get_args(annotation):
        found, inner_many = _search(argument, many=many or origin in (list, tuple, set, frozenset))
        if found:
            return found, inner_many
    return None, many
