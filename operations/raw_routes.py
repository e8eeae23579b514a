"""Requests that discord.py sends without all that Discord takes, by its own HTTP client."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import discord


async def delete_message(guild: discord.Guild, channel_id: int, message_id: int, *, reason: str | None) -> None:
    """discord.py's own methods for a single message leave the reason out, which Discord's audit log takes.

    https://discord.com/developers/docs/resources/message#delete-message
    """
    await guild._state.http.delete_message(channel_id, message_id, reason=reason)
