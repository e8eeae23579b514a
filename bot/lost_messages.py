"""Whether messages are still there, and what they say now: one request for up to a hundred of a channel."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass, field

import discord

from operations.guild_source import GuildSource
from operations.ledger import phase
from storage.call_messages import MessagePlace

PAGE = 100
Place = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


@dataclass(frozen=True, slots=True)
class Found:
    """Messages and channels that are gone, and texts of messages that were edited."""

    deleted: frozenset[int] = frozenset()
    channels: frozenset[int] = frozenset()
    edited: dict[int, str] = field(default_factory=dict[int, str])


class LostMessages:
    def __init__(self, source: GuildSource, *, reads_texts: bool) -> None:
        """``reads_texts``: whether Discord tells the bot what others write (the message content intent)."""
        self._source = source
        self._reads_texts = reads_texts

    async def look(self, guild_id: int, messages: Collection[MessagePlace]) -> AsyncGenerator[Found]:
        """What became of these messages; where the bot may not read, nothing is said. Raises DISCORD_FAILED."""
        by_channel: dict[int, set[int]] = {}
        for channel_id, message_id in messages:
            by_channel.setdefault(channel_id, set()).add(message_id)
        with phase("read", "deletions", guild_id=guild_id):
            guild = await self._source.guild(guild_id)
        if guild is None:
            return
        for channel_id, message_ids in sorted(by_channel.items()):
            gone = False
            with phase("read", "deletions", guild_id=guild_id):
                try:
                    channel = await self._channel(guild, channel_id)
                except discord.NotFound:
                    gone, channel = True, None
            if gone:
                yield Found(channels=frozenset({channel_id}))
            elif channel is not None:
                async for found in self._walk(channel, sorted(message_ids)):
                    yield found

    async def _channel(self, guild: discord.Guild, channel_id: int) -> Place | None:
        """None where the bot can't read, or is not sure to. Raises discord.NotFound for one that is gone."""
        try:
            channel = guild.get_channel_or_thread(channel_id) or await guild.fetch_channel(channel_id)
        except (discord.Forbidden, discord.InvalidData):
            return None
        me = guild.get_member(self._source.bot_user_id)
        me = me or await self._source.fetch_member(guild, self._source.bot_user_id)
        if me is None or not isinstance(channel, Place):
            return None
        try:
            rights = channel.permissions_for(me)
        except discord.ClientException:
            return None  # a thread whose channel is not known
        # Without read_message_history Discord answers with an empty list, as if all were deleted.
        return channel if rights.view_channel and rights.read_message_history else None

    async def _walk(self, channel: Place, message_ids: list[int]) -> AsyncGenerator[Found]:
        while message_ids:
            with phase("read", "deletions", guild_id=channel.guild.id):
                try:
                    after = discord.Object(message_ids[0] - 1)
                    page = [each async for each in channel.history(limit=PAGE, after=after, oldest_first=True)]
                except (discord.NotFound, discord.Forbidden):
                    return
            there = {message.id: message for message in page}
            last = page[-1].id if len(page) == PAGE else message_ids[-1]
            covered = [message_id for message_id in message_ids if message_id <= last]
            message_ids = message_ids[len(covered) :]
            yield Found(
                deleted=frozenset(message_id for message_id in covered if message_id not in there),
                edited={
                    message_id: there[message_id].content
                    for message_id in covered
                    if message_id in there
                    and there[message_id].edited_at is not None
                    and self._reads(there[message_id])
                },
            )

    def _reads(self, message: discord.Message) -> bool:
        """Without the intent the texts of others come empty."""
        return self._reads_texts or message.author.id == self._source.bot_user_id
