"""Random arguments for every operation: derived from its input and its refs, or by a generator of its own."""

from __future__ import annotations

import datetime
import random
import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from operations.base import Common, Model, Operation
from operations.refs import Ref
from tests.truth.worlds import IN_CHANNELS, POWERS, Scene

UNKNOWN_ID = 1000000000000000001
RARELY = 0.06
TRIES = 50


class NoGenerator(Exception):
    """An operation has an argument that nobody knows how to draw; the text says which, and where to add it."""


# --------------------------------------------------------------------- objects
def _messages(rng: random.Random, scene: Scene) -> str:
    return str(rng.choice(scene.said).message_id)


def _mentionable(rng: random.Random, scene: Scene) -> str:
    if rng.random() < 0.25:
        return rng.choice(["everyone", "here"])
    return str(rng.choice([*scene.members, *scene.roles]))


REFS: Mapping[str, Callable[[random.Random, Scene], str]] = {
    "guild": lambda rng, scene: str(scene.guild_id),
    "channel": lambda rng, scene: str(
        rng.choice([*scene.everywhere, *scene.everywhere, *scene.of_kinds("category"), *scene.threads])
    ),
    "category": lambda rng, scene: str(rng.choice(scene.of_kinds("category"))),
    "thread": lambda rng, scene: str(rng.choice(scene.threads or scene.everywhere)),
    "message": _messages,
    "member": lambda rng, scene: str(rng.choice([*scene.members, *scene.members, scene.bot_id])),
    "user": lambda rng, scene: str(rng.choice([*scene.banned, *scene.members])),
    "ban": lambda rng, scene: str(rng.choice([*scene.banned * 8, *scene.members])),
    "role": lambda rng, scene: str(rng.choice([*scene.roles, *scene.roles, scene.guild_id])),
    "mentionable": _mentionable,
    "webhook": lambda rng, scene: str(rng.choice([*scene.webhook_channels] or [UNKNOWN_ID])),
    "invite": lambda rng, scene: rng.choice(scene.invites or ["nowhere"]),
}

# ---------------------------------------------------------------------- values
Draw = Callable[[random.Random, Scene], Any]


def words(most: int) -> Draw:
    """Mostly a few words; sometimes at a boundary of what Discord takes, or beyond."""

    def draw(rng: random.Random, _: Scene) -> str:
        if rng.random() < RARELY:
            return rng.choice(["", " ", "x" * most, "x" * (most + 1), "é" * most])
        return " ".join(rng.choice(["tide", "harbor", "lamp", "rope"]) for _ in range(rng.randint(1, 4)))

    return draw


def number(low: int, high: int, *usual: int) -> Draw:
    """Mostly a usual one; sometimes at a boundary, or beyond."""

    def draw(rng: random.Random, _: Scene) -> int:
        return rng.choice([low - 1, low, high, high + 1]) if rng.random() < 2 * RARELY else rng.choice(usual or (low,))

    return draw


def channel_name(rng: random.Random, scene: Scene) -> str:
    if rng.random() < 0.02:
        return words(100)(rng, scene)
    return f"{rng.choice(['tide', 'harbor', 'lamp'])}-{rng.randrange(100)}"


def permission_names(rng: random.Random, _: Scene) -> list[str]:
    return rng.sample([*IN_CHANNELS, *POWERS[1:]], rng.randint(0, 3))


def moment(rng: random.Random, _: Scene) -> str:
    """Mostly within the 28 days of a timeout."""
    days = rng.choice([-1.0, 27.9, 29.0]) if rng.random() < RARELY else rng.uniform(0.01, 20)
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)).isoformat()


def address(rng: random.Random) -> str:
    return rng.choice(["ftp://example.com", "no url"]) if rng.random() < RARELY else "https://example.com/a"


def token(rng: random.Random, scene: Scene) -> str:
    return rng.choice([*scene.tokens] or ["mc_nowhere"]) if rng.random() > RARELY else "mc_nowhere"


