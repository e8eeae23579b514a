"""``guildhall guild claim``: what `/setup` and the set-up card do where nobody can press a button."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import aiohttp
import discord

from bot.client import ConnectionRefusedByDiscord
from bot.commands.discord_ids import check_ids
from bot.commands.failures import CommandError
from bot.marked_database import opened_database
from bot.serving_core import passive_core
from bot.settings import Settings
from operations.base import Outcome, Status
from operations.outcomes import plain, sentence
from operations.plans import Asking, PersonProof
from policy.model import Face
from storage.instance import Mark

BY_HAND = Asking(proof=PersonProof("console"))


async def run(settings: Settings, arguments: argparse.Namespace, mark: Mark) -> Sequence[str]:
    """The lines to print. Raises CommandError."""
    check_ids("--guild", [arguments.guild])
    check_ids("--as", [arguments.user_id])
    outcome = await _claimed(settings, arguments, mark)
    if outcome.refusal is not None:
        refusal = outcome.refusal
        if refusal.code == "unknown_guild":
            raise CommandError(
                f"The bot is not in {arguments.guild}, or {arguments.user_id} is no member. Check --guild, --as."
            )
        raise CommandError(sentence(f"as {arguments.user_id}: {refusal.reason}", refusal.remedy))
    if outcome.status is not Status.DONE:
        raise CommandError(outcome.detail or "It could not be done; `guildhall doctor` looks why.")
    claimed, token = plain(outcome.data), f"guildhall token create --name NAME --as {arguments.user_id}"
    return [
        f"Claimed {claimed['guild_id']} for {claimed['workspace_id']}. A running instance serves it within a second.",
        f"{arguments.user_id} is its admin; a token for him: `{token} --guild {arguments.guild}`.",
    ]


async def _claimed(settings: Settings, arguments: argparse.Namespace, mark: Mark) -> Outcome:
    """Raises CommandError when Discord does not answer."""
    try:
        async with opened_database(settings, mark) as database, passive_core(settings, database) as core:
            caller = core.callers.of_claimant(arguments.guild, arguments.user_id, Face.CLI)
            return await core.executor.run("guild_claim", {"guild": str(arguments.guild)}, caller, asking=BY_HAND)
    except (aiohttp.ClientError, discord.HTTPException, ConnectionRefusedByDiscord) as error:
        raise CommandError(
            f"Discord could not be asked ({type(error).__name__}), so that nothing was changed; `guildhall doctor` "
            "says more."
        ) from None
