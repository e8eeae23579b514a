"""A bare discord.py client: what one has without Guildhall."""

from __future__ import annotations

import asyncio
import logging
import time

import discord
from discord.ext import commands

from benchmarks.children.answering import Line, options, run, usage
from benchmarks.children.parsed import Parsed
from bot.discord_addresses import point_discord_at
from bot.intents import intents_for
from bot.settings import load


class BareClient(commands.AutoShardedBot):
    """discord.py with its own defaults, and the intents that the product asks for."""

    def __init__(self, intents: discord.Intents) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            intents=intents,
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        self.parsed = Parsed(self)
        self.served = asyncio.Event()

    async def on_ready(self) -> None:
        self.served.set()


async def main() -> None:
    loaded_at = time.monotonic()
    line, given = Line(), options()
    logging.basicConfig(level=logging.WARNING)
    settings = load(given["settings"], env_file=None)
    point_discord_at(settings.discord_api_base_url)
    async with BareClient(intents_for(settings)) as client:
        token = settings.discord_bot_token
        connecting = asyncio.create_task(client.start(token.get_secret_value() if token else ""))
        await client.served.wait()

        line.say(ready_at=time.monotonic(), loaded_at=loaded_at)
        await line.answer(
            {
                "usage": usage,
                "guilds_in": client.parsed.guilds_in,
                "messages": client.parsed.messages,
            }
        )
        await client.close()
        await asyncio.gather(connecting, return_exceptions=True)


if __name__ == "__main__":
    run(main())