def scopes(rng: random.Random, _: Scene) -> list[str]:
    named = ["read", "write", "messages:write", "channels:read"]
    return ["admin:policy"] if rng.random() < RARELY else ["?"] if rng.random() < RARELY else rng.sample(named, 2)


def toolsets(rng: random.Random, _: Scene) -> list[str]:
    return rng.sample(["messages", "channels", "roles", "administration" if rng.random() < RARELY else "members"], 2)


def tiers(rng: random.Random, _: Scene) -> dict[str, str]:
    """Mostly of a write that can be raised."""
    name = rng.choice(["message_send", "channel_edit", "role_create", "reaction_add"])
    if rng.random() < 2 * RARELY:
        name = rng.choice(["guild_list", "stellar_move", "member_kick"])
    return {name: rng.choice(["risky", "critical"] if rng.random() > RARELY else ["none"])}


def role_map(rng: random.Random, scene: Scene) -> dict[str, str]:
    role = str(rng.choice(scene.roles)) if rng.random() > RARELY else str(UNKNOWN_ID)
    return {role: rng.choice(["manager", "admin", "none", "member"])}


def case_number(rng: random.Random, scene: Scene) -> int:
    return rng.choice([*scene.cases] or [1]) if rng.random() > RARELY else 9_999


FIELDS: Mapping[str, Draw] = {
    "content": words(2000),
    "topic": words(1024),
    "reason": words(400),
    "allow": permission_names,
    "deny": permission_names,
    "permissions": permission_names,
    "grant": permission_names,
    "revoke": permission_names,
    "nickname": words(32),
    "until": moment,
    "since": moment,
    "contains": words(200),
    "avatar": lambda rng, _: None,
    "max_age_seconds": number(0, 604_800, 0, 3_600, 86_400),
    "max_uses": number(0, 100, 0, 1, 10),
    "auto_archive_minutes": lambda rng, _: rng.choice([60, 1440, 4320, 10080, 5]),
    "afk_timeout_seconds": lambda rng, _: rng.choice([60, 300, 900, 1800, 3600, 7]),
    "preferred_locale": lambda rng, _: rng.choice(["en-US", "de", "fr", "xx"]),
    "emoji": lambda rng, _: rng.choice(["\N{THUMBS UP SIGN}", "\N{WHITE HEAVY CHECK MARK}", "tide", "<:tide:1>"]),
    "slowmode_seconds": number(0, 21_600, 0, 5, 60),
    "bitrate": number(8_000, 96_000, 64_000, 48_000),
    "user_limit": number(0, 99, 0, 10),
    "duration_seconds": number(1, 28 * 86_400, 60, 3_600, 86_400),
    "delete_message_seconds": number(0, 604_800, 0, 3_600),
    "hours": number(1, 768, 1, 24),
    "color": number(0, 0xFFFFFF, 0, 0x336699),
    "url": lambda rng, _: address(rng),
    "image_url": lambda rng, _: address(rng),
    "thumbnail_url": lambda rng, _: address(rng),
}
# By operation and field, where the name alone would mislead.
ONLY_FOR: Mapping[tuple[str, str], Draw] = {
    ("case_edit", "case"): case_number,
    ("case_edit", "new_reason"): words(1_000),
    ("policy_set", "tiers"): tiers,
    ("policy_set", "role_map"): role_map,
    ("token_create", "name"): words(80),
    ("token_create", "scopes"): scopes,
    ("token_create", "toolsets"): toolsets,
    ("token_renew", "client"): token,
    ("token_revoke", "client"): token,
    ("guild_resume", "client"): token,
    ("channel_create", "name"): channel_name,
    ("channel_edit", "name"): channel_name,
    ("channel_permissions_edit", "clear"): permission_names,
    ("role_reorder", "position"): number(1, 6, 1, 2, 3, 4),
    ("role_create", "name"): words(100),
    ("role_modify", "name"): words(100),
    ("webhook_create", "name"): words(80),
    ("webhook_modify", "name"): words(80),
    ("thread_create", "name"): words(100),
    ("EmbedInput", "title"): words(256),
    ("EmbedInput", "description"): words(4096),
    ("EmbedInput", "footer"): words(2048),
    ("EmbedInput", "author"): words(256),
    ("EmbedField", "name"): words(256),
    ("EmbedField", "value"): words(1024),
    ("PollInput", "question"): words(300),
    ("PollInput", "answers"): lambda rng, scene: [words(55)(rng, scene) for _ in range(rng.choice([1, 2, 3, 10, 11]))],
    ("ButtonInput", "label"): words(80),
    ("FileInput", "name"): lambda rng, _: rng.choice(["a.txt", "b.png"]),
    ("FileInput", "data"): lambda rng, _: "aGVsbG8=" if rng.random() > RARELY else "no base64!",
    # A file behind an address is fetched by the product itself; tests/operations/test_file_fetch.py has those.
    ("FileInput", "url"): lambda rng, _: None,
}
ALWAYS = frozenset({("FileInput", "data"), ("EmbedInput", "description")})
LEFT_OUT = frozenset({"cursor", "idempotency_key", "dry_run", "plan_token"})


