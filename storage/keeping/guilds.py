"""Workspaces, installations and their policies, and what the instance remembers of itself."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator

from sqlalchemy import select
from sqlmodel import col

from storage import installations, pauses
from storage.crypto import Keyring
from storage.keeping.base import Keeper, Kept, Periods, Told
from storage.paging import newest_first
from storage.session import Session
from storage.tables import AllowedChatChannel, ChannelPolicy, GuildPolicy


class GuildKeeper(Keeper):
    tables = (
        "workspace",
        "guild_installation",
        "guild_policy",
        "channel_policy",
        "allowed_chat_channel",
        "pause",
        "log_position",
        "setup_card",
        "bot_config",
        "fact_revision",
        "process_lease",
    )

    def kept(self, periods: Periods) -> tuple[Kept, ...]:
        return (
            Kept(
                what="All that hangs on a guild, save the audit: policies, cases, calls, plans and the like",
                seconds=periods.left_guild_seconds,
                since="after the bot has left the guild",
                erase=installations.purge,
            ),
            Kept(
                what="Pauses: of whom, by whom and since when, by ids",
                seconds=0.0,
                since="until it has ended",
                erase=pauses.erase_ended,
            ),
            Kept(what="How far the log channel was told", until="until the guild's data goes"),
            Kept(
                what="That the bot is in a guild, and where its set-up card stands, by ids",
                until="until the bot has left the guild",
            ),
            Kept(what="The workspace's name, and who runs this instance", until="as long as the instance is there"),
        )

    async def data_of_guild(
        self, session: Session, keyring: Keyring, installation_id: str, reader_id: int | None
    ) -> AsyncGenerator[Told]:
        guild = await session.get(GuildPolicy, installation_id)
        if guild is not None:
            yield "policy", _policy(guild)
        channels = select(ChannelPolicy).where(col(ChannelPolicy.installation_id) == installation_id)
        async for channel in newest_first(session, channels, ChannelPolicy.channel_id):
            yield "channel_policies", {"channel_id": str(channel.channel_id), **_policy(channel)}
        chats = select(AllowedChatChannel).where(col(AllowedChatChannel.installation_id) == installation_id)
        async for chat in newest_first(session, chats, AllowedChatChannel.channel_id):
            by = None if chat.added_by is None else str(chat.added_by)
            yield "chat_channels", {"channel_id": str(chat.channel_id), "added_by": by, "added_at": chat.added_at}


def _policy(row: GuildPolicy | ChannelPolicy) -> dict[str, object]:
    return {
        "rules": json.loads(row.rules),
        "updated_at": row.updated_at,
        "updated_by": None if row.updated_by is None else str(row.updated_by),
    }
