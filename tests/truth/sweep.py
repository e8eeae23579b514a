"""Many states: each follows from the seed, its guild's number and its own."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from operations.base import Operation
from tests.app import until
from tests.samples import WRITES
from tests.truth.arguments import arguments_for
from tests.truth.judge import Finding, Judge, Write
from tests.truth.stage import Stage
from tests.truth.worlds import Scene, build, remember

STATES_PER_GUILD = 40


@dataclass(frozen=True, slots=True)
class State:
    """``name``: SEED:GUILD:STATE, by which it is made again."""

    name: str
    operation: type[Operation]
    requester: int
    given: dict[str, Any]

    def __str__(self) -> str:
        given = orjson.dumps(self.given).decode()
        given = given if len(given) <= 600 else f"{given[:600]}… ({len(given):,} characters)"
        return f"{self.name}: {self.operation.name} {given}, asked by {self.requester}"


@dataclass(slots=True)
class Row:
    """What was found of one operation."""

    kinds: Counter[str] = field(default_factory=Counter[str])
    says: Counter[str] = field(default_factory=Counter[str])
    executed: int = 0
    causes: Counter[str] = field(default_factory=Counter[str])

    @property
    def states(self) -> int:
        return sum(self.says.values())

    def add(self, finding: Finding) -> None:
        self.kinds[finding.kind] += 1
        self.says[finding.says] += 1
        self.executed += finding.executed
        if finding.says == "unknown":
            self.causes[f"unknown: {_shape(finding.reason)}"] += 1
        if finding.kind == "not addressable":
            self.causes[f"no: {finding.discord}"] += 1
        if finding.kind == "explained no":
            self.causes[f"no: {finding.discord}"] += 1


def _shape(reason: str) -> str:
    """A reason without what differs from state to state."""
    return " ".join("…" if any(letter.isdigit() for letter in word) else word for word in reason.split())[:160]


async def states(stage: Stage, seed: int, guild_number: int, scene: Scene) -> AsyncGenerator[State]:
    """Endless; each from a generator of its own, so that one can be made without the others."""
    number = 0
    while True:
        name = f"{seed}:{guild_number}:{number}"
        rng = random.Random(name)  # noqa: S311 - to be repeated
        operation = WRITES[(guild_number * STATES_PER_GUILD + number) % len(WRITES)]
        requester = rng.choice([*[scene.owner_id] * 3, *scene.members, *scene.members])
        yield State(name, operation, requester, arguments_for(rng, scene, operation, requester))
        number += 1


async def guild_of(stage: Stage, seed: int, guild_number: int) -> Scene:
    """The guild of this number, installed and known to the bot."""
    world = stage.sandbox.world
    scene = build(world, random.Random(f"{seed}:{guild_number}"))  # noqa: S311 - to be repeated
    last = remember(world, scene)

    def arrived() -> bool:
        guild = stage.core.state.source.cached(scene.guild_id)
        return guild is not None and guild.get_channel(last) is not None

    await until(arrived, "the guild arrives")
    await stage.install(scene.guild_id, scene.sent)
    return scene


async def sweep(
    stage: Stage, seed: int, guilds: Sequence[int], *, states_per_guild: int = STATES_PER_GUILD, only: int | None = None
) -> AsyncGenerator[tuple[State, Finding]]:
    """Every state of these guilds; of each, the one of this number only."""
    for guild_number in guilds:
        scene = await guild_of(stage, seed, guild_number)
        judge = Judge(stage, scene)
        judge.look()
        made = states(stage, seed, guild_number, scene)
        for number in range(states_per_guild):
            state = await anext(made)
            if only is not None and number != only:
                continue
            operation = cast("Write", stage.services.registry.get(state.operation.name))
            yield state, await judge.judge(operation, state.given, state.requester)
        await made.aclose()
        await stage.remove(scene.guild_id)