def derived(rng: random.Random, scene: Scene, model: type[BaseModel], owner: str) -> dict[str, Any]:
    """Arguments for an input, as JSON values. Raises NoGenerator."""
    found: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        always = name == "guild" or (owner, name) in ALWAYS or info.is_required()
        if name in LEFT_OUT or (not always and rng.random() < 0.6):
            continue
        value = _value(rng, scene, name, info, owner)
        if value is not None:
            found[name] = value
    return found


def _value(rng: random.Random, scene: Scene, name: str, info: FieldInfo, owner: str) -> Any:
    draw = ONLY_FOR.get((owner, name))
    if draw is not None:
        return draw(rng, scene)
    ref = next((mark for mark in info.metadata if isinstance(mark, Ref)), None)
    if ref is not None:
        return _object(rng, scene, ref.kind, f"{owner}.{name}")
    if name in FIELDS:
        return FIELDS[name](rng, scene)
    return _of(rng, scene, info.annotation, f"{owner}.{name}", info.metadata)


def _object(rng: random.Random, scene: Scene, kind: str, where: str) -> str:
    if kind not in REFS:
        raise NoGenerator(f"{where}: nobody draws a {kind}; add it to REFS in tests/truth/arguments.py")
    if kind != "guild" and rng.random() < 0.02:
        return str(UNKNOWN_ID)
    return REFS[kind](rng, scene)


def _of(rng: random.Random, scene: Scene, annotation: Any, where: str, metadata: list[Any]) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        marks = [*annotation.__metadata__]
        ref = next((mark for mark in marks if isinstance(mark, Ref)), None)
        if ref is not None:
            return _object(rng, scene, ref.kind, where)
        inner = [mark for mark in marks if not isinstance(mark, FieldInfo)]
        inner += [each for mark in marks if isinstance(mark, FieldInfo) for each in mark.metadata]
        return _of(rng, scene, arguments[0], where, inner)
    if origin in (Union, types.UnionType):
        return _of(rng, scene, rng.choice([each for each in arguments if each is not type(None)]), where, metadata)
    if origin is Literal:
        return rng.choice(arguments)
    if origin in (list, tuple, set, frozenset):
        least, most = _bounds(metadata, MinLen, MaxLen)
        count = max(least, rng.choice([0, 1, 1, 2, 2, 3]))
        return [
            _of(rng, scene, arguments[0], where, []) for _ in range(min(count, most if most is not None else count))
        ]
    if isinstance(annotation, type):
        return _plain(rng, scene, annotation, where, metadata)
    raise NoGenerator(f"{where}: nobody draws {annotation}; add it to FIELDS or ONLY_FOR in tests/truth/arguments.py")


