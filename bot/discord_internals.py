"""Every touch of discord.py's private parts, checked when this module is imported.

discord.py is pinned; when a new version moves one of these, the import says which, instead of a call failing later.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any, cast

import aiohttp
import discord
import yarl
from discord import app_commands
from discord.asset import Asset
from discord.ext import commands
from discord.gateway import DiscordClientWebSocketResponse, DiscordWebSocket, KeepAliveHandler
from discord.http import HTTPClient, Route
from discord.shard import AutoShardedClient
from discord.state import AutoShardedConnectionState, ConnectionState

Parser = Callable[[Any], None]
Payload = dict[str, Any]


class DiscordPyMovedError(RuntimeError):
    """discord.py no longer has a private part that Guildhall relies on."""

    def __init__(self, moved: Sequence[str]) -> None:
        super().__init__(
            f"discord.py {discord.__version__} moved what Guildhall relies on: {', '.join(moved)}. "
            "Install the pinned version (requirements/runtime.txt)."
        )


class _GatewaySocket(DiscordClientWebSocketResponse):
    """Keeps the close code that Discord sent.

    When the other end is gone before the close is answered, aiohttp puts 1006 in its place. A refusal (4004, 4014) then
    looks like a lost connection, and discord.py tries without end and without a pause to resume what never began.
    """

    async def close(self, *, code: int = 4000, message: bytes = b"") -> bool:
        received = self._close_code
        is_closed = await super().close(code=code, message=message)
        if received is not None:
            self._close_code = received
        return is_closed


def keep_close_codes(client: discord.Client) -> None:
    """Connections to the gateway will know why Discord closed them. After the login, which makes the session."""
    session = cast("aiohttp.ClientSession", cast("Any", client.http)._HTTPClient__session)
    session._ws_response_class = _GatewaySocket


def begin_sessions_that_never_were() -> None:
    """A connection that was lost before its READY has no session: it identifies anew instead of resuming nothing.

    discord.py would ask to resume the session ``None``, be refused, and try the same again for ever. Holds for the
    whole process; a second call changes nothing.
    """
    socket = cast("Any", DiscordWebSocket)
    connect = socket.from_client.__func__
    if connect.__module__ == __name__:
        return

    async def from_client(cls: type[DiscordWebSocket], client: discord.Client, **options: Any) -> DiscordWebSocket:
        if options.get("session") is None:
            options["resume"] = False
        return await connect(cls, client, **options)

    socket.from_client = classmethod(from_client)


MOST_MENUS = 15


def add_menu(tree: app_commands.CommandTree[Any], menu: app_commands.ContextMenu) -> None:
    """Adds a menu on members or messages. Raises ValueError beyond Discord's limit of each.

    discord.py still holds them to 5: https://github.com/Rapptz/discord.py/issues/10503;
    https://docs.discord.com/developers/change-log#march-3-2026
    """
    menus = tree._context_menus
    key = (menu.name, None, menu.type.value)
    if key in menus or sum(1 for _, _, kind in menus if kind == menu.type.value) >= MOST_MENUS:
        raise ValueError(f"{menu.name} is there already, or there are {MOST_MENUS} such menus")
    menus[key] = menu


def parsers(client: commands.AutoShardedBot, names: Sequence[str]) -> MutableMapping[str, Parser]:
    """The functions that take the gateway's events, by name; replacing one takes effect at once.

    Raises DiscordPyMovedError when one of ``names`` is not among them.
    """
    found = cast("MutableMapping[str, Parser]", client._connection.parsers)
    if missing := [f"parser {name}" for name in names if not callable(found.get(name))]:
        raise DiscordPyMovedError(missing)
    return found


def keep_alive(client: commands.AutoShardedBot, shard_id: int) -> KeepAliveHandler | None:
    """The heartbeat of a shard's present connection. It outlives the connection, with its last times."""
    return client._get_websocket(shard_id=shard_id)._keep_alive


def is_socket_open(client: commands.AutoShardedBot, shard_id: int) -> bool:
    """``get_shard`` makes an object at each use, and every call asks this several times."""
    shards: dict[int, Any] = cast("Any", client)._AutoShardedClient__shards
    shard = shards.get(shard_id)
    return shard is not None and shard.ws.open


def last_frame_at(handler: KeepAliveHandler) -> float:
    """When the connection's last frame of any kind came, on ``time.perf_counter``."""
    return handler._last_recv


def forget_guild(client: discord.Client, guild_id: int) -> None:
    """Drop a guild from the cache: a new session does not drop those that the bot has left meanwhile."""
    if guild := client.get_guild(guild_id):
        client._connection._remove_guild(guild)


def forget_outdated_guild(client: discord.Client, guild_id: int) -> None:
    """Drop a guild that was unavailable, before its GUILD_CREATE: channels deleted during an outage would stay."""
    guild = client.get_guild(guild_id)
    if guild is not None and guild.unavailable and guild._channels:
        client._connection._remove_guild(guild)


