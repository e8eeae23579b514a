"""What the bot posts for itself (cards, alerts, log entries, automation posts): touched by no operation.

A message of the bot that was sent for somebody is known by its row; Discord's own notices in the bot's name (a thread
was created, a message was pinned) are no posts.
"""

from __future__ import annotations

from collections.abc import Iterable

import discord

from operations.base import Context
from operations.errors import Refused
from operations.refusals import DATABASE_DOWN
from policy.model import Refuse, Step
from storage import sent_messages
from storage.outages import DatabaseUnavailable


async def platform_posts(ctx: Context, messages: Iterable[discord.Message]) -> list[int]:
    """Those of the messages that are the platform's own, in their order. Raises Refused when that cannot be known."""
    bot_id = ctx.guild.state.source.bot_user_id
    asked = [each.id for each in messages if _may_be_post(each, bot_id)]
    if not asked:
        return []
    installation = ctx.services.facts.snapshot.installations.get(ctx.guild.id)
    try:
        async with ctx.services.database.read() as session:
            known = await sent_messages.sent(
                session, asked, installation_id="" if installation is None else installation.id
            )
    except DatabaseUnavailable:
        raise Refused(DATABASE_DOWN) from None
    return [message_id for message_id in asked if message_id not in known]


async def refuse_platform_posts(ctx: Context, messages: Iterable[discord.Message]) -> None:
    """Raises Refused when one of the messages is the platform's own, or when that cannot be known."""
    posts = await platform_posts(ctx, messages)
    if posts:
        listed = ", ".join(str(message_id) for message_id in posts[:5])
        raise Refused(
            Refuse(
                Step.DISCORD,
                "platform_post",
                f"I posted {listed} for nobody: cards, alerts and log entries are touched by no operation.",
                "Leave it out. Someone with manage_messages can delete it by hand in Discord.",
            )
        )


def _may_be_post(message: discord.Message, bot_id: int) -> bool:
    return message.author.id == bot_id and message.webhook_id is None and not message.is_system()
