"""The assistant's own messages: the only writes that no operation makes (see the phase ``reply`` in operations.ledger).

A message pings nobody but whom it is for, and shows no embed of a link.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import discord
import structlog

from operations.failures import DISCORD_FAILED, refusal_of
from operations.ledger import Ledger, OutcomeUnknown, Priority, SendRefused, phase
from operations.transport_errors import unwrap

log = structlog.get_logger(__name__)

# Discord shows it for ten seconds: https://discord.com/developers/docs/resources/channel#trigger-typing-indicator
TYPING_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class From:
    """Whose share of Discord's limits a message uses, and who alone may be pinged by it."""

    turn_id: str
    guild_id: int
    user_id: int

    @property
    def caller_id(self) -> str:
        return f"discord:{self.user_id}"


class NotDelivered(Exception):
    """Discord did not take a message. ``closed``: it never will, there."""

    def __init__(self, reason: str, *, closed: bool) -> None:
        super().__init__(reason)
        self.closed = closed


class Messenger(Protocol):
    """Methods raise NotDelivered."""

    async def send(self, sender: From, channel_id: int, text: str, *, nonce: str, reply_to: int | None = None) -> int:
        """The id of the message. Sent again with the same nonce it stands there once."""
        ...

    async def edit(self, sender: From, channel_id: int, message_id: int, text: str) -> None: ...

    async def direct_channel(self, sender: From) -> int:
        """The channel of direct messages with whom it is for."""
        ...

    async def typing(self, sender: From, channel_id: int) -> None: ...


class DiscordMessenger:
    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def send(self, sender: From, channel_id: int, text: str, *, nonce: str, reply_to: int | None = None) -> int:
        channel = self._client.get_partial_messageable(channel_id, guild_id=sender.guild_id)
        options: dict[str, Any] = {"nonce": nonce, "allowed_mentions": _only(sender.user_id), "suppress_embeds": True}
        if reply_to is not None:
            options["reference"] = discord.MessageReference(
                message_id=reply_to, channel_id=channel_id, guild_id=sender.guild_id, fail_if_not_exists=False
            )
        for attempt in range(2):
            with self._reply(sender, channel_id, Priority.REPLY):
                try:
                    return (await channel.send(text, **options)).id
                except DISCORD_FAILED as error:
                    if attempt or not _is_lost(error):
                        raise _failure(error) from error
        raise AssertionError("a loop of two attempts returns or raises")

    async def edit(self, sender: From, channel_id: int, message_id: int, text: str) -> None:
        message = self._client.get_partial_messageable(channel_id, guild_id=sender.guild_id).get_partial_message(
            message_id
        )
        with self._reply(sender, channel_id, Priority.EDIT):
            try:
                await message.edit(content=text, allowed_mentions=_only(sender.user_id))
            except DISCORD_FAILED as error:
                raise _failure(error) from error

    async def direct_channel(self, sender: From) -> int:
        with phase(
            "system", sender.turn_id, caller_id=sender.caller_id, guild_id=sender.guild_id, priority=Priority.REPLY
        ):
            try:
                return (await self._client.create_dm(discord.Object(sender.user_id))).id
            except DISCORD_FAILED as error:
                raise _failure(error) from error

    async def typing(self, sender: From, channel_id: int) -> None:
        with self._reply(sender, channel_id, Priority.TYPING):
            try:
                await self._client.http.send_typing(channel_id)
            except DISCORD_FAILED as error:
                raise _failure(error) from error

    def _reply(self, sender: From, channel_id: int, priority: Priority) -> AbstractContextManager[Ledger]:
        return phase(
            "reply",
            sender.turn_id,
            caller_id=sender.caller_id,
            guild_id=sender.guild_id,
            priority=priority,
            channel_id=channel_id,
        )


@asynccontextmanager
async def typing(messenger: Messenger, sender: From, channel_id: int) -> AsyncGenerator[asyncio.Event]:
    """Shows that an answer is coming, until the event is set or the block ends; where Discord refuses it, nothing."""
    seen = asyncio.Event()

    async def keep() -> None:
        while not seen.is_set():
            try:
                await messenger.typing(sender, channel_id)
            except NotDelivered as error:
                log.info("no typing indicator", reason=str(error))
                return
            try:
                async with asyncio.timeout(TYPING_SECONDS):
                    await seen.wait()
            except TimeoutError:
                continue

    task = asyncio.create_task(keep(), name="typing")
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _only(user_id: int) -> discord.AllowedMentions:
    return discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(user_id)], replied_user=False)


def _failure(error: Exception) -> NotDelivered:
    closed = isinstance(error, discord.Forbidden | discord.NotFound)
    return NotDelivered(refusal_of(error).reason, closed=closed)


def _is_lost(error: Exception) -> bool:
    """Whether Discord may have done it without saying so."""
    if isinstance(unwrap(error), SendRefused):
        return False
    return isinstance(error, OutcomeUnknown | discord.DiscordServerError | aiohttp.ClientError | OSError)
