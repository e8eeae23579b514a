"""Requests that discord.py sends without all that Discord takes, by its own HTTP client."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import Any

import discord


async def delete_message(guild: discord.Guild, channel_id: int, message_id: int, *, reason: str | None) -> None:
    """discord.py's own methods for a single message leave the reason out, which Discord's audit log takes.

    https://discord.com/developers/docs/resources/message#delete-message
    """
    await guild._state.http.delete_message(channel_id, message_id, reason=reason)


async def audit_log_after(guild: discord.Guild, entry_id: int, limit: int = 100) -> list[dict[str, Any]]:
    """Entries of Discord's audit log as Discord gives them, the oldest after ``entry_id`` first. discord.py makes
    objects of them, which fails on what it does not know yet. Raises discord.HTTPException.

    https://discord.com/developers/docs/resources/audit-log#get-guild-audit-log
    """
    found: Any = await guild._state.http.get_audit_logs(guild.id, limit=limit, after=entry_id)
    entries: list[dict[str, Any]] = found["audit_log_entries"]
    return sorted(entries, key=lambda entry: int(entry["id"]))