async def fetch_guild_payload(client: discord.Client, guild_id: int) -> Payload:
    """What a GUILD_CREATE would tell, over REST: without voice states, stages, events and other members than the bot.

    Raises discord.HTTPException (Forbidden or NotFound when the bot is not in that guild).
    """
    if client.user is None:
        raise RuntimeError("the client has not logged in")
    http = client.http
    guild = cast("Payload", await http.get_guild(guild_id, with_counts=True))
    channels, active_threads, own_member = await asyncio.gather(
        http.get_all_guild_channels(guild_id),
        http.get_active_threads(guild_id),
        http.get_member(guild_id, client.user.id),
    )
    active = cast("Payload", active_threads)
    own_threads = {member["id"]: member for member in active.get("members", ())}
    threads = [
        {**thread, "member": own_threads[thread["id"]]} if thread["id"] in own_threads else thread
        for thread in active["threads"]
    ]
    return {
        **guild,
        "channels": channels,
        "threads": threads,
        "members": [own_member],
        "member_count": guild.get("approximate_member_count"),
    }


def guild_from_payload(client: discord.Client, payload: Payload) -> discord.Guild:
    """A guild object of its own, outside of the client's cache."""
    return discord.Guild(data=cast("Any", payload), state=client._connection)


async def search_members(client: discord.Client, guild: discord.Guild, name: str, limit: int) -> list[discord.Member]:
    """discord.py searches over the gateway alone.

    https://discord.com/developers/docs/resources/guild#search-guild-members
    """
    route = Route("GET", "/guilds/{guild_id}/members/search", guild_id=guild.id)
    found: list[Any] = await client.http.request(route, params={"query": name, "limit": limit})
    return [discord.Member(data=payload, guild=guild, state=client._connection) for payload in found]


async def list_members(client: discord.Client, guild: discord.Guild, after: int, limit: int) -> list[discord.Member]:
    """discord.py refuses where its own intents leave members out, though Discord asks for the portal's switch alone.

    https://discord.com/developers/docs/resources/guild#list-guild-members
    """
    found = await client.http.get_members(guild.id, limit, after)
    return [discord.Member(data=payload, guild=guild, state=client._connection) for payload in found]


def point(api: str, *, gateway: str | None, cdn: str | None) -> None:
    """Change the addresses that discord.py has built in; None leaves one as it is."""
    Route.BASE = api
    if gateway is not None:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
    if cdn is not None:
        cast("Any", Asset).BASE = cdn


def api_base() -> str:
    """Where discord.py sends REST requests."""
    return Route.BASE


def _check() -> None:
    def names_of(function: Any) -> tuple[str, ...]:
        return function.__code__.co_names

    checks = {
        "ClientSession._ws_response_class": "_ws_response_class" in names_of(aiohttp.ClientSession.__init__),
        "ClientWebSocketResponse._close_code": "_close_code" in names_of(aiohttp.ClientWebSocketResponse.close),
        "HTTPClient.__session": "_HTTPClient__session" in names_of(HTTPClient.static_login),
        "Route.BASE": isinstance(getattr(Route, "BASE", None), str),
        "DiscordWebSocket.from_client's session": {"session", "resume"}
        <= set(cast("Any", DiscordWebSocket).from_client.__func__.__code__.co_varnames),
        "DiscordWebSocket.DEFAULT_GATEWAY": hasattr(DiscordWebSocket, "DEFAULT_GATEWAY"),
        "Asset.BASE": isinstance(getattr(Asset, "BASE", None), str),
        "DiscordWebSocket._keep_alive": "_keep_alive" in names_of(DiscordWebSocket.__init__),
        "DiscordWebSocket._discord_parsers": "_discord_parsers" in names_of(DiscordWebSocket.received_message),
        "KeepAliveHandler._last_recv": "_last_recv" in names_of(KeepAliveHandler.tick),
        "DiscordWebSocket.received_message's tick": "tick" in names_of(DiscordWebSocket.received_message),
        "AutoShardedClient.__shards": "_AutoShardedClient__shards" in names_of(AutoShardedClient.get_shard),
        "ShardInfo.is_closed's ws.open": {"ws", "open"} <= set(names_of(discord.ShardInfo.is_closed)),
        "AutoShardedClient._get_websocket": callable(getattr(AutoShardedClient, "_get_websocket", None)),
        "ConnectionState.parsers": "parsers" in names_of(ConnectionState.__init__),
        "ConnectionState._remove_guild": callable(getattr(ConnectionState, "_remove_guild", None)),
        "AutoShardedConnectionState.parse_ready": callable(getattr(AutoShardedConnectionState, "parse_ready", None)),
        "Guild._from_data": callable(getattr(discord.Guild, "_from_data", None)),
        "CommandTree._context_menus": "_context_menus" in names_of(app_commands.CommandTree.__init__),
        "Guild._channels": "_channels" in names_of(discord.Guild.__init__),
        **{
            f"HTTPClient.{name}": callable(getattr(HTTPClient, name, None))
            for name in ("get_guild", "get_all_guild_channels", "get_active_threads", "get_member", "get_members")
        },
    }
    if moved := [name for name, stands in checks.items() if not stands]:
        raise DiscordPyMovedError(moved)


_check()
