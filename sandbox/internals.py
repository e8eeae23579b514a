"""Every touch of simcord's internals: the simulated Discord itself.

simcord 3.2.1 models guilds, permissions, hierarchy, validation, interactions and the audit log. Its backend is not a
public API, so this module is the only one of the package that imports simcord; it checks at import that everything it
leans on is still there, and names what moved.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import dataclasses
import importlib.metadata
import inspect
import pickle
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import discord
from simcord._clock import Clock
from simcord.actors import MemberActor, _autocomplete_result
from simcord.backend import cdn, serializers
from simcord.backend.access import channel_accessible, message_accessible
from simcord.backend.errors import BackendError, SetupError
from simcord.backend.models import (
    EPHEMERAL_FLAG,
    Channel,
    Guild,
    Member,
    Message,
    Overwrite,
    Poll,
    PollAnswer,
    User,
)
from simcord.backend.models import channel as channel_models
from simcord.backend.state import Backend
from simcord.builders import ChannelHandle, GuildHandle, RoleHandle, UserHandle
from simcord.enums import AppCommandType, OverwriteType
from simcord.env import Env
from simcord.gateway import FakeGateway, FakeWebSocket
from simcord.http import router
from simcord.http import routes as _routes
from simcord.intents import PRIVILEGED_INTENTS
from simcord.interactions import command_leaves
from simcord.results import InteractionResult, ResponseMessage

__all__ = [
    "EPHEMERAL_FLAG",
    "PRIVILEGED_INTENTS",
    "AppCommandType",
    "Backend",
    "BackendError",
    "Channel",
    "ChannelHandle",
    "Clock",
    "Guild",
    "GuildExtras",
    "GuildHandle",
    "InteractionResult",
    "Member",
    "MemberActor",
    "Message",
    "Overwrite",
    "OverwriteType",
    "Poll",
    "PollAnswer",
    "RemoteBotEnv",
    "ResponseMessage",
    "RoleHandle",
    "SessionFilter",
    "SetupError",
    "User",
    "UserHandle",
    "acting_as",
    "autocomplete",
    "cdn_blob",
    "channel_accessible",
    "command_leaves",
    "dispatch",
    "guild_extras",
    "interaction_state",
    "is_age_restricted",
    "message_accessible",
    "new_channels_restricted",
    "parse_form",
    "restrict_age",
    "serializers",
    "set_cdn_base",
    "silently",
    "snapshot",
    "trim",
    "verify",
]

SUPPORTED_VERSION = "3.2.1"

_T = TypeVar("_T")

_MEMBERS: dict[type, tuple[str, ...]] = {
    Env: ("_begin_operation", "_end_operation", "_settle_internal", "_mark_mutation"),
    FakeGateway: ("feed", "deliver"),
    FakeWebSocket: ("request_chunks",),
    MemberActor: ("send", "edit", "delete", "slash", "context_menu", "click", "select", "submit_modal", "react"),
    UserHandle: ("edit", "delete", "slash", "click", "select", "submit_modal", "set_reaction", "dm_channel"),
    InteractionResult: ("acknowledged", "modal", "response", "followups", "autocomplete_choices"),
    Backend: (
        "add_member",
        "bulk_delete_messages",
        "commit_message",
        "compute_permissions",
        "create_channel",
        "create_guild",
        "create_message",
        "create_role",
        "create_thread",
        "delete_message",
        "delete_overwrite",
        "edit_message",
        "emit",
        "get_dm_channel",
        "make_user",
        "prepare_message",
        "record_audit_log",
        "remove_guild",
        "remove_member",
        "reorder_roles",
        "require_permissions",
        "set_overwrite",
        "set_pinned",
        "set_reaction",
        "set_voice_state",
        "store_attachments",
        "visible_commands",
    ),
}
_BACKEND_STATE = (
    "_reserved_ids",
    "_sequences",
    "bot_user",
    "cdn",
    "channels",
    "dm_channels",
    "guilds",
    "http_requests",
    "interaction_tokens",
    "interactions",
    "invites",
    "messages",
    "stage_instances",
    "subscribers",
    "transcript",
    "users",
    "webhook_tokens",
    "webhooks",
)
_ENV_STATE = ("_generation", "_message_states", "_started", "backend", "bot")
_PARAMETERS: tuple[tuple[Callable[..., Any], frozenset[str]], ...] = (
    (router.dispatch, frozenset({"backend", "method", "path", "json", "params", "files", "reason"})),
    (router.parse_form, frozenset({"form", "files"})),
    (Backend.__init__, frozenset({"clock"})),
    (FakeGateway.__init__, frozenset({"backend", "connection_state"})),
    (FakeWebSocket.__init__, frozenset({"backend", "gateway", "shard_id"})),
    (Env._settle_internal, frozenset({"dispatch"})),
    (command_leaves, frozenset({"command"})),
    (message_accessible, frozenset({"backend", "channel_id", "message", "viewer_id"})),
    (Backend.visible_commands, frozenset({"user_id", "channel_id", "type"})),
    (_autocomplete_result, frozenset({"actor", "channel", "name", "option", "value", "filled"})),
)


def verify() -> None:
    """Name everything of simcord that is not where this module expects it.

    Raises RuntimeError: the sandbox would otherwise fail later, and less clearly.
    """
    moved: list[str] = []
    version = importlib.metadata.version("simcord")
    if version != SUPPORTED_VERSION:
        moved.append(f"version {version} is installed, {SUPPORTED_VERSION} is expected")
    for owner, names in _MEMBERS.items():
        moved += [f"{owner.__qualname__}.{name} is gone" for name in names if not hasattr(owner, name)]
    backend = Backend()
    moved += [f"Backend().{name} is gone" for name in _BACKEND_STATE if not hasattr(backend, name)]
    for function, needed in _PARAMETERS:
        missing = needed - inspect.signature(function).parameters.keys()
        moved += [f"{function.__qualname__} no longer takes {name}" for name in sorted(missing)]
    if not hasattr(cdn, "CDN_BASE") or not hasattr(backend.cdn, "_blobs"):
        moved.append("the fake CDN keeps its address or its files elsewhere")
    if not hasattr(channel_models, "THREAD_TYPES") or not hasattr(serializers, "guild_create_payload"):
        moved.append("the kinds of threads or the payload of a guild are made elsewhere")
    if not getattr(_routes, "__all__", None) or not router._ROUTES:
        moved.append("importing simcord.http.routes registers no route")
    if moved:
        raise RuntimeError("simcord changed beneath sandbox/internals.py: " + "; ".join(moved))


class CappedList(list[_T]):
    """A list that forgets its oldest entries, so that a log may be appended to for days."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def append(self, entry: _T, /) -> None:
        super().append(entry)
        if len(self) > self._limit:
            del self[: len(self) - self._limit]


