"""One good call of every operation, for sweeps over the catalogue: the administrator's, with an effect if executed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from bot.catalogue import CATALOGUE
from operations.base import Delegate, Operation
from policy.model import Kind
from tests.app import Place

UNKNOWN_ID = "1000000000000000001"
OPERATIONS = [operation for operation in CATALOGUE if not issubclass(operation, Delegate)]
IN_GUILD = [operation for operation in OPERATIONS if operation.in_guild]
READS = [operation for operation in IN_GUILD if operation.kind is Kind.READ]
WRITES = [operation for operation in IN_GUILD if operation.kind is Kind.WRITE]


@dataclass(frozen=True, slots=True)
class Things:
    """Ids in one place that calls may name. ``own``: a message that ada sent through Guildhall. ``webhook``: of
    ``channel``, and ``webhook_thread`` a thread there. ``invite``: a code.
    """

    guild: str
    channel: str
    spare_channel: str
    category: str
    message: str
    own: str
    member: str
    role: str
    webhook: str = UNKNOWN_ID
    webhook_thread: str = UNKNOWN_ID
    invite: str = UNKNOWN_ID


async def things(place: Place) -> Things:
    return Things(
        guild=place.id,
        channel=place.channel("general"),
        spare_channel=place.channel("news"),
        category=place.channel("Talk"),
        message=await place.says("nina", "general", "a message to speak of"),
        own=await place.sent("ada", content="my own words"),
        member=place.member("nina"),
        role=place.role("Member"),
        webhook=await place.webhook("ada", "general", "Tide clock"),
        webhook_thread=await place.thread("ada", "general", "tides"),
        invite=await place.invite("ada", "general"),
    )


def sample(operation: type[Operation], known: Things) -> dict[str, Any]:
    """Every field that names an object is given. Raises KeyError for an operation that nobody has thought of yet."""
    return _SAMPLES[operation.name](known)


_SAMPLES: Mapping[str, Callable[[Things], dict[str, Any]]] = {
    "guild_list": lambda known: {},
    "guild_get": lambda known: {"guild": known.guild},
    "channel_list": lambda known: {"guild": known.guild},
    "channel_get": lambda known: {"guild": known.guild, "channel": known.channel},
    "channel_create": lambda known: {
        "guild": known.guild,
        "name": "made-here",
        "category": known.category,
        "topic": "what it is for",
        "overwrites": [
            {"role": known.role, "deny": ["send_messages"]},
            {"member": known.member, "allow": ["send_messages"]},
        ],
    },
    "channel_edit": lambda known: {
        "guild": known.guild,
        "channel": known.spare_channel,
        "name": "renamed",
        "category": known.category,
        "topic": "another topic",
    },
    "channel_delete": lambda known: {"guild": known.guild, "channel": known.spare_channel},
    "message_list_recent": lambda known: {
        "guild": known.guild,
        "channel": known.channel,
        "author": known.member,
        "contains": "message",
    },
    "message_get": lambda known: {"guild": known.guild, "channel": known.channel, "message": known.message},
    "message_send": lambda known: {
        "guild": known.guild,
        "channel": known.channel,
        "content": "said here",
        "reply_to": known.message,
        "ping": [known.member],
    },
    "message_edit": lambda known: {
        "guild": known.guild,
        "channel": known.channel,
        "message": known.own,
        "content": "other words",
    },
    "discord_audit_list": lambda known: {"guild": known.guild, "member": known.member},
    "webhook_create": lambda known: {"guild": known.guild, "channel": known.channel, "name": "Buoy"},
    "webhook_list": lambda known: {"guild": known.guild, "channel": known.channel},
    "webhook_get": lambda known: {"guild": known.guild, "channel": known.channel, "webhook": known.webhook},
    "webhook_modify": lambda known: {
        "guild": known.guild,
        "channel": known.channel,
        "webhook": known.webhook,
        "name": "Renamed",
        "move_to": known.spare_channel,
    },
    "webhook_delete": lambda known: {"guild": known.guild, "channel": known.channel, "webhook": known.webhook},
    "webhook_execute": lambda known: {
        "guild": known.guild,
        "channel": known.channel,
        "webhook": known.webhook,
        "content": "high water",
        "thread": known.webhook_thread,
        "ping": [known.member],
    },
    "invite_create": lambda known: {"guild": known.guild, "channel": known.channel, "max_uses": 3},
    "invite_list": lambda known: {"guild": known.guild, "channel": known.channel},
    "invite_get": lambda known: {"guild": known.guild, "invite": known.invite},
    "invite_delete": lambda known: {"guild": known.guild, "invite": known.invite},
    "audit_list": lambda known: {"guild": known.guild, "member": known.member},
    "whoami": lambda known: {},
    "tool_search": lambda known: {"query": "send a message"},
    "policy_explain": lambda known: {
        "operation": "message_send",
        "arguments": {"channel": known.channel, "content": "hi"},
    },
}
KIND_OF_FIELD = {
    "role": "role",
    "member": "member",
    "author": "member",
    "reply_to": "message",
    "ping": "member",
    "move_to": "channel",
    "thread": "channel",
}


def id_fields(arguments: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str | int, ...], str]]:
    """Every place in a sample that holds an id: its name, its path, and the kind of object."""
    for name, value in arguments.items():
        yield from _id_fields(name, (name,), value)


def _id_fields(name: str, path: tuple[str | int, ...], value: Any) -> Iterator[tuple[str, tuple[str | int, ...], str]]:
    if isinstance(value, str) and (name == "invite" or (value.isdecimal() and len(value) >= 15)):
        yield name, path, KIND_OF_FIELD.get(name, name)
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _id_fields(name, (*path, index), item)
    elif isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield from _id_fields(key, (*path, key), item)


def replaced(arguments: Any, path: tuple[str | int, ...], value: str) -> Any:
    """The same arguments with another value at this path."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(arguments, list):
        items = cast("list[Any]", arguments)
        return [replaced(item, rest, value) if index == step else item for index, item in enumerate(items)]
    fields = cast("dict[str, Any]", arguments)
    return {key: replaced(item, rest, value) if key == step else item for key, item in fields.items()}
