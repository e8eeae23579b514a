"""Messages as Discord sends them, through discord.py's own state: no bot, no network."""

from __future__ import annotations

import itertools
from typing import Any, cast

import discord

GUILD_ID = 100
CHANNEL_ID = 200
HIDDEN_CHANNEL_ID = 201
ADA = {"id": "1", "username": "ada", "discriminator": "0", "avatar": None, "global_name": "Ada L."}
BOT = {"id": "2", "username": "helper", "discriminator": "0", "avatar": None, "bot": True}
MODS_ROLE_ID = 300

# 2026-11-20 14:05:00 UTC as a Discord id; each further message comes later within the same minute.
FIRST_MESSAGE_ID = ((1795183500 * 1000) - 1420070400000) << 22


class MessageWorld:
    """One guild with two channels, in which messages are built from payloads."""

    def __init__(self) -> None:
        self.client = discord.Client(intents=discord.Intents.all())
        self.state: Any = self.client._connection  # pyright: ignore[reportPrivateUsage] - the only way to a model
        guild_payload: dict[str, Any] = {
            "id": str(GUILD_ID),
            "name": "Test Harbor",
            "roles": [
                {"id": str(GUILD_ID), "name": "@everyone", "permissions": "0", "position": 0, "color": 0},
                {"id": str(MODS_ROLE_ID), "name": "Mods", "permissions": "0", "position": 1, "color": 0},
            ],
            "members": [{"user": ADA, "roles": [], "joined_at": None, "flags": 0}],
            "channels": [
                {"id": str(CHANNEL_ID), "type": 0, "name": "general", "position": 0, "permission_overwrites": []},
                {"id": str(HIDDEN_CHANNEL_ID), "type": 0, "name": "staff", "position": 1, "permission_overwrites": []},
            ],
        }
        self.guild = discord.Guild(data=cast("Any", guild_payload), state=self.state)
        self.state._add_guild(self.guild)
        self.channel = self.guild.get_channel(CHANNEL_ID)
        self._ids = itertools.count(FIRST_MESSAGE_ID)

    def message(self, **changes: Any) -> discord.Message:
        """A message of ada in #general; ``changes`` are fields of the payload."""
        return discord.Message(state=self.state, channel=self.any_channel, data=self.payload(**changes))

    def payload(self, **changes: Any) -> Any:
        return {
            "id": str(next(self._ids)),
            "channel_id": str(CHANNEL_ID),
            "guild_id": str(GUILD_ID),
            "author": ADA,
            "content": "",
            "timestamp": "2026-11-20T14:05:00+00:00",
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "components": [],
            "pinned": False,
            "type": 0,
            "flags": 0,
            **changes,
        }

    @property
    def any_channel(self) -> Any:
        return self.channel


def attachment(**changes: Any) -> dict[str, Any]:
    return {
        "id": "900",
        "filename": "cat.png",
        "size": 1_400_000,
        "content_type": "image/png",
        "url": "https://cdn.discordapp.com/attachments/200/900/cat.png?ex=1",
        "proxy_url": "https://media.discordapp.net/attachments/200/900/cat.png",
        **changes,
    }
