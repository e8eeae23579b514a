"""One good call of every operation, for sweeps over the catalogue: the administrator's, with an effect if executed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from bot.catalogue import CATALOGUE
from operations.base import Delegate, Operation, Status, WriteOperation
from operations.plans import Asking, PersonProof
from operations.platform_writes import PlatformWrite
from policy.model import Face, Kind
from tests.app import Place, until

UNKNOWN_ID = "1000000000000000001"
OPERATIONS = [operation for operation in CATALOGUE if not issubclass(operation, Delegate)]
# What is offered to MCP clients, by whom the sweeps call; the rest has sweeps of its own.
IN_GUILD = [operation for operation in OPERATIONS if operation.in_guild and Face.MCP in operation.faces]
READS = [operation for operation in IN_GUILD if operation.kind is Kind.READ]
# What stands for another write takes that one's whole road.
WRITES: list[type[Operation]] = [operation for operation in IN_GUILD if issubclass(operation, WriteOperation)]
# What is Guildhall's own, and what goes to a person directly, has its tests in tests/stories/test_cases.py.
GUILD_WRITES = [
    operation for operation in WRITES if not issubclass(operation, PlatformWrite) and operation.name != "member_warn"
]
ADMINISTRATION = [operation for operation in OPERATIONS if Face.MCP not in operation.faces]


@dataclass(frozen=True, slots=True)
class Things:
    """Ids in one place that calls may name.

    ``own``: a message that ada sent through Guildhall. ``call``: a call of hers that can be undone. ``timed_out``: a
    member who is, ``banned``: a user. ``webhook``: of ``channel``, and ``webhook_thread`` a thread there. ``invite``: a
    code. ``locked_channel``: one that Guildhall has locked. ``case``: the number of one about ``member``.
    """

    guild: str
    channel: str
    spare_channel: str
    category: str
    message: str
    own: str
    member: str
    role: str
    call: str = UNKNOWN_ID
    staff_role: str = UNKNOWN_ID
    staff_channel: str = UNKNOWN_ID
    timed_out: str = UNKNOWN_ID
    banned: str = UNKNOWN_ID
    voice_channel: str = UNKNOWN_ID
    webhook: str = UNKNOWN_ID
    webhook_thread: str = UNKNOWN_ID
    invite: str = UNKNOWN_ID
    locked_channel: str = UNKNOWN_ID
    case: int = field(default=1, kw_only=True)


UNKNOWN = Things(
    guild=UNKNOWN_ID,
    channel=UNKNOWN_ID,
    spare_channel=UNKNOWN_ID,
    category=UNKNOWN_ID,
    message=UNKNOWN_ID,
    own=UNKNOWN_ID,
    member=UNKNOWN_ID,
    role=UNKNOWN_ID,
)
"""Ids of nothing that there is."""


async def things(place: Place) -> Things:
    edit = await place.call("channel_edit", "ada", channel=place.channel("mod-room"), topic="staff only", dry_run=False)
    return Things(
        guild=place.id,
        channel=place.channel("general"),
        spare_channel=place.channel("news"),
        category=place.channel("Talk"),
        message=await place.says("nina", "general", "a message to speak of"),
        own=await place.sent("ada", content="my own words"),
        member=place.member("nina"),
        role=place.role("Member"),
        call=edit.data["call_id"],
        staff_role=place.role("Moderator"),
        staff_channel=place.channel("mod-room"),
        timed_out=await timed_out_member(place),
        banned=await banned_user(place),
        voice_channel=place.channel("lounge"),
        webhook=await place.webhook("ada", "general", "Tide clock"),
        webhook_thread=await place.thread("ada", "general", "tides"),
        invite=await place.invite("ada", "general"),
        locked_channel=await locked_channel(place),
        case=await warned_case(place),
    )


async def locked_channel(place: Place) -> str:
    """A forum, which is locked by now."""
    caller = place.town.core.callers.of_member(place.guild_id, int(place.member("ada")), Face.SLASH)
    assert caller is not None
    channel_id = place.channel("help")
    asking = Asking(proof=PersonProof("slash"))
    asked = {"guild": place.id, "channel": channel_id}
    locked = await place.town.core.executor.run("channel_lock", asked, caller, asking=asking)
    assert locked.status in (Status.DONE, Status.REFUSED), locked
    return channel_id


async def warned_case(place: Place) -> int:
    """The number of a warning that nobody was told of."""
    warned = await place.done(
        "member_warn", "ada", member=place.member("nina"), notify=False, reason="a first warning", dry_run=False
    )
    number: int = warned["case"]
    return number


async def timed_out_member(place: Place) -> str:
    """A member who has just joined and was timed out, once the bot has heard of it."""
    added = await place.town.sandbox.control("add_member", guild=place.guild_id, name="tom")
    user_id = int(added["id"])
    await place.town.sandbox.control("timeout", guild=place.guild_id, user=user_id, seconds=86_400)
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None

    def arrived() -> bool:
        member = guild.get_member(user_id)
        return member is not None and member.is_timed_out()

    await until(arrived, "the timeout arrives")
    return str(user_id)


async def banned_user(place: Place) -> str:
    added = await place.town.sandbox.control("add_member", guild=place.guild_id, name="spam-bot")
    await place.town.sandbox.control("ban", guild=place.guild_id, user=int(added["id"]))
    return str(added["id"])


def sample(operation: type[Operation], known: Things) -> dict[str, Any]:
    """Every field that names an object is given. Raises KeyError for an operation that nobody has thought of yet."""
    return _SAMPLES[operation.name](known)


_SAMPLES: Mapping[str, Callable[[Things], dict[str, Any]]] = {
    "guild_list": lambda known: {},
    "guild_get": lambda known: {"guild": known.guild},
    "guild_modify": lambda known: {
        "guild": known.guild,
        "name": "Another Harbor",
        "description": "what it is about",
        "afk_channel": known.voice_channel,
        "system_channel": known.channel,
        "rules_channel": known.channel,
        "public_updates_channel": known.channel,
    },
    "guild_export": lambda known: {"guild": known.guild},
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
    "channel_permissions_edit": lambda known: {
        "guild": known.guild,
        "channel": known.channel,
        "role": known.role,
        "deny": ["send_messages"],
    },
    "channel_permissions_delete": lambda known: {
        "guild": known.guild,
        "channel": known.staff_channel,
        "role": known.staff_role,
    },
    "channel_permissions_list": lambda known: {"guild": known.guild, "channel": known.channel},
    "channel_lock": lambda known: {"guild": known.guild, "channel": known.channel},
    "channel_unlock": lambda known: {"guild": known.guild, "channel": known.locked_channel},
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
        "content": f"said here, <@{known.member}>",
        "reply_to": known.message,
        "ping": [known.member],
    },
    "message_edit": lambda known: {
        "guild": known.guild,
        "channel": known.channel,
        "message": known.own,
        "content": "other words",
    },
    "role_list": lambda known: {"guild": known.guild},
    "role_get": lambda known: {"guild": known.guild, "role": known.role},
    "role_create": lambda known: {"guild": known.guild, "name": "Helpers", "permissions": ["send_messages"]},
    "role_modify": lambda known: {
        "guild": known.guild,
        "role": known.role,
        "name": "Crew",
        "grant": ["manage_messages"],
    },
    "role_delete": lambda known: {"guild": known.guild, "role": known.role},
    "role_reorder": lambda known: {"guild": known.guild, "role": known.role, "above": known.staff_role},
    "role_assign": lambda known: {"guild": known.guild, "member": known.member, "role": known.staff_role},
    "role_remove": lambda known: {"guild": known.guild, "member": known.member, "role": known.role},
    "member_get": lambda known: {"guild": known.guild, "member": known.member},
    "member_list": lambda known: {"guild": known.guild},
    "member_warn": lambda known: {"guild": known.guild, "member": known.member, "reason": "no spam here, please"},
    "member_note": lambda known: {"guild": known.guild, "member": known.member, "text": "asked twice to stop"},
    "member_report": lambda known: {
        "guild": known.guild,
        "channel": known.channel,
        "message": known.message,
        "text": "this is spam",
    },
    "member_history": lambda known: {"guild": known.guild, "member": known.member},
    "case_list": lambda known: {"guild": known.guild, "member": known.member},
    "case_get": lambda known: {"guild": known.guild, "case": known.case},
    "case_edit": lambda known: {
        "guild": known.guild,
        "case": known.case,
        "new_reason": "spam, in three channels",
        "state": "open",
    },
    "member_kick": lambda known: {"guild": known.guild, "member": known.member},
    "member_ban": lambda known: {"guild": known.guild, "member": known.member, "delete_message_seconds": 3600},
    "member_timeout": lambda known: {"guild": known.guild, "member": known.member, "duration_seconds": 600},
    "member_unban": lambda known: {"guild": known.guild, "member": known.banned},
    "member_search": lambda known: {"guild": known.guild, "query": "ni"},
    "member_timeout_remove": lambda known: {"guild": known.guild, "member": known.timed_out},
    "member_edit": lambda known: {"guild": known.guild, "member": known.member, "nickname": "Nina of Harbor"},
    "ban_list": lambda known: {"guild": known.guild},
    "reaction_add": lambda known: {
        "guild": known.guild,
        "channel": known.channel,
        "message": known.message,
        "emoji": "👍",
    },
    "message_delete": lambda known: {"guild": known.guild, "channel": known.channel, "message": known.message},
    "message_bulk_delete": lambda known: {
        "guild": known.guild,
        "channel": known.channel,
        "messages": [known.message, known.own],
    },
    "message_purge": lambda known: {
        "guild": known.guild,
        "channel": known.channel,
        "author": known.member,
        "contains": "to speak of",
    },
    "thread_create": lambda known: {
        "guild": known.guild,
        "channel": known.channel,
        "message": known.message,
        "name": "about that",
    },
    "thread_list": lambda known: {"guild": known.guild, "channel": known.channel},
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
        "content": f"high water, <@{known.member}>",
        "thread": known.webhook_thread,
        "ping": [known.member],
    },
    "invite_create": lambda known: {"guild": known.guild, "channel": known.channel, "max_uses": 3},
    "invite_list": lambda known: {"guild": known.guild, "channel": known.channel},
    "invite_get": lambda known: {"guild": known.guild, "invite": known.invite},
    "invite_delete": lambda known: {"guild": known.guild, "invite": known.invite},
    "audit_list": lambda known: {"guild": known.guild, "member": known.member},
    "audit_get": lambda known: {"guild": known.guild, "call": known.call},
    "audit_revert": lambda known: {"guild": known.guild, "call": known.call},
    "guild_pause": lambda known: {"guild": known.guild, "minutes": 10},
    "guild_resume": lambda known: {"guild": known.guild, "member": known.member},
    "plan_get": lambda known: {"plan_id": "cl_aaaaaaaaaaaaaaaaa"},
    "plan_confirm": lambda known: {"plan_id": "cl_aaaaaaaaaaaaaaaaa", "plan_token": "cl_aaaaaaaaaaaaaaaaa.0"},
    "plan_cancel": lambda known: {"plan_id": "cl_aaaaaaaaaaaaaaaaa"},
    "privacy_get": lambda known: {"guild": known.guild},
    "my_data_get": lambda known: {"guild": known.guild},
    "data_forget": lambda known: {"guild": known.guild},
    "whoami": lambda known: {},
    "tool_search": lambda known: {"query": "send a message"},
    "policy_get": lambda known: {"guild": known.guild},
    "policy_set": lambda known: {"guild": known.guild, "write": "confirm"},
    "policy_test": lambda known: {"guild": known.guild, "member": known.member, "operation": "whoami"},
    "channel_policy_set": lambda known: {"guild": known.guild, "channel": known.channel, "destroy": "deny"},
    "approvers_set": lambda known: {"guild": known.guild, "roles": [known.staff_role]},
    "approvals_channel_set": lambda known: {"guild": known.guild, "channel": known.staff_channel},
    "log_channel_set": lambda known: {"guild": known.guild, "channel": known.staff_channel},
    "preset_set": lambda known: {"guild": known.guild, "preset": "moderation"},
    "agent_budget_set": lambda known: {"guild": known.guild, "scope": "guild", "tokens": 5000},
    "agent_model_set": lambda known: {"guild": known.guild, "model": "small"},
    "agent_usage_get": lambda known: {"guild": known.guild},
    "conversation_reset": lambda known: {"guild": known.guild, "channel": known.channel},
    "guild_claim": lambda known: {"guild": known.guild},
    "chat_channel_allow": lambda known: {"guild": known.guild, "channel": known.channel},
    "chat_channel_disallow": lambda known: {"guild": known.guild, "channel": known.channel},
    "token_create": lambda known: {"guild": known.guild, "name": "for a test"},
    "token_list": lambda known: {"guild": known.guild},
    "token_renew": lambda known: {"guild": known.guild, "client": "mc_1"},
    "token_revoke": lambda known: {"guild": known.guild, "client": "mc_1"},
    "policy_explain": lambda known: {
        "operation": "message_send",
        "arguments": {"channel": known.channel, "content": "hi"},
    },
}
KIND_OF_FIELD = {
    "role": "role",
    "above": "role",
    "member": "member",
    "author": "member",
    "reply_to": "message",
    "messages": "message",
    "ping": "member",
    "afk_channel": "channel",
    "system_channel": "channel",
    "rules_channel": "channel",
    "public_updates_channel": "channel",
    "move_to": "channel",
    "thread": "channel",
}
# Fields that stand for another one of the sample; both at once are refused.
ALTERNATIVES = {
    "agent_budget_set": {"role"},
    "member_report": {"member"},
    "channel_permissions_edit": {"member"},
    "channel_permissions_delete": {"member"},
    "role_reorder": {"below"},
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