def _plain(rng: random.Random, scene: Scene, kind: type[Any], where: str, metadata: list[Any]) -> Any:
    if issubclass(kind, BaseModel):
        return derived(rng, scene, kind, kind.__name__)
    if kind is bool:
        return rng.random() < 0.3
    if kind is int:
        low, high = _range(metadata)
        return number(low, high, rng.randint(low, high))(rng, scene)
    if kind is str:
        _, most = _bounds(metadata, MinLen, MaxLen)
        return words(most or 100)(rng, scene)
    raise NoGenerator(
        f"{where}: nobody draws a {kind.__name__}; add it to FIELDS or ONLY_FOR in tests/truth/arguments.py"
    )


def _bounds(metadata: list[Any], least: type[MinLen], most: type[MaxLen]) -> tuple[int, int | None]:
    low = next((mark.min_length for mark in metadata if isinstance(mark, least)), 0)
    high = next((mark.max_length for mark in metadata if isinstance(mark, most)), None)
    return low, high


def _range(metadata: list[Any]) -> tuple[int, int]:
    low, high = 0, 100
    for mark in metadata:
        match mark:
            case Ge(ge=int(value)):
                low = value
            case Gt(gt=int(value)):
                low = value + 1
            case Le(le=int(value)):
                high = value
            case Lt(lt=int(value)):
                high = value - 1
            case _:
                pass
    return low, max(low, high)


# ------------------------------------------------------------------ operations
# The last argument: who asks.
Generator = Callable[[random.Random, Scene, type[Operation], int], dict[str, Any]]


# What each kind of channel has: https://discord.com/developers/docs/resources/channel#modify-channel
SETTINGS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"topic", "slowmode_seconds", "nsfw"}),
    "announcement": frozenset({"topic", "nsfw"}),
    "voice": frozenset({"bitrate", "user_limit", "nsfw"}),
    "stage": frozenset({"bitrate", "user_limit", "nsfw"}),
    "forum": frozenset({"topic", "slowmode_seconds", "nsfw"}),
    "media": frozenset({"topic", "slowmode_seconds", "nsfw"}),
    "category": frozenset(),
}
ALL_SETTINGS = frozenset({"topic", "slowmode_seconds", "nsfw", "bitrate", "user_limit"})


def _fitting(rng: random.Random, given: dict[str, Any], kind: str) -> dict[str, Any]:
    """Mostly only what this kind of channel has."""
    if rng.random() < RARELY:
        return given
    return {name: value for name, value in given.items() if name not in ALL_SETTINGS - SETTINGS[kind]}


