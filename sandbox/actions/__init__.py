"""What the control API can do, by noun."""

from __future__ import annotations

from sandbox.actions.faults import FaultActions
from sandbox.actions.guilds import GuildActions
from sandbox.actions.interactions import InteractionActions
from sandbox.actions.members import MemberActions
from sandbox.actions.messages import MessageActions
from sandbox.actions.observation import ObservationActions
from sandbox.control import Action
from sandbox.gateway import Gateway
from sandbox.journal import Journal
from sandbox.rest import Rest
from sandbox.world import World


def all_actions(world: World, gateway: Gateway, rest: Rest, journal: Journal) -> list[Action]:
    return [
        *MessageActions(world).actions(),
        *InteractionActions(world).actions(),
        *MemberActions(world).actions(),
        *GuildActions(world, gateway).actions(),
        *FaultActions(world, gateway, rest).actions(),
        *ObservationActions(world, gateway, journal).actions(),
    ]
