"""What a command asks of Discord about a guild, over REST alone, before it stores an id that was typed by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import discord

from bot.client import ConnectionRefusedByDiscord
from bot.commands.failures import CommandError
from bot.discord_addresses import point_discord_at
from bot.settings import Settings

TIMEOUT_SECONDS = 10.0
ASKED_IN_VAIN = "Discord could not be asked ({}), so that nothing was changed; `guildhall doctor` says more."


class GuildLook:
    """One guild, as Discord has it now."""

    def __init__(self, guild: discord.Guild) -> None:
        self._guild = guild

    async def channel(self, channel_id: int) -> discord.abc.GuildChannel | discord.Thread | None:
        """None where this guild has no such channel. One that is closed to the bot is there: raises CommandError."""
        try:
            return await self._guild.fetch_channel(channel_id)
        except (discord.NotFound, discord.InvalidData):
            return None
        except discord.Forbidden:
            raise CommandError(f"{channel_id} is closed to the bot; give it View Channel there first.") from None

    def has_role(self, role_id: int) -> bool:
        return self._guild.get_role(role_id) is not None and role_id != self._guild.id


@asynccontextmanager
async def look_at(settings: Settings, guild_id: int) -> AsyncGenerator[GuildLook]:
    """Raises CommandError when Discord does not answer, and where the bot is not in the guild."""
    if settings.discord_bot_token is None:
        raise CommandError("DISCORD_BOT_TOKEN is not set; ids of channels and roles are looked up in Discord first.")
    point_discord_at(settings.discord_api_base_url)
    client = discord.Client(intents=discord.Intents.none())
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await client.login(settings.discord_bot_token.get_secret_value())
            guild = await client.fetch_guild(guild_id, with_counts=False)
            yield GuildLook(guild)
    except (discord.NotFound, discord.Forbidden):
        raise CommandError(f"--guild: the bot is not in {guild_id}; invite it again.") from None
    except (
        aiohttp.ClientError,
        OSError,
        discord.HTTPException,
        discord.LoginFailure,
        ConnectionRefusedByDiscord,
    ) as error:
        raise CommandError(ASKED_IN_VAIN.format(type(error).__name__)) from None
    finally:
        await client.close()