def _create_channel(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    given = derived(rng, scene, operation.Input, operation.name)
    if rng.random() < 0.6:
        given["type"] = rng.choice(["text", "voice", "forum", "category"])
    kind = given.get("type", "text")
    if kind == "category" and rng.random() > RARELY:
        given.pop("category", None)
    if rng.random() < 0.5:
        given.pop("overwrites", None)
    return _fitting(rng, given, kind)


def _edit_channel(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    given = derived(rng, scene, operation.Input, operation.name)
    kind = next((kind for kind, ids in scene.channels.items() if int(given["channel"]) in ids), "text")
    return _fitting(rng, given, kind)


def _of_message(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int = 0) -> dict[str, Any]:
    """A message is named with the channel that it is in; now and then with another."""
    given = derived(rng, scene, operation.Input, operation.name)
    said = rng.choice(scene.said)
    given["message"] = str(said.message_id)
    given["channel"] = str(said.channel_id if rng.random() > RARELY else rng.choice(scene.everywhere))
    return given


def _edit_message(rng: random.Random, scene: Scene, operation: type[Operation], requester: int) -> dict[str, Any]:
    given = _of_message(rng, scene, operation)
    own = [each for each in scene.said if each.own_of == requester]
    if own and rng.random() < 0.8:
        said = rng.choice(own)
        given |= {"message": str(said.message_id), "channel": str(said.channel_id)}
    return given


def _with_mentions(rng: random.Random, scene: Scene, given: dict[str, Any]) -> None:
    """Mostly a text mentions those whom it shall notify."""
    if rng.random() < RARELY:
        return
    roles = {str(role_id) for role_id in scene.roles}
    mentions = [
        f"@{whom}" if not whom.isdecimal() else f"<@&{whom}>" if whom in roles else f"<@{whom}>"
        for whom in given.get("ping", ())
    ]
    if mentions:
        given["content"] = f"{given.get('content', '')} {' '.join(mentions)}"


def _send_message(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    given = derived(rng, scene, operation.Input, operation.name)
    given.setdefault("content", words(2000)(rng, scene))
    for name in ("embeds", "files", "poll", "buttons", "ping", "crosspost"):
        if name in given and rng.random() < 0.5:
            del given[name]
    if rng.random() > RARELY and int(given["channel"]) in scene.of_kinds("category", "forum"):
        given["channel"] = str(rng.choice(scene.of_kinds("text", "voice", "announcement")))
    if int(given["channel"]) not in scene.of_kinds("announcement") and rng.random() > RARELY:
        given.pop("crosspost", None)
    if "reply_to" in given:
        here = [each for each in scene.said if str(each.channel_id) == given["channel"]]
        if here and rng.random() > RARELY:
            given["reply_to"] = str(rng.choice(here).message_id)
    _with_mentions(rng, scene, given)
    return given


def one_of(*names: str) -> Generator:
    """Of these arguments exactly one is given."""

    def draw(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
        given = derived(rng, scene, operation.Input, operation.name)
        chosen = rng.choice(names)
        info = operation.Input.model_fields[chosen]
        given[chosen] = _value(rng, scene, chosen, info, operation.name)
        return {name: value for name, value in given.items() if name == chosen or name not in names}

    return draw


def _edit_permissions(rng: random.Random, scene: Scene, operation: type[Operation], requester: int) -> dict[str, Any]:
    """Mostly each permission in one list only, and of a few."""
    given = one_of("role", "member")(rng, scene, operation, requester)
    named = rng.sample(IN_CHANNELS, rng.randint(1, 4))
    cuts = sorted(rng.choices(range(len(named) + 1), k=2))
    lists = {"allow": named[: cuts[0]], "deny": named[cuts[0] : cuts[1]], "clear": named[cuts[1] :]}
    return {**{name: value for name, value in given.items() if name not in lists}, **lists}


def _of_webhook(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    """A webhook, mostly with the channel that it posts to or with none."""
    given = derived(rng, scene, operation.Input, operation.name)
    webhook_id, channel_id = rng.choice(list(scene.webhook_channels.items()) or [(UNKNOWN_ID, scene.everywhere[0])])
    given["webhook"] = str(webhook_id)
    if rng.random() > RARELY:
        given["channel"] = str(channel_id)
    if "thread" in given and rng.random() > RARELY:
        del given["thread"]
    _with_mentions(rng, scene, given)
    return given


def _bulk_delete(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    given = derived(rng, scene, operation.Input, operation.name)
    channel_id = rng.choice(scene.said).channel_id
    here = [str(each.message_id) for each in scene.said if each.channel_id == channel_id]
    elsewhere = [str(rng.choice(scene.said).message_id)] if rng.random() < RARELY else []
    return {**given, "channel": str(channel_id), "messages": [*here, *elsewhere]}


def _purge(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    """Mostly of a channel where something was said, and of no time in particular."""
    given = derived(rng, scene, operation.Input, operation.name)
    if rng.random() > RARELY:
        given["channel"] = str(rng.choice(scene.said).channel_id)
        for name in ("since", "until", "contains", "within_seconds"):
            given.pop(name, None)
    return given


def _ban(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    """For good, for a time, or until a moment."""
    given = derived(rng, scene, operation.Input, operation.name)
    given.pop(rng.choice(["duration_seconds", "until"]), None)
    return given


def _create_thread(rng: random.Random, scene: Scene, operation: type[Operation], requester: int) -> dict[str, Any]:
    given = derived(rng, scene, operation.Input, operation.name)
    if "message" in given and rng.random() > RARELY:
        given |= {**_of_message(rng, scene, operation, requester), "private": False}
    return given


def _warn(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    """Mostly with the reason that a warning takes."""
    given = derived(rng, scene, operation.Input, operation.name)
    return given if rng.random() < RARELY else {**given, "reason": words(400)(rng, scene)}


def _report(rng: random.Random, scene: Scene, operation: type[Operation], requester: int) -> dict[str, Any]:
    """Somebody with words, or a message mostly with its channel."""
    if rng.random() < 0.5:
        given = one_of("member", "message")(rng, scene, operation, requester)
        return {**given, "text": "what is wrong"} if "member" in given else {**given, **_place(rng, scene)}
    given = derived(rng, scene, operation.Input, operation.name)
    return {**{name: value for name, value in given.items() if name != "member"}, **_place(rng, scene)}


def _place(rng: random.Random, scene: Scene) -> dict[str, str]:
    said = rng.choice(scene.said)
    elsewhere = rng.choice(scene.everywhere) if rng.random() < RARELY else said.channel_id
    return {"message": str(said.message_id), "channel": str(elsewhere)}


def _unlock(rng: random.Random, scene: Scene, operation: type[Operation], _requester: int) -> dict[str, Any]:
    """Mostly where Guildhall has locked something."""
    given = derived(rng, scene, operation.Input, operation.name)
    return {**given, "channel": str(rng.choice(scene.locked))} if scene.locked and rng.random() < 0.7 else given


OPERATIONS: Mapping[str, Generator] = {
    "channel_unlock": _unlock,
    "member_warn": _warn,
    "member_report": _report,
    "approvals_channel_set": one_of("channel", "off"),
    "log_channel_set": one_of("channel", "off"),
    "channel_permissions_delete": one_of("role", "member"),
    "channel_permissions_edit": _edit_permissions,
    "member_timeout": one_of("duration_seconds", "until"),
    "message_bulk_delete": _bulk_delete,
    "message_delete": _of_message,
    "message_purge": _purge,
    "member_ban": _ban,
    "reaction_add": _of_message,
    "webhook_delete": _of_webhook,
    "webhook_execute": _of_webhook,
    "webhook_modify": _of_webhook,
    "role_reorder": one_of("above", "below", "position"),
    "thread_create": _create_thread,
    "channel_create": _create_channel,
    "channel_edit": _edit_channel,
    "message_edit": _edit_message,
    "message_get": _of_message,
    "message_send": _send_message,
}


def parsed(operation: type[Operation], given: Mapping[str, Any]) -> tuple[Model, str | None]:
    """The operation's own arguments, and the reason that every write takes. Raises ValidationError."""
    if "reason" in operation.Input.model_fields:
        return operation.Input.model_validate(given), None
    common = Common.model_validate({name: given[name] for name in ("reason",) if name in given})
    own = {name: value for name, value in given.items() if name != "reason"}
    return operation.Input.model_validate(own), common.reason


def arguments_for(rng: random.Random, scene: Scene, operation: type[Operation], requester: int) -> dict[str, Any]:
    """Arguments that the input takes, as JSON values.

    Raises NoGenerator when nobody knows how to draw them, or when what is drawn is never taken.
    """
    generate = OPERATIONS.get(operation.name)
    failed: ValidationError | None = None
    for _ in range(TRIES):
        given = (
            derived(rng, scene, operation.Input, operation.name)
            if generate is None
            else generate(rng, scene, operation, requester)
        )
        try:
            parsed(operation, given)
        except ValidationError as error:
            failed = error
        else:
            return given
    raise NoGenerator(f"{operation.name}: no drawn arguments are taken; give it a generator of its own: {failed}")
