"""Plans asked for through the front door, and people who press the buttons of their cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlmodel import col

from operations.callers import Callers
from policy.model import Face
from storage.calls import CallState
from storage.tables import Call
from tests.app import Answer, Place, until
from tests.sandbox_process import SandboxProcess


@dataclass(frozen=True, slots=True)
class Card:
    """A card as it stands in Discord now."""

    channel: str
    message: dict[str, Any]

    @property
    def id(self) -> str:
        message_id: str = self.message["id"]
        return message_id

    @property
    def titles(self) -> list[str]:
        return [embed["title"] for embed in self.message["embeds"]]

    @property
    def labels(self) -> list[list[str]]:
        return [[button["label"] for button in row["components"]] for row in self.message["components"]]

    def custom_id(self, label: str) -> str:
        (found,) = [
            button["custom_id"]
            for row in self.message["components"]
            for button in row["components"]
            if button["label"] == label
        ]
        custom_id: str = found
        return custom_id

    def outcome(self, place: int = 0) -> str:
        fields = {field["name"]: field["value"] for field in self.message["embeds"][place]["fields"]}
        outcome: str = fields["Outcome"]
        return outcome


async def asked(place: Place, name: str, as_: str = "ada", /, **arguments: Any) -> str:
    """The plan of a write that somebody's client asks for and that a person has to confirm."""
    answer: Answer = await place.call(name, as_, dry_run=False, **arguments)
    assert answer.status == "needs_confirmation", answer
    assert answer.data["confirmation"] == "human", answer
    plan_id: str = answer.data["plan_id"]
    return plan_id


async def card_in(sandbox: SandboxProcess, channel: str, plan_id: str) -> Card | None:
    history = (await sandbox.control("history", channel=int(channel)))["messages"]
    for message in history:
        if any(embed.get("footer", {}).get("text") == f"plan {plan_id}" for embed in message["embeds"]):
            return Card(channel, message)
    return None


async def card_of(place: Place, plan_id: str, channel: str = "general") -> Card:
    """The card of a plan in a channel, which may be one of direct messages."""
    where = place.guild["channels"].get(channel, channel)
    found: list[Card] = []

    async def stands() -> bool:
        card = await card_in(place.town.sandbox, where, plan_id)
        found[:] = [card] if card is not None else []
        return card is not None

    await until(stands, "the card stands there")
    return found[0]


async def settled_card(place: Place, plan_id: str, channel: str = "general") -> Card:
    """The same once it shows what became of the plan: that is told a moment later."""
    found: list[Card] = []

    async def is_settled() -> bool:
        card = await card_of(place, plan_id, channel)
        mine = [embed for embed in card.message["embeds"] if embed["footer"]["text"] == f"plan {plan_id}"]
        found[:] = [card]
        return "Approval needed" not in mine[0]["title"]

    await until(is_settled, "the card says what became of the plan")
    return found[0]


async def direct_messages(sandbox: SandboxProcess, user_id: str) -> str | None:
    """The channel between the bot and a person."""
    seen = await sandbox.control("world")
    return next((dm["id"] for dm in seen["direct_messages"] if dm["user"] == user_id), None)


async def card_for(place: Place, plan_id: str, who: str = "ada") -> Card:
    """The card that was sent to somebody."""
    channel = await direct_messages(place.town.sandbox, place.member(who))
    assert channel is not None
    return await card_of(place, plan_id, channel)


async def presses(
    place: Place, who: str, card: Card, label: str, name: str | None = None, *, message: str = "", channel: str = ""
) -> dict[str, Any]:
    """A person presses a button, and types ``name`` into the modal that opens; how the bot answered."""
    control = place.town.sandbox.control
    where = {"user": int(place.member(who)), "channel": int(channel or card.channel)}
    answer = await control("click", **where, message=int(message or card.id), custom_id=card.custom_id(label), wait=10)
    if answer["kind"] == "modal" and name is not None:
        answer = await control("modal", **where, interaction=int(answer["interaction"]), values={"name": name}, wait=10)
    return answer


async def told(
    place: Place, who: str, card: Card, label: str, name: str | None = None, *, message: str = "", channel: str = ""
) -> str:
    """The same; the words of the answer, which only the presser sees."""
    answer = await presses(place, who, card, label, name, message=message, channel=channel)
    assert answer["ephemeral"], answer
    said: str = answer["message"]["content"]
    return said


async def state_of(place: Place, plan_id: str, who: str = "olive") -> CallState:
    """As the desk shows it to the guild's owner, or to another; what has ended, to its requester alone."""
    core = place.town.core
    caller = Callers(core.facts).of_member(place.guild_id, int(place.member(who)), Face.SLASH)
    assert caller is not None
    return (await core.desk.view(plan_id, caller)).state


async def ran_out(place: Place, plan_id: str) -> None:
    """As if its time had gone by."""
    async with place.town.core.database.unit_of_work() as session:
        await session.execute(update(Call).where(col(Call.call_id) == plan_id).values(expires_at=1.0))
