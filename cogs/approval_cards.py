"""Posts the cards of plans and shows on them what became of the plans: what operations.plans asks of Discord's face."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import aiohttp
import discord
import structlog

from cogs.approval_card import (
    MOST_ON_A_CARD,
    Row,
    Showing,
    buttons,
    footer,
    rows_of,
    settled_embed,
    waiting_embed,
)
from cogs.approval_places import CardPlaces, Destination, Unreachable
from cogs.custom_ids import CustomIds
from operations import call_ids
from operations.failures import DISCORD_FAILED, refusal_of
from operations.ledger import OutcomeUnknown, SendRefused, phase
from operations.outcomes import sentence
from operations.plans import CardPlace, PlanView
from operations.transport_errors import unwrap
from policy.model import Tier

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 60.0
"""How long posting waits for a guild that is arriving, after a start."""
CLOSED_SECONDS = 60.0
"""How long somebody who could not be written to counts as closed."""
CLOSED = (
    "Discord did not let the bot write to you. Allow direct messages from members of the guild (in its privacy "
    "settings), or have an approvals channel set (`/policy approvals-channel`, or `guildhall policy set` on the host); "
    "then try again in a minute."
)
_NOBODY = discord.AllowedMentions.none()
_MOST_KEPT = 500

Sharing = tuple[str, str, int, int]


@dataclass(slots=True)
class _Shared:
    """A card of risky plans that others of the same requester may join. ``numbers``: of all that it ever held."""

    place: CardPlace
    waiting: dict[str, tuple[PlanView, bool]] = field(default_factory=dict[str, "tuple[PlanView, bool]"])
    numbers: dict[str, int] = field(default_factory=dict[str, int])


class PlanCards:
    """See operations.plans.Cards."""

    def __init__(
        self,
        client: discord.Client,
        places: CardPlaces,
        ids: CustomIds,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._places = places
        self._ids = ids
        self._patience_seconds = patience_seconds
        self._monotonic = monotonic
        self._closed: dict[int, float] = {}
        self._shared: dict[Sharing, _Shared] = {}
        # Whoever changes a card reads it first: one after the other. One process holds the gateway, so this suffices;
        # a card is shared by plans of one client alone, so that nobody waits for another's.
        self._changing: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    # --------------------------------------------------------------- reachable
    async def reachable(self, plan: PlanView) -> str | None:
        try:
            found = await self._places.of(plan)
        except DISCORD_FAILED as error:
            refusal = refusal_of(error)
            return sentence(refusal.reason, refusal.remedy)
        if isinstance(found, Unreachable):
            return found.remedy
        if found.user_id is not None and self._is_closed(found.user_id):
            return CLOSED
        return None

    def _is_closed(self, user_id: int) -> bool:
        since = self._closed.get(user_id)
        return since is not None and self._monotonic() - since < CLOSED_SECONDS

    # -------------------------------------------------------------------- post
    async def post(self, plan: PlanView) -> CardPlace | None:
        try:
            found = await self._patiently(plan)
            if isinstance(found, Unreachable):
                log.warning("a card cannot be posted", plan_id=plan.plan_id, remedy=found.remedy)
                return None
            return await self._post(plan, found)
        except DISCORD_FAILED as error:
            log.warning("a card could not be posted", plan_id=plan.plan_id, reason=refusal_of(error).reason)
            return None

    async def _patiently(self, plan: PlanView) -> Destination | Unreachable:
        until = self._monotonic() + self._patience_seconds
        while True:
            found = await self._places.of(plan)
            if not (isinstance(found, Unreachable) and found.starting and self._monotonic() < until):
                return found
            await asyncio.sleep(0.05)

    async def _post(self, plan: PlanView, to: Destination) -> CardPlace | None:
        async with self._turn(plan):
            key = _sharing(plan, to)
            if key is not None and (shared := self._shared.get(key)) is not None:
                place = await self._join(plan, to, shared)
                if place is not None:
                    return place
            place = await self._send(plan, to)
            if place is not None and key is not None:
                if len(self._shared) >= _MOST_KEPT:
                    self._shared.clear()
                self._shared[key] = _Shared(place, {plan.plan_id: (plan, to.discreet)}, {plan.plan_id: 1})
            return place

    async def _send(self, plan: PlanView, to: Destination) -> CardPlace | None:
        """One message. An answer that was lost is asked for again: the nonce keeps it from standing there twice."""
        embed = waiting_embed(plan, Showing(discreet=to.discreet))
        for attempt in range(2):
            with phase("system", plan.plan_id, guild_id=plan.guild_id):
                try:
                    channel = await self._channel(to)
                    message = await channel.send(
                        embed=embed,
                        view=buttons([Row.of(plan)], self._ids),
                        nonce=nonce(plan.plan_id),
                        allowed_mentions=_NOBODY,
                    )
                except discord.Forbidden:
                    if to.user_id is None:
                        raise
                    self._closed[to.user_id] = self._monotonic()
                    return None
                except DISCORD_FAILED as error:
                    if attempt or not _is_lost(error):
                        raise
                    continue
                return CardPlace(None if to.user_id is not None else to.guild_id, message.channel.id, message.id)
        return None

    async def _channel(self, to: Destination) -> discord.abc.Messageable:
        if to.channel_id is not None:
            return self._client.get_partial_messageable(to.channel_id, guild_id=to.guild_id)
        return await self._client.create_dm(discord.Object(to.user_id or 0))

    async def _join(self, plan: PlanView, to: Destination, shared: _Shared) -> CardPlace | None:
        """Puts a plan on the card of earlier ones. None when there is no room, or the card is gone."""
        if plan.plan_id in shared.waiting:
            return shared.place
        if not shared.waiting or len(shared.numbers) >= MOST_ON_A_CARD:
            return None
        message = await self._read(shared.place)
        if message is None:
            return None
        waiting = {**shared.waiting, plan.plan_id: (plan, to.discreet)}
        numbers = {**shared.numbers, plan.plan_id: len(shared.numbers) + 1}
        short = {
            footer(plan_id): waiting_embed(each, Showing(discreet=discreet, number=numbers[plan_id]))
            for plan_id, (each, discreet) in waiting.items()
        }
        embeds = [short.pop(embed.footer.text or "", embed) for embed in message.embeds] + list(short.values())
        view = buttons([Row.of(each) for each, _ in waiting.values()], self._ids, numbers)
        try:
            await self._edit(shared.place, plan, embeds, view)
        except discord.NotFound:
            return None
        shared.waiting, shared.numbers = waiting, numbers
        return shared.place

    # ------------------------------------------------------------------ settle
    async def settle(self, plan: PlanView) -> None:
        if plan.card is None:
            return
        try:
            async with self._turn(plan):
                await self._settle(plan, plan.card)
        except DISCORD_FAILED as error:
            log.info("a card could not be brought up to date", plan_id=plan.plan_id, reason=refusal_of(error).reason)

    async def _settle(self, plan: PlanView, place: CardPlace) -> None:
        for key, shared in list(self._shared.items()):
            shared.waiting.pop(plan.plan_id, None)
            if not shared.waiting:
                del self._shared[key]
        discreet = self._places.is_discreet(plan, None if place.guild_id is None else place.channel_id)
        message = await self._read(place)
        embeds: list[discord.Embed] = [] if message is None else message.embeds
        numbers = _numbers(embeds)
        number = numbers.get(plan.plan_id, 0) if len(embeds) > 1 else 0
        showing = Showing(discreet=discreet, number=number)
        if number:
            mine = footer(plan.plan_id)
            embeds = [settled_embed(plan, embed, showing) if embed.footer.text == mine else embed for embed in embeds]
        else:
            shown = next((embed for embed in embeds if embed.footer.text == footer(plan.plan_id)), None)
            embeds = [settled_embed(plan, shown, showing)]
        rows = [] if message is None else [row for row in rows_of(message) if row.plan_id != plan.plan_id]
        view = buttons(rows, self._ids, numbers if number else None) if rows and number else None
        await self._edit(place, plan, embeds, view)

    # ----------------------------------------------------------------- message
    def _turn(self, plan: PlanView) -> asyncio.Lock:
        return self._changing.setdefault((plan.installation_id, plan.client_id), asyncio.Lock())

    async def _read(self, place: CardPlace) -> discord.Message | None:
        """The card as it stands; None when it is gone, or may not be fetched."""
        try:
            return await self._message(place).fetch()
        except (discord.NotFound, discord.Forbidden):
            return None

    async def _edit(
        self, place: CardPlace, plan: PlanView, embeds: list[discord.Embed], view: discord.ui.View | None
    ) -> None:
        for attempt in range(2):
            with phase("system", plan.plan_id, guild_id=plan.guild_id):
                try:
                    await self._message(place).edit(embeds=embeds, view=view, allowed_mentions=_NOBODY)
                except DISCORD_FAILED as error:
                    # To say the same again changes nothing.
                    if attempt or not _is_lost(error):
                        raise
                else:
                    return

    def _message(self, place: CardPlace) -> discord.PartialMessage:
        channel = self._client.get_partial_messageable(place.channel_id, guild_id=place.guild_id)
        return channel.get_partial_message(place.message_id)


def nonce(plan_id: str) -> str:
    """The nonce of a plan's card. The plan's own id is that of the message which it may send."""
    return "cd_" + plan_id.removeprefix(call_ids.PREFIX)


def _sharing(plan: PlanView, to: Destination) -> Sharing | None:
    """Plans with the same key may stand on one card; None for one that has a card of its own."""
    if plan.tier is Tier.CRITICAL or plan.name_to_type is not None or plan.requester_id is None or not to.rereads:
        return None
    return plan.installation_id, plan.client_id, plan.requester_id, to.channel_id or 0


def _numbers(embeds: list[discord.Embed]) -> dict[str, int]:
    """The places of the plans on a card."""
    return {(embed.footer.text or "").removeprefix(footer("")): number for number, embed in enumerate(embeds, start=1)}


def _is_lost(error: Exception) -> bool:
    """Whether Discord may have done it without saying so."""
    if isinstance(unwrap(error), SendRefused):
        return False
    return isinstance(error, OutcomeUnknown | discord.DiscordServerError | aiohttp.ClientError | OSError)