_NSFW = "nsfw"
_channel_payload = serializers.channel_payload


def _payload_with_age(backend: Backend, channel: Channel) -> Any:
    """simcord's, with `nsfw`, which its channels lack. It stands on the channel itself, so that a copy has it too; on
    the backend while a channel is made.
    """
    payload = cast("dict[str, Any]", _channel_payload(backend, channel))
    if channel.guild_id is not None and not channel.is_thread:
        payload[_NSFW] = bool(vars(channel).get(_NSFW, vars(backend).get(_NSFW, False)))
    return payload


serializers.channel_payload = _payload_with_age


def is_age_restricted(channel: Channel) -> bool:
    return bool(vars(channel).get(_NSFW, False))


def restrict_age(channel: Channel, *, nsfw: bool) -> None:
    setattr(channel, _NSFW, nsfw)


@contextmanager
def new_channels_restricted(backend: Backend, *, nsfw: bool) -> Generator[None]:
    """Channels that are made inside are announced as age-restricted or not. Only for code that doesn't await."""
    setattr(backend, _NSFW, nsfw)
    try:
        yield
    finally:
        setattr(backend, _NSFW, False)


class RemoteBotEnv(Env):
    """simcord's environment for a bot in another process: actors and builders act, and nothing is awaited of the bot.

    Actions may overlap (several people act at once), so the guard against overlapping operations is off; who needs the
    bot's answer to an interaction waits for it outside.
    """

    def __init__(self, clock: Clock, *, bot_name: str, log_entries: int = 500) -> None:
        # The client is never connected: simcord builds its Message objects with it.
        super().__init__(discord.Client(intents=discord.Intents.all()))
        self.backend = Backend(clock=clock)
        self.backend.transcript = CappedList(log_entries)
        self.backend.http_requests = CappedList(log_entries)
        self.backend.bot_user.name = bot_name
        self._started = True
        self._generation = 1
        self._message_states.add(self.bot._connection)
        missing = [name for name in _ENV_STATE if not hasattr(self, name)]
        if missing:
            raise RuntimeError(f"simcord changed beneath sandbox/internals.py: Env has no {', '.join(missing)}")

    def _begin_operation(self, label: str) -> None:
        return

    def _end_operation(self) -> None:
        return

    async def _settle_internal(self, *args: Any, **kwargs: Any) -> None:
        return


