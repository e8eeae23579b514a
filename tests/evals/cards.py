"""Cards of plans that the assistant asked for, in the channel of the request."""

from __future__ import annotations

from tests.app import Place, until
from tests.cogs.approving import Card


async def waiting_card(place: Place, channel: str = "general") -> Card:
    """The newest card in a channel, once the turn waits for its button."""
    found: list[Card] = []

    async def stands() -> bool:
        history = await place.history(channel)
        cards = [message for message in history if message["components"] and message["embeds"]]
        found[:] = [Card(place.guild["channels"].get(channel, channel), cards[-1])] if cards else []
        return bool(cards) and any("waiting for the button" in message["content"] for message in history)

    await until(stands, "a turn waits for the button of a card")
    return found[0]


async def cards_in(place: Place, channel: str = "general") -> int:
    return sum(1 for message in await place.history(channel) if message["embeds"])


async def newest_card(place: Place, channel: str = "general") -> Card:
    found = [message for message in await place.history(channel) if message["embeds"]]
    return Card(place.guild["channels"].get(channel, channel), found[-1])
