"""Which call a message of the bot's is of."""

from __future__ import annotations

import json

from sqlalchemy import select
from sqlmodel import col

from policy.model import Installation
from storage.session import Session
from storage.tables import AuditEvent, Call, SentMessage

DISCORD_EPOCH = 1_420_070_400.0
WITHIN_SECONDS = 3_600.0
"""A turn is audited when it is over: it never lasts so long after its first message."""


async def of_message(session: Session, installation: Installation, channel_id: int, message_id: int) -> str | None:
    """The call that sent it, whose card it is, or the turn whose answer it is; None where nothing is known of it."""
    sent: str | None = await session.scalar(
        select(col(SentMessage.call_id)).where(
            col(SentMessage.message_id) == message_id, col(SentMessage.installation_id) == installation.id
        )
    )
    if sent is not None:
        return sent
    card: str | None = await session.scalar(
        select(col(Call.call_id)).where(
            col(Call.card_message_id) == message_id, col(Call.installation_id) == installation.id
        )
    )
    return card if card is not None else await _turn(session, installation, channel_id, message_id)


async def _turn(session: Session, installation: Installation, channel_id: int, message_id: int) -> str | None:
    """https://discord.com/developers/docs/reference#snowflakes: an id tells when its message was sent."""
    sent_at = (message_id >> 22) / 1000 + DISCORD_EPOCH
    rows = await session.execute(
        select(col(AuditEvent.call_id), col(AuditEvent.target_ids)).where(
            col(AuditEvent.workspace_id) == installation.workspace_id,
            col(AuditEvent.guild_id) == installation.guild_id,
            col(AuditEvent.channel_id) == channel_id,
            col(AuditEvent.operation) == "agent_turn",
            # Clocks differ: Discord's may be a little ahead.
            col(AuditEvent.at) >= sent_at - 60,
            col(AuditEvent.at) <= sent_at + WITHIN_SECONDS,
        )
    )
    return next((call_id for call_id, target_ids in rows if message_id in json.loads(target_ids)), None)