class _Parsers(dict[str, Callable[[dict[str, Any]], None]]):
    """Stands where discord.py's event parsers would: every event goes to one sink."""

    def __init__(self, sink: Callable[[str, dict[str, Any]], None]) -> None:
        super().__init__()
        self._sink = sink

    def __missing__(self, event: str) -> Callable[[dict[str, Any]], None]:
        def parse(payload: dict[str, Any]) -> None:
            self._sink(event, payload)

        return parse

    def get(self, event: str, default: Any = None, /) -> Callable[[dict[str, Any]], None]:
        return self[event]


class _ConnectionState:
    def __init__(self, intents: discord.Intents, sink: Callable[[str, dict[str, Any]], None]) -> None:
        self.intents = intents
        self.parsers = _Parsers(sink)


class SessionFilter:
    """What one gateway session gets of an event: simcord's filter by intents, content and member lists."""

    def __init__(
        self,
        backend: Backend,
        intents: discord.Intents,
        shard_id: int,
        sink: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self._gateway = FakeGateway(backend, _ConnectionState(intents, sink))
        self._socket = FakeWebSocket(backend, self._gateway, shard_id=shard_id)

    def feed(self, event: str, payload: Mapping[str, Any]) -> None:
        self._gateway.feed(event, payload)

    async def request_members(
        self,
        guild_id: int,
        *,
        query: str | None,
        limit: int,
        user_ids: list[int] | None,
        presences: bool,
        nonce: str | None,
    ) -> None:
        """Answer opcode 8 with GUILD_MEMBERS_CHUNK events to this session."""
        await self._socket.request_chunks(
            guild_id, query, limit=limit, user_ids=user_ids, presences=presences, nonce=nonce
        )


def dispatch(
    backend: Backend,
    method: str,
    path: str,
    *,
    body: Any = None,
    query: Mapping[str, str] | None = None,
    files: list[Any] | None = None,
    reason: str | None = None,
) -> Any:
    """Run one REST route on the backend as its bot user. Raises BackendError with Discord's status and code."""
    return router.dispatch(backend, method, path, json=body, params=dict(query or {}), files=files or [], reason=reason)


parse_form = router.parse_form


@contextmanager
def acting_as(backend: Backend, user: User) -> Generator[None]:
    """Run routes as `user` instead of the bot: same permission checks, and the audit log names that user.

    Only for code that doesn't await: the backend has one bot user.
    """
    bot_user = backend.bot_user
    backend.bot_user = user
    try:
        yield
    finally:
        backend.bot_user = bot_user


@contextmanager
def silently(backend: Backend) -> Generator[None]:
    """Change the world without any gateway event. Only for code that doesn't await."""
    subscribers = list(backend.subscribers)
    backend.subscribers.clear()
    try:
        yield
    finally:
        backend.subscribers[:] = subscribers


async def autocomplete(
    actor: MemberActor | UserHandle, channel: ChannelHandle, name: str, option: str, value: str, filled: dict[str, Any]
) -> InteractionResult:
    """Type into an autocomplete option; the choices stand in the result once the bot has answered."""
    return await _autocomplete_result(actor, channel, name, option, value, filled)


def interaction_state(result: InteractionResult) -> tuple[int, str | None, bool]:
    """The interaction's id, how the bot answered (None: not yet), and whether it still shows "thinking"."""
    record = result._interaction
    return record.id, record.response_kind.value if record.response_kind else None, record.loading


def set_cdn_base(address: str) -> None:
    """The address that attachments are given from now on."""
    cdn.CDN_BASE = address


def cdn_blob(backend: Backend, url: str) -> bytes | None:
    """The file behind an address of the fake CDN."""
    return backend.cdn.get(url)


def snapshot(backend: Backend, guild_id: int) -> Callable[[], None]:
    """What puts a guild back as it is now, as often as it is called: its channels, messages, webhooks and invites."""

    def of_guild() -> tuple[dict[str, dict[Any, Any]], set[int]]:
        channels = {key: channel for key, channel in backend.channels.items() if channel.guild_id == guild_id}
        return {
            "guilds": {guild_id: backend.guilds[guild_id]} if guild_id in backend.guilds else {},
            "channels": channels,
            "messages": {key: backend.messages[key] for key in channels if key in backend.messages},
            "stage_instances": {key: each for key, each in backend.stage_instances.items() if key in channels},
            "webhooks": {key: each for key, each in backend.webhooks.items() if each.guild_id == guild_id},
            "invites": {key: each for key, each in backend.invites.items() if each.guild_id == guild_id},
        }, set(channels)

    # Copied through bytes: what a request changes must not change the copy.
    then = pickle.dumps(of_guild()[0])
    tokens = dict(backend.webhook_tokens)

    def restore() -> None:
        now, channel_ids = of_guild()
        wanted: dict[str, dict[Any, Any]] = pickle.loads(then)  # noqa: S301 - made above
        for store, kept in wanted.items():
            live: dict[Any, Any] = getattr(backend, store)
            for key in now[store]:
                del live[key]
            for key in [key for key in channel_ids if store == "messages" and key in live]:
                del live[key]
            live.update(kept)
        backend.webhook_tokens.clear()
        backend.webhook_tokens.update(tokens)

    return restore


@dataclasses.dataclass(slots=True)
class GuildExtras:
    """What simcord's guild has no field for."""

    features: tuple[str, ...] = ()
    progress_bar: bool = False


def guild_extras(guild: Guild) -> GuildExtras:
    """They live as long as the guild, and every payload of it has them."""
    extras: GuildExtras = vars(guild).setdefault("guildhall_extras", GuildExtras())
    return extras


_plain_guild_payload = serializers.guild_create_payload


def _guild_payload(backend: Any, guild: Guild) -> Any:
    extras = guild_extras(guild)
    more = {"features": list(extras.features), "premium_progress_bar_enabled": extras.progress_bar}
    return {**_plain_guild_payload(backend, guild), **more}


serializers.guild_create_payload = _guild_payload
# simcord knows public and private threads; those of announcement channels are threads as well.
channel_models.THREAD_TYPES = (10, *channel_models.THREAD_TYPES)


_HOUR_IN_SNOWFLAKES = 3600 * 1000 << 22


def trim(backend: Backend, *, messages_per_channel: int, audit_entries: int, expired_before: str) -> None:
    """Forget the oldest of what only grows: messages with their files, audit entries, interactions, spent ids."""
    for messages in backend.messages.values():
        if len(messages) <= messages_per_channel:
            continue
        for message_id in sorted(messages)[: len(messages) - messages_per_channel]:
            for attachment in messages.pop(message_id).attachments:
                backend.cdn._blobs.pop(str(attachment.get("url")), None)
    for guild in backend.guilds.values():
        del guild.audit_log_entries[:-audit_entries]
    for record in list(backend.interactions.values()):
        if record.expires_at is not None and record.expires_at < expired_before:
            del backend.interactions[record.id]
            backend.interaction_tokens.pop(record.token, None)
    # Ids are unique by their millisecond; one that is an hour past can't be given out again.
    past = backend.snowflake() - _HOUR_IN_SNOWFLAKES
    backend._reserved_ids = {snowflake for snowflake in backend._reserved_ids if snowflake > past}
    backend._sequences = {moment: count for moment, count in backend._sequences.items() if moment << 22 > past}


verify()
