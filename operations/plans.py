"""Plans: writes that await a confirmation, as those know them who confirm, cancel, show or wait for them.

A plan is a call's row (storage.calls) in state ``pending``; its id is the call's id. Implementation: operations.desk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from operations.base import Change, Outcome
from policy.model import Caller, CallerKind, Face, Strength, Target, Tier
from policy.taint import Source
from storage.calls import CallState
from storage.plans import CardPlace

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ASKED_BY_PROGRAM",
    "Asking",
    "CardPlace",
    "Cards",
    "ClientProof",
    "PersonProof",
    "PlanView",
    "Plans",
    "Proof",
    "TokenProof",
]

LONGEST_WAIT_SECONDS = 25.0


@dataclass(frozen=True, slots=True)
class TokenProof:
    """The plan token sent back; proves the client only."""

    token: str


@dataclass(frozen=True, slots=True)
class ClientProof:
    """An elicitation, or an ``input_required``, that the MCP client answered with accept; proves the client only."""


@dataclass(frozen=True, slots=True)
class PersonProof:
    """An interaction of a human with Discord, or with a console session.

    ``place``: the message on which a card's button was pressed; the confirmation counts only when the plan's card is
    that very message. None where no card is pressed (a slash command of the requester, the console).
    ``typed``: what the person wrote where the plan asks for its target's name.
    """

    via: Literal["card", "slash", "console"]
    place: CardPlace | None = None
    typed: str | None = None


Proof = TokenProof | ClientProof | PersonProof


@dataclass(frozen=True, slots=True)
class Asking:
    """How a call came in, where that counts.

    ``proof``: the person named operation and arguments himself (a slash command, a context menu, the console). That
    proves a risky call, which is done at once; a critical one waits for one more press of the same person
    (``Plans.confirm`` with a PersonProof), and no card is posted. With four eyes it changes nothing.
    ``channel_id``: the channel of the request: where its card may stand.
    """

    proof: PersonProof | None = None
    channel_id: int | None = None


ASKED_BY_PROGRAM = Asking()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A plan, opened. Times are seconds since the epoch.

    ``targets``: the objects that it touches, the first one first. ``sources``: where its tainted requester had read
    foreign text. ``asked``: False for one stored by a dry run, which has no card and doesn't count as open.
    ``name_to_type``: what an approver has to type before a critical plan runs; None where one click is enough.
    ``origin_channel_id``: the channel of the request, where it has one (the agent).
    ``confirmed_by``: who confirmed it, or who denied it.
    ``outcome``: the structured answer once it is settled. ``detail``: why it ended without being done.
    """

    plan_id: str
    operation: str
    title: str
    tier: Tier
    strength: Strength
    state: CallState
    workspace_id: str
    installation_id: str
    guild_id: int
    requester_id: int | None
    requester_kind: CallerKind
    client_id: str
    client_name: str
    face: Face
    tainted: bool
    sources: frozenset[Source]
    reason: str
    targets: tuple[Target, ...]
    name_to_type: str | None
    summary: str
    changes: tuple[Change, ...]
    unknowns: tuple[str, ...]
    reversible: bool
    created_at: float
    expires_at: float
    asked: bool
    origin_channel_id: int | None
    card: CardPlace | None
    confirmed_by: int | None
    settled_at: float | None
    outcome: Mapping[str, Any] | None
    detail: str

    @property
    def approve_url(self) -> str | None:
        """The jump link of its card."""
        if self.card is None:
            return None
        where = "@me" if self.card.guild_id is None else str(self.card.guild_id)
        return f"https://discord.com/channels/{where}/{self.card.channel_id}/{self.card.message_id}"


class Cards(Protocol):
    """Shows plans to people in Discord; what the desk asks of the floor above (cogs.approvals)."""

    async def reachable(self, plan: PlanView) -> str | None:
        """None when a card could reach somebody who may approve; else the remedy, in words. Sends nothing."""
        ...

    async def post(self, plan: PlanView) -> CardPlace | None:
        """Posts the plan's card where the design says and tells where it stands; None when nobody could be reached.

        Repeated after a crash it posts nothing twice (the plan's id is the nonce). Several risky plans of one
        requester may share one card: then they are given the same place. Raises nothing for what Discord refuses.
        """
        ...

    async def settle(self, plan: PlanView) -> None:
        """Shows on its card what became of the plan. Raises nothing for what Discord refuses."""
        ...


class Plans(Protocol):
    """What may be done with plans; every method decides who may.

    A plan that the caller may not know of raises Refused with the answer for one that does not exist.
    """

    async def view(self, plan_id: str, by: Caller) -> PlanView:
        """For its requester, and for whoever could approve it. Raises Refused."""
        ...

    async def wait(self, plan_id: str, by: Caller, timeout_seconds: float) -> PlanView:
        """The same, as soon as it is settled, or when the time (at most 25 s) is over. Raises Refused."""
        ...

    async def open(self, by: Caller, guild_id: int) -> Sequence[PlanView]:
        """The plans in a guild that wait and that this caller asked for or could approve, oldest first; of those that
        have no card, what he named himself in Discord.
        """
        ...

    async def ask(self, plan_id: str, by: Caller) -> Outcome:
        """The requester asks for the person's confirmation of a plan that a dry run stored: its card is posted."""
        ...

    async def confirm(self, plan_id: str, by: Caller, proof: Proof) -> Outcome:
        """Confirms and executes. A refusal of the approver leaves the plan pending; one of the requester, or a changed
        world, ends it. At most one confirmation takes effect, in whatever process.
        """
        ...

    async def cancel(self, plan_id: str, by: Caller, reason: str = "") -> PlanView:
        """The requester takes it back. Raises Refused."""
        ...

    async def deny(self, plan_id: str, by: Caller, proof: PersonProof) -> PlanView:
        """Somebody who could approve it says no: the same effect can't be asked for again for an hour. Raises
        Refused.
        """
        ...
